"""How well attributes detect the high and low codes of dimensions: areas under the ROC curve on two halves of the rows.

Attributes are cut into levels. Ordered levels are compared by sums of ranks; levels without an order are put into that
in which the mean code rises on the first half, and judged on the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentlab.data.attributes import Attribute

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVELS = 100  # into which numbers are cut, with as many rows in each


class Levels(NamedTuple):
    """An attribute as `size` levels (n,), −1 where it is unknown; ``order`` says whether their order counts."""

    of: Ints
    size: int
    order: bool


class Halves(NamedTuple):
    """Rows (m,) on which attributes are chosen, and those on which they are judged."""

    fit: Ints
    test: Ints


class Detections(NamedTuple):
    """Of d dimensions and k attributes: signed detection − ½ on either half (d, k), of which the second is held out."""

    fit: Floats
    test: Floats


def cut(attribute: Attribute) -> Levels:
    """An attribute as levels: its own where it has labels or few values, `LEVELS` of equally many rows otherwise."""
    values = attribute.values
    known = np.isfinite(values)
    found = np.full(len(values), -1, dtype=np.int64)
    distinct, place = np.unique(values[known], return_inverse=True)
    if len(distinct) > LEVELS:
        edges = np.unique(np.quantile(values[known], np.arange(1, LEVELS) / LEVELS))
        place = np.searchsorted(edges, values[known], side="right")
    found[known] = place
    return Levels(found, int(found.max(initial=0)) + 1, attribute.kind in ("continuous", "ordinal"))


def detections(z: Floats, attributes: Sequence[Levels], halves: Halves) -> Detections:
    """How well each attribute tells high codes from low ones of each dimension (n, d): detection − ½, (d, k)."""
    middle = np.median(z[halves.fit], axis=0)
    high = [np.asarray(z[rows] > middle, np.float32) for rows in halves]
    fit, test = (np.zeros((z.shape[1], len(attributes))) for _ in halves)
    ordered = [k for k, levels in enumerate(attributes) if levels.order]
    if ordered:
        few = [attributes[k] for k in ordered]
        fit[:, ordered], test[:, ordered] = (rank_areas(few, rows, up) for rows, up in zip(halves, high, strict=True))
        test[:, ordered] *= np.where(fit[:, ordered] < 0, -1, 1)
        fit[:, ordered] = np.abs(fit[:, ordered])
    for k in set(range(len(attributes))) - set(ordered):
        ranks = ranks_of(attributes[k], z, halves)
        for part, rows, up in zip((fit, test), halves, high, strict=True):
            part[:, k] = area(*_counts(attributes[k], rows, up), ranks)
    return Detections(fit, test)


def rank_areas(attributes: Sequence[Levels], rows: Ints, high: NDArray[np.float32]) -> Floats:
    """The area under the ROC curve − ½ (d, k) of ordered attributes, from sums of ranks (Mann and Whitney)."""
    known = np.stack([levels.of[rows] >= 0 for levels in attributes]).astype(np.float32)
    ranks = np.stack([_middle_ranks(levels.of[rows]) for levels in attributes]).astype(np.float32)
    up = np.asarray(known @ high, np.float64)
    pairs = up * (known.sum(axis=1, dtype=np.float64)[:, None] - up)
    return np.asarray(np.where(pairs > 0, (ranks @ high) / np.maximum(pairs, 1), 0.0).T)


def _middle_ranks(levels: Ints) -> Floats:
    """Ranks of the known levels (n,) less their mean, equal ones sharing theirs; 0 where the level is unknown."""
    counts = np.bincount(levels[levels >= 0], minlength=1)
    ranks = counts.cumsum() - counts / 2 - counts.sum() / 2
    return np.where(levels >= 0, ranks[levels], 0.0)


def _indicator(levels: Levels, rows: Ints) -> csr_array:
    """1 where a row (columns) has a level (rows), as a sparse matrix."""
    from scipy.sparse import csr_array

    known = np.flatnonzero(levels.of[rows] >= 0)
    ones = np.ones(len(known), np.float32)
    return csr_array((ones, (levels.of[rows][known], known)), shape=(levels.size, len(rows)))


def _counts(levels: Levels, rows: Ints, high: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Rows with low and with high codes at each level, (levels, d) each."""
    indicator = _indicator(levels, rows)
    up = np.asarray(indicator @ high, np.float64)
    return np.asarray(indicator.sum(axis=1), np.float64).reshape(-1, 1) - up, up


def ranks_of(levels: Levels, z: Floats, halves: Halves) -> Ints:
    """The order (levels, d) in which codes rise: the levels' own, or that of the mean code on the first half."""
    if levels.order:
        return np.broadcast_to(np.arange(levels.size)[:, None], (levels.size, z.shape[1]))
    indicator = _indicator(levels, halves.fit)
    rows = np.asarray(indicator.sum(axis=1), np.float64).reshape(-1, 1)
    return np.argsort(np.asarray(indicator @ z[halves.fit]) / np.maximum(rows, 1), axis=0, kind="stable")


def area(low: Floats, high: Floats, ranks: Ints) -> Floats:
    """The area under the ROC curve − ½ (d,) of counts at levels (levels, d) taken in this order; 0 without rows."""
    low, high = np.take_along_axis(low, ranks, axis=0), np.take_along_axis(high, ranks, axis=0)
    wins = (high * (low.cumsum(axis=0) - low / 2)).sum(axis=0)
    pairs = low.sum(axis=0) * high.sum(axis=0)
    return np.where(pairs > 0, wins / np.maximum(pairs, 1) - 0.5, 0.0)
