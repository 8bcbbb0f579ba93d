"""``latentlab report``."""

from pathlib import Path
from typing import Annotated

import typer

from latentlab.cli import _console, _runs

PANEL = "Show"


def report(
    paths: _console.Paths,
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write, .html.")],
    title: Annotated[str | None, typer.Option(help="What the page is called; the folder's name by default.")] = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Tell a study's story in one HTML file: what was trained, costs, dimensions, scores, caveats, commands.

    Example: latentlab report artifacts/digits-study -o report.html
    """
    from latentlab.reports.html import write_report
    from latentlab.runs.comparison import errors_of
    from latentlab.runs.study import open_path

    with _console.progress(f"report {out}", quiet=quiet or json) as progress:
        table = write_report([open_path(path) for path in paths], out, title=title, progress=progress)
    outcome: _runs.Outcome[None] = _runs.Outcome((), {Path(path): why for path, why in errors_of(table).items()})
    if json:
        runs = [{"run": run} for run in table["path"].dropna()]
        outcome.show_entries(runs, report=str(out), bytes=out.stat().st_size)
    elif not quiet:
        _console.show(f"{out} is written, {out.stat().st_size / 1024:,.0f} kB")
    outcome.end()
