"""How far two settings differ over their seeds: difference, interval, test, and how many seeds would tell them apart.

Where two settings have the same seeds, they may share what a seed fixes (initialisation, order of batches): a paired
test gains from that, and loses where they share nothing. Both tests are made there, and the smaller p counts `PAIRED`
times: 2 would be Bonferroni's bound; the two p agree so closely that 1.5 keeps the error rate (docs/scores.md). Where
seeds differ, Welch's test and the exact Mann–Whitney test must both agree, for Welch's alone errs in up to 10 % of null
studies where 4 seeds of a skewed or bounded score meet 20.

A few seeds of a skewed or bounded score rarely show its worst, so of two settings that spread differently the wide one
is judged too well (7 to 10 % wrong winners at spreads of 1 to 5). Where one variance is more than `UNEVEN` times the
other, Student's t has the degrees of freedom of the wide setting alone, and p counts as many times as the ratio is
multiples of `UNEVEN`, at most `HARSHEST` times.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtr, stdtrit

LEVEL = 0.025  # one-sided: a wrong winner in 5 % of null studies of two settings, as the leader is either of them
PAIRED = 1.5
UNEVEN = 2.0
HARSHEST = 4.0
MOST = 1000  # seeds beyond which a difference is called undecidable
POWER = 0.9
TINY = 1e-140
ROUNDING = 1e-9  # differences below this share of the values are none
LEAST_FOR_BOOTSTRAP = 5  # four seeds: even from the lowest to the highest is an interval of 87 % only
RESAMPLES = 2000

Floats = NDArray[np.float64]
Seeds = Mapping[int, float]


def t_below(x: Any, freedom: Any) -> Floats:
    """P(t ≤ x) of Student's t, the value of scipy.stats.t without what that checks at each call."""
    return np.asarray(stdtr(freedom, x))


def t_beyond(p: Any, freedom: Any) -> Floats:
    """The x for which P(t > x) = p."""
    return np.asarray(-stdtrit(freedom, p))


class Error(NamedTuple):
    """The standard error of a difference of means, and its degrees of freedom."""

    size: float
    freedom: float


class Spread(NamedTuple):
    """Variances of two settings' seeds, and of their differences where seeds pair; `least` is what rounding makes."""

    left: float
    right: float
    paired: float | None
    least: float

    @property
    def weight(self) -> float:
        """How many times p counts: more than once where one variance is more than `UNEVEN` times the other."""
        narrow, wide = sorted((max(self.left, self.least), max(self.right, self.least)))
        return min(max(wide / narrow / UNEVEN, 1.0), HARSHEST)

    def errors(self, n: int, m: int) -> list[Error]:
        """Welch's standard error for n and m seeds, and where seeds pair (n = m) that of the paired t-test."""
        left, right = np.maximum(self.left, self.least) / n, np.maximum(self.right, self.least) / m
        share = left / (left + right)
        freedom = 1 / (share**2 / (n - 1) + (1 - share) ** 2 / (m - 1))
        wide = (n if self.left > self.right else m) - 1
        found = [Error(np.sqrt(left + right), freedom if self.weight == 1 else np.minimum(freedom, wide))]
        if self.paired is not None:
            found.append(Error(np.sqrt(np.maximum(self.paired, self.least) / n), n - 1))
        return found


@dataclass(frozen=True, slots=True)
class Difference:
    """The leader's mean minus a rival's, in the score's own units.

    ``interval`` covers 95 %, with the leader chosen by looking (docs/scores.md); None where a setting has one seed. Of
    three settings or more it is a little wider than the test, and may hold 0 where ``p`` is just small enough. ``p`` is
    one-sided, for the leader being no better; None likewise. ``chance`` is P(a seed of the leader is better than one of
    the rival), ties counting half (Vargha and Delaney 2000). ``paired`` says whether both have the same seeds.
    """

    leader: str
    rival: str
    difference: float
    interval: tuple[float, float] | None
    p: float | None
    chance: float
    paired: bool

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Middle:
    """A setting's seeds in short: their number, mean, and interquartile mean (Agarwal et al. 2021).

    ``interval`` covers 95 %: the percentile bootstrap over the setting's own seeds (stratified), widened for few seeds
    (Hesterberg 2015). None below five seeds, where the whole range of the seeds covers 87 % only.
    """

    setting: str
    seeds: int
    mean: float
    interquartile_mean: float
    interval: tuple[float, float] | None

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        return asdict(self)


def against_rivals(values: Mapping[str, Seeds], *, higher: bool) -> tuple[str, tuple[Difference, ...]]:
    """The setting with the best mean, and its difference from every other one, the nearest first."""
    means = {name: float(np.mean(list(each.values()))) for name, each in values.items()}
    leader, *rivals = sorted(means, key=means.__getitem__, reverse=higher)
    level = LEVEL / math.sqrt(max(len(means), 2) / 2)  # the leader was chosen by looking
    best = (leader, values[leader])
    return leader, tuple(compared(best, (name, values[name]), higher=higher, level=level) for name in rivals)


def compared(leader: tuple[str, Seeds], rival: tuple[str, Seeds], *, higher: bool, level: float = LEVEL) -> Difference:
    """A leader against a rival, each a name and its values by seed; `higher` says whether more is better.

    `level` is what the interval leaves out on either side.

    >>> a, b = {0: 0.50, 1: 0.52, 2: 0.55, 3: 0.51}, {0: 0.30, 1: 0.33, 2: 0.36, 3: 0.29}
    >>> each = compared(("a", a), ("b", b), higher=True)
    >>> round(each.difference, 2), each.chance, each.paired, each.p < 0.001
    (0.2, 1.0, True, True)
    """
    a, b = aligned(leader[1], rival[1])
    gap, paired = float(a.mean() - b.mean()), leader[1].keys() == rival[1].keys()
    ahead = chance(a, b) if higher else chance(b, a)
    if min(len(a), len(b)) < 2:
        return Difference(leader[0], rival[0], gap, None, None, ahead, paired)
    half = half_width(a, b, paired=paired, level=level)
    p = p_value(a, b, paired=paired) if higher else p_value(b, a, paired=paired)
    return Difference(leader[0], rival[0], gap, (gap - half, gap + half), p, ahead, paired)


