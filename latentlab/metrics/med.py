"""MED: DCI's disentanglement with mutual information as importance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from latentlab.errors import InputError
from latentlab.metrics._arrays import Kinds, by_factor, check_rows
from latentlab.metrics._information import information
from latentlab.metrics._metric import Metric
from latentlab.metrics.dci import concentration, weighted
from latentlab.results import Score

METRIC = Metric(
    title="Mutual-information entropy disentanglement",
    short="MED",
    needs="rows",
    range=(0.0, 1.0),
    better="higher",
    source="Cao et al. 2022, An empirical study on disentanglement of negative-free contrastive learning, section 3",
    assumes="Independent factors; n far above bins × levels.",
    unchanged_by=("order", "sign", "scale", "scales", "shift"),
    too_high="A code that holds one factor alone in one dimension.",
    too_low=(
        "Few rows: plug-in information of all pairs rises alike and lowers it (0.05 from 300 rows, 0.39 from 10,000 "
        "of the same code); dimensions of noise do, too; correlated or copied factors."
    ),
)


def med(codes: ArrayLike, factors: ArrayLike, *, bins: int = 20, kinds: Kinds = None) -> Score:
    """DCI's disentanglement of R_ij = I(z_i; v_j) / Σ_i I(z_i; v_j): no estimator to train, no seed.

    D = Σ_i ρ_i (1 − H_k(R_i)) as in ``dci``, with plug-in information over codes (n, d ≥ 2) binned in `bins` bins and
    ``factors`` (n, k ≥ 2). In [0, 1], higher is better; the part ``completeness`` is the same over columns;
    ``matrix`` (d, k) is R.

    Do not trust it on few rows: plug-in information is biased upwards by about (bins − 1)(levels − 1) / 2n nats, for
    every dimension alike, and pulls D down.

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
        If arrays do not fit together, hold infinities, or codes hold NaN.

    References
    ----------
    Cao et al. 2022.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    >>> round(med(v.astype(float), v).value, 6)
    1.0
    """
    z, v = check_rows(codes, factors, widen=False)
    if z.shape[1] < 2 or v.shape[1] < 2:
        raise InputError(f"med needs at least two dimensions and two factors; got {z.shape[1]} and {v.shape[1]}")
    mutual = information(z, v, bins, kinds).mutual
    total = mutual.sum(axis=0)
    share = mutual / np.where(total > 0, total, 1.0)
    completeness = concentration(share.T)
    return Score(
        value=weighted(concentration(share), share.sum(axis=1)),
        parts={"completeness": weighted(completeness, share.sum(axis=0))},
        per_factor=by_factor(completeness),
        matrix=share,
        settings={"bins": bins, "rows": len(z), "pruning": "none"},
    )
