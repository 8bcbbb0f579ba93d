"""RMIG: the mutual information gap of the whole posterior, not of its mean alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.errors import InputError
from latentlab.metrics._arrays import Floats, Kinds, by_factor, check_codes, check_rows, kinds_of, levels_of
from latentlab.metrics._information import information, top_two_gap
from latentlab.metrics._metric import Metric
from latentlab.score import Score

METRIC = Metric(
    title="Robust MIG",
    needs="rows",
    range=(0.0, 1.0),
    better="higher",
    source="Do and Tran 2020, Theory and evaluation metrics for learning disentangled representations, section 4",
)


def rmig(
    codes: ArrayLike, factors: ArrayLike, *, bins: int = 10, variance: ArrayLike | None = None, kinds: Kinds = None
) -> Score:
    """Mutual information gap where each row spreads over bins as its posterior N(mean, variance) does.

    As ``mig``, but row x adds its mass Φ((b − μ)/σ) − Φ((a − μ)/σ) to every bin [a, b) of each dimension, the outer
    bins open. ``codes`` (n, d) means; ``variance`` (n, d) or none, where the mass sits on the mean (MIG with `bins`
    bins). In [0, 1], higher is better; the part ``nats`` is the gap before the division by H(v); ``matrix`` (d, k).

    Do not trust it without `variance`: it is then MIG under another name, and says so in ``settings``.

    Source: Do and Tran 2020, eq. 10. Raises `InputError` for arrays that do not fit.

    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    >>> sure = rmig(v.astype(float), v, variance=np.full(v.shape, 1e-6)).value
    >>> vague = rmig(v.astype(float), v, variance=np.full(v.shape, 1.0)).value
    >>> round(sure, 6), vague < 0.5
    (1.0, True)
    """
    z, v = check_rows(codes, factors)
    spread = None if variance is None else check_codes(variance, "variance")
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
        settings={"bins": bins, "rows": len(z), "posterior": "mean alone" if spread is None else "mean and variance"},
    )


def _spread_information(
    z: Floats, variance: Floats, v: Floats, bins: int, kinds: Kinds
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from scipy.special import ndtr

    mutual, entropy = np.zeros((z.shape[1], v.shape[1])), np.zeros(v.shape[1])
    levels = [levels_of(column, kind) for column, kind in zip(v.T, kinds_of(v, kinds), strict=True)]
    for i in range(z.shape[1]):
        edges = np.histogram_bin_edges(z[:, i], bins)[1:-1]
        below = ndtr((edges - z[:, [i]]) / np.sqrt(np.maximum(variance[:, [i]], 1e-30)))
        mass = np.diff(below, axis=1, prepend=0.0, append=1.0)
        for j, (level, count) in enumerate(levels):
            joint = np.zeros((count, bins))
            np.add.at(joint, level[level >= 0], mass[level >= 0])
            joint /= joint.sum()
            entropy[j] = _entropy(joint.sum(axis=1))
            mutual[i, j] = max(_entropy(joint.sum(axis=0)) + entropy[j] - _entropy(joint.ravel()), 0.0)
    return mutual, entropy


def _entropy(p: NDArray[np.float64]) -> float:
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())
