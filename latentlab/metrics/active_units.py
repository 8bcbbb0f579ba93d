"""Active units."""

from __future__ import annotations

from numpy.typing import ArrayLike

from latentlab.metrics._arrays import check_codes
from latentlab.metrics._metric import Metric
from latentlab.results import Score

METRIC = Metric(
    title="Active units",
    short="active units",
    needs="codes",
    range=(0.0, float("inf")),
    better=None,
    source="Burda et al. 2016, Importance weighted autoencoders, section 5.3",
    assumes="Codes are posterior means under the prior N(0, I), whose scale is fixed.",
    unchanged_by=("order", "sign", "shift"),
    too_high=(
        "It counts dimensions of an autoencoder, whose scale is free, and dimensions whose means drift without "
        "information."
    ),
    too_low="It misses a dimension of small variance that the decoder uses; the threshold 0.01 is a convention.",
)


def active_units(codes: ArrayLike, *, threshold: float = 0.01) -> Score:
    """How many dimensions of codes (n, d), posterior means, have a variance over rows above `threshold`.

    Parts: ``share`` of all dimensions. Neither direction is good in itself.

    Do not trust it for autoencoders: without a prior N(0, I) the scale of a code is free.

    Parameters
    ----------
    codes : array_like of shape (n, d)
        Codes, one row per example, one column per latent dimension.
    threshold : float, default 0.01
        Variance of the posterior mean above which a dimension is active.

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
    Burda et al. 2016.

    Examples
    --------
    >>> active_units([[0.0, 1.0], [0.0, 2.0], [0.1, 3.0]]).value
    1.0
    """
    z = check_codes(codes)
    count = int((z.astype(float).var(axis=0) > threshold).sum())
    settings = {"threshold": threshold, "rows": len(z)}
    return Score(value=float(count), parts={"share": count / z.shape[1]}, settings=settings)
