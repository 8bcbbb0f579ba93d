"""Whether interventions find what was planted, and how often intervals cover (docs/scores/cause-and-isolation.md).

Run from the repository root: ``python benchmarks/interventions.py [--worlds 40]``; with ``--runs artifacts/dsprites``
it measures the CPU time of each run instead. Data are `scenes` at 16×16 (4,608 images); a regressor is trained on them
once, as `latentlab intervene` does. Each world plants codes of eight dimensions with noise:

- floor hue and wall hue are two dimensions each, cosine and sine; scale, shape and orientation are one each;
- object hue is in no dimension, and the decoder draws one hue; one dimension is noise that the decoder ignores.

``axes`` permutes the dimensions, ``plane`` turns the floor hue's two and the noise, ``rotated`` turns all eight by a
random rotation, ``even`` by one after which each dimension holds an eighth of every planted one. ``leaky`` is rotated,
has more noise, and draws the scale from scale and orientation together. The decoder is the renderer: it draws the
levels nearest to the code. The true cause and isolation of what was found are those of 20,000 pairs; coverage is over
intervals that have a width.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import hadamard

from latentlab.analysis.intervene.measure import Experiment, Intervention, experiment, interventions
from latentlab.analysis.intervene.stage import intervene
from latentlab.analysis.intervene.subspace import Subspace, axes
from latentlab.analysis.leakage.reader import Reader, learn
from latentlab.data import load
from latentlab.metrics._draws import rotation
from latentlab.metrics.mig import mig
from latentlab.runs.run import Run

Floats = NDArray[np.float64]
GRID, D = (8, 8, 4, 3, 2, 3), 8
PLACES = {"floor hue": (0, 1), "wall hue": (2, 3), "scale": (4,), "shape": (5,), "orientation": (6,)}
ABSENT, TRUTH = "object hue", 20_000
WORLDS: dict[str, Callable[[np.random.Generator], Floats]] = {
    "axes": lambda rng: np.eye(D)[rng.permutation(D)],
    "plane": lambda rng: plane(rng),
    "rotated": lambda rng: rotation(rng, D),
    "even": lambda rng: hadamard(D)[rng.permutation(D)] * rng.choice([-1, 1], D) / np.sqrt(D),
    "leaky": lambda rng: rotation(rng, D),
}


def plane(rng: np.random.Generator) -> Floats:
    """A rotation of the floor hue's two dimensions and the noise, as (D, D)."""
    turn, some = np.eye(D), [0, 1, 7]
    turn[np.ix_(some, some)] = rotation(rng, 3)
    return turn


@dataclass(frozen=True)
class World:
    """Planted codes, how they were turned, and pairs of their rows: those tried, and many for the truth."""

    codes: Floats
    turn: Floats
    trial: Experiment
    many: Experiment


def planted(levels: Floats) -> Floats:
    """Coordinates (n, 8) of unit variance that hold the levels (n, 6) of a scene; the last is free."""
    hue = 2 * np.pi * levels[:, :2] / np.array(GRID[:2])
    waves = np.sqrt(2) * np.stack([np.cos(hue), np.sin(hue)], axis=2).reshape(-1, 4)
    others = levels[:, 3:]
    return np.hstack([waves, (others - others.mean(axis=0)) / others.std(axis=0), np.zeros((len(levels), 1))])


def drawn(coordinates: Floats, levels: Floats, *, leaky: bool) -> NDArray[np.int64]:
    """The rows of the images with the levels nearest to coordinates (n, 8)."""
    angles = np.arctan2(coordinates[:, (1, 3)], coordinates[:, (0, 2)])
    hues = np.rint(angles / (2 * np.pi) * GRID[0]).astype(int) % GRID[0]
    rest = coordinates[:, 4:7].copy()
    rest[:, 0] += 0.5 * rest[:, 2] if leaky else 0
    rest = np.rint(rest * levels[:, 3:].std(axis=0) + levels[:, 3:].mean(axis=0)).astype(int)
    rest = np.clip(rest, 0, np.array(GRID[3:]) - 1)
    found: NDArray[np.int64] = np.ravel_multi_index((*hues.T, np.zeros(len(hues), int), *rest.T), GRID)
    return found


def coded(levels: Floats, turn: Floats, rng: np.random.Generator, kind: str) -> Floats:
    """Codes (n, 8) of levels in a world of that kind, with fresh noise."""
    noise = np.full(D, 0.4 if kind == "leaky" else 0.1)
    noise[-1] = 1  # the dimension that holds nothing else
    return (planted(levels) + noise * rng.standard_normal((len(levels), D))) @ turn


