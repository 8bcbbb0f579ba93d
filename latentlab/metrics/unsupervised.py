"""Dependence between latent dimensions, no factors needed."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from latentlab.metrics._arrays import Floats, check_codes
from latentlab.metrics._information import between_codes
from latentlab.metrics._metric import Metric
from latentlab.results import Score
from latentlab.system.precision import extremes

METRIC = Metric(
    title="Gaussian total correlation",
    short="Gaussian TC",
    needs="codes",
    range=(0.0, float("inf")),
    better="lower",
    source="Locatello et al. 2019, Challenging common assumptions, section 5.3",
    assumes="Codes near a Gaussian; more rows than dimensions; no dead dimensions.",
    unchanged_by=("order", "sign", "scale", "scales", "shift"),
    too_high=(
        "Nearly dead dimensions and copies raise it without bound; curved dependence without correlation is not seen."
    ),
    too_low="Mixed codes of independent Gaussian factors may be uncorrelated: 0 does not mean disentangled.",
)


def unsupervised(codes: ArrayLike, *, bins: int = 20) -> Score:
    """Dependence between the dimensions of codes (n, d): 0 where they are independent, lower is better.

    The value is the total correlation in nats of a Gaussian with the codes' covariance Σ,
    ½ (Σ_i log Σ_ii − log det Σ). Parts: ``gaussian_total_correlation`` (the same),
    ``gaussian_wasserstein_correlation`` 2 tr Σ − 2 tr √(Σ D) with D the diagonal of Σ, the squared Wasserstein
    distance to independence, and ``…_norm``, over tr Σ; ``mutual_info_score``, the mean information in nats between
    two dimensions binned in `bins` bins. ``matrix`` (d, d) has that information.

    Constant dimensions make the reference's total correlation NaN; they are left out of it, and counted in
    ``settings``. Do not trust it on all dimensions: nearly dead ones dominate it (2.49 on ten, 0.0006 on the five
    active ones of one checkpoint). Duplicated dimensions make it infinite.

    Parameters
    ----------
    codes : array_like of shape (n, d)
        Codes, one row per example, one column per latent dimension.
    bins : int, default 20
        Number of bins of equal width per dimension.

    Returns
    -------
    Score
        At least 0, lower is better.

    Raises
    ------
    InputError
        If arrays do not fit together, hold infinities, or codes hold NaN.

    References
    ----------
    Locatello et al. 2019.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.stack(np.meshgrid(np.arange(8.0), np.arange(8.0)), axis=-1).reshape(-1, 2)
    >>> abs(unsupervised(z).value) < 1e-12
    True
    """
    z = check_codes(codes)
    low, high = extremes(z)
    live = low < high
    covariance = np.atleast_2d(np.cov(z.astype(np.float64).T))
    live &= np.diag(covariance) > 0  # what varies by less than 1e-160 has a variance of 0
    distance = _wasserstein(covariance)
    total = float(np.trace(covariance))
    d = z.shape[1]
    mutual = between_codes(z, bins)
    apart = mutual[~np.eye(d, dtype=bool)]
    correlation = _total_correlation(covariance[np.ix_(live, live)])
    parts = {
        "gaussian_total_correlation": correlation,
        "gaussian_wasserstein_correlation": distance,
        "gaussian_wasserstein_correlation_norm": distance / total if total > 0 else 0.0,
        "mutual_info_score": float(apart.mean()) if d > 1 else 0.0,
    }
    settings = {"bins": bins, "rows": len(z), "constant_dimensions_left_out": int((~live).sum())}
    return Score(value=correlation, parts=parts, matrix=mutual, settings=settings)


def _total_correlation(covariance: Floats) -> float:
    if len(covariance) < 2:
        return 0.0
    sign, log_determinant = np.linalg.slogdet(covariance)
    if sign <= 0:
        return float("inf")
    return float(0.5 * (np.log(np.diag(covariance)).sum() - log_determinant))


def _wasserstein(covariance: Floats) -> float:
    """2 tr Σ − 2 tr √(Σ D); √(Σ D) has the eigenvalues of √(√D Σ √D), which is symmetric."""
    root = np.sqrt(np.diag(covariance))
    values = np.linalg.eigvalsh(covariance * root[:, None] * root)
    return float(2 * np.trace(covariance) - 2 * np.sqrt(np.maximum(values, 0)).sum())
