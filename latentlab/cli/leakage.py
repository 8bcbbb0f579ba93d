"""``latentlab leakage``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentlab.cli import _console, _runs
from latentlab.system.files import refuse_busy

if TYPE_CHECKING:
    from latentlab.results import Score
    from latentlab.runs.run import Run

PANEL = "Ask one question"


def leakage(
    paths: _console.Paths,
    data: _console.RunData = None,
    anchors: Annotated[
        int,
        typer.Option(
            help="Number of rows around which each dimension is traversed, chosen at random.", min=2, max=1000
        ),
    ] = 16,
    seed: Annotated[int, _console.seed("Seed for rows, regressor and resamples")] = 0,
    adapter: _console.Adapter = None,
    out: Annotated[Path | None, _console.file_to_write("CSV file to write, one row per dimension", ".csv")] = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Measure how much other factors change in decoded samples while one dimension is traversed.

    A regressor learns the factors from real samples, once for all runs of the same data. 0 is best; – means that no
    dimension changes a factor. Results: leakage.json in each run.

    Example: latentlab leakage artifacts/dsprites
    """
    refuse_busy(*paths)
    from latentlab.analysis.leakage.record import table, tables
    from latentlab.analysis.leakage.stage import leakage as measure
    from latentlab.data import load
    from latentlab.runs.comparison import csv_of
    from latentlab.system.files import write_bytes

    images = None if data is None else load(data)
    outcome = _runs.each_run(
        paths,
        "leakage",
        lambda run, report: measure(run, data=images, anchors=anchors, seed=seed, adapter=adapter, progress=report),
        quiet=quiet or json,
    )
    if out is not None and outcome.done:
        write_bytes(out, csv_of(tables({run.name: score for run, score in outcome.done})))
    if json:
        outcome.show_json(lambda score: {**score.to_json(), "dimensions": table(score).to_dict("records")})
    else:
        _console.table([_row(run, score) for run, score in outcome.done])
    for run, score in [] if json else outcome.done:
        if score.matrix is not None:
            _console.show(
                f"\n{run.name}: change of each factor along each dimension (1: the whole range of the factor)"
            )
            _console.table(table(score).to_dict("records"))
    outcome.end()


def _row(run: Run, score: Score) -> dict[str, Any]:
    low, high = score.interval or (float("nan"), float("nan"))
    defined = f"{score.parts['defined']:.0f} of {score.parts['of']:.0f}" if score.parts else "–"
    return {
        "run": run.name,
        "setting": run.config.label,
        "leakage": score.value,
        "low": low,
        "high": high,
        "defined for": defined,
        "undefined": score.settings.get("undefined", ""),
    }
