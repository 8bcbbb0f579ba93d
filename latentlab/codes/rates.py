"""The rate of Gaussian posteriors, KL(q(z|x) ‖ N(0, I)), by dimension and row, and which dimensions are in use."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

ACTIVE = 0.01  # the variance of the posterior mean above which a dimension is in use (Burda et al. 2016)


def rate_parts(mean: NDArray[Any], variance: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The two parts of KL(N(μ, σ²) ‖ N(0, 1)) per entry, in nats: ½μ² and ½(σ² − 1 − log σ²)."""
    mu, var = np.asarray(mean, np.float64), np.asarray(variance, np.float64)
    with np.errstate(divide="ignore"):  # the rate of a variance of 0 is infinite
        return 0.5 * mu**2, 0.5 * (var - 1 - np.log(var))


def row_rate(mean: NDArray[Any], variance: NDArray[Any]) -> NDArray[np.float64]:
    """KL(q ‖ N(0, I)) of each row (n,), in nats: the sum over dimensions of both parts."""
    centred, width = rate_parts(mean, variance)
    return (centred + width).sum(axis=1)


def active(variance_of_mean: NDArray[Any], *, stochastic: bool) -> NDArray[np.bool_]:
    """Which dimensions (d,) are in use, by the variance of their posterior means over the data, Var_x E[z|x].

    Above 0.01 where there is a posterior (an active unit, Burda et al. 2016). The scale of a deterministic
    encoder is free, so no threshold means anything: every dimension that varies at all counts. Whoever asks, this is
    the rule (`Codes.active`, the scores, the figures); metrics that leave dimensions out by a rule of their paper name
    it under ``pruning``.

    >>> variance = np.array([1.0, 0.005, 0.0])
    >>> active(variance, stochastic=True).tolist(), active(variance, stochastic=False).tolist()
    ([True, False, False], [True, True, False])
    """
    return np.asarray(variance_of_mean > (ACTIVE if stochastic else 0.0))
