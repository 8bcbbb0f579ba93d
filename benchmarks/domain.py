"""Count how often `score` and `compare` warn: outside the domain of scores, on clean data, on small differences.

Run from the repository root: ``python benchmarks/domain.py [--data-sets 50] [--rows 1000,5000]``. Five minutes.

- ``grid``: four kinds of factors times ten kinds of codes (`latentlab.metrics._worlds`): the share of data sets with
  any caveat, and with the caveats that name what is wrong (`OUTSIDE`);
- ``clean``: the share of data sets with any caveat, of independent factors in codes of one factor each, over three
  kinds of factors, two kinds of codes, with and without noise, for 3, 5 and 10 factors;
- ``differences``: the share of pairs of evaluations called unresolved, of equal codes (wanted: 95 %) and of codes that
  differ by twice the smallest reliable difference (wanted: at most 5 %, a little less than which normal noise gives).
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
# ruff: noqa: E402 - numba imports a module called coverage, which lies in this folder
sys.path[:] = [each for each in sys.path if Path(each).resolve() != Path(__file__).parent]

import numpy as np

from latentlab.analysis.score.calls import gather
from latentlab.analysis.score.domain import caveats
from latentlab.metrics import _worlds as worlds
from latentlab.metrics._card import smallest_difference
from latentlab.system.registry import load

CLEAN = {
    "normal": worlds.independent,
    "uniform": lambda random, n, k: random.uniform(-1, 1, (n, k)),
    "levels": lambda random, n, k: random.integers(0, [(3, 4, 5, 8, 10)[j % 5] for j in range(k)], (n, k)).astype(
        float
    ),
}


def said(z: Any, v: Any) -> set[str]:
    """The names of all caveats."""
    return {each.which for each in caveats(gather(z, v))}


def grid(n: int, data_sets: int) -> None:
    """A line for each case that has something wrong, and the shares over all of them."""
    flagged, named = [], []
    for factors, sample in worlds.FACTORS.items():
        for codes, encode in worlds.CODES.items():
            wrong = {worlds.OUTSIDE[each] for each in (factors, codes) if each in worlds.OUTSIDE}
            if not wrong:
                continue
            found = []
            for seed in range(data_sets):
                random = np.random.default_rng([seed, n])
                v = sample(random, n, 5)
                found.append(said(encode(random, v), v))
            flagged.append(np.mean([bool(each) for each in found]))
            named.append(np.mean([wrong <= each for each in found]))
            print(f"grid  {n:6,} {factors:12} {codes:16} any {flagged[-1]:.2f}  named {named[-1]:.2f}", flush=True)
    print(f"grid  {n:6,} all {len(flagged)} cases: any {np.mean(flagged):.3f}, named {np.mean(named):.3f}", flush=True)


def clean(n: int, data_sets: int) -> None:
    """False alarms."""
    alarms: list[set[str]] = []
    for sample in CLEAN.values():
        for k in (3, 5, 10):
            for seed in range(data_sets):
                random = np.random.default_rng([seed, n, k])
                v = sample(random, n, k)
                inner = (v - v.mean(axis=0)) / v.std(axis=0)
                z = (worlds.scaled if seed % 2 else worlds.curved)(random, inner)
                alarms.append(said(z + (seed % 3) * 0.1 * z.std(axis=0) * random.standard_normal(z.shape), v))
    wrong = sorted({which for each in alarms for which in each})
    print(
        f"clean {n:6,} {len(alarms)} data sets: any {np.mean([bool(each) for each in alarms]):.3f} {wrong}", flush=True
    )


def differences(name: str, n: int, pairs: int) -> None:
    """How often a difference of evaluations is called unresolved."""
    function, limit = getattr(load("metrics", name), name), smallest_difference(name, n)
    if limit is None:
        return
    values = [function(*worlds.stage(np.random.default_rng([seed, 8]), n, 0.6)).value for seed in range(2 * pairs)]
    gaps = np.diff(np.reshape(values, (pairs, 2)))[:, 0]
    shares = [float(np.mean(np.abs(gaps + shift) < limit)) for shift in (0.0, 2 * limit)]
    print(f"differences {name:12} {n:,} rows: equal {shares[0]:.3f}, two smallest apart {shares[1]:.3f}", flush=True)


def main() -> None:
    """Print every share."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-sets", type=int, default=50)
    parser.add_argument("--rows", default="1000,5000")
    given = parser.parse_args()
    for n in map(int, given.rows.split(",")):
        grid(n, given.data_sets)
        clean(n, given.data_sets)
    for name in ("mig", "mcc", "jemmig", "modularity", "irs", "r2"):
        differences(name, 2500, 4 * given.data_sets)


if __name__ == "__main__":
    main()
