"""``latentlab probe``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from latentlab.cli import _console, _runs
from latentlab.errors import InputError
from latentlab.system.files import refuse_busy

if TYPE_CHECKING:
    from latentlab.analysis.probe.measure import Curve

PANEL = "Ask one question"


def probe(
    paths: _console.Paths,
    factor: Annotated[str | None, typer.Option(help="Factor to predict; the labels by default.")] = None,
    estimator: Annotated[str, typer.Option(help="Classifiers: linear, knn, or both.")] = "linear,knn",
    sizes: Annotated[str, typer.Option(help="Numbers of labelled rows per class.")] = "1,2,5,10,20,50,100",
    draws: Annotated[int, typer.Option(min=2, help="Number of random draws of the labelled rows.")] = 10,
    seed: Annotated[int, _console.seed("Seed for the choice of labelled and test rows")] = 0,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Measure how accurately simple classifiers predict labels from a run's codes, by number of labelled rows.

    Example: latentlab probe artifacts/digits --sizes 1,10,100
    """
    refuse_busy(*paths)
    from latentlab.analysis.probe.measure import ESTIMATORS
    from latentlab.analysis.probe.stage import probe as learn
    from latentlab.system.registry import choose

    kinds = [choose(name.strip(), ESTIMATORS, what="estimator") for name in estimator.split(",")]
    counts = _sizes(sizes)
    outcome = _runs.each_run(
        paths,
        "probe",
        lambda run, report: learn(run, factor=factor, estimators=kinds, sizes=counts, draws=draws, seed=seed),
        quiet=quiet or json,
    )
    if json:
        outcome.show_json(lambda curves: {"probes": [curve.to_json() for curve in curves.values()]})
    else:
        _show([(run.name, curve) for run, curves in outcome.done for curve in curves.values()])
    if outcome.done and not quiet and not json:
        _console.show(f"balanced accuracy on held-out rows, mean over {draws} draws of the labelled rows")
    outcome.end()


def _show(curves: list[tuple[str, Curve]]) -> None:
    rows = [
        {"run": name, "probe": curve.estimator, "chance": curve.chance}
        | {f"{size} per class": value for size, value in zip(curve.sizes, curve.accuracy, strict=True)}
        for name, curve in curves
    ]
    keys = {key: None for row in rows for key in row}
    _console.table([{**keys, **row} for row in rows])


def _sizes(text: str) -> tuple[int, ...]:
    try:
        found = tuple(int(size) for size in text.split(","))
    except ValueError:
        found = ()
    if not found or min(found) < 1:
        raise InputError(f"--sizes is {text[:60]!r}; expected labelled rows per class, as in 1,10,100")
    return found
