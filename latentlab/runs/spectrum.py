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
from latentlab.data.kinds import kind_of
from latentlab.errors import InputError

Floats = NDArray[np.float64]
Values = NDArray[np.float32]

FIXED = ("bernoulli", "gaussian", "poisson")
LEARNED = ("gaussian-learned", "gaussian-channels", "per-column")  # the last two are taken to learn one σ
ROWS = 10_000
COMPONENTS = 256
NUMBERS = 2**26  # values in memory at a time: 256 MB
ROUNDING = 1e-6  # share of the variance below which single precision has left nothing to a learned σ
EXACT = 2048  # rows or columns up to which all eigenvalues are computed
BLOCK = 256


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenvalues of the data's covariance in units of the noise, and the laws of a linear VAE.

    Attributes
    ----------
    eigenvalues
        (k,), the largest first. Divided by σ² for ``gaussian``; of (x − p)/√(p(1 − p)) for ``bernoulli``, p the mean of
        each pixel; of (x − ℓp)/√(p · mean ℓ) for ``poisson``, ℓ a sample's sum and p the shares of all counts;
        undivided where σ² is learned and follows from β.
    total
        Their sum over all components, the ones not computed included.
    columns
        How many numbers of a sample vary.
    learned
        Whether σ² is learned.
    rows
        How many rows of the data were used.
    """

    eigenvalues: Floats
    total: float
    columns: int
    learned: bool
    rows: int

    @property
    def thresholds(self) -> Floats:
        """The β (k,) at which each component falls out of use, the last to do so first."""
        if not self.learned:
            return self.eigenvalues
        above = np.cumsum(self.eigenvalues) - self.eigenvalues * np.arange(1, len(self.eigenvalues) + 1)
        return np.asarray(self.eigenvalues * self.columns / (self.total - above))

    def active(self, beta: float, latent_dim: int) -> int:
        """How many of `latent_dim` dimensions are active at β: those whose threshold exceeds it."""
        return min(latent_dim, int((self.thresholds > beta).sum()))

    def noise(self, beta: float, latent_dim: int) -> float:
        """β σ², the eigenvalue above which a component is active; a learned σ² is that of the best linear VAE.

        It is 0 where the active components leave nothing.
        """
        if not self.learned:
            return beta
        q = self.active(beta, latent_dim)
        rest = float(self.total - self.eigenvalues[:q].sum())
        return beta * rest / (self.columns - beta * q) if rest > ROUNDING * self.total else 0.0

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
        What is trained on, scaled as training scales it. What is missing counts as the mean.
    likelihood
        That of the decoder. Bernoulli and Poisson are expanded to second order around the mean: exact where all
        dimensions are about to collapse, and an approximation elsewhere.
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
        For another likelihood, a σ that is not positive, data that do not vary or that the likelihood does not take.
    """
    if likelihood not in FIXED + LEARNED:
        raise InputError(
            f"likelihood is {likelihood!r}; expected {', '.join(FIXED + LEARNED)}; others have no spectrum"[:200]
        )
    if not 0 < sigma < np.inf:
        raise InputError(f"sigma is {sigma}; expected a positive number")
    values = _values(data, rows, seed)
    deviations = (
        _residuals(values, data.name) if likelihood == "poisson" else _deviations(values, likelihood, data.name)
    )
    if likelihood == "gaussian":
        deviations /= np.float32(sigma)
    n, columns = deviations.shape
    total = float(np.square(deviations).sum(dtype=np.float64)) / n
    return Spectrum(_eigenvalues(deviations, components, seed), total, columns, likelihood in LEARNED, n)


def _values(data: Dataset, rows: int, seed: int) -> Values:
    """What a model takes of the chosen rows, (n, D): the columns that vary."""
    if len(data) < 2:
        raise InputError(f"{data.name} has {len(data)} row; a spectrum needs at least two")
    form, width = kind_of(data.form).fitted(data.form, data), int(np.prod(data.form.shape))
    count = max(2, min(rows, len(data), NUMBERS // width))
    chosen = np.sort(np.random.default_rng(seed).permutation(len(data))[:count])
    values = np.empty((count, width), np.float32)
    for start in range(0, count, BLOCK):
        block = data[chosen[start : start + BLOCK]]
        values[start : start + BLOCK] = form.to_model(block).reshape(len(block), width)
    lowest, highest = np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0)
    varies = highest > lowest
    if not varies.any():
        raise InputError(f"the {count:,} rows of {data.name} are all alike, so there is nothing to learn")
    return values if varies.all() else values[:, varies]


def _deviations(values: Values, likelihood: str, name: str) -> Values:
    """Deviations from the mean, over √(p(1 − p)) for a Bernoulli likelihood."""
    mean = np.nanmean(values, axis=0, dtype=np.float64).astype(np.float32)
    if likelihood == "bernoulli" and not (np.nanmin(values) >= 0 and np.nanmax(values) <= 1):
        raise InputError(f"{name} has values outside [0, 1], which a Bernoulli likelihood does not take; use gaussian")
    values -= mean
    np.nan_to_num(values, copy=False)
    if likelihood == "bernoulli":
        values /= np.sqrt(mean * (1 - mean))
    return values


def _residuals(values: Values, name: str) -> Values:
    """Pearson residuals of counts: what exceeds a sample's sum times the shares, over the root of its mean."""
    if not (np.nanmin(values) >= 0 and np.isfinite(values).all()):
        raise InputError(
            f"{name} has values that are not counts, which a Poisson likelihood does not take; use gaussian"
        )
    sums = values.sum(axis=1, keepdims=True, dtype=np.float64)
    share = values.sum(axis=0, dtype=np.float64) / sums.sum()
    return ((values - sums * share) / np.sqrt(share * sums.mean())).astype(np.float32)


def _eigenvalues(deviations: Values, components: int, seed: int) -> Floats:
    """The largest eigenvalues (k,) of the covariance of deviations (n, D)."""
    from sklearn.utils.extmath import randomized_svd

    n, columns = deviations.shape
    if min(n, columns) > EXACT:
        values = np.square(randomized_svd(deviations, components, random_state=seed)[1].astype(np.float64)) / n
    else:
        small: Any = deviations if n <= columns else deviations.T
        values = np.linalg.eigvalsh((small @ small.T).astype(np.float64) / n)[::-1][:components]
    return values[values > values[0] * np.finfo(np.float32).eps * len(values)]
