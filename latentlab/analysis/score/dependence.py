"""How much one column tells of another: information between bins of equal count, ranks, and least squares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.matching import standard_ranks
from latentlab.metrics._information import entropy as entropy_of

ROWS_PER_BIN = 5  # at least, so that a bin's mean is one of several rows
LEVEL = 0.01  # of a G-test, over all pairs that it is made for
Array = NDArray[np.float64]
Ints = NDArray[np.int64]


def binned(column: Array, bins: int) -> Ints:
    """Bins of equal count, ties together; the levels themselves where there are no more; −1 where it is NaN."""
    from scipy.stats import rankdata

    found = np.full(len(column), -1)
    known = ~np.isnan(column)
    values, level = np.unique(column[known], return_inverse=True)
    if len(values) > bins:
        level = np.floor((rankdata(column[known]) - 0.5) / known.sum() * bins).astype(np.int64)
    found[known] = level
    return found


def information(a: Ints, b: Ints, tests: int) -> tuple[float, bool]:
    """Nats between two columns of levels, less their bias, and whether a G-test among so many finds a dependence."""
    from scipy.stats import chi2

    known = (a >= 0) & (b >= 0)
    shape = (int(a.max()) + 1, int(b.max()) + 1)
    counts = np.bincount(a[known] * shape[1] + b[known], minlength=shape[0] * shape[1]).reshape(shape)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    n, freedom = counts.sum(), (counts.shape[0] - 1) * (counts.shape[1] - 1)
    if freedom == 0:
        return 0.0, False
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / n
    there = counts > 0
    nats = float((counts[there] * np.log(counts[there] / expected[there])).sum() / n)
    return max(0.0, nats - freedom / (2 * n)), bool(2 * n * nats > chi2.isf(LEVEL / tests, freedom))


def entropy(levels: Ints) -> float:
    """Entropy of levels in nats; those that are missing (−1) do not count."""
    return float(entropy_of(np.bincount(levels[levels >= 0]), axis=0))


def ranked(columns: Array) -> Array:
    """Ranks column by column, at mean 0 and deviation 1; 0 where a column is constant."""
    return standard_ranks(columns) * np.sqrt(len(columns))


def explained(x: Array, y: Array) -> Array:
    """Adjusted R² (k,) of least squares from centred x (n, p) to centred columns of y (n, k), of deviation 1."""
    weights = np.linalg.lstsq(x, y, rcond=None)[0]
    n, p = x.shape
    return np.asarray(1 - np.mean((y - x @ weights) ** 2, axis=0) * n / max(n - p - 1, 1))


def explained_by_bins(z: Array, column: Array) -> Array:
    """The share (d,) of the variance of standardised z (n, d) that lies between a column's bins, less its bias."""
    level = binned(column, int(np.clip(len(column) // ROWS_PER_BIN, 3, 30)))
    count = np.bincount(level)
    means = np.stack([np.bincount(level, weights=each) for each in z.T], axis=1) / np.maximum(count, 1)[:, None]
    between = (count[:, None] * means**2).sum(axis=0) / len(z)
    groups = int((count > 0).sum())
    return np.asarray(1 - (1 - between) * (len(z) - 1) / max(len(z) - groups, 1))


def explained_by_levels(z: Array, level: Ints) -> tuple[Array, float]:
    """The share of the variance of standardised z (n, d) that lies between levels: of each dimension (d,), and of the
    linear combination of dimensions in which it is largest; both less their bias."""
    n, d = z.shape
    count = np.bincount(level)
    means = np.stack([np.bincount(level, weights=each) for each in z.T], axis=1) / count[:, None]
    between, total = (means * count[:, None]).T @ means / n, z.T @ z / n
    size, axes = np.linalg.eigh(total)
    white = axes[:, size > 1e-9 * size[-1]] / np.sqrt(size[size > 1e-9 * size[-1]])
    most = float(np.linalg.eigvalsh(white.T @ between @ white)[-1])
    share = 1 - (1 - np.diag(between)) * (n - 1) / max(n - len(count), 1)
    return np.asarray(share), 1 - (1 - most) * (n - 1) / max(n - len(count) - d, 1)


def cells(a: Ints, b: Ints) -> Ints:
    """Two columns of levels as one; −1 where either is missing."""
    return np.where((a >= 0) & (b >= 0), a * (b.max() + 1) + b, -1)
