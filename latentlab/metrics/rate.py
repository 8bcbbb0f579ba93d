"""Rate: the information that a VAE's posterior spends, per dimension."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from latentlab.metrics._metric import Metric
from latentlab.metrics._posterior import check_posterior
from latentlab.results import Score

METRIC = Metric(
    title="Rate",
    short="rate",
    needs="posterior",
    range=(0.0, float("inf")),
    better=None,
    source="Kingma and Welling 2014, Auto-encoding variational Bayes, appendix B",
    assumes="A Gaussian posterior under N(0, I).",
    unchanged_by=("order", "sign"),
    too_high="The distance of the aggregate posterior from the prior is part of it, without any information on x.",
    too_low="None known: it is a closed form.",
)


def rate(mean: ArrayLike, variance: ArrayLike) -> Score:
    """Mean KL divergence of the posterior N(mean, variance) from N(0, I), in nats per example, summed over dimensions.

    ½ Σ (μ² + σ² − 1 − log σ²) of ``mean`` and ``variance`` (n, d). Parts: ``means``, ½ Σ μ² (means centred), and
    ``variances``, ½ Σ (σ² − 1 − log σ²) (variances regularised); ``matrix`` (d, 1) has the rate per dimension.

    Do not trust it as the information that the code holds: see ``index_code_mi``; it also pays for the distance of the
    aggregate posterior from the prior.

    Parameters
    ----------
    mean : array_like of shape (n, d)
        Posterior means.
    variance : array_like of shape (n, d)
        Posterior variances, above 0.

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
    Kingma and Welling 2014, appendix B.

    Examples
    --------
    >>> rate([[1.0], [-1.0]], [[1.0], [1.0]]).value
    0.5
    """
    z, spread = check_posterior(mean, variance)
    means = 0.5 * (z**2).mean(axis=0)
    variances = 0.5 * (spread - 1 - np.log(spread)).mean(axis=0)
    return Score(
        value=float((means + variances).sum()),
        parts={"means": float(means.sum()), "variances": float(variances.sum())},
        matrix=(means + variances)[:, None],
        settings={"rows": len(z), "prior": "N(0, I)"},
    )
