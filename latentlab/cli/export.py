"""``latentlab export``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from latentlab.cli import _console

PANEL = "Files"


def export(
    path: Annotated[Path, typer.Argument(metavar="RUN_OR_STUDY", help="A run for h5ad, a study for study.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The file or folder to make.")],
    to: Annotated[
        Literal["h5ad", "study"], typer.Option(help="h5ad: codes with projections, for scanpy. study: a small copy.")
    ],
    rows: Annotated[int, typer.Option(help="Rows of codes that a small copy keeps.", min=1)] = 5000,
    weights: Annotated[bool, typer.Option(help="Whether a small copy keeps the weights, in float16.")] = True,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Hand a run's codes to other tools, or a study to other people.

    Example: latentlab export artifacts/digits-study --to study -o digits-small --rows 500
    """
    from latentlab.exporting import export_h5ad, export_study
    from latentlab.runs import Run, Study

    if to == "h5ad":
        export_h5ad(Run(path), out)
    else:
        export_study(Study(path), out, rows=rows, weights=weights)
    if json:
        _console.show_json({"out": str(out), "to": to})
    elif not quiet:
        _console.show(f"{out} is written")
