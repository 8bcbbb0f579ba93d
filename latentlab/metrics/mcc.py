"""Mean correlation coefficient, the identifiability literature's score."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.metrics._arrays import Floats, Kinds, by_factor, check_rows
from latentlab.metrics._metric import Metric
from latentlab.results import Score

METRIC = Metric(
    title="Mean correlation coefficient",
    short="MCC",
    needs="rows",
    range=(0.0, 1.0),
    better="higher",
    source="Hyvärinen and Morioka 2016; Khemakhem et al. 2020, Variational autoencoders and nonlinear ICA, section 5",
    kinds=("ordinal", "continuous"),
    assumes=(
        "Independent numerical factors; as many dimensions as factors; codes linear in them (Pearson) or increasing "
        "(Spearman)."
    ),
    unchanged_by=("order", "sign", "scale", "scales", "shift"),
    too_high=(
        "Correlated or copied factors: one of them in the code makes both score. Many dimensions on few rows: the best "
        "of chance. Averaged over matched pairs (profile guard), it stays 1 however many factors are missing."
    ),
    too_low="Codes that are a curve of the factor, as a cosine or a fifth power; lossless mixing (0.69 where R² is 1).",
)


def mcc(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    method: Literal["pearson", "spearman"] = "pearson",
    over: Literal["factors", "matched"] = "factors",
    kinds: Kinds = None,
) -> Score:
    """Mean absolute correlation of factors with dimensions, each dimension given to at most one factor, optimally.

    ``codes`` (n, d), ``factors`` (n, k) as numbers, missing labels left out factor by factor; the assignment is the
    Hungarian one. With fewer dimensions than factors the unmatched count 0, or with ``over="matched"`` not at all. In
    [0, 1], higher is better; ``matrix`` (d, k) has the absolute correlations.

    Do not trust it for categories or circular factors, whose numbers have no order (`kinds` does not change it).

    Parameters
    ----------
    codes : array_like of shape (n, d)
        Codes, one row per example, one column per latent dimension.
    factors : array_like of shape (n, k)
        Level indices or values of the factors; NaN where unknown.
    method : {'pearson', 'spearman'}, default 'pearson'
        Kind of correlation.
    over : {'factors', 'matched'}, default 'factors'
        Whether the mean is over all factors or over those that have a dimension.
    kinds : sequence of str, optional
        Kind of each factor: categorical, ordinal, continuous or circular. By default whole numbers are
        categorical, other values continuous.

    Returns
    -------
    Score
        In [0, 1], higher is better.

    Raises
    ------
    InputError
        If arrays do not fit together, hold infinities, or codes hold NaN.

    References
    ----------
    Hyvärinen and Morioka 2016.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    >>> round(mcc(-3.0 * v[:, ::-1], v).value, 6)
    1.0
    """
    z, v = check_rows(codes, factors)
    matrix = np.abs(correlations(z, v, method))
    dimension, factor = assigned(matrix)
    each = np.zeros(v.shape[1])
    each[factor] = matrix[dimension, factor]
    settings: dict[str, Any] = {
        "method": method,
        "rows": len(z),
        "assignment": {str(f): int(i) for i, f in zip(dimension, factor, strict=True)},
    }
    settings |= {} if over == "factors" else {"over": "matched factors"}
    value = each.mean() if over == "factors" else each[factor].mean()
    return Score(value=float(value), per_factor=by_factor(each), matrix=matrix, settings=settings)


def correlations(z: Floats, v: Floats, method: str) -> NDArray[np.float64]:
    """Correlations (d, k) of dimensions with factors over the rows that have a label; 0 where either is constant."""
    return np.stack([_correlation(z, column, method) for column in v.T], axis=1).astype(np.float64)


def assigned(matrix: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Dimensions and factors of the pairs that together have the largest sum of a matrix (d, k)."""
    from scipy.optimize import linear_sum_assignment

    dimension, factor = linear_sum_assignment(matrix, maximize=True)
    return dimension.astype(np.int64), factor.astype(np.int64)


def _correlation(z: Floats, y: Floats, method: str) -> Floats:
    from scipy.stats import rankdata

    known = ~np.isnan(y)
    x, y = z[known].astype(np.float64), y[known]
    if method == "spearman":
        x, y = rankdata(x, axis=0), rankdata(y)
    x, y = x - x.mean(axis=0), y - y.mean()
    scale = np.sqrt((x**2).sum(axis=0) * (y**2).sum())
    return np.where(scale > 0, (y @ x) / np.where(scale > 0, scale, 1.0), 0.0)
