"""``latentlab doctor``."""

from pathlib import Path
from typing import Annotated

import typer

from latentlab.cli import _console

PANEL = "Files"


def doctor(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[RUN_OR_STUDY…]", help="Run folders or study folders to check.")
    ] = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Check the installation and studies, and say how to fix each problem. The exit status is 1 if a problem is found.

    Example: latentlab doctor artifacts/digits
    """
    from latentlab.runs.doctor import examine, versions

    found = versions() + [finding for path in paths or [] for finding in examine(path)]
    wrong = [finding for finding in found if finding.wrong]
    if json:
        _console.show_json({"findings": [finding._asdict() for finding in found], "wrong": len(wrong)})
    else:
        shown = wrong if quiet else found
        _console.table([{"where": f.where, "found": f.found, "mend": f.mend} for f in shown])
        _console.show(f"{len(wrong)} of {len(found)} findings are wrong" if wrong else "nothing is wrong")
    if wrong:
        raise typer.Exit(1)
