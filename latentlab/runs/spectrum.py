"""The spectrum of a data set in units of the decoder's noise, and what a linear VAE makes of it at every β.

A linear VAE that minimises distortion + β · rate keeps the principal components whose eigenvalue exceeds β σ², with
½ log(λ/(β σ²)) nats each (Lucas et al. 2019, "Don't blame the ELBO!", for β = 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data import Dataset
from latentlab.errors import InputError

Floats = NDArray[np.float64]

LIKELIHOODS = ("bernoulli", "gaussian", "gaussian-learned")
ROWS = 10_000
COMPONENTS = 256
NUMBERS = 2**26  # values in memory at a time: 256 MB
EXACT = 2048  # rows or columns up to which all eigenvalues are computed
BLOCK = 256


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenvalues of the data's covariance in units of the noise, and the laws of a linear VAE.

    Attributes
    ----------
    eigenvalues
        (k,), the largest first. Divided by σ² for ``gaussian``; of (x − p)/√(p(1 − p)) for ``bernoulli``, p the mean of
        each pixel; undivided for ``gaussian-learned``, whose σ² follows from β.
    total
        Their sum over all components, the ones not computed included.
    columns
        How many pixels times channels vary.
    likelihood
        ``bernoulli``, ``gaussian`` or ``gaussian-learned``.
    rows
        How many rows of the data were used.
    """

    eigenvalues: Floats
    total: float
    columns: int
    likelihood: str
    rows: int

    @property
    def thresholds(self) -> Floats:
        """The β (k,) at which each component falls out of use, the last to do so first."""
        if self.likelihood != "gaussian-learned":
            return self.eigenvalues
        above = np.cumsum(self.eigenvalues) - self.eigenvalues * np.arange(1, len(self.eigenvalues) + 1)
        return np.asarray(self.eigenvalues * self.columns / (self.total - above))

    def active(self, beta: float, latent_dim: int) -> int:
        """How many of `latent_dim` dimensions are active at β: those whose threshold exceeds it."""
        return min(latent_dim, int((self.thresholds > beta).sum()))

    def noise(self, beta: float, latent_dim: int) -> float:
        """β σ², the eigenvalue above which a component is active; a learned σ² is that of the best linear VAE."""
        if self.likelihood != "gaussian-learned":
            return beta
        q = self.active(beta, latent_dim)
        return beta * max(0.0, float(self.total - self.eigenvalues[:q].sum())) / (self.columns - beta * q)

    def rates(self, beta: float, latent_dim: int) -> Floats:
        """The rate in nats of each active component at β, the largest first; infinite where a learned σ falls to 0."""
        kept, noise = self.eigenvalues[: self.active(beta, latent_dim)], self.noise(beta, latent_dim)
        return 0.5 * np.log(kept / noise) if noise > 0 else np.full(len(kept), np.inf)


def spectrum(
    data: Dataset,
    *,
    likelihood: str = "bernoulli",
    sigma: float = 1.0,
    components: int = COMPONENTS,
    rows: int = ROWS,
    seed: int = 0,
) -> Spectrum:
    """The spectrum of a data set, from at most `rows` seeded rows.

    Parameters
    ----------
    data
        Images, with values in [0, 1] as training has them.
    likelihood
        That of the decoder. For a Bernoulli likelihood the values are those of a second-order expansion around the mean
        image: exact where all dimensions are about to collapse, and an approximation elsewhere.
    sigma
        The fixed standard deviation of ``gaussian``.
    components
        How many eigenvalues at most.
    rows
        How many rows at most; fewer where they would take more than 256 MB.
    seed
        For the choice of rows, and for the randomised SVD where there are more than 2,048 rows and columns.

    Returns
    -------
    Spectrum
        Eigenvalues, their sum, and what a linear VAE does with them.

    Raises
    ------
    InputError
        For an unknown likelihood, a σ that is not positive, and data that do not vary.
    """
    if likelihood not in LIKELIHOODS:
        raise InputError(f"likelihood is {likelihood!r}; expected {', '.join(LIKELIHOODS)}"[:200])
    if not 0 < sigma < np.inf:
        raise InputError(f"sigma is {sigma}; expected a positive number")
    deviations, mean = _deviations(data, rows, seed)
    if likelihood == "bernoulli":
        deviations /= np.sqrt(mean * (1 - mean))
    elif likelihood == "gaussian":
        deviations /= np.float32(sigma)
    n, columns = deviations.shape
    total = float(np.square(deviations).sum(dtype=np.float64)) / n
    return Spectrum(_eigenvalues(deviations, components, seed), total, columns, likelihood, n)


def _deviations(data: Dataset, rows: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Deviations from the mean (n, D) of the columns that vary, and the mean (D,) of those columns."""
    width = int(np.prod(data.image_shape))
    count = max(2, min(rows, len(data), NUMBERS // width))
    if len(data) < 2:
        raise InputError(f"{data.name} has {len(data)} row; a spectrum needs at least two")
    chosen = np.sort(np.random.default_rng(seed).permutation(len(data))[:count])
    values = np.empty((count, width), np.float32)
    for start in range(0, count, BLOCK):
        block = data[chosen[start : start + BLOCK]]
        values[start : start + BLOCK] = block.reshape(len(block), width) / np.float32(255)
    varies = np.ptp(values, axis=0) > 0
    if not varies.any():
        raise InputError(f"the {count:,} rows of {data.name} are all alike, so there is nothing to learn")
    values = values if varies.all() else values[:, varies]
    mean = values.mean(axis=0, dtype=np.float64).astype(np.float32)
    values -= mean
    return values, mean


def _eigenvalues(deviations: NDArray[np.float32], components: int, seed: int) -> Floats:
    """The largest eigenvalues (k,) of the covariance of deviations (n, D)."""
    from sklearn.utils.extmath import randomized_svd

    n, columns = deviations.shape
    if min(n, columns) > EXACT:
        values = np.square(randomized_svd(deviations, components, random_state=seed)[1].astype(np.float64)) / n
    else:
        small: Any = deviations if n <= columns else deviations.T
        values = np.linalg.eigvalsh((small @ small.T).astype(np.float64) / n)[::-1][:components]
    return values[values > values[0] * np.finfo(np.float32).eps * len(values)]
