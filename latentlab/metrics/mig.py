"""Mutual information gap."""

from __future__ import annotations

from numpy.typing import ArrayLike

from latentlab.metrics._arrays import Kinds, by_factor, check_rows
from latentlab.metrics._information import information, top_two_gap
from latentlab.metrics._metric import Metric
from latentlab.results import Score

METRIC = Metric(
    title="Mutual information gap",
    needs="rows",
    range=(0.0, 1.0),
    better="higher",
    source="Chen et al. 2018, Isolating sources of disentanglement in VAEs, eq. 6",
)


def mig(codes: ArrayLike, factors: ArrayLike, *, bins: int = 20, kinds: Kinds = None) -> Score:
    """Gap between the two dimensions that know most about a factor, averaged over factors.

    MIG = 1/k Σ_j (I(z_(1); v_j) − I(z_(2); v_j)) / H(v_j), with plug-in information in nats over codes binned in
    `bins` bins of equal width. ``codes`` (n, d); ``factors`` (n, k) levels or values, NaN where a label is missing
    (such rows do not count for that factor). In [0, 1], higher is better; ``per_factor`` has the gaps, ``matrix``
    (d, k) the information in nats.

    Do not trust it to compare different `bins`: a perfect code reaches 0.82 with 20 bins on dSprites, since 40 levels
    do not fit in 20 bins. It says nothing of a dimension that knows several factors (see ``mig_sup``).

    Source: Chen et al. 2018, eq. 6; estimator of Locatello et al. 2019. Raises `InputError` for arrays that do not fit.

    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    >>> round(mig(v.astype(float), v).value, 6)
    1.0
    """
    z, v = check_rows(codes, factors, widen=False)
    found = information(z, v, bins, kinds)
    gaps = top_two_gap(found.mutual) / found.factor
    settings = {"bins": bins, "rows": len(z), "logarithm": "nats", "pruning": "none"}
    return Score(value=float(gaps.mean()), per_factor=by_factor(gaps), matrix=found.mutual, settings=settings)
