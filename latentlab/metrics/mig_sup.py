"""MIG-sup: the mutual information gap seen from the dimensions."""

from __future__ import annotations

from numpy.typing import ArrayLike

from latentlab.errors import InputError
from latentlab.metrics._arrays import Kinds, check_rows
from latentlab.metrics._information import information, top_two_gap
from latentlab.metrics._metric import Metric
from latentlab.results import Score

METRIC = Metric(
    title="MIG-sup",
    needs="rows",
    range=(0.0, 1.0),
    better="higher",
    source="Li et al. 2020, Progressive learning and disentanglement of hierarchical representations, section 4",
)


def mig_sup(codes: ArrayLike, factors: ArrayLike, *, bins: int = 10, kinds: Kinds = None) -> Score:
    """Gap between the two factors that a dimension knows best, as shares of their entropies, averaged over dimensions.

    1/d Σ_i (Ī(z_i; v_(1)) − Ī(z_i; v_(2))) with Ī = I / H(v), in nats over codes (n, d) binned in `bins` bins;
    ``factors`` (n, k ≥ 2). In [0, 1], higher is better; ``matrix`` (d, k) has Ī. MIG asks that a factor live in one
    dimension, MIG-sup that a dimension hold one factor: report both.

    Do not trust it where dimensions are dead: each of them counts as 0.

    Source: Li et al. 2020, eq. 9. Raises `InputError` for one factor alone or arrays that do not fit.

    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    >>> round(mig_sup(v.astype(float), v).value, 6)
    1.0
    """
    z, v = check_rows(codes, factors, widen=False)
    if v.shape[1] < 2:
        raise InputError("mig_sup compares factors; one factor alone was given, give two at least")
    found = information(z, v, bins, kinds)
    share = found.mutual / found.factor
    settings = {"bins": bins, "rows": len(z), "logarithm": "nats", "pruning": "none"}
    return Score(value=float(top_two_gap(share, axis=1).mean()), matrix=share, settings=settings)
