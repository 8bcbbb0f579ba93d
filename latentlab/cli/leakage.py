"""``latentlab leakage``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentlab.cli import _console
from latentlab.system.files import refuse_busy

if TYPE_CHECKING:
    from latentlab.results import Score

PANEL = "Analyse"


def leakage(
    paths: _console.Paths,
    data: _console.Data = None,
    anchors: Annotated[int, typer.Option(help="Seeded rows to move every dimension around.", min=2, max=1000)] = 16,
    seed: Annotated[int, typer.Option(help="Fixes rows, regressor and redraws.")] = 0,
    adapter: _console.Adapter = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Write a row a dimension as .csv.")] = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Measure how much other factors change while a dimension changes one, read off the decoded images.

    A regressor learns the factors from real images of the data, once for all runs of the same data. The answer is kept
    beside each run, in leakage.json, where pages and figures find it. 0 is best; – where no dimension changes anything.

    Example: latentlab leakage artifacts/digits-study
    """
    refuse_busy(*paths)
    from latentlab.analysis.leakage.record import table, tables
    from latentlab.analysis.leakage.stage import measure_leakage
    from latentlab.runs.comparison import csv_of
    from latentlab.runs.study import open_runs
    from latentlab.system.files import write_bytes

    runs = open_runs(paths)
    with _console.progress("leakage", quiet=quiet or json) as report:
        found, failed = measure_leakage(runs, data, anchors=anchors, seed=seed, adapter=adapter, progress=report)
    if failed and not found:
        raise next(iter(failed.values()))
    if out is not None:
        write_bytes(out, csv_of(tables(found)))
    if json:
        _console.show_json({"runs": _found_json(found), "failed": {name: str(why) for name, why in failed.items()}})
        return
    by_name = {run.name: run for run in runs}
    _console.table([_row(name, by_name[name].config.label, score) for name, score in found.items()])
    for name, score in found.items():
        if score.matrix is not None:
            _console.show(f"\n{name}: change along each dimension, 1 for a sweep of a factor's whole range")
            _console.table(table(score).to_dict("records"))
    for name, error in failed.items():
        _console.show(f"{name} was left out: {error}")


def _found_json(found: "dict[str, Score]") -> dict[str, Any]:
    """Each run's score with a row a dimension."""
    from latentlab.analysis.leakage.record import table

    return {name: {**score.to_json(), "dimensions": table(score).to_dict("records")} for name, score in found.items()}


def _row(name: str, label: str, score: "Score") -> dict[str, Any]:
    low, high = score.interval or (float("nan"), float("nan"))
    defined = f"{score.parts['defined']:.0f} of {score.parts['of']:.0f}" if score.parts else "–"
    return {
        "run": name,
        "setting": label,
        "leakage": score.value,
        "low": low,
        "high": high,
        "defined for": defined,
        "undefined": score.settings.get("undefined", ""),
    }
