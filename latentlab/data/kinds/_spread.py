"""Means, spreads and ends of a data set's values, read a block at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data.kinds._form import Curve

if TYPE_CHECKING:
    from latentlab.data.dataset import Dataset

BLOCK = 1 << 22  # numbers that are read at a time
Floats = NDArray[np.float64]


def blocks(data: Dataset) -> Iterator[NDArray[Any]]:
    """All samples in order, as float64 blocks (k, *shape)."""
    step = max(1, BLOCK // math.prod(data.form.shape))
    for start in range(0, len(data), step):
        yield data.read(np.arange(start, min(start + step, len(data)))).astype(np.float64)


def moments(data: Dataset, curve: Curve = np.asarray) -> tuple[Floats, Floats]:
    """Mean and standard deviation along the first axis of a sample, (shape[0],) each, over all rows and other axes.

    Values are first put through ``curve``. Missing values do not count; where all are missing, both are NaN.
    """
    axes = (0, *range(2, 1 + data.form.ndim))
    count, mean, square = np.zeros(data.form.shape[0]), np.zeros(data.form.shape[0]), np.zeros(data.form.shape[0])
    for block in map(curve, blocks(data)):
        known = ~np.isnan(block)
        here = known.sum(axis=axes)
        with np.errstate(invalid="ignore"):
            middle = np.where(known, block, 0).sum(axis=axes) / here
        spread = middle.reshape(-1, *[1] * (data.form.ndim - 1))
        about = np.where(known, block - spread, 0)
        middle, total = np.nan_to_num(middle), count + here
        share = np.divide(here, total, out=np.zeros_like(total), where=total > 0)
        square += (about**2).sum(axis=axes) + (middle - mean) ** 2 * count * share
        mean += (middle - mean) * share
        count = total
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 0, mean, np.nan), np.sqrt(square / count)
