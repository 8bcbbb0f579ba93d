"""Unsupervised disentanglement ranking across runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.errors import InputError
from latentlab.metrics._metric import Metric
from latentlab.metrics._runs import check_runs
from latentlab.results import Score

METRIC = Metric(
    title="Unsupervised disentanglement ranking",
    needs="runs",
    range=(0.0, 1.0),
    better="higher",
    source="Duan et al. 2020, Unsupervised model selection for variational disentangled representation learning",
)
LASSO = {"fit_intercept": True, "max_iter": 1000, "tol": 1e-4, "positive": False, "selection": "cyclic"}


def udr(
    runs: Sequence[ArrayLike],
    kl: Sequence[ArrayLike] | None = None,
    *,
    method: Literal["lasso", "spearman"] = "lasso",
    alpha: float = 0.1,
    threshold: float = 0.01,
) -> Score:
    """How well each run's dimensions match single dimensions of the other runs; the mean over runs.

    Between two runs R is (d, d'), absolute weights of a Lasso (`alpha`) from the z-scored codes of one to those of the
    other, or absolute Spearman correlations; dimensions with a mean KL of at most `threshold` nats are left out. The
    pair's score is the mean of max² / sum over columns and over rows of R; a run's is the median over the others.
    ``runs`` are codes (n, d) on the same rows, ``kl`` one array (d,) a run; without it all dimensions count and
    ``settings`` say so. In [0, 1], higher is better; parts ``run_0`` …, ``matrix`` (r, r) has the pairs.

    Do not trust it where all runs fail alike: it measures agreement, and needs no truth.

    Source: Duan et al. 2020, eq. 3. Raises `InputError` for fewer than two runs or different rows.

    >>> import numpy as np
    >>> z = np.random.RandomState(0).normal(size=(200, 3))
    >>> round(udr([z, -z[:, ::-1]], method="spearman").value, 1) > 0.7
    True
    """
    found = [_scored(codes) for codes in check_runs(runs)]
    masks = _masks(found, kl, threshold)
    matrix = np.full((len(found), len(found)), np.nan)
    for a in range(len(found)):
        for b in range(len(found)):
            if a != b:
                relation = _lasso(found[a], found[b], alpha) if method == "lasso" else _spearman(found[a], found[b])
                matrix[a, b] = strength(relation[masks[a]][:, masks[b]])
    each = np.nanmedian(matrix, axis=1)
    settings: dict[str, Any] = {"method": method, "rows": len(found[0]), "active": [int(mask.sum()) for mask in masks]}
    settings |= {"alpha": alpha, "lasso": LASSO} if method == "lasso" else {}
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
        raise InputError(f"kl has shapes {[rate.shape for rate in rates]}; expected one value a dimension for each run")
    return [rate > threshold for rate in rates]


def _lasso(x: NDArray[np.float64], y: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    from sklearn.linear_model import Lasso

    weights = Lasso(alpha=alpha, **LASSO).fit(x, y).coef_
    return np.abs(np.atleast_2d(weights)).T


def _spearman(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.stats import rankdata

    a, b = _scored(rankdata(x, axis=0)), _scored(rankdata(y, axis=0))
    return np.abs(a.T @ b) / len(a)
