"""Procrustes similarity between runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.metrics._metric import Metric
from latentlab.metrics._runs import check_runs, off_diagonal, pairwise
from latentlab.results import Score

METRIC = Metric(
    title="Procrustes similarity",
    short="Procrustes",
    needs="runs",
    range=(0.0, 1.0),
    better=None,
    source="Schönemann 1966, A generalized solution of the orthogonal Procrustes problem",
    assumes="The same rows in every run.",
    unchanged_by=("order", "sign", "scale", "shift", "rotation"),
    too_high="One direction of large variance makes runs alike whatever the others do.",
    too_low="Runs that differ in the scales of their dimensions alone.",
)


def procrustes(runs: Sequence[ArrayLike]) -> Score:
    """Squared correlation of two runs' codes after the best rotation, reflection and scale; mean over pairs.

    (‖XᵀY‖_* / (‖X‖ ‖Y‖))² for centred codes (n, d) on the same rows, nuclear over Frobenius norms: the share of
    variance that remains after aligning (1 − SciPy's disparity). In [0, 1]; ``matrix`` (r, r) has the pairs. Codes of
    different sizes are compared as if filled up with zeros.

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
    Schönemann 1966.

    Examples
    --------
    >>> z = [[0.0, 1.0], [1.0, 0.0], [2.0, 5.0]]
    >>> round(procrustes([z, [[-3 * b, 3 * a] for a, b in z]]).value, 6)
    1.0
    """
    matrix = pairwise([_centred(codes) for codes in check_runs(runs)], _similarity)
    return Score(value=float(off_diagonal(matrix).mean()), matrix=matrix, settings={"runs": len(runs)})


Centred = tuple[NDArray[np.float64], float]


def _centred(codes: NDArray[np.float64]) -> Centred:
    """Centred codes, and their norm."""
    x = codes - codes.mean(axis=0)
    return x, float(np.linalg.norm(x))


def _similarity(a: Centred, b: Centred) -> float:
    (x, x_norm), (y, y_norm) = a, b
    scale = x_norm * y_norm
    return float((np.linalg.svd(x.T @ y, compute_uv=False).sum() / scale) ** 2) if scale > 0 else 0.0
