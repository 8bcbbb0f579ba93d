"""Unsupervised disentanglement ranking across runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.errors import InputError
from latentlab.metrics._lasso import lasso
from latentlab.metrics._metric import Metric
from latentlab.metrics._runs import check_runs
from latentlab.results import Score

METRIC = Metric(
    title="Unsupervised disentanglement ranking",
    short="UDR",
    needs="runs",
    range=(0.0, 1.0),
    better="higher",
    version=2,
    source="Duan et al. 2020, Unsupervised model selection for variational disentangled representation learning",
    assumes="Runs on the same rows that could have found the same axes.",
    unchanged_by=("order", "sign", "scale", "scales", "shift"),
    too_high="Runs that fail alike: it measures agreement, not truth.",
    too_low="Runs that found equally good but different axes, or that use different numbers of dimensions.",
)
STOP: dict[str, Any] = {"max_iter": 1000, "tol": 1e-4}
LASSO = {"fit_intercept": True, **STOP, "positive": False, "selection": "cyclic"}


def udr(
    runs: Sequence[ArrayLike],
    kl: Sequence[ArrayLike] | None = None,
    *,
    method: Literal["lasso", "spearman"] = "lasso",
    alpha: float = 0.1,
    threshold: float = 0.01,
) -> Score:
    """How well each run's dimensions match single dimensions of the other runs; the mean over runs.

    Between two runs R is (d, d'), absolute weights of a Lasso (`alpha`) that predicts the z-scored codes of the second
    from those of the first, or absolute Spearman correlations. Dimensions with a mean KL of at most `threshold` nats
    are neither predictors nor targets: they are set to zero before the fit and left out of R. The pair's score is the
    mean of max² / sum over columns and over rows of R; a run's is the median over the pairs in which it is predicted,
    a column of ``matrix`` (r, r), as in the authors' code. Spearman's R has no direction. ``runs`` are codes (n, d) on
    the same rows, ``kl`` one array (d,) a run; without it all dimensions count and ``settings`` say so. In [0, 1],
    higher is better; parts ``run_0`` ….

    Do not trust it where all runs fail alike: it measures agreement, and needs no truth.

    Parameters
    ----------
    runs : sequence of array_like of shape (n, d)
        Codes of the same rows, one array per run, at least two.
    kl : sequence of array_like of shape (d,), optional
        Mean KL per dimension in nats, one array per run; dimensions up to `threshold` are left out.
    method : {'lasso', 'spearman'}, default 'lasso'
        How two runs' dimensions are related.
    alpha : float, default 0.1
        Penalty of the Lasso.
    threshold : float, default 0.01
        Largest mean KL, in nats, of a dimension that is left out.

    Returns
    -------
    Score
        In [0, 1], higher is better.

    Raises
    ------
    InputError
        If there are fewer than two runs or different rows.

    References
    ----------
    Duan et al. 2020, eq. 3; estimator of disentanglement_lib.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.random.RandomState(0).normal(size=(200, 3))
    >>> round(udr([z, -z[:, ::-1]], method="spearman").value, 1) > 0.7
    True
    """
    found = check_runs(runs)
    masks = _masks(found, kl, threshold)
    found = [_scored(codes) * mask for codes, mask in zip(found, masks, strict=True)]
    if method == "spearman":
        found = [_ranked(codes) for codes in found]
    every, ends = np.hstack(found), np.cumsum([codes.shape[1] for codes in found])[:-1]
    matrix = np.full((len(found), len(found)), np.nan)
    for a, codes in enumerate(found):
        weights = lasso(codes, every, alpha, **STOP) if method == "lasso" else codes.T @ every / len(every)
        for b, relation in enumerate(np.split(np.abs(weights), ends, axis=1)):
            if a != b:
                matrix[a, b] = strength(relation[masks[a]][:, masks[b]])
    each = np.nanmedian(matrix, axis=0)
    settings: dict[str, Any] = {"method": method, "rows": len(found[0]), "active": [int(mask.sum()) for mask in masks]}
    settings |= {"alpha": alpha, "lasso": LASSO} if method == "lasso" else {}
    settings |= METRIC.noted
    settings["pruning"] = "none (no KL given)" if kl is None else f"KL > {threshold}"
    parts = {f"run_{r}": float(value) for r, value in enumerate(each)}
    return Score(value=float(each.mean()), parts=parts, matrix=matrix, settings=settings)


def strength(relation: NDArray[np.float64]) -> float:
    """Mean of max² / sum over columns and over rows; lines of zeros count 0, no dimensions at all count 0."""
    if relation.size == 0:
        return 0.0
    halves = []
    for axis in (0, 1):
        total = relation.sum(axis=axis)
        halves.append(np.where(total > 0, relation.max(axis=axis) ** 2 / np.where(total > 0, total, 1.0), 0.0).mean())
    return float(np.mean(halves))


def _scored(codes: NDArray[np.float64]) -> NDArray[np.float64]:
    deviation = codes.std(axis=0)
    return (codes - codes.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)


def _masks(
    runs: list[NDArray[np.float64]], kl: Sequence[ArrayLike] | None, threshold: float
) -> list[NDArray[np.bool_]]:
    if kl is None:
        return [np.ones(codes.shape[1], dtype=bool) for codes in runs]
    rates = [np.asarray(one, dtype=np.float64) for one in kl]
    if [rate.shape for rate in rates] != [(codes.shape[1],) for codes in runs]:
        raise InputError(
            f"kl has shapes {[rate.shape for rate in rates]}; expected one value per dimension for each run"
        )
    return [rate > threshold for rate in rates]


def _ranked(codes: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.stats import rankdata

    return _scored(rankdata(codes, axis=0))
