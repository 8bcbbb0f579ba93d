"""Hausdorff distance of the codes' support from a factorised one."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray

from latentlab.errors import InputError
from latentlab.metrics._arrays import check_codes
from latentlab.metrics._metric import Metric
from latentlab.results import Score

METRIC = Metric(
    title="Distance from a factorised support",
    short="factorised support",
    needs="codes",
    range=(0.0, 1.0),
    better="lower",
    source="Roth et al. 2023, Disentanglement of correlated factors via Hausdorff factorized support, eq. 5",
    assumes="Factors whose every combination occurs, however seldom; codes without far outliers, which set the scale.",
    unchanged_by=("order", "sign", "scale"),
    too_high="Few rows (0.30 at 300, 0.23 at 10,000 of one code): combinations are missing; curves that crowd values.",
    too_low=(
        "It knows no factors: noise (0.23) and codes of one factor per dimension (0.18) hardly differ. Read it with "
        "`shuffled`."
    ),
)
Batches = list[NDArray[np.float64]]


def factorised_support(codes: ArrayLike, *, batch: int = 128, batches: int = 2, seed: int = 0) -> Score:
    """How far combinations of values that two dimensions take lie from those that they take together, at the most.

    Of two dimensions i and j, each with its values between 0 and 1, the product of the m values of either is compared
    with the m rows: d_ij = max over (a, b) of the distance from (z_ai, z_bj) to the nearest row. The value is the mean
    of d_ij over pairs of dimensions that vary and over at most `batches` batches of `batch` rows, drawn with `seed`.
    ``codes`` (n, d ≥ 2), no factors at all. In [0, 1], lower is better: 0 where every combination occurs. Factors
    may be correlated as they like, as long as all their combinations occur. Parts: ``shuffled``, the same where the
    rows of each dimension are shuffled, which is what independent dimensions reach with so few rows; ``excess``, the
    value less that.

    Read it against ``shuffled``: the value falls as `batch` rises. Do not trust it with outliers, which stretch a
    dimension and leave its corners empty. The authors sum squared distances in the codes' own units, as a loss of
    posterior samples; here dimensions have equal ranges, so that no scale and no number of dimensions shrinks it.

    Parameters
    ----------
    codes : array_like of shape (n, d)
        Codes, one row per example, one column per latent dimension.
    batch : int, default 128
        Rows a batch; all pairs of their values are looked up.
    batches : int, default 2
        Largest number of batches.
    seed : int, default 0
        Seed of everything that is drawn at random.

    Returns
    -------
    Score
        In [0, 1], lower is better.

    Raises
    ------
    InputError
        If codes hold NaN or infinities, or fewer than two dimensions vary.

    References
    ----------
    Roth et al. 2023, eq. 5 and their metric fos.

    Examples
    --------
    >>> import numpy as np
    >>> grid = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1).astype(float)
    >>> round(factorised_support(grid).value, 6)
    0.0
    """
    z = check_codes(codes).astype(np.float64)
    if batch < 2 or batches < 1:
        raise InputError(f"batch is {batch} and batches is {batches}; expected at least 2 rows and 1 batch")
    low, span = z.min(axis=0), np.ptp(z, axis=0)
    if (live := span > 0).sum() < 2:
        raise InputError(f"{int(live.sum())} of {len(live)} dimensions vary; a support needs at least two that do")
    random = RandomState(seed)
    unit = ((z - low) / np.where(live, span, 1.0))[:, live]
    size = min(batch, len(z))
    count = min(batches, len(z) // size)
    drawn = list(unit[random.permutation(len(z))[: count * size]].reshape(count, size, -1))
    mixed = [np.stack([column[random.permutation(size)] for column in rows.T], axis=1) for rows in drawn]
    value, shuffled = _mean_distance(drawn), _mean_distance(mixed)
    settings: dict[str, Any] = {"rows": count * size, "batch": size, "seed": seed}
    settings |= {"pruning": f"constant dimensions left out; {int(live.sum())} of {len(live)} kept"}
    return Score(value=value, parts={"shuffled": shuffled, "excess": value - shuffled}, settings=settings)


def _mean_distance(batches: Batches) -> float:
    pairs = list(combinations(range(batches[0].shape[1]), 2))
    return float(np.mean([distance(rows[:, pair]) for rows in batches for pair in pairs]))


def distance(rows: NDArray[np.float64]) -> float:
    """Largest distance from a combination of the two columns' values to the nearest of the rows (m, 2)."""
    from scipy.spatial.distance import directed_hausdorff

    values = [np.unique(column) for column in rows.T]
    product = np.stack(np.meshgrid(*values, indexing="ij"), axis=-1).reshape(-1, 2)
    return float(directed_hausdorff(product, rows)[0])
