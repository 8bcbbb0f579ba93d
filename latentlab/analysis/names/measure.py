"""Which names dimensions earn: arrays in, a `Verdict` per dimension out.

A dimension's name is an attribute of the samples. On half of the rows each dimension is given the attribute that tells
its high codes (above the median) from its low ones best. On the other half the name is then judged:

- **detection**: the area under the ROC curve of high against low codes, from the attribute alone;
- **hard**: the same within pairs of a high and a low row that are each other's nearest in all other dimensions, each
  weighted by how well it detects the attribute itself, so that a dimension does not earn the attribute of another one
  with which it is correlated;
- **exclusive**: (A − B) / (A − ½), where A is the detection and B what the attribute reaches for the best other
  dimension: 1 where no other dimension knows the attribute, 0 where another knows it as well.

``permuted`` is the share of permutations of the codes in which any dimension detects as well, which allows for the
choice among attributes and dimensions. ``rotated`` is the share of dimensions of randomly rotated codes that detect by
at least `LEAST` and are as exclusive, each with the attribute of its own choice, adjusted for the number of dimensions
(Holm). A name is earned where hard and the lower end of the interval of the detection reach `LEAST`, and both shares
are at most `LEVEL`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from latentlab.analysis.names.detection import (
    Detections,
    Floats,
    Halves,
    Ints,
    Levels,
    area,
    cut,
    detections,
    rank_areas,
    ranks_of,
)
from latentlab.data.attributes import Attribute
from latentlab.errors import InputError
from latentlab.metrics._draws import rotation

Propose = Callable[[Ints, Ints], Sequence[Attribute]]

LEAST = 0.8
LEVEL = 0.05
LEAST_ROWS = 100
LEAST_PAIRS = 20
TURNED, FEWEST = 2000, 20  # rotated dimensions that make a null, and the fewest rotations
PERMUTED = 100
REDRAWS = 1000
TOGETHER = 50  # draws of a null that are compared at once


@dataclass(frozen=True)
class Verdict:
    """How well the best attribute of one dimension detects its high and low codes, and why it earned no name if so.

    ``low`` and ``high`` are the words for low and for high codes; ``interval`` and ``hard_interval`` are at 95 %.
    """

    name: str = ""
    low: str = ""
    high: str = ""
    source: str = ""
    detection: float = np.nan
    interval: tuple[float, float] = (np.nan, np.nan)
    hard: float = np.nan
    hard_interval: tuple[float, float] = (np.nan, np.nan)
    pairs: int = 0
    exclusive: float = np.nan
    permuted: float = np.nan
    rotated: float = np.nan
    why: str = ""

    @property
    def earned(self) -> bool:
        """Whether the name is kept."""
        return not self.why


class _Best(NamedTuple):
    """The best attribute of each dimension (d,), its detection on held-out rows and how exclusive it is.

    ``knows`` (d, d) is how well it detects in each dimension on the first half.
    """

    attribute: Ints
    detection: Floats
    exclusive: Floats
    knows: Floats


def judge(
    codes: NDArray[np.floating], attributes: Sequence[Attribute], *, propose: Propose | None = None, seed: int = 0
) -> list[Verdict]:
    """A `Verdict` for each dimension of codes (n, d) that all vary, from attributes of the same n rows.

    ``propose`` is asked about each dimension, and about each of those of `FEWEST` rotations: it takes positions of rows
    with low and with high codes and returns further attributes of the n rows.
    """
    n, d = codes.shape
    if n < LEAST_ROWS:
        raise InputError(f"{n} rows were encoded; names need at least {LEAST_ROWS}")
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)
    halves = Halves(np.sort(order[: n // 2]), np.sort(order[n // 2 :]))
    z = (codes - codes.mean(axis=0, dtype=np.float64)) / codes.std(axis=0, dtype=np.float64)
    shared = [cut(each) for each in attributes]
    mine = _proposals(z, halves, propose)
    best = _best(_joined(detections(z, shared, halves), z, mine, halves))
    rotated = _against_rotated(best, z, shared, halves, propose, rng)
    permuted = _against_permuted(best, z, shared, halves, rng)
    verdicts = []
    for j in range(d):
        known = [*attributes, *mine[j]]
        if not known:
            verdicts.append(Verdict(why="no attribute was proposed"))
            continue
        chosen = known[best.attribute[j]]
        shares = float(permuted[j]), float(rotated[j])
        verdicts.append(_verdict(z, j, chosen, best, shares, halves, rng))
    return verdicts


def _proposals(z: Floats, halves: Halves, propose: Propose | None) -> list[list[Attribute]]:
    """What is proposed for each dimension, which is shown rows of the first half alone."""
    if propose is None:
        return [[] for _ in range(z.shape[1])]
    sides = (halves.fit[np.argsort(column[halves.fit], kind="stable")] for column in z.T)
    return [list(propose(rows[: len(rows) // 2], rows[: (len(rows) - 1) // 2 : -1])) for rows in sides]


def _joined(shared: Detections, z: Floats, mine: list[list[Attribute]], halves: Halves) -> list[Detections]:
    """For each dimension what all dimensions reach (d, k) with the shared attributes and with its own."""
    own = [detections(z, [cut(each) for each in proposed], halves) if proposed else None for proposed in mine]
    return [
        shared if more is None else Detections(np.hstack([shared.fit, more.fit]), np.hstack([shared.test, more.test]))
        for more in own
    ]


def _best(judged: Sequence[Detections]) -> _Best:
    """The attribute that detects best on the first half, dimension for dimension, and what it does on the second."""
    chosen, reached, exclusive, knows = [], [], [], []
    for j, (fit, test) in enumerate(judged):
        k = int(fit[j].argmax()) if fit.shape[1] else 0
        own = float(test[j, k]) if fit.shape[1] else 0.0
        others = float(np.abs(np.delete(test[:, k], j)).max(initial=0.0)) if fit.shape[1] else 0.0
        chosen.append(k)
        reached.append(own + 0.5)
        exclusive.append((own - others) / own if own > 0 else -np.inf)
        knows.append(np.abs(fit[:, k]) if fit.shape[1] else np.zeros(len(fit)))
    return _Best(np.array(chosen), np.array(reached), np.array(exclusive), np.array(knows))


def _against_rotated(
    best: _Best, z: Floats, attributes: Sequence[Levels], halves: Halves, propose: Propose | None, rng: Generator
) -> Floats:
    """The share (d,) of rotated dimensions that detect by `LEAST` and are as exclusive, by Holm; 0 of one dimension."""
    d = z.shape[1]
    if d < 2:
        return np.zeros(d)
    times = FEWEST if propose else max(FEWEST, -(-TURNED // d))
    turned = (z @ rotation(rng, d) for _ in range(times))
    found = list(_each_best(turned, attributes, halves, propose))
    null = np.sort(np.concatenate([_exclusive(each) for each in found]))
    above = len(null) - np.searchsorted(null, _exclusive(best), side="left")
    return holm((1 + above) / (1 + len(null)))


def _exclusive(best: _Best) -> Floats:
    """How exclusive each dimension's attribute is (d,), where it detects enough for a name."""
    return np.where(best.detection >= LEAST, best.exclusive, -np.inf)


