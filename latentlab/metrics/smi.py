"""Scaled mutual information of dimensions with processes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.metrics._arrays import Kinds, check_rows
from latentlab.metrics._information import counted, from_tables
from latentlab.metrics._metric import Metric
from latentlab.metrics._processes import aggregated
from latentlab.results import Score

METRIC = Metric(
    title="Scaled mutual information (LMS)",
    short="SMI",
    needs="rows",
    range=(0.0, 1.0),
    better="higher",
    source="Moinfar and Theis 2024, Unsupervised deep disentangled representation of single-cell omics, methods",
    assumes="Processes that are one level against the rest; one dimension per level; enough rows per bin.",
    unchanged_by=("order", "sign", "scale", "scales", "shift"),
    too_high=(
        "More dimensions than factors: copies (0.14) and sine with cosine (0.16) are matched with more levels; one "
        "dimension a factor has 0.10. Few rows: 0.02 for noise at 300."
    ),
    too_low="Ordered factors: a dimension that holds all levels of one is matched with a single level.",
)


def smi(codes: ArrayLike, factors: ArrayLike, *, bins: int = 10, kinds: Kinds = None) -> Score:
    """Information of a dimension about one level against the rest, over that level's entropy, one dimension per level.

    Every level of every factor is a process p of its own, 1 on its rows and 0 on the others: S_ip = I(z_i; p) / H(p),
    plug-in over codes (n, d) in `bins` bins of equal width. The value is the latent matching score: the largest sum of
    S over pairs of which no two share a dimension or a process, over the number of processes. Parts:
    ``most_similar_averaging``, the mean over processes of max_i S_ip, and ``most_similar_gap``, the mean of the gap
    between the two largest. ``factors`` (n, k) levels or values, NaN where a label is missing (such rows do not count
    for that factor). In [0, 1], higher is better; ``per_factor`` is the mean over a factor's matched levels, ``matrix``
    (d, k) the mean of S over its levels.

    It is made for cells, whose types should have a dimension each. Do not trust it for ordered factors: a
    dimension that holds all ten levels of a factor is matched with one of them, so the factors themselves score low,
    and with fewer dimensions than levels no code can reach 1. The published numbers of 2024 took information by nearest
    neighbours, whose estimate the authors have since replaced by bins, as here.

    Parameters
    ----------
    codes : array_like of shape (n, d)
        Codes, one row per example, one column per latent dimension.
    factors : array_like of shape (n, k)
        Level indices or values of the factors; NaN where unknown.
    bins : int, default 10
        Number of bins of equal width per dimension, and of levels of values that are not whole numbers.
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
    Moinfar and Theis 2024; estimator of their package drvi (SMI-disc).

    Examples
    --------
    >>> import numpy as np
    >>> v = np.arange(60) % 3
    >>> round(smi(np.eye(3)[v], v).value, 6)
    1.0
    """
    z, v = check_rows(codes, factors, widen=False)
    similar = [_similar(table) for table in counted(z, v, bins, kinds)]
    return aggregated(similar, {"bins": bins, "rows": len(z), "pruning": "none"})


def _similar(table: NDArray[np.int64]) -> NDArray[np.float64]:
    """Scaled information (d, levels) from a factor's counts (d, bins, levels); levels without a row are left out."""
    seen = table[0].sum(axis=0) > 0
    counts = [np.stack([table[..., level], table.sum(axis=-1) - table[..., level]], axis=-1)
              for level in np.flatnonzero(seen)]  # fmt: skip
    found = from_tables(counts)
    return np.asarray(np.minimum(found.mutual / found.factor, 1.0))
