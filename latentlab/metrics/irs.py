"""Interventional robustness score."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.metrics._arrays import WIDEST, Floats, Kinds, bin_edges, check_rows
from latentlab.metrics._many import switch
from latentlab.metrics._metric import Metric
from latentlab.results import Score
from latentlab.system.precision import extremes

METRIC = Metric(
    title="Interventional robustness",
    short="IRS",
    needs="rows",
    range=(0.0, 1.0),
    better="higher",
    source="Suter et al. 2019, Robustly disentangled causal mechanisms, section 4",
    assumes="Light tails; factors that can be held fixed; enough rows at each level.",
    unchanged_by=("order", "sign", "scale", "shift"),
    too_high=(
        "Noise: 0.37 if Gaussian, 0.84 with the tails of t₃, since its 0.99 quantile lies below the maximum. Mixed "
        "codes stay above 0.6; missing factors cost nothing."
    ),
    too_low="Factors with many levels per bin leave spread within a bin; noise of the encoder counts as entanglement.",
)
FAR = 100  # codes whose mean is that many times their reach lose too much of it in sums of float32


def irs(codes: ArrayLike, factors: ArrayLike, *, bins: int = 20, quantile: float = 0.99, kinds: Kinds = None) -> Score:
    """How little a dimension moves while one factor is held: one less the worst deviation, relative to the largest.

    For dimension i and factor j: 1 − E_v[q_0.99(abs(z_i − E[z_i | v]))] / max abs(z_i − E[z_i]), with the factor in
    `bins` bins; the best factor per dimension, averaged with the dimensions' largest deviations as weights. ``codes``
    (n, d); dimensions without variance are left out, 0 if all are. In [0, 1], higher is better; ``matrix`` (d, k).

    Do not trust the bottom of the scale, for a 0.99 quantile lies below the maximum: pure noise scores 0.37 if
    Gaussian, 0.01 if uniform, 0.84 if it has the tails of t₃ (10,000 rows of ten dimensions). Factors are binned by
    their value, whatever their `kinds`.

    Parameters
    ----------
    codes : array_like of shape (n, d)
        Codes, one row per example, one column per latent dimension.
    factors : array_like of shape (n, k)
        Level indices or values of the factors; NaN where unknown.
    bins : int, default 20
        Number of bins of equal width per dimension.
    quantile : float, default 0.99
        Quantile of the deviations that counts.
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
    Suter et al. 2019; estimator of Locatello et al. 2019.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    >>> irs(v.astype(float), v).value
    1.0
    """
    z, v = check_rows(codes, factors, widen=False)
    low, high = extremes(z)
    live = low < high
    # Column order and the codes' own precision are the reference's: another order of summation moves the ninth digit.
    active, low, high = np.asfortranarray(z if live.all() else z[:, live]), low[live], high[live]
    if _lies_far(active, low, high):
        active, low, high = (each.astype(np.float64) for each in (active, low, high))
    mean = active.mean(axis=0)
    largest = np.maximum(high - mean, mean - low)  # the largest distance from the mean is that of an extreme
    groups = np.stack([_groups(column, bins) for column in v.T])
    # NumPy adds up a single column in an order of its own.
    deviation = _deviations if switch.many and active.shape[1] > 1 else deviation_by_sorting
    matrix = np.zeros((z.shape[1], v.shape[1]))
    matrix[live] = 1.0 - deviation(active, low, high, groups, quantile).T / largest[:, None]
    value = float(np.average(matrix[live].max(axis=1), weights=largest)) if live.any() else 0.0
    settings = {"bins": bins, "quantile": quantile, "rows": len(z), "pruning": f"variance > 0 keeps {int(live.sum())}"}
    return Score(value=value, matrix=matrix, settings=settings)


def _groups(labels: Floats, bins: int) -> NDArray[np.int32]:
    """The bin (n,) of each value by `np.digitize`, which few whole numbers are looked up in once each; −1 for NaN."""
    column = labels.astype(np.float64)
    known = ~np.isnan(column)
    if not known.all():
        found = np.full(len(column), -1, np.int32)
        found[known] = _groups(column[known], bins)
        return found
    edges, low, high = bin_edges(column, bins)[:-1], column.min(), column.max()
    if high - low < WIDEST and (column == np.rint(column)).all():
        return np.digitize(np.arange(low, high + 1), edges).astype(np.int32)[(column - low).astype(np.int64)]
    return np.digitize(column, edges).astype(np.int32)


def _lies_far(active: Floats, low: Floats, high: Floats) -> bool:
    """Whether the means of columns, of those extremes, are `FAR` times as large as what the columns reach from them."""
    low, high = low.astype(np.float64), high.astype(np.float64)
    if 4 * np.maximum(np.abs(low), np.abs(high)).sum() < FAR * (high - low).sum():
        return False  # no mean is larger than an extreme, and half the width is reached
    centre = active.mean(axis=0, dtype=np.float64)
    return bool(np.abs(centre).sum() > FAR * np.maximum(high - centre, centre - low).sum())


def _deviations(z: Floats, low: Floats, high: Floats, groups: NDArray[np.int32], quantile: float) -> Floats:
    from latentlab.metrics._deviation_kernel import deviations

    rows, columns = np.ascontiguousarray(z), np.ascontiguousarray(z.T)
    return np.asarray(deviations(rows, columns, low, high, groups, int(groups.max()) + 1, quantile))


def deviation_by_sorting(
    z: Floats, low: Floats, high: Floats, groups: NDArray[np.int32], quantile: float
) -> NDArray[np.float64]:
    """Mean over groups of the quantile of the deviation from the group's mean, (k, d); the quantile as `np.quantile`.

    For columns (n, d) between those extremes and the `groups` (k, n) of k factors, −1 where a row has none.
    """
    labelled = [(group, group >= 0) for group in groups]
    return np.stack([_by_sorting(z if known.all() else z[known], group[known], quantile) for group, known in labelled])


def _by_sorting(z: Floats, group: NDArray[np.int32], quantile: float) -> NDArray[np.float64]:
    counts = np.bincount(group)
    counts = counts[counts > 0]
    narrow = group.astype(np.min_scalar_type(group.max(initial=0)))  # up to 16 bits are sorted by their digits
    ordered = z.T[:, np.argsort(narrow, kind="stable")]
    total = np.zeros(z.shape[1])
    for end, count in zip(np.cumsum(counts), counts, strict=True):
        rows = ordered[:, end - count : end]
        distance = np.abs(rows - rows.mean(axis=1, keepdims=True))
        place = quantile * (count - 1)
        below, above = int(place), min(int(place) + 1, count - 1)
        distance.partition(above, axis=1)
        high = distance[:, above]
        low = distance[:, :above].max(axis=1) if below < above else high
        share = z.dtype.type(place - below)
        total += high - (high - low) * (1 - share) if share >= 0.5 else low + (high - low) * share
    return total / len(counts)
