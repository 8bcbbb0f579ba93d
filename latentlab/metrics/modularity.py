"""Modularity: does a latent dimension know one factor only?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from latentlab.errors import InputError
from latentlab.metrics._arrays import Floats, Kinds, check_rows
from latentlab.metrics._information import information
from latentlab.metrics._metric import Metric
from latentlab.results import Score

METRIC = Metric(
    title="Modularity",
    short="modularity",
    needs="rows",
    range=(0.0, 1.0),
    better="higher",
    source="Ridgeway and Mozer 2018, Learning deep disentangled embeddings, section 3",
    assumes="Independent factors of like entropy; no dead dimensions; enough rows for bins × levels cells.",
    unchanged_by=("order", "sign", "scale", "scales", "shift"),
    too_high=(
        "Codes that know almost nothing: squared shares of a little information are as sharp as those of much "
        "(noise 0.74 at 10,000 rows). Missing factors cost nothing."
    ),
    too_low="Copied or correlated factors; each dead dimension counts near 0 (five lower 1.00 to 0.84).",
)


def modularity(codes: ArrayLike, factors: ArrayLike, *, bins: int = 20, kinds: Kinds = None) -> Score:
    """One less the share of squared information that a dimension has on factors other than its best, averaged.

    For dimension i with information m_ij: 1 − Σ_{j ≠ best} m_ij² / (max² (k − 1)); 0 where the largest is exactly 0;
    the mean over all dimensions. ``codes`` (n, d) binned in `bins` bins, ``factors`` (n, k ≥ 2). In [0, 1], higher is
    better; ``matrix`` (d, k) has the information in nats.

    Do not trust it where dimensions are dead: a dead one holds plug-in noise on every factor alike and scores near 0
    (five dead ones drag a perfect 1.00 to 0.84). It says nothing of how much is known: see ``explicitness``.

    Parameters
    ----------
    codes : array_like of shape (n, d)
        Codes, one row per example, one column per latent dimension.
    factors : array_like of shape (n, k)
        Level indices or values of the factors; NaN where unknown.
    bins : int, default 20
        Number of bins of equal width per dimension.
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
        For one factor alone or arrays that do not fit.

    References
    ----------
    Ridgeway and Mozer 2018.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    >>> round(modularity(v.astype(float), v).value, 6)
    1.0
    """
    z, v = check_rows(codes, factors, widen=False)
    if v.shape[1] < 2:
        raise InputError("modularity compares factors; one factor was given, give at least two")
    found = information(z, v, bins, kinds).mutual
    settings = {"bins": bins, "rows": len(z), "logarithm": "nats", "pruning": "none"}
    return Score(value=float(per_dimension(found).mean()), matrix=found, settings=settings)


def per_dimension(mutual: Floats) -> Floats:
    """Modularity (d,) of each dimension from information (d, k)."""
    squared = mutual**2
    largest = squared.max(axis=1)
    rest = squared.sum(axis=1) - largest
    safe = np.where(largest == 0, 1.0, largest)
    return np.where(largest == 0, 0.0, 1 - rest / (safe * (mutual.shape[1] - 1)))
