"""``latentlab publish``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from latentlab.cli import _console

PANEL = "Show"


def publish(
    path: Annotated[Path, typer.Argument(metavar="RUN_OR_STUDY", help="Study folder, or a single run.")],
    out: Annotated[Path, _console.folder_to_make("Folder to create, or to replace if it was published before")],
    rows: Annotated[
        int, typer.Option(help="Maximum number of rows on each map; their images are published too.")
    ] = 2000,
    weights: Annotated[
        bool,
        typer.Option("--weights/--no-weights", help="Publish decoders; without them sliders show stored traversals."),
    ] = True,
    title: Annotated[str | None, typer.Option(help="Title of the pages; the folder's name by default.")] = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Publish a study as web pages that need no server: overview, live comparison, map, dimensions, scores, report.

    The folder works from disk, in a ZIP file and on GitHub Pages. Its README.txt explains how to host it.

    Example: latentlab publish artifacts/digits -o site
    """
    from latentlab.reports.site.publish import write_site

    with _console.progress(f"publish {out}", quiet=quiet or json) as progress:
        told = write_site(path, out, rows=rows, weights=weights, title=title, progress=progress)
    if json:
        _console.show_json({"out": str(out), **told})
    elif not quiet:
        _console.show(f"Saved {out}, {told['bytes'] / 1e6:,.1f} MB: {_said(told)}")
        for name, why in told["not_moved"].items():
            _console.show(f"not in the comparison: {name}: {why}")


def _said(told: dict[str, Any]) -> str:
    """What others can read there."""
    runs = f"{told['runs']} run{'s' * (told['runs'] != 1)}"
    decoders = f"{told['decoders']} decoder{'s' * (told['decoders'] != 1)} with weights"
    stored = f", stored traversals for {told['stored']} more" if told["stored"] else ""
    return f"{runs}, {decoders}{stored}, pictures of {told['pictures']:,} rows"
