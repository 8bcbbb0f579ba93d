"""Renew what pages list of rooms and stages: ``python docs/stages.py``. A test compares the pages with the code."""

import ast
import os
import re
from importlib import import_module
from pathlib import Path

from latentlab.runs.stage import Stage, stages
from latentlab.system.registry import HERE

DOCS = Path(__file__).parent
PART = re.compile(r"(<!-- (\w+): .*? -->\n).*?(\n<!-- end of \2 -->)", re.DOTALL)
ORDER = re.compile(r'ORDER = """(.*?)"""', re.DOTALL)


def renewed() -> dict[Path, str]:
    """The pages that list rooms and stages, with the lists as they should be."""
    layout, commands = DOCS / "architecture.md", DOCS / "reference" / "commands.md"
    lines = commands.read_text(encoding="utf-8").splitlines()
    asked = {f"| `{name}` |" for name, stage in stages().items() if stage.place is None}
    questions = [stage for stage in stages().values() if stage.place is None and stage.verb == stage.name]
    first = next(number for number, line in enumerate(lines) if line.startswith(tuple(asked)))
    others = [line for line in lines if not line.startswith(tuple(asked))]
    others[first:first] = [verb(stage) for stage in questions]
    parts = {"rooms": tree, "order": order, "stages": table}
    text = PART.sub(lambda found: found[1] + parts[found[2]]() + found[3], layout.read_text(encoding="utf-8"))
    return {layout: text, commands: "\n".join(others) + "\n"}


def tree() -> str:
    """The rooms from the top down, each with the first line of what its ``__init__`` says of it."""
    rooms = [room for room in reversed(layers().replace("<", "").split()) if (HERE / room / "__init__.py").is_file()]
    branches = ["├──"] * (len(rooms) - 1) + ["└──"]
    lines = [f"{branch} {f'{room}/':<10} {purpose(room)}" for branch, room in zip(branches, rooms, strict=True)]
    return "\n".join(["```", "latentlab/", *lines, "```"])


def purpose(room: str) -> str:
    """The first line of a room's docstring; in a tree nothing is marked as code."""
    docstring = ast.get_docstring(ast.parse((HERE / room / "__init__.py").read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0].replace("`", "")


def order() -> str:
    """The order of the rooms, from the ground up, as the test of the imports reads it."""
    return f"`{' '.join(layers().split())}`"


def layers() -> str:
    """The rooms with ``<`` between floors, read from the test that holds them so."""
    found = ORDER.search((HERE.parent / "tests" / "test_layers.py").read_text(encoding="utf-8"))
    assert found
    return found[1]


def table() -> str:
    """A row per stage: its name and page, its files, the command and the figures that show it."""
    return "\n".join(["| stage | files | made by | shown by |", "|---|---|---|---|", *map(row, stages().values())])


def row(stage: Stage) -> str:
    """A stage's row in the layout."""
    figures = ", ".join(name.replace("_", "-") for name in stage.figures) or "–"
    files = ", ".join(f"`{file}`" for file in stage.files)
    return f"| {linked(stage, DOCS)} | {files} | `latentlab {stage.command}` | {figures} |"


def verb(stage: Stage) -> str:
    """A question's row among the commands: what the package of its name says that it does."""
    does = (import_module(f"latentlab.analysis.{stage.name}").__doc__ or "").splitlines()[0].partition(" (")[0]
    does = f"{does[0].lower()}{does[1:].rstrip('.')}"
    return f"| `{stage.name}` | study | {does} | {linked(stage, DOCS / 'reference')} |"


def linked(stage: Stage, here: Path) -> str:
    """A link from a page in the folder `here` to the stage's own page, that of its name unless it names one."""
    page = stage.page or (f"{stage.name}.md" if stage.place is None else "")
    return f"[{stage.name}]({os.path.relpath(DOCS / page, here)})" if page else stage.name


if __name__ == "__main__":
    for path, text in renewed().items():
        path.write_text(text, encoding="utf-8")
