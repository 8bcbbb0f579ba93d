"""Means, spreads and ends of a data set's values, read a block at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data.kinds._form import Curve

if TYPE_CHECKING:
    from latentlab.data.dataset import Dataset

BLOCK = 1 << 22  # numbers that are read at a time
DIRECTIONS, MOST_ROWS = 64, 5000
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


def distance_to(mean: NDArray[np.floating], x: NDArray[np.floating]) -> Floats:
    """How far each sample (n, …) lies from a mean (…): the root of the mean square over the values that are known.

    >>> distance_to(np.zeros(2), np.array([[3.0, np.nan], [0, 0]])).tolist()
    [3.0, 0.0]
    """
    square = (np.asarray(x, np.float64) - mean).reshape(len(x), -1) ** 2
    known = (~np.isnan(square)).sum(axis=1)
    return np.sqrt(np.nansum(square, axis=1) / np.maximum(known, 1))


def principal(
    known: NDArray[np.float32], numbers: Callable[[Any], NDArray[np.float32]]
) -> Callable[[Any], NDArray[np.float32]]:
    """The numbers (n, p) of samples along the at most 64 directions in which the known ones vary most."""
    mean = known.mean(axis=0)
    _, _, directions = np.linalg.svd(known[:MOST_ROWS] - mean, full_matrices=False)
    return lambda samples: np.asarray((numbers(samples) - mean) @ directions[:DIRECTIONS].T, np.float32)
