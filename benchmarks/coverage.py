"""Simulate every interval that is shown, and the verdict "aligned": coverage, width and error rate.

Run from the repository root: ``python benchmarks/coverage.py [--data-sets 200] [--only mig,holes] [--out FILE]``. A
data set is drawn afresh, scored as a whole, and its interval held against the mean of all values. What FILE (one line
of JSON a case) has is not computed again, so that a run may be stopped. What lies outside 93 to 97 % is marked; those
metrics show no interval without a grid. Some 40 minutes on one core.

- ``rows``: n fresh rows of three factors (4, 5 and 3 levels) in four noisy dimensions, halved as `score` halves them;
- ``grid``: draws of 600 + 300 rows from a full grid of 1,500 cells whose codes are fixed, redrawn as `score` redraws;
- ``support``: fresh samples of both kinds from normal distributions;
- ``aligned``: the share of codes that know nothing and are called aligned, over ten marginals.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
# ruff: noqa: E402 - this file has the name of a module that numba imports
sys.path[:] = [each for each in sys.path if Path(each).resolve() != Path(__file__).parent]  # numba imports `coverage`

import numpy as np
from numpy.random import Generator, RandomState

from latentlab.analysis.score import uncertainty
from latentlab.analysis.score.calls import arguments, gather, untyped
from latentlab.analysis.score.profiles import dlib, ubisoft
from latentlab.analysis.score.profiles._protocol import Protocol
from latentlab.analysis.score.scoring import score_one
from latentlab.analysis.support import measure
from latentlab.metrics._estimators import unfinished_allowed
from latentlab.metrics._information import count_compiled
from latentlab.system.registry import load

FAST = (
    "mig", "mig_sup", "jemmig", "dcimig", "rmig", "mcc", "modularity", "med", "irs", "smi", "spn", "unsupervised",
    "factorised_support", "rate",
)  # fmt: skip
TRAINED = (
    "r2", "explicitness", "sap", "factor_vae", "beta_vae", "linear_probe", "knn_probe", "mcc_held_out", "snc", "t_mex",
)  # fmt: skip
COSTLY = ("dci", "dci_es", "dci_subspace", "infomec", "infomec_continuous", "nk")
SIZES = (4, 5, 3, 5, 5)
MARGINALS: dict[str, Callable[[Generator, Any], Any]] = {
    "normal": lambda rng, size: rng.standard_normal(size),
    "uniform": lambda rng, size: rng.uniform(size=size),
    "t3": lambda rng, size: rng.standard_t(3, size),
    "exponential": lambda rng, size: rng.exponential(size=size),
    "Laplace": lambda rng, size: rng.laplace(size=size),
    "lognormal": lambda rng, size: rng.lognormal(size=size),
    "bimodal": lambda rng, size: rng.choice([-2.0, 2.0], size) + 0.3 * rng.standard_normal(size),
    "discrete": lambda rng, size: rng.integers(0, 4, size).astype(float),
    "beta": lambda rng, size: rng.beta(0.5, 0.5, size),
    "logistic": lambda rng, size: rng.logistic(size=size),
}


def protocol(name: str, rows: int = 10_000) -> Protocol:
    """The profile's settings of a metric, with so many rows; 300 + 150 batches for metrics that draw."""
    found = {**ubisoft.PROTOCOLS, **dlib.PROTOCOLS}.get(name, Protocol())
    draws = load("metrics", name).METRIC.needs == "draws"
    return replace(found, train=300, test=150) if draws else replace(found, train=rows, test=rows // 2)


def rules(name: str, seed: int = 0) -> Any:
    """A profile of that metric alone."""
    return SimpleNamespace(PROTOCOLS={name: protocol(name)}, SEED=seed, VERSION=1, __name__="small")


def world(rng: Generator, n: int, turned: bool) -> tuple[Any, Any]:
    """Codes (n, 4) and factors (n, 3): each factor in one dimension with noise, one dimension of noise; or rotated."""
    v = np.column_stack([rng.integers(0, levels, n) for levels in SIZES[:3]]).astype(float)
    z = np.column_stack([v / v.std(axis=0), np.zeros(n)]) + 0.6 * rng.standard_normal((n, 4))
    turn = np.linalg.qr(np.random.default_rng(5).standard_normal((4, 4)))[0]
    return (z @ turn if turned else z), v


def rows(name: str, data_sets: int, redraws: int) -> dict[str, Any]:
    """Coverage where rows are given: every data set scored with its interval, as `score` does it."""
    module, n = load("metrics", name), 3000 if uncertainty.is_fast(load("metrics", name)) else 600
    turned = module.METRIC.needs == "draws"
    values, reach = [], []
    for seed in range(data_sets):
        z, v = world(np.random.default_rng(1000 + seed), n, turned)
        variance = np.full(z.shape, 0.1) if module.METRIC.needs == "posterior" else None
        material = gather(z, v, variance=variance)
        material = replace(material, kinds=untyped(material))
        call = arguments(module.METRIC, material, protocol(name), RandomState(0))
        draw = lambda source, random: arguments(module.METRIC, source, protocol(name), random)  # noqa: E731
        scored = uncertainty.Scored(name, module, material, call, draw, protocol(name))
        values.append(scored.value(call.args))
        low, high = uncertainty.around(
            values[-1], uncertainty.halves(scored, redraws), exact=False, ends=module.METRIC.range
        )
        reach.append((low, high))
    return held(values, reach) | {"n": n, "redraws": redraws}


def grid(name: str, data_sets: int, redraws: int) -> dict[str, Any]:
    """Coverage on a full grid: a pool of draws, each of which is a data set once and redraws for the others."""
    module, cells = load("metrics", name), np.stack(np.unravel_index(np.arange(np.prod(SIZES)), SIZES), axis=1)
    z = cells[:, :4] / cells[:, :4].std(axis=0) + 0.6 * np.random.default_rng(0).standard_normal((len(cells), 4))
    material = gather(z, grid=SIZES)
    values = []
    for seed in range(max(2 * redraws, data_sets)):
        call = arguments(module.METRIC, material, protocol(name, 600), RandomState(seed), 600)
        settings = {**call.options, **protocol(name).settings}
        values.append(float(getattr(module, name)(*call.args, **settings).value))
    rng, reach = np.random.default_rng(0), []
    for i in range(data_sets):
        others = rng.choice(np.delete(values, i), redraws, replace=False)
        reach.append(uncertainty.around(values[i], others, exact=True, ends=module.METRIC.range))
    return held(values[:data_sets], reach, np.mean(values)) | {"n": 600, "redraws": redraws}


def held(values: Any, reach: Any, truth: float | None = None) -> dict[str, Any]:
    """How often intervals hold the truth (by default the mean of the values), and how wide they are."""
    low, high = np.array(reach, float).T
    truth = float(np.mean(values)) if truth is None else float(truth)
    cover = (low <= truth) & (truth <= high)
    return {"truth": truth, "coverage": float(cover.mean()), "width": float((high - low).mean()), "sets": len(values)}


def support(name: str, data_sets: int) -> dict[str, Any]:
    """Coverage of a number of `latentlab support`; for the MMD, how often the prior itself exceeds the null."""
    found = []
    for seed in range(data_sets):
        rng = np.random.default_rng(seed)
        if name in ("precision", "density", "coverage"):
            real, drawn = rng.standard_normal((400, 16)), 1.15 * rng.standard_normal((400, 16))
            found.append(measure.coverage(real, drawn))
        elif name == "holes":
            sets = [rng.standard_normal((1000, 2)) for _ in range(3)]
            found.append(measure.holes(1.3 * sets[0], sets[1], sets[2]))
        elif name == "mmd_null":
            found.append(measure.prior_fit(rng.standard_normal((200, 4)), seed=seed))
        else:  # medians over 100 ways
            found.append(ways(rng))
    if name == "mmd_null":
        return {"exceeded": float(np.mean([each["mmd"] > each["mmd_null"] for each in found])), "sets": data_sets}
    values, ends = [each[name] for each in found], [(each[f"{name}_low"], each[f"{name}_high"]) for each in found]
    truth = float(np.median(values)) if name in WAYS else None
    return held(values, ends, truth)


WAYS = ("detour", "jump", "distinctions", "widths", "gradient")


def ways(rng: Generator) -> dict[str, float]:
    """`continuity` of 100 ways of nine points with steps of a log-normal law."""
    steps = rng.lognormal(sigma=0.7, size=(100, 9, 2, 2)).cumsum(axis=1)
    images = (200 * steps / steps.max(axis=1, keepdims=True)).astype(np.uint8)[:, :, None]
    codes = np.linspace(rng.standard_normal((100, 3)), rng.standard_normal((100, 3)), 9, axis=1)
    return measure.continuity(images, codes, rng.lognormal(size=(100, 8)), np.full(3, 0.1))


def aligned(name: str, codes: int, redraws: int) -> dict[str, Any]:
    """The share of uninformative codes that are called aligned, by marginal."""
    module, found = load("metrics", name), {}
    for marginal, draw in MARGINALS.items():
        called = 0
        for seed in range(codes):
            rng = np.random.default_rng(seed)
            v = np.column_stack([rng.integers(0, levels, 400) for levels in SIZES[:3]]).astype(float)
            material = gather(draw(rng, (400, 4)), v)
            score = score_one(name, module, replace(material, kinds=untyped(material)), rules(name), redraws)
            called += bool(score.aligned)
        found[marginal] = called / codes
    return {"aligned": found, "exceeded": float(np.mean(list(found.values()))), "sets": codes * len(MARGINALS)}


def cases(args: argparse.Namespace) -> Iterator[tuple[str, str, Callable[[], dict[str, Any]]]]:
    """What is simulated: (kind, name, how), the cheap ones first."""
    m = args.data_sets
    for name in ("precision", "density", "coverage", "holes", "mmd_null", *WAYS):
        yield "support", name, lambda name=name: support(name, m)
    for name in (*FAST[:-1], *TRAINED):
        yield "grid", name, lambda name=name: grid(name, m, 99)
    for name in ("irs", "jemmig", "mig", "smi", "spn"):
        yield "aligned", name, lambda name=name: aligned(name, 40, 59)
    for name in (*FAST, *TRAINED):
        yield "rows", name, lambda name=name: rows(name, m, 40 if name in FAST else 25)
    for name in COSTLY:
        yield "grid", name, lambda name=name: grid(name, m, 99)


def main() -> None:
    """Print one line a case as it is finished."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-sets", type=int, default=200)
    parser.add_argument("--only", default="", help="names or kinds, with commas between")
    parser.add_argument("--out", type=Path, default=Path("coverage.jsonl"))
    args = parser.parse_args()
    wanted = set(filter(None, args.only.split(",")))
    done = [json.loads(line) for line in args.out.read_text().splitlines()] if args.out.exists() else []
    # numba imports the package `coverage`, and would find this file
    sys.path[:] = [each for each in sys.path if Path(each).resolve() != Path(__file__).parent]
    count_compiled()
    with unfinished_allowed():
        for kind, name, compute in cases(args):
            known = next((each for each in done if (each["kind"], each["name"]) == (kind, name)), None)
            if wanted and not wanted & {kind, name}:
                continue
            start = time.process_time()
            found = known or {"kind": kind, "name": name, **compute(), "seconds": round(time.process_time() - start)}
            if not known:
                with args.out.open("a") as file:
                    file.write(json.dumps(found) + "\n")
            print(line(found), flush=True)


def line(found: dict[str, Any]) -> str:
    """A case in a line."""
    head = f"{found['kind']:8} {found['name']:14} {found['sets']:4} sets {found['seconds']:4} s  "
    if "exceeded" in found:
        worst = max(found.get("aligned", {}).items(), key=lambda each: each[1], default=None)
        return f"{head}exceeded {found['exceeded']:.3f}" + (f", at most {worst[1]:.3f} ({worst[0]})" if worst else "")
    mark = "" if 0.93 <= found["coverage"] <= 0.97 else "  outside 0.93 to 0.97"
    return f"{head}coverage {found['coverage']:.3f}, width {found['width']:.4f} around {found['truth']:.4f}{mark}"


if __name__ == "__main__":
    main()