def aligned(a: Seeds, b: Seeds) -> tuple[Floats, Floats]:
    """The values of two settings, (n,) and (m,), in the order of their seeds."""
    return _in_order(a), _in_order(b)


def _in_order(values: Seeds) -> Floats:
    return np.array([values[seed] for seed in sorted(values)], np.float64)


def chance(a: Floats, b: Floats) -> float:
    """P(a > b) + ½ P(a = b) over all pairs; NaN where a side is empty.

    >>> chance(np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    0.875
    """
    if not len(a) or not len(b):
        return math.nan
    return float(np.mean((a[:, None] > b) + 0.5 * (a[:, None] == b)))


def spread(a: Floats, b: Floats, *, paired: bool) -> Spread:
    """How far the seeds (n,) and (m,) of two settings vary."""
    least = (ROUNDING * max(float(np.abs(a).max()), float(np.abs(b).max()), TINY)) ** 2
    return Spread(float(a.var(ddof=1)), float(b.var(ddof=1)), float((a - b).var(ddof=1)) if paired else None, least)


def p_value(a: Floats, b: Floats, *, paired: bool) -> float:
    """The one-sided p for a being no greater than b."""
    gap, seen = a.mean() - b.mean(), spread(a, b, paired=paired)
    tests = [float(t_below(-gap / each.size, each.freedom)) for each in seen.errors(len(a), len(b))]
    if paired:
        return min(1.0, PAIRED * seen.weight * min(tests))
    from scipy.stats import mannwhitneyu  # half a second to import

    ranks = mannwhitneyu(a, b, alternative="greater", method="exact")
    return min(1.0, _excess(a, b) * max(seen.weight * tests[0], float(ranks.pvalue)))


def _excess(a: Floats, b: Floats) -> float:
    """How many times as many seeds one setting has as the other."""
    return max(len(a), len(b)) / min(len(a), len(b))


def half_width(a: Floats, b: Floats, *, paired: bool, level: float = LEVEL) -> float:
    """Half of the interval of mean(a) − mean(b): what the t-tests of `p_value` do not rule out at that level."""
    seen = spread(a, b, paired=paired)
    level = level / seen.weight / (PAIRED if paired else _excess(a, b))
    return min(float(t_beyond(level, each.freedom) * each.size) for each in seen.errors(len(a), len(b)))


def seeds_to_decide(
    leader: Seeds, rivals: Sequence[Seeds], *, higher: bool, least: int, level: float = LEVEL
) -> int | None:
    """How many seeds each would let the leader beat all rivals with 90 % probability, were means and spreads as seen.

    `least` at least, None beyond `MOST`, or where the means are equal. From few seeds it is itself uncertain.
    """
    sides = [aligned(leader, each) for each in rivals]
    gaps = [float(a.mean() - b.mean()) * (1 if higher else -1) for a, b in sides]
    paired = [leader.keys() == each.keys() for each in rivals]
    spreads = [spread(a, b, paired=each) for (a, b), each in zip(sides, paired, strict=True)]

    def enough(n: int) -> bool:
        missed = accumulate(1 - _power(*each, n, level) for each in zip(gaps, spreads, paired, strict=True))
        return all(each <= 1 - POWER for each in missed)

    found = least + bisect_left(range(least, MOST + 1), True, key=enough)  # power grows with n
    return found if found <= MOST else None


def _power(gap: float, seen: Spread, paired: bool, n: int, level: float) -> float:
    """The probability that a gap between two means is found with n seeds each, by a shifted t."""
    level = level / seen.weight / (PAIRED if paired else 1)
    errors = seen.errors(n, n)
    return max(float(t_below(gap / each.size - t_beyond(level, each.freedom), each.freedom)) for each in errors)


def middle(setting: str, values: Seeds, seed: int = 0) -> Middle:
    """A setting's mean and interquartile mean, with the bootstrap's interval.

    >>> middle("a", dict(enumerate([1.0, 2.0, 3.0, 4.0, 90.0]))).interquartile_mean
    3.0
    """
    found = _in_order(values)
    interval = _bootstrap(found, seed) if len(found) >= LEAST_FOR_BOOTSTRAP else None
    return Middle(setting, len(found), float(found.mean()), float(_middle_half(found)), interval)


def _middle_half(values: Floats) -> Floats:
    """The mean of what is left without the lowest and the highest quarter of the last axis.

    It is scipy.stats.trim_mean, whose module takes as long to import as `compare` to answer a small study.
    """
    cut = values.shape[-1] // 4
    return np.asarray(np.sort(values, axis=-1)[..., cut : values.shape[-1] - cut].mean(axis=-1))


def _bootstrap(values: Floats, seed: int) -> tuple[float, float]:
    """The percentile bootstrap of the interquartile mean, its quantiles moved out as far as t lies beyond normal."""
    n = len(values)
    rows = np.random.default_rng(seed).integers(n, size=(RESAMPLES, n))
    tail = float(ndtr(-math.sqrt(n / (n - 1)) * t_beyond(LEVEL, n - 1)))
    low, high = np.quantile(_middle_half(values[rows]), [tail, 1 - tail])
    return float(low), float(high)