def _against_permuted(best: _Best, z: Floats, attributes: Sequence[Levels], halves: Halves, rng: Generator) -> Floats:
    """The share (d,) of permutations of the codes in which any dimension detects as well."""
    mixed = (z[rng.permutation(len(z))] for _ in range(PERMUTED))
    most = np.array([found.detection.max() for found in _each_best(mixed, attributes, halves, None)])
    return (1 + (most[:, None] >= best.detection).sum(axis=0)) / (1 + PERMUTED)


def _each_best(
    draws: Iterator[Floats], attributes: Sequence[Levels], halves: Halves, propose: Propose | None
) -> Iterator[_Best]:
    """The best attributes of each of these codes (n, d), several of which are compared at once."""
    while several := list(islice(draws, TOGETHER)):
        d = several[0].shape[1]
        whole = detections(np.hstack(several), attributes, halves)
        for at, z in zip(range(0, len(several) * d, d), several, strict=True):
            part = Detections(whole.fit[at : at + d], whole.test[at : at + d])
            yield _best(_joined(part, z, _proposals(z, halves, propose), halves))


def holm(shares: Floats) -> Floats:
    """p-values adjusted for their number by Holm's step-down rule.

    >>> holm(np.array([0.01, 0.04, 0.02])).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    order = np.argsort(shares)
    adjusted = np.maximum.accumulate(shares[order] * (len(shares) - np.arange(len(shares))))
    found = np.empty(len(shares))
    found[order] = np.minimum(adjusted, 1)
    return found


def _verdict(
    z: Floats, j: int, chosen: Attribute, best: _Best, shares: tuple[float, float], halves: Halves, rng: Generator
) -> Verdict:
    levels = cut(chosen)
    ladder = _ladder(levels, z[:, [j]], halves)
    high, place = z[:, j] > np.median(z[halves.fit, j]), np.where(levels.of >= 0, ladder[levels.of], -1)
    test, detection = halves.test, float(best.detection[j])
    others = np.delete(z[test] * best.knows[j], j, axis=1)
    outcomes = _pairs(others, high[test], place[test]) if detection >= LEAST and z.shape[1] > 1 else None
    hard, hard_interval = (np.nan, (np.nan, np.nan)) if outcomes is None else _won(outcomes, rng)
    pairs = 0 if outcomes is None else int(outcomes.sum())
    interval = _interval(place[test], high[test], rng)
    return Verdict(
        chosen.name,
        *words(chosen, levels.of[halves.fit], high[halves.fit], rising=bool(ladder[-1] >= ladder[0])),
        chosen.source,
        detection,
        interval,
        hard,
        hard_interval,
        pairs,
        float(best.exclusive[j]),
        *shares,
        _why(detection, interval[0], hard, pairs, shares, alone=z.shape[1] == 1),
    )


def _why(detection: float, least: float, hard: float, pairs: int, shares: tuple[float, float], *, alone: bool) -> str:
    """What keeps the name from being earned; empty where nothing does."""
    permuted, rotated = shares
    if not detection >= LEAST:
        return f"AUROC {detection:.2f}, and {LEAST:g} is needed"
    if not least >= LEAST:
        return f"AUROC {detection:.2f}, but its interval reaches down to {least:.2f}, below {LEAST:g}"
    if permuted > LEVEL:
        return "shuffled codes detect as well"
    if rotated > LEVEL:
        return f"randomly rotated codes do as well (p = {rotated:.2f})"
    if not alone and pairs < LEAST_PAIRS:
        return f"only {pairs} pairs of rows agree in the other dimensions; {LEAST_PAIRS} are needed"
    if not alone and not hard >= LEAST:
        return f"AUROC {hard:.2f} among rows that agree in the other dimensions, and {LEAST:g} is needed"
    return ""


def _ladder(levels: Levels, z: Floats, halves: Halves) -> Ints:
    """The place (levels,) of each level in the order in which codes (n, 1) rise on the first half."""
    ranks = ranks_of(levels, z, halves)
    high = np.asarray(z[halves.fit] > np.median(z[halves.fit]), np.float32)
    falls = levels.order and rank_areas([levels], halves.fit, high)[0, 0] < 0
    return np.argsort(ranks[::-1, 0] if falls else ranks[:, 0])


def _pairs(others: Floats, up: NDArray[np.bool_], place: Ints) -> Ints:
    """How many pairs, mutually nearest in ``others`` (m, d − 1), the attribute orders rightly, ties, and wrongly."""
    known = place >= 0
    others, place, up = others[known], place[known], up[known]
    high, low = np.flatnonzero(up), np.flatnonzero(~up)
    if not len(high) or not len(low):
        return np.zeros(3, dtype=np.int64)
    square = (others**2).sum(axis=1)
    distance = square[high][:, None] + square[low] - 2 * others[high] @ others[low].T
    nearest, back = distance.argmin(axis=1), distance.argmin(axis=0)
    mutual = np.flatnonzero(back[nearest] == np.arange(len(high)))
    step = place[high[mutual]] - place[low[nearest[mutual]]]
    return np.array([(step > 0).sum(), (step == 0).sum(), (step < 0).sum()])


def _won(outcomes: Ints, rng: Generator) -> tuple[float, tuple[float, float]]:
    """The share of pairs that are ordered rightly, ties by half, and its interval over redraws of the pairs."""
    m = int(outcomes.sum())
    if not m:
        return np.nan, (np.nan, np.nan)
    credit = np.array([1, 0.5, 0])
    drawn = rng.multinomial(m, outcomes / m, size=REDRAWS) @ credit / m
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(outcomes @ credit / m), (float(low), float(high))


def _interval(place: Ints, up: NDArray[np.bool_], rng: Generator) -> tuple[float, float]:
    """The 95 % interval of the area over redraws of the held-out rows."""
    known = place >= 0
    count = int(place.max(initial=0)) + 1
    cells = np.bincount(place[known] + count * up[known], minlength=2 * count)
    drawn = rng.multinomial(known.sum(), cells / max(known.sum(), 1), size=REDRAWS).astype(np.float64)
    ranks = np.broadcast_to(np.arange(count)[:, None], (count, REDRAWS))
    low, high = np.quantile(0.5 + area(drawn[:, :count].T, drawn[:, count:].T, ranks), [0.025, 0.975])
    return float(low), float(high)


def words(attribute: Attribute, levels: Ints, high: NDArray[np.bool_], *, rising: bool) -> tuple[str, str]:
    """What the attribute is at low and at high codes of rows at these levels of it, in words."""
    if not attribute.labels:
        return (attribute.low, attribute.high) if rising else (attribute.high, attribute.low)
    present = np.unique(attribute.values[np.isfinite(attribute.values)]).astype(np.int64)
    sides = [present[levels[(levels >= 0) & (high == side)]] for side in (False, True)]
    counts = [np.bincount(side, minlength=len(attribute.labels)) for side in sides]
    if attribute.kind == "categorical":
        more = counts[1] / max(len(sides[1]), 1) - counts[0] / max(len(sides[0]), 1)
        return attribute.labels[more.argmin()], attribute.labels[more.argmax()]
    low, up = (_typical(attribute, each) for each in counts)
    return attribute.labels[low], attribute.labels[up]


def _typical(attribute: Attribute, counts: Ints) -> int:
    """The median level of rows counted at each, on a circle the one nearest to the mean direction."""
    if attribute.kind != "circular":
        return int(np.searchsorted(counts.cumsum(), counts.sum() / 2))
    turn = 2 * np.pi / len(counts)
    return round(np.angle(counts @ np.exp(1j * turn * np.arange(len(counts)))) / turn) % len(counts)
