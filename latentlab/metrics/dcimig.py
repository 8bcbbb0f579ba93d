"""DCIMIG: mutual information gaps aggregated as DCI aggregates importances."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from latentlab.errors import InputError
from latentlab.metrics._arrays import Kinds, by_factor, check_rows
from latentlab.metrics._information import information, top_two_gap
from latentlab.metrics._metric import Metric
from latentlab.results import Score

METRIC = Metric(
    title="DCIMIG",
    needs="rows",
    range=(0.0, 1.0),
    better="higher",
    source="Sepliarskaia et al. 2019, Evaluating disentangled representations, section 4 (3CharM)",
    assumes="Independent factors; enough rows for bins × levels cells.",
    unchanged_by=("order", "sign", "scale", "scales", "shift"),
    too_high=(
        "Copies of a dimension cost nothing. Few rows: plug-in information rises by (bins − 1)(levels − 1) / 2n nats."
    ),
    too_low=(
        "Copied factors (no dimension favours either); levels that do not fit the bins; curved codes in bins of equal "
        "width."
    ),
)


def dcimig(codes: ArrayLike, factors: ArrayLike, *, bins: int = 10, kinds: Kinds = None) -> Score:
    """Best gap that any dimension has in favour of a factor, summed over factors, over the factors' entropies.

    A dimension belongs to the factor on which it has most information; its gap is that less its information on the
    next factor. For each factor the best gap among its dimensions counts, 0 where it has none. ``codes`` (n, d) binned
    in `bins` bins, ``factors`` (n, k ≥ 2). In [0, 1], higher is better; ``matrix`` (d, k) in nats.

    Do not trust it as a measure of completeness: copies of a dimension cost nothing.

    Parameters
    ----------
    codes : array_like of shape (n, d)
        Codes, one row per example, one column per latent dimension.
    factors : array_like of shape (n, k)
        Level indices or values of the factors; NaN where unknown.
    bins : int, default 10
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
    Sepliarskaia et al. 2019.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    >>> round(dcimig(v.astype(float), v).value, 6)
    1.0
    """
    z, v = check_rows(codes, factors, widen=False)
    if v.shape[1] < 2:
        raise InputError("dcimig compares factors; one factor was given, give at least two")
    found = information(z, v, bins, kinds)
    best = np.zeros(v.shape[1])
    np.maximum.at(best, found.mutual.argmax(axis=1), top_two_gap(found.mutual, axis=1))
    return Score(
        value=float(best.sum() / found.factor.sum()),
        per_factor=by_factor(best / found.factor),
        matrix=found.mutual,
        settings={"bins": bins, "rows": len(z), "logarithm": "nats", "pruning": "none"},
    )
