"""``latentlab explain``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from latentlab.cli import _console, _runs
from latentlab.errors import InputError
from latentlab.system.files import refuse_busy, write_bytes

PANEL = "Ask one question"


def explain(
    paths: _console.Paths,
    rows: Annotated[int, typer.Option(min=1, help="Number of seeded random codes to perturb.")] = 32,
    steps: Annotated[int, typer.Option(min=3, help="Number of samples along each path.")] = 33,
    seed: Annotated[int, typer.Option(help="Seed for the choice of codes.")] = 0,
    csv: Annotated[
        Path | None, typer.Option(help="CSV file to write: the features that each dimension moves up and down.")
    ] = None,
    top: Annotated[
        int | None, typer.Option(min=1, help="With --csv: features up and features down per dimension (all).")
    ] = None,
    adapter: _console.Adapter = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Measure what each latent dimension changes in decoded samples: where, how strongly, and which factor it follows.

    Example: latentlab explain artifacts/digits

    Gene lists: latentlab explain runs/pbmc --csv genes.csv --top 50
    """
    if top is not None and csv is None:
        raise InputError("--top is for the rows of --csv FILE; add it or leave --top out")
    refuse_busy(*paths)
    from latentlab.analysis.explain.stage import explain as measure
    from latentlab.analysis.explain.table import explained, features
    from latentlab.runs.comparison import csv_of

    options: dict[str, Any] = {"rows": rows, "steps": steps, "seed": seed, "adapter": adapter}
    found = _runs.each_run(
        paths, "explain", lambda run, report: explained(run, measure(run, **options)), quiet=quiet or json
    )
    if csv is not None:
        tables = {run.name: features(run, measure(run, **options), top) for run, _ in found.done}
        write_bytes(csv, csv_of(joined(tables)))
    if json:
        found.show_json(lambda table: {"dimensions": table.to_dict("records")})
    left_out = {"index", "straightness_low", "straightness_high", "mi_low", "mi_high"}
    for run, table in [] if json else found.done:
        named = {"run": run.name} if len(found.done) > 1 else {}
        _console.table(
            [named | {k: v for k, v in row.items() if k not in left_out} for row in table.to_dict("records")]
        )
        if not quiet:
            _console.show(f"around {table.attrs['rows']} codes; strength: {_strength(run)}, a standard deviation")
    if csv is not None and not quiet and not json:
        _console.show(f"Saved the features that each dimension moves to {csv}")
    found.end()


def _strength(run: Any) -> str:
    """What the strength of a dimension is measured in."""
    if run.config.form.kind == "image":
        return "change of a pixel, of its range"
    return "change of the model's input" if run.config.form.kind != "counts" else "change of the expected counts"


def joined(tables: Mapping[str, Any]) -> Any:
    """The tables of several runs as one, with the run's name as first column where there are several."""
    import pandas as pd

    named = [table if len(tables) == 1 else table.assign(run=name)[["run", *table]] for name, table in tables.items()]
    return pd.concat(named, ignore_index=True)
