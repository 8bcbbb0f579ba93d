"""Active, passive and mixed dimensions of a VAE."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from latentlab.metrics._metric import Metric
from latentlab.metrics._posterior import check_posterior
from latentlab.results import Score

METRIC = Metric(
    title="Active, passive and mixed dimensions",
    short="dimension types",
    needs="posterior",
    range=(0.0, float("inf")),
    better=None,
    source="Bonheme and Grzes 2021, Be more active!, section 4",
    assumes="A posterior variance under the prior N(0, I).",
    unchanged_by=("order", "sign", "shift"),
    too_high="A dimension with small posterior variance that the decoder ignores.",
    too_low="The thresholds 0.5 and 95 % are a convention.",
)


def dimension_types(mean: ArrayLike, variance: ArrayLike, *, low: float = 0.5, share: float = 0.95) -> Score:
    """How many dimensions are active, how many passive, how many mixed (active for some rows, passive for others).

    A dimension is used by a row whose posterior variance is under `low` (the prior's is 1). Active: used by at least
    `share` of the rows; passive: by at most 1 − `share`; mixed: between. ``mean`` and ``variance`` (n, d). The
    value is
    the number of active ones; parts active, passive, mixed; ``matrix`` (d, 1) has the share of rows that use each.

    Do not trust mean codes of mixed dimensions: where a row does not use one, its mean is near 0 and its sample is
    noise, so scores on means and on samples differ there.

    Parameters
    ----------
    mean : array_like of shape (n, d)
        Posterior means.
    variance : array_like of shape (n, d)
        Posterior variances, above 0.
    low : float, default 0.5
        Posterior variance below which a row uses a dimension.
    share : float, default 0.95
        Share of rows from which a dimension counts as active.

    Returns
    -------
    Score
        At least 0, neither direction is better.

    Raises
    ------
    InputError
        If arrays do not fit together, hold infinities, or codes hold NaN.

    References
    ----------
    Bonheme and Grzes 2021, Be more active!.

    Examples
    --------
    >>> import numpy as np
    >>> variance = np.array([[0.1, 1.0, 0.1], [0.1, 0.9, 1.0]])
    >>> dict(dimension_types(np.zeros((2, 3)), variance).parts)
    {'active': 1.0, 'passive': 1.0, 'mixed': 1.0}
    """
    _, spread = check_posterior(mean, variance)
    used = (spread < low).mean(axis=0)
    active, passive = int((used >= share).sum()), int((used <= 1 - share).sum())
    parts = {"active": float(active), "passive": float(passive), "mixed": float(len(used) - active - passive)}
    settings = {"low": low, "share": share, "rows": len(spread), "types": _types(used, share)}
    return Score(value=float(active), parts=parts, matrix=used[:, None], settings=settings)


def _types(used: np.ndarray, share: float) -> list[str]:
    return ["active" if u >= share else "passive" if u <= 1 - share else "mixed" for u in used]
