"""``latentlab explain``."""

from pathlib import Path
from typing import Annotated

import typer

from latentlab.cli import _console
from latentlab.system.files import refuse_busy

PANEL = "Analyse"


def explain(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    rows: Annotated[int, typer.Option(min=1, help="Seeded codes to look around.")] = 32,
    steps: Annotated[int, typer.Option(min=3, help="Pictures along each path.")] = 33,
    seed: Annotated[int, typer.Option(help="Fixes which codes.")] = 0,
    adapter: _console.Adapter = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Say what each latent dimension does to the picture: where, how strongly, how straight, and what it follows.

    Example: latentlab explain artifacts/digits
    """
    refuse_busy(run)
    from latentlab.analysis.explain.stage import explain as measure
    from latentlab.analysis.explain.table import explained
    from latentlab.runs.run import Run

    opened = Run(run)
    table = explained(opened, measure(opened, rows=rows, steps=steps, seed=seed, adapter=adapter))
    if json:
        _console.show_json({"run": str(run), "dimensions": table.to_dict("records")})
        return
    left_out = {"index", "straightness_low", "straightness_high", "mi_low", "mi_high"}
    _console.table([{k: v for k, v in row.items() if k not in left_out} for row in table.to_dict("records")])
    if not quiet:
        _console.show(
            f"around {table.attrs['rows']} codes; strength: change of a pixel, of its range, a standard deviation"
        )
