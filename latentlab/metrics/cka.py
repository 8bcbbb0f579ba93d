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
    short="CKA",
    needs="runs",
    range=(0.0, 1.0),
    better=None,
    source="Kornblith et al. 2019, Similarity of neural network representations revisited, eq. 5",
    assumes="The same rows in every run.",
    unchanged_by=("order", "sign", "scale", "shift", "rotation"),
    too_high=(
        "One direction of large variance makes runs alike whatever the others do; more dimensions than rows bring it "
        "near 1."
    ),
    too_low="Runs that differ in the scales of their dimensions alone.",
)


def cka(runs: Sequence[ArrayLike]) -> Score:
    """‖XᵀY‖² / (‖XᵀX‖ ‖YᵀY‖) of centred codes (n, d) of two runs on the same rows, Frobenius norms; mean over pairs.

    In [0, 1]: 1 where the codes are one up to rotation, reflection and one common scale. ``matrix`` (r, r) has the
    pairs. Neither direction is good in itself: it says how alike runs are.

    Do not trust it as agreement on single dimensions: a rotated code scores 1. See ``udr``.

    Parameters
    ----------
    runs : sequence of array_like of shape (n, d)
        Codes of the same rows, one array per run, at least two.

    Returns
    -------
    Score
        In [0, 1], neither direction is better.

    Raises
    ------
    InputError
        If there are fewer than two runs or different rows.

    References
    ----------
    Kornblith et al. 2019, eq. 5.

    Examples
    --------
    >>> z = [[0.0, 1.0], [1.0, 0.0], [2.0, 5.0]]
    >>> round(cka([z, [[-b, 2 * 0 + a] for a, b in z]]).value, 6)
    1.0
    """
    matrix = pairwise([_centred(codes) for codes in check_runs(runs)], _alignment)
    return Score(
        value=float(off_diagonal(matrix).mean()), matrix=matrix, settings={"runs": len(runs), "kernel": "linear"}
    )


Centred = tuple[NDArray[np.float64], float]


def _centred(codes: NDArray[np.float64]) -> Centred:
    """Centred codes, and the norm of their products."""
    x = codes - codes.mean(axis=0)
    return x, float(np.linalg.norm(x.T @ x))


def _alignment(a: Centred, b: Centred) -> float:
    (x, x_norm), (y, y_norm) = a, b
    scale = x_norm * y_norm
    return float(np.linalg.norm(x.T @ y) ** 2 / scale) if scale > 0 else 0.0
