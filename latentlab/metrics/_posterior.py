"""A VAE's posterior, checked at the border."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.errors import InputError
from latentlab.metrics._arrays import check_codes, check_finite


def check_posterior(mean: ArrayLike, variance: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Posterior means and variances (n, d) in float64; `InputError` where they do not belong together."""
    z, spread = check_codes(mean, "mean").astype(np.float64), check_finite(variance, "variance").astype(np.float64)
    if z.shape != spread.shape:
        raise InputError(
            f"mean has shape {z.shape} but variance has {spread.shape}; give mean and variance of the same encoding"
        )
    if (spread <= 0).any():
        raise InputError(f"variance has {int((spread <= 0).sum())} values ≤ 0; give its exp if this is the log")
    return z, spread
