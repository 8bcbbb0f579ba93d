"""Joint entropy minus mutual information gap."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from latentlab.metrics._arrays import Ints, Kinds, by_factor, check_rows
from latentlab.metrics._information import Information, information, top_two_gap
from latentlab.metrics._metric import Metric
from latentlab.results import Score

METRIC = Metric(
    title="JEMMIG",
    needs="rows",
    range=(0.0, 1.0),
    better="higher",
    version=2,  # 1 left it to rounding which dimension z* is where several know as much: up to 0.4 apart
    source="Do and Tran 2020, Theory and evaluation metrics for learning disentangled representations, section 4",
    assumes="Independent factors; enough rows for bins × levels cells.",
    unchanged_by=("order", "sign", "scale", "scales", "shift"),
    too_high="A constant code scores log bins / (H(v) + log bins), 0.6 for four levels in ten bins.",
    too_low="Noise widens the joint entropy; copied codes close the gap; curved codes do not fill bins of equal width.",
)
TIED = 1e-10  # nats by which rounding may part dimensions that know as much


def jemmig(codes: ArrayLike, factors: ArrayLike, *, bins: int = 10, kinds: Kinds = None) -> Score:
    """One less (H(z*, v) − gap) / (H(v) + log bins), averaged over factors: MIG that also asks for a compact code.

    z* is the dimension with most information on v, the gap that to the runner-up, all in nats over codes (n, d) binned
    in `bins` bins; of dimensions that know as much, z* is the one with the smallest H(z, v). ``factors`` (n, k),
    missing labels left out. In [0, 1], higher is better; 1 where z* and v are one
    and the same up to naming, with no two levels in a bin, and no other dimension knows v. The part ``nats`` is the
    unnormalised H(z*, v) − gap, lower is better.

    Do not trust the bottom of the scale: a constant code scores log bins / (H(v) + log bins), 0.6 for four levels in
    ten bins. Nor compare different `bins`: the ceiling depends on how levels fall into them.

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
        If arrays do not fit together, hold infinities, or codes hold NaN.

    References
    ----------
    Do and Tran 2020; normalised as in Carbonneau et al. 2022.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    >>> round(jemmig(v.astype(float), v, bins=4).value, 6)
    1.0
    """
    z, v = check_rows(codes, factors, widen=False)
    found = information(z, v, bins, kinds)
    best = _most_informative(found)
    nats = found.joint[best, np.arange(v.shape[1])] - top_two_gap(found.mutual)
    each = 1 - nats / (found.factor + np.log(bins))
    return Score(
        value=float(each.mean()),
        parts={"nats": float(nats.mean())},
        per_factor=by_factor(each),
        matrix=found.mutual,
        settings={"bins": bins, "rows": len(z), "logarithm": "nats", "pruning": "none"} | METRIC.noted,
    )


def _most_informative(found: Information) -> Ints:
    """The dimension z* (k,) of each factor, whatever the order of the dimensions."""
    tied = found.mutual >= found.mutual.max(axis=0) - TIED
    return np.where(tied, found.joint, np.inf).argmin(axis=0)
