"""Measure what a metric's card says in numbers, and keep it in ``latentlab/metrics/cards/NAME.json``.

Run from the repository root: ``python benchmarks/cards.py [--only mig,dci] [--again]``. A metric that has a file of
its present version is not measured again, so that a run may be stopped. Ten minutes on one core, and
fifteen more for `nk`, which trains networks.

Everything is measured on `latentlab.metrics._worlds`: five factors of 3 to 10 levels and codes that go, along a
synthetic trajectory, from noise that mixes all factors to one factor per dimension; two dimensions are noise.

- ``trajectory``: the mean at six points of it, 10,000 rows;
- ``cv``: deviation over mean at its middle when the evaluation is repeated with fresh rows and seed;
- ``smallest_difference``: 1.96 √2 times the deviation of one evaluation of 10,000 rows (root mean square at the three
  points where it is largest): 95 % of the differences between two evaluations of equal codes are smaller;
- ``discriminability``: how often one evaluation of 1,000 rows is better than one of the point before, at eleven points
  (0.5: it never tells; for metrics without a direction, whichever order is commoner);
- ``rows``, ``noise``: the mean at its middle, and of codes that know nothing, by the number of rows;
- ``dimensions``: the mean at its middle by the number of dimensions, all but five noise, 3,000 rows;
- ``changes``: the largest move of the value under each change of the codes;
- ``cases``: the mean for four kinds of factors and ten kinds of codes, five factors, 1,000 rows, three seeds.
"""

from __future__ import annotations

import argparse
import inspect
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

os.environ.setdefault("OMP_NUM_THREADS", "1")
# ruff: noqa: E402 - numba imports a module called coverage, which lies in this folder
sys.path[:] = [each for each in sys.path if Path(each).resolve() != Path(__file__).parent]

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from latentlab.metrics import _worlds as worlds
from latentlab.metrics._card import MEASURED, NOTABLE, measured
from latentlab.metrics._estimators import unfinished_allowed
from latentlab.metrics._metric import Change
from latentlab.system.files import write_json
from latentlab.system.registry import choose, load, names

POINTS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
ROWS = (300, 1000, 3000, 10_000)
EXTRA = (0, 5, 15, 45)
REPEATS, SEEDS = 10, 3  # of each point, of each case
COSTLY = ("dci", "dci_es", "index_code_mi", "infomec", "nk")  # half the repeats, and a card's cases alone


def value(module: ModuleType, args: Iterable[Any], seed: int) -> float:
    """The metric's value on those arguments, with that seed where it takes one."""
    function = getattr(module, module.__name__.rpartition(".")[2])
    seeded = {"seed": seed} if "seed" in inspect.signature(function).parameters else {}
    return float(function(*args, **seeded).value)


def mean(values: Iterable[float]) -> float | None:
    """The mean, rounded; none where nothing is finite."""
    known = np.array([each for each in values if np.isfinite(each)])
    return float(f"{known.mean():.4g}") if len(known) else None


