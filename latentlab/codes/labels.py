"""Class labels of rows, and which rows have one: −1 stands for none, as in scikit-learn; and levels as values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data.dataset import Factor, labelled


def as_factor(labels: NDArray[np.int64], names: Sequence[str] = ()) -> NDArray[np.float64]:
    """Labels (n,) of named classes as the one column (n, 1) of a categorical factor, NaN where a row has none.

    >>> as_factor(np.array([-1, 0, 2])).ravel().tolist()
    [nan, 0.0, 2.0]
    """
    return np.where(labelled(labels, names), labels.astype(np.float64), np.nan)[:, None]


def as_values(spec: Factor, column: NDArray[np.float64]) -> Any:
    """A factor's column (n,) as what its levels stand for: names, None where missing, or numbers, NaN where missing.

    >>> as_values(Factor("shape", values=("square", "heart")), np.array([1.0, np.nan]))
    ['heart', None]
    """
    if not spec.values:
        return column
    known = np.isfinite(column)
    levels = np.where(known, column, 0).astype(int)
    if isinstance(spec.values[0], str):
        return [str(spec.values[k]) if here else None for k, here in zip(levels, known, strict=True)]
    return np.where(known, np.asarray(spec.values, float)[levels], np.nan)
