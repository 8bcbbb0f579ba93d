"""Class labels of rows, and which rows have one: −1 stands for none, as scikit-learn has it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def labelled(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows (n,) have a label. −1 says that a row has none where the other labels count up from 0, or are 1, 2, ….

    It is a class as good as any where that is not so: two classes called −1 and 1, ratings from −2 to 2.

    >>> labelled(np.array([-1, 0, 1])).tolist(), labelled(np.array([-1, 1, 1])).tolist()
    ([False, True, True], [True, True, True])
    """
    known = labels != -1
    others = np.unique(labels[known])
    from_one = len(others) > 1 and np.array_equal(others, np.arange(1, len(others) + 1))
    return known if not len(others) or others[0] == 0 or from_one else np.ones(len(labels), bool)


def as_factor(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Labels (n,) as the one column (n, 1) of a categorical factor, NaN where a row has none.

    >>> as_factor(np.array([-1, 0, 2])).ravel().tolist()
    [nan, 0.0, 2.0]
    """
    return np.where(labelled(labels), labels.astype(np.float64), np.nan)[:, None]