def along(module: ModuleType) -> dict[str, Any]:
    """The metric along the trajectory: means, the noise of one evaluation, and how well neighbours are told apart."""
    found, fine = repeated(module, POINTS, ROWS[-1]), repeated(module, np.linspace(0, 1, 11), ROWS[1])
    gaps = fine[1:, :, None] - fine[:-1, None, :]
    rising, better = float(np.mean((gaps > 0) + 0.5 * (gaps == 0))), module.METRIC.better
    told = {"higher": rising, "lower": 1 - rising, None: max(rising, 1 - rising)}[better]
    middle, spread = found[len(POINTS) // 2], np.sort(found.var(axis=1, ddof=1))[-3:]
    return {
        "trajectory": [mean(row) for row in found],
        "cv": mean([middle.std(ddof=1) / abs(middle.mean()) if middle.mean() else np.nan]),
        "smallest_difference": float(f"{1.96 * np.sqrt(2 * spread.mean()):.2g}"),
        "discriminability": round(told, 3),
    }


def costly(module: ModuleType) -> bool:
    """Whether one evaluation takes a second or more."""
    return module.__name__.rpartition(".")[2] in COSTLY


def repeats(module: ModuleType) -> int:
    """How often the metric is evaluated at each point."""
    return REPEATS // 2 if costly(module) else REPEATS


def repeated(module: ModuleType, points: Iterable[float], n: int) -> NDArray[np.float64]:
    """Values (points, repeats) of fresh evaluations of n rows along the trajectory."""
    needs = module.METRIC.needs
    return np.array([
        [value(module, worlds.arguments(needs, fresh(seed, t, n), n, t), seed) for seed in range(repeats(module))]
        for t in points
    ])  # fmt: skip


def by_size(module: ModuleType) -> dict[str, Any]:
    """The mean in the middle of the trajectory, and of noise, by rows; and by dimensions."""
    needs = module.METRIC.needs
    few = range(repeats(module) // 2)
    rows = {n: [value(module, worlds.arguments(needs, fresh(s, n), n, 0.5), s) for s in few] for n in ROWS}
    noise = {n: [value(module, worlds.uninformed(needs, fresh(s, n), n), s) for s in few] for n in ROWS}
    wide = {5 + e: [value(module, worlds.arguments(needs, fresh(s, e), 3000, 0.5, e), s) for s in few] for e in EXTRA}
    parts = {"rows": rows, "noise": noise, "dimensions": wide}
    return {key: {str(at): mean(each) for at, each in part.items()} for key, part in parts.items()}


def under_changes(module: ModuleType) -> dict[str, float]:
    """The largest move of the value under each change that makes sense of its arguments, over a few arrays."""
    needs = module.METRIC.needs
    # A variance of each dimension alone survives none of the last three.
    changes = [
        each
        for each in get_args(Change)
        if needs != "posterior" or each in ("order", "sign", "scale", "scales", "shift")
    ]
    moves: dict[str, float] = {}
    for seed in range(repeats(module) // 2):
        args = worlds.arguments(needs, fresh(seed, 1), 600, 0.7)
        before = value(module, args, 0)
        for change in changes:
            move = abs(value(module, worlds.changed(needs, args, change, fresh(seed, 2)), 0) - before)
            moves[change] = max(moves.get(change, 0.0), move)
    return {change: float(f"{move:.2g}") for change, move in moves.items()}


def on_cases(module: ModuleType) -> dict[str, dict[str, float | None]]:
    """The mean for every kind of factors and of codes; nothing for metrics that take something else."""
    if module.METRIC.needs not in ("rows", "split", "draws"):
        return {}
    every = [(factors, codes) for factors in worlds.FACTORS for codes in worlds.CODES]
    found: dict[str, dict[str, float | None]] = {}
    for factors, codes in NOTABLE.values() if costly(module) else every:
        values = []
        for seed in range(1 if costly(module) else SEEDS):
            random = fresh(seed, 3)
            v = worlds.FACTORS[factors](random, 1000, 5)
            values.append(value(module, (worlds.CODES[codes](random, v), v), seed))
        found.setdefault(factors, {})[codes] = mean(values)
    return found


def fresh(*seed: float) -> Generator:
    """A stream of its own for every repeat of every measurement."""
    return np.random.default_rng([int(1000 * each) for each in seed])


def measure(module: ModuleType) -> dict[str, Any]:
    """Everything about one metric."""
    with unfinished_allowed():
        parts = along(module) | by_size(module)
        return {"version": module.METRIC.version, **parts, "changes": under_changes(module), "cases": on_cases(module)}


def main() -> None:
    """Measure what is asked for and is not there, and print a line for each metric."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(names("metrics")))
    parser.add_argument("--again", action="store_true", help="measure also what was measured")
    given = parser.parse_args()
    print(f"{'metric':22} {'cv':>8} {'tells':>6} {'smallest':>9}  {'300 rows':>9} {'10,000':>8} {'noise':>8} seconds")
    for name in given.only.split(","):
        module = load("metrics", choose(name, names("metrics"), what="metric"))
        of, start = measured(name), time.perf_counter()
        if given.again or of.get("version") != module.METRIC.version:
            of = measure(module)
            write_json(MEASURED / f"{name}.json", of)
        numbers = (of["cv"], of["discriminability"], of["smallest_difference"], of["rows"]["300"], of["rows"]["10000"])
        shown = " ".join("–".rjust(8) if each is None else f"{each:8.4g}" for each in (*numbers, of["noise"]["10000"]))
        print(f"{name:22} {shown} {time.perf_counter() - start:.0f}", flush=True)


if __name__ == "__main__":
    main()
