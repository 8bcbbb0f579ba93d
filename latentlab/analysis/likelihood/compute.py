"""Estimates of log p(x): importance-weighted for any model with a posterior, by quadrature for two latent dimensions.

The identity behind a VAE is log p(x) = ELBO + KL(q(z|x) ‖ p(z|x)). Its left side is an integral over the latent space:
of two dimensions a grid solves it, of more only samples reach it. ``docs/likelihood.md`` tells the method and its
limits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import logsumexp
from torch import Tensor
from torch.distributions import Normal

from latentlab.analysis.likelihood.compute_quadrature import check_normalised, integrate
from latentlab.analysis.likelihood.record import INDEPENDENT, Evidence
from latentlab.data.dataset import Samples
from latentlab.errors import InputError, attempt
from latentlab.models import Model, Point
from latentlab.models.conditions import given
from latentlab.models.encoding import as_input
from latentlab.system.progress import Progress, silent

ROWS = 1000
SAMPLES = 1000
EXACT_ROWS = 50
BLOCK = 8  # rows whose samples are decoded together
DRAWN = 128  # samples of each row in one batch


def estimate(
    model: Model,
    images: Samples,
    row_ids: NDArray[np.int64],
    *,
    samples: int = SAMPLES,
    seed: int = 0,
    settings: dict[str, object] | None = None,
    told: Tensor | None = None,
    progress: Progress = silent,
) -> Evidence:
    """The `Evidence` of samples (n, *shape) under a model, with `samples` seeded posterior draws a row.

    ``told`` (n, k) are the rows' conditions where the model takes some; log p(x|c) is then estimated, and not by
    quadrature.
    """
    counts = [10**k for k in range(6) if 10**k < samples] + [samples]
    blocks: list[_Rows] = []
    for start in range(0, len(images), BLOCK):
        rows = slice(start, start + BLOCK)
        x, at = as_input(model, images[rows]), given(model, None if told is None else told[rows])
        blocks.append(_estimate(at, x, samples, counts, seed + start))
        progress(min(start + BLOCK, len(images)), len(images))
    found = _Rows(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))
    exact, why = None, ""
    if model.latent_dim == 2 and told is None:
        few = slice(0, EXACT_ROWS)
        exact, why = attempt(lambda: integrate(model, images[few], row_ids[few], found.bounds[few, -1]), None)
    return Evidence(
        row_ids,
        found.elbo,
        found.bounds[:, -1],
        found.ess,
        np.array(counts),
        found.bounds.mean(axis=0),
        found.variance_sampled,
        found.variance_closed,
        exact,
        {"samples": samples, "terms": INDEPENDENT, **({"no_quadrature": why} if why else {}), **(settings or {})},
    )


class _Rows(NamedTuple):
    """What a block of rows came to, a row of each array per row of the data."""

    elbo: NDArray[np.float64]
    bounds: NDArray[np.float64]
    ess: NDArray[np.float64]
    variance_sampled: NDArray[np.float64]
    variance_closed: NDArray[np.float64]


def _estimate(model: Model, x: Tensor, samples: int, counts: list[int], seed: int) -> _Rows:
    drawn, weighted = [], []
    with torch.inference_mode(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        q = posterior(model, x)
        prior = Normal(torch.zeros_like(q.mean), 1.0)
        rate = torch.distributions.kl_divergence(q, prior).sum(dim=1).double().numpy(force=True)
        for start in range(0, samples, DRAWN):
            z = q.sample((min(DRAWN, samples - start),))
            p = model.decode(z.flatten(0, 1))
            check_normalised(p, x)
            given = p.log_prob(x.expand(len(z), *x.shape).flatten(0, 1)).reshape(z.shape[:2]).double()
            ratio = (prior.log_prob(z) - q.log_prob(z)).double().sum(dim=2)
            drawn.append(given.T.numpy(force=True))
            weighted.append((given + ratio).T.numpy(force=True))
    terms, weights = np.concatenate(drawn, axis=1), np.concatenate(weighted, axis=1)
    total = logsumexp(weights, axis=1)
    return _Rows(
        terms.mean(axis=1) - rate,
        np.stack([importance_bound(weights, count) for count in counts], axis=1),
        np.exp(2 * total - logsumexp(2 * weights, axis=1)),
        weights.var(axis=1, ddof=1),
        terms.var(axis=1, ddof=1),
    )


def importance_bound(log_weights: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """log (1/K) Σ w_k of each row (n,), with K = `count`, averaged over the groups of K that samples (n, s) make.

    Its expectation rises with K from the ELBO at K = 1 towards log p(x) (Burda et al. 2016, theorem 1).

    >>> importance_bound(np.log([[1.0, 3.0]]), 2).round(4)
    array([0.6931])
    """
    groups = log_weights.shape[1] // count
    grouped = log_weights[:, : groups * count].reshape(len(log_weights), groups, count)
    return np.asarray(logsumexp(grouped, axis=2).mean(axis=1) - np.log(count))


def posterior(model: Model, x: Tensor) -> Normal:
    """q(z|x) of images; an `InputError` for a deterministic encoder."""
    q = model.encode(x)
    if isinstance(q, Point):
        raise InputError("the encoder is deterministic: it has no q(z|x), so no ELBO and no estimate of log p(x)")
    return q
