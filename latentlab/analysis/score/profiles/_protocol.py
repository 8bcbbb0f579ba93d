"""What a profile fixes for one metric, and how disentanglement_lib draws rows of a full grid.

Factors are drawn with ``randint`` column by column in batches of 16 (the batch size is part of the random stream);
rows are then found by index, so nothing is encoded twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import RandomState

from latentlab.metrics._arrays import Ints
from latentlab.metrics._draws import Draws

BATCH = 16
MANY = 1000  # rows from which on a call per column is faster


@dataclass(frozen=True, slots=True)
class Protocol:
    """Rows (or batches) to train and to test on, rows per batch, and the metric's keyword arguments.

    With a `share` metrics that train and test do so on the first part of the rows, as they stand, and on the rest; at 1
    on all rows both.
    """

    train: int = 10_000
    test: int = 5_000
    batch: int = 64
    pairs: bool = False
    share: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def draw_factors(sizes: Sequence[int], n: int, random: RandomState) -> Ints:
    """Factor levels (n, k), drawn column by column: one call for few rows draws what a call per column does."""
    if n < MANY:
        return random.randint(np.array(sizes)[:, None], size=(len(sizes), n)).T
    return np.stack([random.randint(size, size=n) for size in sizes]).T


def rows_of(levels: Ints, sizes: Sequence[int]) -> Ints:
    """Row indices of factor levels (..., k) in the full grid in row-major order."""
    return np.asarray(np.ravel_multi_index(tuple(np.moveaxis(levels, -1, 0)), tuple(sizes)), dtype=np.int64)


def levels_of_rows(rows: Ints, sizes: Sequence[int]) -> Ints:
    """Factor levels (n, k) of rows of the full grid in row-major order."""
    return np.stack(np.unravel_index(rows, tuple(sizes)), axis=1).astype(np.int64)


def draw_rows(sizes: Sequence[int], n: int, random: RandomState, batch: int = BATCH) -> Ints:
    """Rows (n,) of the full grid, their factors drawn in batches of 16."""
    parts = [draw_factors(sizes, min(batch, n - start), random) for start in range(0, n, batch)]
    return rows_of(np.concatenate(parts), sizes)


def draw_fixed(sizes: Sequence[int], batches: int, batch: int, random: RandomState) -> Draws:
    """Batches (b, m) of grid rows with one factor fixed to its first value in the batch (FactorVAE's draw)."""
    fixed = np.empty(batches, dtype=np.int64)
    levels = np.empty((batches, batch, len(sizes)), dtype=np.int64)
    for b in range(batches):
        fixed[b] = random.randint(len(sizes))
        levels[b] = draw_factors(sizes, batch, random)
    levels[np.arange(batches), :, fixed] = levels[np.arange(batches), 0, fixed][:, None]
    return Draws(fixed, rows_of(levels, sizes))


def draw_shared(sizes: Sequence[int], batches: int, batch: int, random: RandomState) -> Draws:
    """Batches (b, m, 2) of pairs of grid rows; the two of a pair share one factor's value (β-VAE's draw)."""
    fixed = np.empty(batches, dtype=np.int64)
    levels = np.empty((batches, 2, batch, len(sizes)), dtype=np.int64)
    for b in range(batches):
        fixed[b] = random.randint(len(sizes))
        levels[b, 0] = draw_factors(sizes, batch, random)
        levels[b, 1] = draw_factors(sizes, batch, random)
    every = np.arange(batches)
    levels[every, 1, :, fixed] = levels[every, 0, :, fixed]
    return Draws(fixed, np.moveaxis(rows_of(levels, sizes), 1, 2))
