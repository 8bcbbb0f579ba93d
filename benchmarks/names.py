"""How often planted dimensions earn the right name, and others any name (docs/names.md).

Run from the repository root: ``python benchmarks/names.py [--studies 20] [--rows 2000]``. Codes are planted on images
of dsprites and scenes that are drawn on demand: standardised factors with noise of 0.3 standard deviations, in random
order and sign. Rotated codes are a random rotation of such codes; noise knows nothing; a copy follows a planted
dimension with a correlation of 0.8 and knows nothing else. Every name that is kept is measured again on new rows.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from latentlab.analysis.names.candidates import as_attribute
from latentlab.analysis.names.detection import Halves, cut, detections
from latentlab.analysis.names.measure import Verdict, _interval, judge
from latentlab.data import Dataset, load
from latentlab.data.attributes import Attribute, measured
from latentlab.metrics._draws import rotation

NOISE, CORRELATED = 0.3, 0.8
SIZE = 32
# Which measured attributes are right for a factor. Factors that are not here have none.
RIGHT = {
    "x position": {"x position"},
    "y position": {"y position"},
    "scale": {"size", "filled area", "width", "height", "thickness"},
    "floor hue": {"hue of the lower part"},
    "wall hue": {"hue of the upper part", "hue"},
    "object hue": {"hue of the middle"},
}


class Study(NamedTuple):
    """Codes (n, d) of rows, half of them new, what each dimension is, and the candidates of all rows."""

    codes: np.ndarray
    planted: list[str]
    attributes: list[Attribute]


Make = Callable[[np.random.Generator, np.ndarray, list[str]], tuple[np.ndarray, list[str]]]


def planted(rng: np.random.Generator, factors: np.ndarray, names: list[str]) -> tuple[np.ndarray, list[str]]:
    """Standardised factors with noise, in random order and sign."""
    z = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    z = (z + NOISE * rng.standard_normal(z.shape)) * rng.choice([-1, 1], z.shape[1])
    order = rng.permutation(z.shape[1])
    return z[:, order], [names[k] for k in order]


def rotated(rng: np.random.Generator, factors: np.ndarray, names: list[str]) -> tuple[np.ndarray, list[str]]:
    """A random rotation of planted codes."""
    z, _ = planted(rng, factors, names)
    return z @ rotation(rng, z.shape[1]), [""] * z.shape[1]


def noise(rng: np.random.Generator, factors: np.ndarray, names: list[str]) -> tuple[np.ndarray, list[str]]:
    """Codes that know nothing."""
    return rng.standard_normal(factors.shape), [""] * len(names)


def copied(rng: np.random.Generator, factors: np.ndarray, names: list[str]) -> tuple[np.ndarray, list[str]]:
    """Planted codes and a dimension that follows the first of them; only the others' names are right."""
    z, known = planted(rng, factors, names)
    first = z[:, 0] / z[:, 0].std()
    copy = CORRELATED * first + np.sqrt(1 - CORRELATED**2) * rng.standard_normal(len(z))
    return np.column_stack([z, copy]), [*known, ""]


CASES: dict[str, Make] = {"planted": planted, "rotated": rotated, "noise": noise, "copied": copied}


def study(data: Dataset, make: Make, rows: int, seed: int, *, known: bool, few: Sequence[str] = ()) -> Study:
    """A study of 2 × rows images, with the factors as candidates or with attributes measured on the images."""
    rng = np.random.default_rng(seed)
    kept = [k for k, spec in enumerate(data.specs) if not few or spec.name in few]
    places = np.sort(rng.choice(len(data), 2 * rows, replace=False))
    factors = data.factors[places][:, kept]
    codes, names = make(rng, factors, [data.specs[k].name for k in kept])
    if known:
        candidates = [as_attribute(data.specs[k], column) for k, column in zip(kept, factors.T, strict=True)]
    else:
        candidates = measured(data.form, data[places])
    mixed = rng.permutation(len(codes))
    return Study(codes[mixed], names, [taken(each, mixed) for each in candidates])


