"""``latentlab export``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from latentlab.cli import _console
from latentlab.system.registry import names

PANEL = "Files"


def export(
    path: Annotated[
        Path, typer.Argument(metavar="RUN_OR_STUDY", help="Run folder; for study and tensorboard, a study folder.")
    ],
    out: Annotated[
        Path,
        _console.path_to_write("File to write; with huggingface, study and tensorboard a folder to create"),
    ],
    to: Annotated[str, typer.Option(help=f"{', '.join(names('exchange/exporters'))}.")],
    rows: Annotated[
        int | None,
        typer.Option(help="With study: maximum number of rows of codes in the copy; 5,000 by default.", min=1),
    ] = None,
    weights: Annotated[
        bool | None,
        typer.Option("--weights/--no-weights", help="With study: include the weights in float16; included by default."),
    ] = None,
    adapter: _console.Adapter = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Export a run to another tool's format, or a small copy of a study to share.

    h5ad and parquet contain codes and projections, for scanpy, pandas and Embedding Atlas; onnx, encoder and decoder;
    huggingface, the model with its card; tensorboard, the training history; study, a small copy of a whole study.

    Example: latentlab export artifacts/digits/beta4-seed0 --to parquet -o codes.parquet
    """
    from latentlab.exchange.exporting import export as hand_out
    from latentlab.exchange.exporting import left_out

    options: dict[str, Any] = {"rows": rows, "weights": weights, "adapter": adapter}
    given = {key: value for key, value in options.items() if value is not None}
    hand_out(path, out, to, **given)
    lacks = left_out(path, to, **given)
    if json:
        _console.show_json({"out": str(out), "to": to, **({"left_out": lacks} if lacks else {})})
    elif not quiet:
        _console.show(f"Saved {out}")
        for each in lacks:
            _console.show(f"left out: {each}")
