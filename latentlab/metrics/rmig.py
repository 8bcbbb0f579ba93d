"""RMIG: the mutual information gap of the whole posterior, not of its mean alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.errors import InputError
from latentlab.metrics._arrays import Floats, Kinds, bin_edges, by_factor, check_finite, check_rows, kinds_of, levels_of
from latentlab.metrics._information import information, top_two_gap
from latentlab.metrics._metric import Metric
from latentlab.results import Score

METRIC = Metric(
    title="Robust MIG",
    short="RMIG",
    needs="rows",
    range=(0.0, 1.0),
    better="higher",
    version=2,
    source="Do and Tran 2020, Theory and evaluation metrics for learning disentangled representations, section 4",
    posterior=True,
    assumes="As mig, with the posterior's own variance.",
    unchanged_by=("order", "sign", "scale", "scales", "shift"),
    too_high="A dimension that holds several factors costs nothing. Without a variance it is mig under another name.",
    too_low="Two dimensions for a factor, as sine and cosine or copies; lossless mixing brings it near 0.",
)
BLOCK = 1 << 14  # rows per block: masses of 10 dimensions in 10 bins are 13 MB


def rmig(
    codes: ArrayLike, factors: ArrayLike, variance: ArrayLike | None = None, *, bins: int = 10, kinds: Kinds = None
) -> Score:
    """Mutual information gap where each row spreads over bins as its posterior N(mean, variance) does.

    As ``mig``, but row x adds its mass Φ((b − μ)/σ) − Φ((a − μ)/σ) to every bin [a, b) of each dimension, the outer
    bins open. Factors whose values are not whole numbers fall into `bins` bins too, so that as the variance vanishes
    this is MIG with `bins` bins. ``codes`` (n, d) means; ``variance`` (n, d) or none, where the mass sits on the mean.
    In [0, 1], higher is better; the part ``nats`` is the gap before the division by H(v); ``matrix`` (d, k).

    Do not trust it without `variance`: it is then MIG under another name, and says so in ``settings``.

    Parameters
    ----------
    codes : array_like of shape (n, d)
        Codes, one row per example, one column per latent dimension.
    factors : array_like of shape (n, k)
        Level indices or values of the factors; NaN where unknown.
    variance : array_like of shape (n, d), optional
        Posterior variances; without them each row counts at its mean.
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
    Do and Tran 2020, eq. 10.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    >>> sure = rmig(v.astype(float), v, variance=np.full(v.shape, 1e-6)).value
    >>> vague = rmig(v.astype(float), v, variance=np.full(v.shape, 1.0)).value
    >>> round(sure, 6), vague < 0.5
    (1.0, True)
    """
    z, v = check_rows(codes, factors)
    spread = None if variance is None else check_finite(variance, "variance")
    if spread is not None and (spread.shape != z.shape or (spread < 0).any()):
        raise InputError(f"variance has shape {spread.shape}, codes {z.shape}; expected one variance ≥ 0 per code")
    if spread is None:
        found = information(z, v, bins, kinds)
        mutual, entropy = found.mutual, found.factor
    else:
        mutual, entropy = _spread_information(z, spread, v, bins, kinds)
    gap = top_two_gap(mutual)
    return Score(
        value=float((gap / entropy).mean()),
        parts={"nats": float(gap.mean())},
        per_factor=by_factor(gap / entropy),
        matrix=mutual,
        settings={"bins": bins, "rows": len(z), "posterior": "mean alone" if spread is None else "mean and variance"}
        | METRIC.noted,
    )


def _spread_information(
    z: Floats, variance: Floats, v: Floats, bins: int, kinds: Kinds
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Information (d, k) and entropies (k,) from one table of masses: levels of all factors by bins of all dimensions.

    All tables at once are the product of sparse indicators of the levels with the masses.
    """
    from scipy.sparse import csr_array
    from scipy.special import ndtr

    levels = [levels_of(column, kind, bins) for column, kind in zip(v.T, kinds_of(v, kinds), strict=True)]
    starts = np.concatenate([[0], np.cumsum([count for _, count in levels])])
    cells = np.stack([level + start for (level, _), start in zip(levels, starts, strict=False)], axis=1)
    known = np.stack([level >= 0 for level, _ in levels], axis=1)
    edges = np.stack([bin_edges(column, bins)[1:-1] for column in z.T])
    deviation = np.sqrt(np.maximum(variance, 1e-30))
    table = np.zeros((starts[-1], z.shape[1] * bins))
    for start in range(0, len(z), BLOCK):
        block = slice(start, start + BLOCK)
        below = ndtr((edges - z[block, :, None]) / deviation[block, :, None])
        mass = np.diff(below, axis=2, prepend=0.0, append=1.0).reshape(len(below), -1)
        rows = known[block].nonzero()[0]
        picked = csr_array((np.ones(len(rows)), (cells[block][known[block]], rows)), shape=(starts[-1], len(below)))
        table += picked @ mass
    joints = [table[a:b].reshape(b - a, -1, bins) for a, b in pairwise(starts)]
    return np.stack([_mutual(joint) for joint in joints], axis=1), np.array([_entropy(j[:, 0].sum(1)) for j in joints])


def _mutual(joint: NDArray[np.float64]) -> NDArray[np.float64]:
    """Information (d,) of masses (levels, d, bins)."""
    each = [(_entropy(m.sum(axis=0)) + _entropy(m.sum(axis=1)) - _entropy(m.ravel())) for m in joint.transpose(1, 0, 2)]
    return np.maximum(each, 0.0)


def _entropy(mass: NDArray[np.float64]) -> float:
    p = mass[mass > 0] / mass.sum()
    return float(-(p * np.log(p)).sum())
