"""Class labels of rows, and which rows have one: −1 stands for none, as scikit-learn has it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentlab.data.dataset import labelled


def as_factor(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Labels (n,) as the one column (n, 1) of a categorical factor, NaN where a row has none.

    >>> as_factor(np.array([-1, 0, 2])).ravel().tolist()
    [nan, 0.0, 2.0]
    """
    return np.where(labelled(labels), labels.astype(np.float64), np.nan)[:, None]
