"""What the seeds of one setting have in common: the metrics across runs, on rows that all of them encoded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import RandomState

from latentlab.analysis.score.profiles._protocol import draw_rows
from latentlab.codes.codes import Codes, located
from latentlab.codes.matching import check_same_images
from latentlab.codes.rates import rate_parts
from latentlab.errors import InputError
from latentlab.results import Score
from latentlab.runs.recurring import MOST_RUNS
from latentlab.runs.run import Run
from latentlab.system.registry import load, names

if TYPE_CHECKING:
    import pandas as pd

ROWS = 10_000
FEW = "it would have to show the variation over other seeds, which a few runs cannot show"


def across(runs: Sequence[Run], *, metrics: Iterable[str] | None = None, rows: int = ROWS) -> dict[str, Score]:
    """Every metric of the folder that compares runs (udr, cka, procrustes), over runs that encoded the same images.

    At most `rows` rows are compared, drawn as profile ``dlib`` draws them from a full grid, otherwise by a seeded
    permutation. ``udr`` leaves out dimensions by their mean KL over those rows where every run has a posterior. Raises
    `InputError` for fewer than two runs, for runs that were not encoded and for runs of different rows.
    """
    if len(runs) < 2:
        raise InputError(f"{len(runs)} run was given; comparing runs needs at least two")
    codes, total = _same_rows(runs, rows)
    means = [each.mean for each in codes]
    rates = [_rates(each) for each in codes if each.variance is not None]
    found = {}
    for name, module in _modules(metrics).items():
        options: dict[str, Any] = {"kl": rates} if name == "udr" and len(rates) == len(codes) else {}
        score: Score = getattr(module, name)(means, **options)
        drawn = {"rows": len(means[0]), "rows_from": f"of {total} rows", "seed": 0}
        settings = {**score.settings, **drawn, "runs": [run.name for run in runs]}
        found[name] = score.replace(settings=settings, missing={"interval": FEW})
    return found


def by_setting(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """The values of `across` for each setting of `compare`'s table, over its seeds; empty where they cannot be had.

    Runs that are broken, diverged or not encoded are left out. Of more than `MOST_RUNS` runs all are empty: compare
    those of one setting.
    """
    if len(table) > MOST_RUNS:
        return {str(setting): {} for setting in table["setting"].dropna().unique()}
    usable = table[~table["state"].isin(["broken", "diverged"]) & table["setting"].notna()]
    found: dict[str, dict[str, float]] = {}
    metrics = tuple(_modules(None))
    for setting, group in usable.groupby("setting", sort=False):
        runs = [run for run in map(Run, group["path"]) if run.has("encode")]
        try:
            found[str(setting)] = {name: score.value for name, score in across(runs, metrics=metrics).items()}
        except InputError:  # one seed alone, or seeds that encoded different rows: there is nothing to compare
            found[str(setting)] = {}
    return found


def _modules(metrics: Iterable[str] | None) -> dict[str, ModuleType]:
    every = {name: load("metrics", name) for name in (names("metrics") if metrics is None else metrics)}
    return {name: module for name, module in every.items() if module.METRIC.needs == "runs"}


def _same_rows(runs: Sequence[Run], rows: int) -> tuple[list[Codes], int]:
    """The same rows of each run's codes, and of how many; one run's codes are held whole at a time."""
    first = runs[0].codes()
    ids, chosen = first.row_ids, _chosen(first, rows)
    found = [first.take(chosen)]
    for run in runs[1:]:
        codes = run.codes()
        places = located(codes.row_ids, ids) if len(codes) == len(ids) else None
        if places is None:
            raise InputError(f"{run.name} and {runs[0].name} encoded different rows; encode the same split with both")
        check_same_images(first, codes)
        found.append(codes.take(places[chosen]))
    return found, len(ids)


def _chosen(codes: Codes, rows: int) -> Any:
    if len(codes) <= rows:
        return np.arange(len(codes))
    if codes.grid is not None:
        return draw_rows(codes.grid, rows, RandomState(0))
    return np.sort(RandomState(0).permutation(len(codes))[:rows])


def _rates(codes: Codes) -> Any:
    centred, width = rate_parts(codes.mean, codes.variance if codes.variance is not None else np.empty(0))
    return (centred + width).mean(axis=0)
