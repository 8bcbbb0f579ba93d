"""``latentlab report``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentlab.cli import _console, _runs

if TYPE_CHECKING:
    from latentlab.runs.run import Run

PANEL = "Show"


def report(
    paths: _console.Paths,
    out: Annotated[Path, _console.file_to_write("HTML file to write", ".html", ".htm")],
    title: Annotated[str | None, typer.Option(help="Title of the page; the folder's name by default.")] = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Write one HTML file about a study: three one-sentence answers, costs, scores, dimensions, caveats, commands.

    Panels that were collected in the dashboard are included.

    Example: latentlab report artifacts/digits -o report.html
    """
    from latentlab.reports.html import write_report
    from latentlab.runs.comparison import errors_of
    from latentlab.runs.study import open_path

    with _console.progress(f"report {out}", quiet=quiet or json) as progress:
        given = [open_path(path) for path in paths]
        table = write_report(given, out, title=title, progress=progress, live=_live)
    outcome: _runs.Outcome[None] = _runs.Outcome((), {Path(path): why for path, why in errors_of(table).items()})
    if json:
        runs = [{"run": run} for run in table["path"].dropna()]
        outcome.show_entries(runs, report=str(out), bytes=out.stat().st_size)
    elif not quiet:
        _console.show(f"Saved {out}, {out.stat().st_size / 1024:,.0f} kB")
    outcome.end()


def _live(run: "Run") -> Any:
    """The run's model, for a collected panel that decodes again; torch is loaded only where there is one."""
    from latentlab.models.live import live

    return live(run)
