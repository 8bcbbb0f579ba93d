"""Index-code mutual information, total correlation and dimension-wise KL: the rate taken apart."""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray

from latentlab.metrics._metric import Metric
from latentlab.metrics._posterior import check_posterior
from latentlab.results import Score

METRIC = Metric(
    title="Index-code mutual information",
    short="index-code MI",
    needs="posterior",
    range=(0.0, float("inf")),
    better=None,
    source="Chen et al. 2018, Isolating sources of disentanglement in VAEs, eq. 2 and appendix C",
    assumes="A Gaussian posterior under N(0, I); fewer nats than log n.",
    unchanged_by=("scale", "shift"),
    too_high="Where posteriors hardly overlap and only some of the rows are drawn, it is too high.",
    too_low="It cannot exceed log n of the rows that are compared.",
)
Array = NDArray[np.float64]
BLOCK = 128  # rows at a time against all: 128 × 2,000 × 10 densities are 20 MB


def index_code_mi(mean: ArrayLike, variance: ArrayLike, *, rows: int = 2000, seed: int = 0) -> Score:
    """The rate taken apart: E KL(q(z|x)‖p) = I(x; z) + TC + Σ_i KL(q(z_i)‖p(z_i)), in nats.

    ``mean`` and ``variance`` (n, d) of a Gaussian posterior, prior N(0, I). One posterior sample of each of `rows`
    rows
    (drawn with `seed`) is weighed against the same rows by minibatch-stratified sampling; the value is I(x; z), parts
    ``mutual_information``, ``total_correlation``, ``dimension_wise_kl`` and ``rate`` (closed form), and the same three
    as ``weighted_…`` by minibatch-weighted sampling.

    Bias: I(x; z) cannot exceed log n (13.5 nats on dSprites, where a VAE's rate is 25). The weighted estimate makes
    every log density too low by log n at m = n: I is too high by it, TC by d − 1 times it, the dimension-wise KL too
    low by d times it (log m to log n where m < n), so only differences between runs with the same m and n count. The
    stratified one is unbiased for q(z), not for its logarithm: where posteriors hardly overlap, I is too high if m
    < n;
    at m = n it is exact but for the sampling.

    Parameters
    ----------
    mean : array_like of shape (n, d)
        Posterior means.
    variance : array_like of shape (n, d)
        Posterior variances, above 0.
    rows : int, default 2000
        Largest number of rows that are used; more are drawn at random.
    seed : int, default 0
        Seed of everything that is drawn at random.

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
    Chen et al. 2018, eq. 2, S5 and S6.

    Examples
    --------
    >>> import numpy as np
    >>> found = index_code_mi(np.zeros((50, 2)), np.ones((50, 2)))
    >>> abs(found.value) < 1e-9
    True
    """
    z, spread = check_posterior(mean, variance)
    n, random = len(z), RandomState(seed)
    chosen = np.sort(random.permutation(n)[:rows])
    z, spread = z[chosen], spread[chosen]
    sample = z + np.sqrt(spread) * random.standard_normal(z.shape)
    own = _log_normal(sample, z, spread).sum(axis=1).mean()
    prior = _log_normal(sample, np.zeros(1), np.ones(1)).sum(axis=1).mean()
    parts = {}
    for prefix, weights in (("", _stratified), ("weighted_", _weighted)):
        joint, marginal = _aggregate(sample, z, spread, weights(len(z), n))
        parts[f"{prefix}mutual_information"] = float(own - joint)
        parts[f"{prefix}total_correlation"] = float(joint - marginal)
        parts[f"{prefix}dimension_wise_kl"] = float(marginal - prior)
    parts["rate"] = float(0.5 * (z**2 + spread - 1 - np.log(spread)).sum(axis=1).mean())
    settings = {"rows": len(z), "of": n, "seed": seed, "bound": float(np.log(n)), "estimator": "minibatch-stratified"}
    return Score(value=parts["mutual_information"], parts=parts, settings=settings)


def _log_normal(x: Array, mean: Array, variance: Array) -> Array:
    return np.asarray(-0.5 * (np.log(2 * np.pi * variance) + (x - mean) ** 2 / variance))


def _weighted(m: int, n: int) -> Array:
    """Log weights (m, m) of minibatch-weighted sampling as published: 1 / (n m) for every row."""
    return np.full((m, m), -np.log(float(n) * m))


def _stratified(m: int, n: int) -> Array:
    """Log weights (m, m): own row 1/n, each other (n − 1) / (n (m − 1)).

    As published one of the others has a weight of its own; this is the mean over which that is. The rows are in their
    order, so a fixed choice, the next row say, would leave out its nearest relative wherever all rows are drawn.
    """
    if m < 2:
        return np.zeros((m, m))
    weights = np.full((m, m), (n - 1) / (n * (m - 1)))
    np.fill_diagonal(weights, 1.0 / n)
    return np.log(weights)


def _aggregate(sample: Array, mean: Array, variance: Array, weights: Array) -> tuple[float, float]:
    """Means over samples of log q(z) and of Σ_i log q(z_i)."""
    from scipy.special import logsumexp

    joint = marginal = 0.0
    for start in range(0, len(sample), BLOCK):
        block = slice(start, start + BLOCK)
        density = _log_normal(sample[block][:, None], mean[None], variance[None])
        joint += float(logsumexp(density.sum(axis=2) + weights[block], axis=1).sum())
        marginal += float(logsumexp(density + weights[block][..., None], axis=1).sum())
    return joint / len(sample), marginal / len(sample)