def world(kind: str, levels: Floats, reader: Reader, readings: list[Floats], seed: int) -> World:
    """A world of that kind; the reader's answers for all images of the grid are known."""
    rng = np.random.default_rng(seed)
    turn = WORLDS[kind](rng)
    codes = coded(levels, turn, rng, kind)

    def read(z: Floats, rows: NDArray[np.int64]) -> list[Floats]:
        images = drawn(z @ turn.T, levels, leaky=kind == "leaky")
        return [each[images] for each in readings]

    trial = experiment(codes, levels, reader.scales, read, dims=np.arange(D), seed=seed)
    rows = np.tile(np.arange(len(levels)), -(-4 * TRUTH // len(levels)))
    many = coded(levels[rows], turn, rng, kind)
    large = experiment(many, levels[rows], reader.scales, read, dims=np.arange(D), pairs=TRUTH // 2, draws=1, seed=seed)
    return World(codes, turn, trial, large)


def part_of(found: Intervention) -> Subspace:
    """The part of the code that an intervention names."""
    if found.dims:
        return axes(found.dims, D)
    return Subspace(np.array(found.directions), np.array(found.weights))


def right(found: Intervention, turn: Floats) -> bool:
    """Whether what was found is the planted part: of its rank, and at a cosine of at least 0.95 in every direction."""
    if not found.found:
        return False
    wanted, rows = turn[list(PLACES[found.factor])], part_of(found).weights
    span = np.linalg.qr(rows.T)[0]
    return len(rows) == len(wanted) and bool(np.linalg.svd(wanted @ span, compute_uv=False).min() >= 0.95)


def covered(place: World, found: Intervention) -> dict[str, bool]:
    """Whether the intervals of cause and isolation that have a width hold the values of many pairs."""
    names = [scale.spec.name for scale in place.trial.scales]
    swap = place.many.swap(place.many.reporting, part_of(found))
    true = {"cause": (found.cause, swap.cause[0, names.index(found.factor)])}
    if found.into is not None:
        true["isolation"] = (found.isolation, 1 - swap.movement[0, names.index(found.into)])
    return {what: ends.low <= value <= ends.high for what, (ends, value) in true.items() if ends.high > ends.low}


def simulate(kind: str, worlds: int, reader: Reader, readings: list[Floats], levels: Floats) -> dict[str, float]:
    """Recall, false positives, coverage and MIG over the worlds of a kind."""
    told = defaultdict(list)
    for seed in range(worlds):
        place = world(kind, levels, reader, readings, seed)
        kinds = [spec.spec.kind for spec in reader.scales]
        gaps = mig(place.codes, levels, kinds=kinds).per_factor
        for k, found in enumerate(interventions(place.trial)):
            if found.factor == ABSENT:
                told["false positives"].append(found.found)
                continue
            what = "recall of hues" if len(PLACES[found.factor]) == 2 else "recall of the others"
            told[what].append(right(found, place.turn))
            told["MIG of hues" if "hue" in found.factor else "MIG of the others"].append(gaps[str(k)])
            if found.found:
                for name, held in covered(place, found).items():
                    told[f"coverage of {name}"].append(held)
    return {"world": kind, **{name: round(float(np.mean(each)), 3) for name, each in sorted(told.items())}}


def timed(study: Path) -> pd.DataFrame:
    """CPU seconds of `intervene` on a copy of each run, the training of its own reader included."""
    rows = []
    for path in sorted(each.parent for each in study.glob("*/config.json")):
        with TemporaryDirectory() as folder:
            copy = Path(folder) / path.name
            shutil.copytree(path, copy)
            start = time.process_time()
            intervene(Run(copy))
            rows.append({"run": path.name, "CPU seconds": round(time.process_time() - start, 1)})
    return pd.DataFrame(rows)


def main() -> None:
    """Print one line per kind of world, or one row per run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=40)
    parser.add_argument("--runs", type=Path)
    told = parser.parse_args()
    if told.runs is not None:
        print(timed(told.runs).to_string(index=False))
        return
    data = load("scenes:size=16,grid=" + "x".join(map(str, GRID)))
    reader = learn(data)
    print({scale.spec.name: round(scale.r2, 3) for scale in reader.scales})
    readings, levels = reader.read(data[:]), np.asarray(data.factors)
    for kind in WORLDS:
        print(simulate(kind, told.worlds, reader, readings, levels), flush=True)


if __name__ == "__main__":
    main()
