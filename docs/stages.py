"""Renew the table of stages in ``architecture.md``: ``python docs/stages.py``. A test compares it with the code."""

import re
from pathlib import Path

from latentlab.runs.stage import Stage, stages

PAGE = Path(__file__).with_name("architecture.md")
PLACE = re.compile(r"(<!-- stages: .*? -->\n).*?(\n<!-- end of stages -->)", re.DOTALL)
DOCS = {path.stem: path for path in sorted(PAGE.parent.rglob("*.md"))}


def table() -> str:
    """A row a stage: its name (with its page, if it has one), its files, the command and the figures that show it."""
    rows = ["| stage | files | made by | shown by |", "|---|---|---|---|"]
    return "\n".join([*rows, *map(_row, stages().values())])


def _row(stage: Stage) -> str:
    page = DOCS.get(stage.name)
    name = f"[{stage.name}]({page.relative_to(PAGE.parent)})" if page else stage.name
    figures = ", ".join(name.replace("_", "-") for name in stage.figures) or "–"
    return f"| {name} | {', '.join(f'`{file}`' for file in stage.files)} | `latentlab {stage.command}` | {figures} |"


if __name__ == "__main__":
    PAGE.write_text(
        PLACE.sub(lambda found: found[1] + table() + found[2], PAGE.read_text(encoding="utf-8")), encoding="utf-8"
    )
