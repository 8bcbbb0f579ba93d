"""Linear centred kernel alignment between runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.metrics._metric import Metric
from latentlab.metrics._runs import check_runs, off_diagonal, pairwise
from latentlab.results import Score

METRIC = Metric(
    title="Linear CKA",
    needs="runs",
    range=(0.0, 1.0),
    better=None,
    source="Kornblith et al. 2019, Similarity of neural network representations revisited, eq. 5",
)


def cka(runs: Sequence[ArrayLike]) -> Score:
    """‖XᵀY‖² / (‖XᵀX‖ ‖YᵀY‖) of centred codes (n, d) of two runs on the same rows, Frobenius norms; mean over pairs.

    In [0, 1]: 1 where the codes are one up to rotation, reflection and one common scale. ``matrix`` (r, r) has the
    pairs. Neither direction is good in itself: it says how alike runs are.

    Do not trust it as agreement on single dimensions: a rotated code scores 1. See ``udr``.

    Source: Kornblith et al. 2019, eq. 5. Raises `InputError` for fewer than two runs or different rows.

    >>> z = [[0.0, 1.0], [1.0, 0.0], [2.0, 5.0]]
    >>> round(cka([z, [[-b, 2 * 0 + a] for a, b in z]]).value, 6)
    1.0
    """
    matrix = pairwise(check_runs(runs), _alignment)
    return Score(
        value=float(off_diagonal(matrix).mean()), matrix=matrix, settings={"runs": len(runs), "kernel": "linear"}
    )


def _alignment(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    scale = np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)
    return float(np.linalg.norm(x.T @ y) ** 2 / scale) if scale > 0 else 0.0
