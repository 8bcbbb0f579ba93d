"""Mutual information gap."""

from __future__ import annotations

from typing import Literal

from numpy.typing import ArrayLike

from latentlab.metrics._arrays import Kinds, by_factor, check_rows
from latentlab.metrics._information import code_share, information, top_two_gap
from latentlab.metrics._metric import Metric
from latentlab.results import Score

METRIC = Metric(
    title="Mutual information gap",
    short="MIG",
    needs="rows",
    range=(0.0, 1.0),
    better="higher",
    source="Chen et al. 2018, Isolating sources of disentanglement in VAEs, eq. 6",
    assumes="Independent factors; one dimension per factor; enough rows for bins × levels cells.",
    unchanged_by=("order", "sign", "scale", "scales", "shift"),
    too_high="A dimension that holds several factors costs nothing (see mig_sup).",
    too_low="Two dimensions for a factor, as sine and cosine or copies; copied factors; curved codes; lossless mixing.",
)


def mig(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    bins: int = 20,
    over: Literal["factor", "code"] = "factor",
    kinds: Kinds = None,
) -> Score:
    """Gap between the two dimensions that know most about a factor, averaged over factors.

    MIG = 1/k Σ_j (I(z_(1); v_j) − I(z_(2); v_j)) / H(v_j), with plug-in information in nats over codes binned in
    `bins` bins of equal width. ``codes`` (n, d); ``factors`` (n, k) levels or values, NaN where a label is missing
    (such rows do not count for that factor). In [0, 1], higher is better; ``per_factor`` has the gaps, ``matrix``
    (d, k) the information in nats.

    With ``over="code"`` each information is divided by the dimension's own entropy instead, as Ubisoft's code does:
    not
    Chen et al.'s score, but the numbers published with it.

    Do not trust it to compare different `bins`: a perfect code, the factors themselves, reaches 0.90 with 20 bins on
    dSprites, since 40 and 32 levels do not fit in 20 bins. It says nothing of a dimension that knows several factors
    (see ``mig_sup``).

    Parameters
    ----------
    codes : array_like of shape (n, d)
        Codes, one row per example, one column per latent dimension.
    factors : array_like of shape (n, k)
        Level indices or values of the factors; NaN where unknown.
    bins : int, default 20
        Number of bins of equal width per dimension.
    over : {'factor', 'code'}, default 'factor'
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
        If arrays do not fit together, hold infinities, or codes hold NaN.

    References
    ----------
    Chen et al. 2018, eq. 6; estimator of Locatello et al. 2019.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    >>> round(mig(v.astype(float), v).value, 6)
    1.0
    """
    z, v = check_rows(codes, factors, widen=False)
    found = information(z, v, bins, kinds)
    gaps = top_two_gap(found.mutual) / found.factor if over == "factor" else top_two_gap(code_share(found))
    settings = {"bins": bins, "rows": len(z), "logarithm": "nats", "pruning": "none"}
    settings |= {} if over == "factor" else {"over": "entropy of the code"}
    return Score(value=float(gaps.mean()), per_factor=by_factor(gaps), matrix=found.mutual, settings=settings)
