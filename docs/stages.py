"""Renew what pages list of the stages: ``python docs/stages.py``. A test compares the pages with the code."""

import inspect
import os
import re
from importlib import import_module
from pathlib import Path

from latentlab.runs.stage import Stage, stages
from latentlab.system.registry import load

DOCS = Path(__file__).parent
TABLE = re.compile(r"(<!-- stages: .*? -->\n).*?(\n<!-- end of stages -->)", re.DOTALL)


def renewed() -> dict[Path, str]:
    """The pages that list stages, with the lists as they should be."""
    layout, commands = DOCS / "architecture.md", DOCS / "reference" / "commands.md"
    lines = commands.read_text(encoding="utf-8").splitlines()
    asked = {f"| `{name}` |" for name, stage in stages().items() if stage.place is None}
    first = next(number for number, line in enumerate(lines) if line.startswith(tuple(asked)))
    others = [line for line in lines if not line.startswith(tuple(asked))]
    others[first:first] = [verb(stage) for stage in stages().values() if stage.place is None]
    text = layout.read_text(encoding="utf-8")
    return {layout: TABLE.sub(lambda found: found[1] + table() + found[2], text), commands: "\n".join(others) + "\n"}


def table() -> str:
    """A row a stage: its name and page, its files, the command and the figures that show it."""
    return "\n".join(["| stage | files | made by | shown by |", "|---|---|---|---|", *map(row, stages().values())])


def row(stage: Stage) -> str:
    """A stage's row in the layout."""
    figures = ", ".join(name.replace("_", "-") for name in stage.figures) or "–"
    files = ", ".join(f"`{file}`" for file in stage.files)
    return f"| {linked(stage, DOCS)} | {files} | `latentlab {stage.command}` | {figures} |"


def verb(stage: Stage) -> str:
    """A question's row among the commands: what the package of its name says that it does."""
    takes = "study" if "paths" in inspect.signature(getattr(load("cli", stage.name), stage.name)).parameters else "run"
    does = (import_module(f"latentlab.analysis.{stage.name}").__doc__ or "").splitlines()[0].partition(" (")[0]
    return (
        f"| `{stage.name}` | {takes} | {does[0].lower()}{does[1:].rstrip('.')} | {linked(stage, DOCS / 'reference')} |"
    )


def linked(stage: Stage, here: Path) -> str:
    """A link from a page in the folder `here` to the stage's own page, that of its name unless it names one."""
    page = stage.page or (f"{stage.name}.md" if stage.place is None else "")
    return f"[{stage.name}]({os.path.relpath(DOCS / page, here)})" if page else stage.name


if __name__ == "__main__":
    for path, text in renewed().items():
        path.write_text(text, encoding="utf-8")
