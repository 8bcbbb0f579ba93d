"""How far precision, density and coverage of nearest neighbours would move with fresh samples of both kinds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

LISTED = 40  # neighbours kept of each real row: fewer than 5 of them in a half of the rows is one case in 10⁶
NORMAL = 1.96
HALVES = 200
BLOCK = 1024
MANY = 4096


class Near(NamedTuple):
    """What intervals need of two samples: each real row's nearest real ones, and the draws within their reach.

    ``listed`` and ``distance`` (n, l) are neighbours, the nearest first; ``real``, ``drawn`` and ``apart`` are the
    pairs of a real row and a draw that is not farther than the last of them.
    """

    listed: NDArray[np.int64]
    distance: NDArray[np.float32]
    real: NDArray[np.int64]
    drawn: NDArray[np.int64]
    apart: NDArray[np.float32]
    neighbours: int
    draws: int

    @classmethod
    def of(cls, real: NDArray[np.float32], drawn: NDArray[np.float32], neighbours: int) -> Near:
        """The neighbours and pairs of features (n, p) and (m, p)."""
        kept = min(max(LISTED, neighbours), len(real) - 1)
        parts, pairs, start = [], [], 0
        for own, other in zip(_distances(real, real), _distances(real, drawn), strict=True):
            own[np.arange(len(own)), start + np.arange(len(own))] = -1.0  # itself, whatever rounding says
            order = np.argpartition(own, kept, axis=1)[:, : kept + 1]
            order = np.take_along_axis(order, np.argsort(np.take_along_axis(own, order, 1), axis=1), 1)[:, 1:]
            reach = np.take_along_axis(own, order, 1)
            row, column = np.nonzero(other < reach[:, -1:])
            parts.append((order, reach))
            pairs.append((row + start, column, other[row, column]))
            start += len(own)
        listed, distance = (np.concatenate(each) for each in zip(*parts, strict=True))
        rows, columns, apart = (np.concatenate(each) for each in zip(*pairs, strict=True))
        return cls(listed, distance, rows, columns, apart, neighbours, len(drawn))

    @property
    def radius(self) -> NDArray[np.float32]:
        """How far each real row's ball reaches, (n,)."""
        return self.distance[:, self.neighbours - 1]

    def radius_among(self, kept: NDArray[np.bool_]) -> NDArray[np.float32]:
        """The same where only those real rows are there; rows that are not have no ball."""
        counted = kept[self.listed].cumsum(axis=1)
        place = np.where(counted[:, -1] >= self.neighbours, (counted >= self.neighbours).argmax(axis=1), -1)
        return np.where(kept, self.distance[np.arange(len(kept)), place], 0)

    def balls_of_draws(self, radius: NDArray[np.float32]) -> NDArray[np.int64]:
        """In how many balls each draw lies, (m,)."""
        return np.bincount(self.drawn[self.apart < radius[self.real]], minlength=self.draws)

    def reached(self, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which real rows' balls hold one of the draws kept, (n,)."""
        inside = (self.apart < self.radius[self.real]) & kept[self.drawn]
        return np.bincount(self.real[inside], minlength=len(self.listed)) > 0


def ends(values: dict[str, float], near: Near, seed: int = 0) -> dict[str, float]:
    """The ends of 95 % intervals of precision, density and coverage."""
    rng, n, m = np.random.default_rng(seed), len(near.listed), near.draws
    hits, covered = [], []
    for _ in range(HALVES):
        kept = np.zeros(n, bool)
        kept[rng.permutation(n)[: n // 2]] = True
        hits.append(near.balls_of_draws(near.radius_among(kept)))
        kept = np.zeros(m, bool)
        kept[rng.permutation(m)[: m // 2]] = True
        covered.append(near.reached(kept))
    whole = near.balls_of_draws(near.radius)
    variance = {
        "precision": _variance(whole > 0, np.array(hits) > 0),
        "density": _variance(whole / near.neighbours, np.array(hits) / near.neighbours),
        "coverage": _variance(near.reached(np.ones(m, bool)), np.array(covered)),
    }
    sizes = {"precision": m, "density": m, "coverage": n}
    return {key: end for name in variance for key, end in _around(name, values[name], variance[name], sizes[name])}


def _around(name: str, value: float, variance: float, rows: int) -> list[tuple[str, float]]:
    """Both ends by name; where every row says the same, what one in 40 samples of so many rows would still hide."""
    top = math.inf if name == "density" else 1.0
    reach = NORMAL * math.sqrt(variance) if variance > 0 else 1 - 0.025 ** (1 / rows)
    return [(f"{name}_low", max(value - reach, 0.0)), (f"{name}_high", min(value + reach, top))]


def _variance(own: NDArray[Any], halves: NDArray[Any]) -> float:
    """The variance of a mean over one sample's rows that depends on another sample, redrawn by halves (r, rows).

    Given the other sample the rows are independent: that part is theirs. The other sample moves all rows alike, so its
    part is the covariance of the means of two disjoint sets of rows over the halves; their own noise does not enter.
    """
    even, odd = halves[:, ::2].mean(axis=1), halves[:, 1::2].mean(axis=1)
    return float(own.var() / len(own) + max(np.cov(even, odd)[0, 1], 0.0))


def _distances(a: NDArray[np.float32], b: NDArray[np.float32]) -> Any:
    from sklearn.metrics import euclidean_distances

    return (euclidean_distances(a[start : start + BLOCK], b) for start in range(0, len(a), BLOCK))


def nearest(
    samples: NDArray[Any],
    among: NDArray[Any],
    numbers: Callable[[NDArray[Any]], NDArray[np.float32]],
    own: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which of `among` (m, …) is nearest to each sample (n, …), and how far apart their `numbers` (n, p) are.

    Of images these are normalised pixels: the distance is √(2 − 2 cos), and a constant image is √2 from everything.
    ``own`` (n,) is the place of each sample among them, -1 where it has none: a sample is not its own neighbour.
    """
    query = numbers(samples)
    length = (query**2).sum(axis=1)
    best, where = np.full(len(samples), np.inf), np.zeros(len(samples), np.int64)
    for start in range(0, len(among), MANY):
        block = numbers(among[start : start + MANY])
        square = (block**2).sum(axis=1) - 2 * (query @ block.T)
        if own is not None:
            here = np.flatnonzero((own >= start) & (own < start + len(block)))
            square[here, own[here] - start] = np.inf
        closest = square.argmin(axis=1)
        value = square[np.arange(len(query)), closest]
        nearer = value < best
        best[nearer], where[nearer] = value[nearer], start + closest[nearer]
    return where, np.sqrt(np.maximum(length + best, 0))
