"""Single-neuron classification."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.metrics._arrays import Floats, Ints, Kinds, by_factor, check_parts, undefined
from latentlab.metrics._estimators import classes_of
from latentlab.metrics._information import from_tables
from latentlab.metrics._metric import Metric
from latentlab.metrics.mcc import assigned
from latentlab.results import Score

METRIC = Metric(
    title="Single-neuron classification",
    short="SNC",
    needs="split",
    range=(0.0, 1.0),
    better="higher",
    source="Mahon et al. 2024, Correcting flaws in common disentanglement metrics, section 4",
    assumes="Independent factors; as many dimensions as factors; one dimension per factor.",
    unchanged_by=("order", "scale", "scales", "shift"),
    too_high="Copied factors cost little: 0.45 where independent ones have 0.48.",
    too_low=(
        "Levels of unequal shares, through which bins of equal counts cut; quantities, cut into 20 classes (0.48 for a "
        "perfect code of 1,000 rows); a factor over two dimensions."
    ),
)
Labels = list[tuple[Ints, Ints]]


def snc(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    *,
    seed: int = 0,
    kinds: Kinds = None,
) -> Score:
    """Accuracy with which one dimension alone, cut into as many bins as a factor has levels, names the level.

    For a factor of K levels each dimension is cut into K bins that hold equally many training rows. Factors and
    dimensions are matched one to one so that the sum of their plug-in information is largest; in the matched dimension
    bins and levels are matched one to one so that most training rows are right. With a the share of test rows that are
    right and c = Σ p² the accuracy of guessing by the levels' shares p, SNC is the mean over factors of
    max(0, (a − c) / (1 − c)). ``codes`` (n, d), ``factors`` (n, k); values that are not whole numbers fall into 20
    classes; without test arrays the rows are split 2:1 with `seed`; missing labels are left out factor by factor. In
    [0, 1], higher is better; a factor without a dimension counts 0. Part ``accuracy``; ``matrix`` (d, k) is the
    information in nats.

    Bins are of equal counts and each stands for one level, so a level must fill one interval: a dimension that
    mixes two factors cannot score high, as it can in metrics that train a classifier. Do not trust it where levels have
    unequal shares: bins of equal counts then cut through levels even in a perfect code. Do not compare it with
    published numbers of factors with different numbers of levels: the authors' code takes the first factor's c for all.

    Parameters
    ----------
    codes : array_like of shape (n, d)
        Codes, one row per example, one column per latent dimension.
    factors : array_like of shape (n, k)
        Level indices or values of the factors; NaN where unknown.
    test_codes : array_like of shape (m, d), optional
        Held-out codes. Without them the rows are split 2:1 with `seed`.
    test_factors : array_like of shape (m, k), optional
        Factors of the held-out codes.
    seed : int, default 0
        Seed of the split.
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
    Mahon et al. 2024; bins and matchings of their code snc_nk.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    >>> round(snc(v.astype(float), v, v.astype(float), v).value, 6)
    1.0
    """
    z, v, tz, tv, rows_from = check_parts(codes, factors, test_codes, test_factors, seed)
    labels = classes_of(v, tv, kinds)
    pairs, mutual = aligned(z, labels)
    each, accuracy = np.zeros((2, len(labels)))
    for j, (y, ty) in enumerate(labels):
        known = ty >= 0
        chance = float(((np.bincount(ty[known]) / known.sum()) ** 2).sum())
        accuracy[j] = _accuracy(z[:, pairs[j]], y, tz[:, pairs[j]], ty) if j in pairs else 0.0
        each[j] = max(0.0, (accuracy[j] - chance) / (1 - chance)) if chance < 1 else np.nan
    settings: dict[str, Any] = {"rows": [len(z), len(tz)], "split": rows_from, "pruning": "none"}
    settings |= {"bins": "as many as levels, of equal counts", "assignment": {str(j): i for j, i in pairs.items()}}
    return Score(
        value=float(each.mean()),
        parts={"accuracy": float(accuracy.mean())},
        per_factor=by_factor(each),
        matrix=mutual,
        settings=settings | undefined(each),
    )


def aligned(z: Floats, labels: Labels) -> tuple[dict[int, int], NDArray[np.float64]]:
    """The dimension of each factor that has one, and the information (d, k) that matched them."""
    mutual = np.zeros((z.shape[1], len(labels)))
    for j, (y, _) in enumerate(labels):
        known = y >= 0
        tables = [_table(_bins(x, _dividers(x, y[known])), y[known]) for x in z[known].T]
        mutual[:, j] = from_tables([np.stack(tables)]).mutual[:, 0]
    dimension, factor = assigned(mutual)
    return {int(j): int(i) for i, j in sorted(zip(dimension, factor, strict=True), key=lambda pair: pair[1])}, mutual


def _dividers(x: Floats, y: Ints) -> Floats:
    """Lower ends of as many bins of x as y has levels, which hold equally many rows."""
    levels = len(np.unique(y))
    return np.sort(x)[(np.arange(levels) * len(x) / levels).astype(np.int64)]


def _bins(x: Floats, dividers: Floats) -> Ints:
    """The bin of each x; what lies below the first belongs to it."""
    return np.maximum(np.searchsorted(dividers, x, side="right") - 1, 0)


def _table(bins: Ints, y: Ints) -> NDArray[np.int64]:
    """Counts (levels, classes) of bins and classes."""
    size = max(int(bins.max()), int(y.max())) + 1
    return np.bincount(bins * size + y, minlength=size * size).reshape(size, size)


def _accuracy(x: Floats, y: Ints, tx: Floats, ty: Ints) -> float:
    known, test_known = y >= 0, ty >= 0
    dividers = _dividers(x[known], y[known])
    bins, classes = assigned(_table(_bins(x[known], dividers), y[known]).astype(np.float64))
    named = dict(zip(bins.tolist(), classes.tolist(), strict=True))
    guesses = np.array([named[each] for each in _bins(tx[test_known], dividers)])
    return float((guesses == ty[test_known]).mean())
