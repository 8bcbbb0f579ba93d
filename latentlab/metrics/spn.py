"""Same-process neighbours along a dimension."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.metrics._arrays import Floats, Ints, Kinds, check_rows, kinds_of, levels_of
from latentlab.metrics._metric import Metric
from latentlab.metrics._processes import aggregated
from latentlab.results import Score

METRIC = Metric(
    title="Same-process neighbours (LMS)",
    short="SPN",
    needs="rows",
    range=(0.0, 1.0),
    better="higher",
    source="Moinfar and Theis 2024, Unsupervised deep disentangled representation of single-cell omics, methods",
    assumes="Levels that lie together along one dimension; enough rows of each level.",
    unchanged_by=("order", "sign", "scale", "scales", "shift"),
    too_high=(
        "More dimensions than factors: copies (0.14) and sine with cosine (0.18) are matched with more levels; one "
        "dimension a factor has 0.10; dimensions of noise raise it too (0.04 with none, 0.07 with 45)."
    ),
    too_low="Ordered factors: a dimension that holds all levels of one is matched with a single level; rare levels.",
)


def spn(codes: ArrayLike, factors: ArrayLike, *, bins: int = 10, kinds: Kinds = None) -> Score:
    """How often neighbours along a dimension share a level, above chance, one dimension per level.

    Rows are sorted by dimension i. Of the n_p rows of a level p, a_ip pairs of neighbours both belong to p:
    S_ip = max(0, a_ip / (n_p − 1) − q) / (1 − q) with q = n_p / n, which is 1 where the level's rows lie together and
    about 0 where they lie anywhere. Rows of equal code have no order; a_ip is then the expectation over their orders.
    Levels with one row are left out. The value is the latent matching score of S, parts ``most_similar_averaging`` and
    ``most_similar_gap`` as in ``smi``. ``codes`` (n, d); ``factors`` (n, k), NaN where a label is missing (such rows do
    not count for that factor). In [0, 1], higher is better; ``per_factor`` is the mean over a factor's matched levels,
    ``matrix`` (d, k) the mean of S over its levels.

    It sees any dependence, monotone or not, and is invariant to monotone functions of a dimension. Do not trust
    it for ordered factors: a dimension that holds ten levels is matched with one of them. A few rows of a rare level
    have neighbours of other levels at both ends, so rare levels score lower at equal separation.

    Parameters
    ----------
    codes : array_like of shape (n, d)
        Codes, one row per example, one column per latent dimension.
    factors : array_like of shape (n, k)
        Level indices or values of the factors; NaN where unknown.
    bins : int, default 10
        Number of levels of values that are not whole numbers.
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
    Moinfar and Theis 2024; estimator of their package drvi, but for equal codes, which it takes in the order of rows.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.arange(60) % 3
    >>> round(spn(np.eye(3)[v] + np.linspace(0, 0.1, 60)[:, None], v).value, 6)
    1.0
    """
    z, v = check_rows(codes, factors)
    similar = []
    for column, kind in zip(v.T, kinds_of(v, kinds), strict=True):
        level, _ = levels_of(column, kind, bins)
        known = level >= 0
        present, place = np.unique(level[known], return_inverse=True)
        kept = np.bincount(place) > 1
        neighbours = np.stack([_neighbours(x, place, len(present)) for x in z[known].T])
        similar.append(_above_chance(neighbours[:, kept], np.bincount(place)[kept], len(place)))
    return aggregated(similar, {"rows": len(z), "pruning": "none"})


def _neighbours(x: Floats, level: Ints, levels: int) -> NDArray[np.float64]:
    """Expected pairs of neighbours along x (n,) that are both of a level, for each (levels,).

    In a group of m equal codes, c of them of the level, the m − 1 neighbouring pairs are both of it with probability
    c (c − 1) / (m (m − 1)); across two groups they are with the product of the shares.
    """
    order = np.argsort(x, kind="stable")
    if (x[order][1:] > x[order][:-1]).all():
        ordered = level[order]
        return np.bincount(ordered[1:][ordered[1:] == ordered[:-1]], minlength=levels).astype(np.float64)
    values, group = np.unique(x, return_inverse=True)
    counts = np.bincount(group * levels + level, minlength=len(values) * levels).reshape(-1, levels).astype(np.float64)
    size = counts.sum(axis=1, keepdims=True)
    share = counts / size
    return np.asarray((share * (counts - 1)).sum(axis=0) + (share[:-1] * share[1:]).sum(axis=0))


def _above_chance(neighbours: NDArray[np.float64], rows: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    chance = rows / n
    return np.asarray(np.maximum(neighbours / (rows - 1) - chance, 0) / (1 - chance))
