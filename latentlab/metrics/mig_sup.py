"""MIG-sup: the mutual information gap seen from the dimensions."""

from __future__ import annotations

from typing import Literal

from numpy.typing import ArrayLike

from latentlab.errors import InputError
from latentlab.metrics._arrays import Kinds, check_rows
from latentlab.metrics._information import code_share, information, top_two_gap
from latentlab.metrics._metric import Metric
from latentlab.results import Score

METRIC = Metric(
    title="MIG-sup",
    needs="rows",
    range=(0.0, 1.0),
    better="higher",
    source="Li et al. 2020, Progressive learning and disentanglement of hierarchical representations, section 4",
    assumes="Independent factors; no dead dimensions.",
    unchanged_by=("order", "sign", "scale", "scales", "shift"),
    too_high="Copies of a dimension and missing factors cost nothing.",
    too_low="Copied or correlated factors: no dimension favours one; each dead dimension counts as 0.",
)


def mig_sup(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    bins: int = 10,
    over: Literal["factor", "code"] = "factor",
    kinds: Kinds = None,
) -> Score:
    """Gap between the two factors that a dimension knows best, as shares of their entropies, averaged over dimensions.

    1/d Σ_i (Ī(z_i; v_(1)) − Ī(z_i; v_(2))) with Ī = I / H(v), in nats over codes (n, d) binned in `bins` bins;
    ``factors`` (n, k ≥ 2). In [0, 1], higher is better; ``matrix`` (d, k) has Ī. MIG asks that a factor live in one
    dimension, MIG-sup that a dimension hold one factor: report both. With ``over="code"`` each information is divided
    by the dimension's own entropy instead, as Ubisoft's code does.

    Do not trust it where dimensions are dead: each of them counts as 0.

    Parameters
    ----------
    codes : array_like of shape (n, d)
        Codes, one row per example, one column per latent dimension.
    factors : array_like of shape (n, k)
        Level indices or values of the factors; NaN where unknown.
    bins : int, default 10
        Number of bins of equal width per dimension.
    over : str, default 'factor'
        Entropy by which mutual information is divided.
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
    Li et al. 2020, eq. 9.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    >>> round(mig_sup(v.astype(float), v).value, 6)
    1.0
    """
    z, v = check_rows(codes, factors, widen=False)
    if v.shape[1] < 2:
        raise InputError("mig_sup compares factors; one factor was given, give at least two")
    found = information(z, v, bins, kinds)
    share = found.mutual / found.factor if over == "factor" else code_share(found)
    settings = {"bins": bins, "rows": len(z), "logarithm": "nats", "pruning": "none"}
    settings |= {} if over == "factor" else {"over": "entropy of the code"}
    return Score(value=float(top_two_gap(share, axis=1).mean()), matrix=share, settings=settings)