def taken(attribute: Attribute, rows: np.ndarray) -> Attribute:
    """The attribute of those rows."""
    return replace(attribute, values=attribute.values[rows])


def judged(one: Study, rows: int) -> tuple[list[Verdict], list[float]]:
    """The verdicts on the first rows, and what each kept name detects on the others."""
    verdicts = judge(one.codes[:rows], [taken(each, np.arange(rows)) for each in one.attributes], seed=1)
    halves = Halves(np.arange(rows), np.arange(rows, 2 * rows))
    again = detections(one.codes, [cut(each) for each in one.attributes], halves).test + 0.5
    place = {each.name: k for k, each in enumerate(one.attributes)}
    return verdicts, [again[j, place[each.name]] for j, each in enumerate(verdicts) if each.earned]


def shares(name: str, kind: str, studies: int, rows: int, *, known: bool, few: Sequence[str] = ()) -> str:
    """A row of the table: how many dimensions are named rightly and wrongly, and the least new detection."""
    data, counts, again = load(f"{name}:size={SIZE}"), Counter(), []
    for seed in range(studies):
        one = study(data, CASES[kind], rows, seed, known=known, few=few)
        verdicts, new = judged(one, rows)
        again += new
        for factor, each in zip(one.planted, verdicts, strict=True):
            fits = {factor} if known else RIGHT.get(factor, set())
            counts["can" if factor and fits else "cannot"] += 1
            if each.earned:
                counts["right" if each.name in fits else "wrong"] += 1
    candidates = "factors" if known else "measured"
    kept = f"{min(again):.2f}, {np.mean(np.array(again) >= 0.8):.0%}" if again else "–"
    row = f"| {name}{f' ({len(few)} factors)' if few else ''} | {candidates} | {kind} | {counts['can']} |"
    return f"{row} {counts['right']} | {counts['cannot']} | {counts['wrong']} | {kept} |"


def coverage(rng: np.random.Generator, r: float, rows: int, times: int) -> float:
    """How often the interval of the detection holds its value on a million rows: codes and attribute normal, r."""
    a = rng.standard_normal(10**6)
    truth = _detection(a, r * a + np.sqrt(1 - r * r) * rng.standard_normal(len(a)))
    held = 0
    for _ in range(times):
        a = rng.standard_normal(rows)
        high = r * a + np.sqrt(1 - r * r) * rng.standard_normal(rows) > 0
        low, up = _interval(cut(Attribute("a", a)).of, high, rng)
        held += low <= truth <= up
    return held / times


def _detection(a: np.ndarray, z: np.ndarray) -> float:
    ranks = a.argsort().argsort()
    high = z > 0
    return float((ranks[high].sum() - high.sum() * (high.sum() - 1) / 2) / high.sum() / (~high).sum())


def main() -> None:
    """Print the tables of docs/names.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=20)
    parser.add_argument("--rows", type=int, default=2000)
    options = parser.parse_args()
    print("| data | candidates | codes | can be named | right | others | wrong | again: least, ≥ 0.8 |")
    print("|---|---|---|---|---|---|---|---|")
    for known in (True, False):
        for kind in CASES:
            for name in ("dsprites", "scenes"):
                print(shares(name, kind, options.studies, options.rows, known=known), flush=True)
    for kind in ("planted", "rotated"):
        for few in (("x position", "y position"), ("x position", "y position", "scale")):
            print(shares("dsprites", kind, options.studies, options.rows, known=True, few=few), flush=True)
    rng = np.random.default_rng(0)
    for r in (0.65, 0.8, 0.95, 0.99):
        found = [f"{coverage(rng, r, rows, 400):.3f}" for rows in (200, 1000)]
        print(f"coverage at r = {r}, 200 and 1,000 rows: {', '.join(found)}", flush=True)


if __name__ == "__main__":
    main()
