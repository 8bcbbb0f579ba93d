"""``latentlab figure``."""

from pathlib import Path
from typing import Annotated

import typer

from latentlab.cli import _console
from latentlab.registry import names

PANEL = "Show"


def figure(
    kind: Annotated[str, typer.Argument(help=", ".join(names("figures")).replace("_", "-"))],
    paths: _console.Paths,
    out: Annotated[Path, typer.Option("-o", "--out", help="The file: .pdf, .svg, .png or .html.")],
    preset: Annotated[
        str, typer.Option(help="Width and type size: icml, neurips, nature-single, nature-double.")
    ] = "neurips",
    option: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="An option of the kind, as in factor=shape.")
    ] = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Draw a figure for a report: PDF, SVG and PNG without a browser, or an interactive HTML file.

    Example: latentlab figure rate-distortion artifacts/digits-study -o rate-distortion.pdf
    """
    from latentlab.figures import export
    from latentlab.runs import open_runs

    chosen = {
        key: int(value) if isinstance(value, float) and value.is_integer() else value
        for key, value in _console.settings(option or []).items()
    }
    export(kind, open_runs(paths), out, preset=preset, **chosen)
    if json:
        _console.show_json({"figure": str(out), "kind": kind})
    elif not quiet:
        _console.show(f"{out} is drawn")
