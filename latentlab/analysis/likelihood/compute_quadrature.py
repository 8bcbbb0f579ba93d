"""Integrals over a latent space of two dimensions: log p(x), the exact posterior, and what q misses of it.

The trapezoidal rule on one grid for all rows: it converges exponentially on what falls off like a Gaussian, and its
step is two thirds of the narrowest posterior deviation, so a grid of twice the step is still good to some 1e-4 nats.
The spread over the four such grids that the points contain bounds the error.

log p(x) = ELBO + KL(q(z|x) ‖ p(z|x)) holds whatever was computed if one term is made of the others, so no two of them
share a sum. log p(x) is the integral of p(x, z) over the grid. The KL normalises p(z|x) by itself, on the points
halfway between those of the grid. The ELBO never sees p(x, z): it is E_q log p(x|z) on a grid of each row's own, by
the likelihood's own ``log_prob``, less the closed form of KL(q ‖ prior). What all three share is the model alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import logsumexp
from torch import Tensor
from torch.distributions import Bernoulli, Distribution, Normal

from latentlab.analysis.likelihood.record import Exact
from latentlab.data.dataset import Samples
from latentlab.errors import InputError
from latentlab.models import Model
from latentlab.models.encoding import as_input, posterior

STEP = 2 / 3
REACH = 6.0  # prior deviations; beyond lie 4e-9 of its mass
TAIL = 8.0  # posterior deviations
POINTS = 4_000_000
TERMS = 4e9  # terms of a likelihood: rows times points times numbers in a sample
PRODUCT = 64  # terms of a product of matrices that count as one
BATCH = 4096
SHOWN = 6
PIXELS = 81
LOCAL = 41
Floats = NDArray[np.float64]


def integrate(model: Model, images: Samples, row_ids: NDArray[np.int64], estimate: Floats) -> Exact:
    """log p(x), ELBO and KL(q ‖ p(z|x)) of samples (m, *shape), in nats, no two of them by the same sum.

    ``estimate`` (m,) is put beside them. The narrower the posteriors are, the more points the grid has; as many of the
    first rows are taken as `POINTS` and `TERMS` allow. Raises `InputError` where they do not allow the first.
    """
    found, x = posterior(model, images), as_input(model, images)
    mean, variance = found[0].astype(np.float64), np.asarray(found[1], np.float64)
    few = slice(0, _afforded(mean, np.sqrt(variance), _cost(model, x)))
    mean, variance, x, row_ids, estimate = mean[few], variance[few], x[few], row_ids[few], estimate[few]
    deviation = np.sqrt(variance)
    axes = _axes(mean, deviation)
    sums, true = _evidence(model, x, axes)
    step = _cell(axes)
    log_likelihood = logsumexp(sums, axis=1) + np.log(step)
    coarse = sums + np.log(4 * step)
    shown = slice(0, SHOWN)
    windows = _windows(*(each[shown] for each in (mean, deviation, true.mean, true.deviation)))
    return Exact(
        row_ids=row_ids,
        log_likelihood=log_likelihood,
        elbo=_elbo(model, x, mean, variance),
        gap=_divergence(model, x, axes, mean, variance),
        error=np.abs(coarse - log_likelihood[:, None]).max(axis=1),
        estimate=estimate,
        axes=windows,
        posterior=_posteriors(model, x[shown], windows, log_likelihood[shown]),
        mean=mean[shown],
        variance=variance[shown],
    )


def _cost(model: Model, x: Tensor) -> float:
    """What log p(x|z) of one row and one code costs, in terms of a likelihood."""
    with torch.inference_mode():
        bits = isinstance(_base(model.decode(torch.zeros(1, 2, device=x.device))), Bernoulli)
    return x[0].numel() / (PRODUCT if bits else 1)


def _afforded(mean: Floats, deviation: Floats, cost: float) -> int:
    """How many of the first rows can be integrated; `cost` is that of one row at one point."""
    for rows in range(len(mean), 0, -1):
        points = math.prod(_counts(mean[:rows], deviation[:rows])[2])
        if points <= POINTS and points * rows * cost <= max(TERMS, points * cost):
            return rows
    raise InputError(
        f"the posterior of the first row has a deviation of {deviation[0].min():.2g}, so a grid over the latent space "
        f"needs {math.prod(_counts(mean[:1], deviation[:1])[2]):,} points; at most {POINTS:,} are computed"
    )


def _counts(mean: Floats, deviation: Floats) -> tuple[Floats, Floats, list[int]]:
    """Where the grid for some rows begins and ends (2,), and how many points each of its axes has."""
    low = np.minimum(-REACH, (mean - TAIL * deviation).min(axis=0))
    high = np.maximum(REACH, (mean + TAIL * deviation).max(axis=0))
    return low, high, [int(n) + 1 for n in np.ceil((high - low) / (STEP * deviation.min(axis=0)))]


def _axes(mean: Floats, deviation: Floats) -> tuple[Floats, Floats]:
    first, second = (np.linspace(a, b, n) for a, b, n in zip(*_counts(mean, deviation), strict=True))
    return first, second


def _points(axes: tuple[Floats, Floats]) -> Iterator[tuple[Floats, NDArray[np.int64]]]:
    """The grid in batches: points (b, 2), and which of the four grids of twice the step each belongs to."""
    first, second = axes
    for start in range(0, len(first) * len(second), BATCH):
        i, j = np.divmod(np.arange(start, min(start + BATCH, len(first) * len(second))), len(second))
        yield np.stack([first[i], second[j]], axis=1), 2 * (i % 2) + j % 2


def _cell(axes: tuple[Floats, Floats]) -> float:
    return float(np.prod([axis[1] - axis[0] for axis in axes]))


def _evidence(model: Model, x: Tensor, axes: tuple[Floats, Floats]) -> tuple[Floats, _Moments]:
    """Logarithms of the sums of p(x, z) over each of the four grids (n, 4), and the moments of p(z|x)."""
    sums, true = np.full((len(x), 4), -np.inf), _Moments(len(x))
    for z, part in _points(axes):
        joint = _joint(model, z, x)
        for k in range(4):
            sums[:, k] = np.logaddexp(sums[:, k], logsumexp(joint[:, part == k], axis=1))
        true.add(z, joint)
    return sums, true


def _divergence(model: Model, x: Tensor, axes: tuple[Floats, Floats], mean: Floats, variance: Floats) -> Floats:
    """KL(q ‖ p(z|x)) of each row (n,), with p(z|x) normalised on the points halfway between those of the grid."""
    first, second = (axis + (axis[1] - axis[0]) / 2 for axis in axes)
    total, missed = np.full(len(x), -np.inf), np.zeros(len(x))
    for z, _ in _points((first, second)):
        joint, log_q = _joint(model, z, x), _log_normal(z, mean, variance)
        total = np.logaddexp(total, logsumexp(joint, axis=1))
        missed += (np.exp(log_q) * (log_q - joint)).sum(axis=1) * _cell(axes)
    return np.asarray(missed + total + np.log(_cell(axes)))


def _joint(model: Model, z: Floats, x: Tensor) -> Floats:
    with torch.inference_mode():
        return log_joint(model, torch.from_numpy(z.astype(np.float32)).to(x.device), x)


def check_normalised(p: Distribution, x: Tensor) -> None:
    """Raise an `InputError` where p(x|z) is a distribution of bits and the images are not bits."""
    if isinstance(_base(p), Bernoulli) and not bool(((x == 0) | (x == 1)).all()):
        raise InputError(
            "a Bernoulli likelihood of grey levels is not normalised, so it gives no log p(x); take binarised data: "
            "--data mnist/:binarised=0"
        )


def log_joint(model: Model, z: Tensor, x: Tensor) -> NDArray[np.float64]:
    """log p(x, z) of every image (n, c, h, w) with every code (m, d): (n, m), in nats."""
    p = model.decode(z)
    check_normalised(p, x)
    base = _base(p)
    if isinstance(base, Bernoulli):  # x·logits − Σ softplus(logits): one product of matrices for all pairs
        logits = base.logits.flatten(1)
        given = x.flatten(1) @ logits.T - torch.nn.functional.softplus(logits).sum(dim=1)
    else:
        given = torch.stack([p.log_prob(each.expand(len(z), *each.shape)) for each in x])
    prior = Normal(torch.zeros_like(z), 1.0).log_prob(z).sum(dim=1)
    return np.asarray((given.double() + prior.double()).numpy(force=True))


def _base(p: Distribution) -> Distribution:
    found: Distribution = getattr(p, "base_dist", p)
    return found


def _log_normal(z: Floats, mean: Floats, variance: Floats) -> Floats:
    """log N(z; mean, diag variance) of every mean (n, d) at every point (m, d): (n, m)."""
    scaled = (z[None] - mean[:, None]) ** 2 / variance[:, None]
    return -0.5 * (scaled + np.log(2 * np.pi * variance)[:, None]).sum(axis=2)


def _elbo(model: Model, x: Tensor, mean: Floats, variance: Floats) -> Floats:
    """E_q log p(x|z) on a grid of each row's own, less KL(q ‖ N(0, I)) in closed form."""
    ticks = np.linspace(-6, 6, LOCAL)
    local = np.stack(np.meshgrid(ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 2)
    weight = np.exp(-0.5 * (local**2).sum(axis=1))
    weight /= weight.sum()
    expected = [
        (_given(model, m + local * np.sqrt(v), each) * weight).sum()
        for m, v, each in zip(mean, variance, x, strict=True)
    ]
    return np.array(expected) - 0.5 * (mean**2 + variance - 1 - np.log(variance)).sum(axis=1)


def _given(model: Model, z: Floats, each: Tensor) -> Floats:
    """log p(x|z) of one image at every point (m, d), (m,), as the likelihood itself has it."""
    with torch.inference_mode():
        p = model.decode(torch.from_numpy(z.astype(np.float32)).to(each.device))
        return np.asarray(p.log_prob(each.expand(len(z), *each.shape)).double().numpy(force=True))


class _Moments:
    """Mean and deviation of the exact posteriors (n, 2), added up over batches of the grid."""

    def __init__(self, rows: int) -> None:
        self.total = np.full(rows, -np.inf)
        self.first, self.second = np.zeros((rows, 2)), np.zeros((rows, 2))

    def add(self, z: Floats, joint: Floats) -> None:
        total = np.logaddexp(self.total, logsumexp(joint, axis=1))
        kept, weight = np.exp(self.total - total)[:, None], np.exp(joint - total[:, None])
        self.first = self.first * kept + weight @ z
        self.second = self.second * kept + weight @ z**2
        self.total = total

    @property
    def mean(self) -> Floats:
        return self.first

    @property
    def deviation(self) -> Floats:
        return np.sqrt(np.maximum(self.second - self.first**2, 0))


def _windows(mean: Floats, deviation: Floats, true_mean: Floats, true_deviation: Floats) -> Floats:
    """Where each posterior is drawn: (r, 2, PIXELS), wide enough for the exact one and for q."""
    low = np.minimum(mean - 3 * deviation, true_mean - 4 * true_deviation)
    high = np.maximum(mean + 3 * deviation, true_mean + 4 * true_deviation)
    return np.linspace(low, high, PIXELS, axis=-1)


def _posteriors(model: Model, x: Tensor, windows: Floats, log_likelihood: Floats) -> Floats:
    """p(z|x) on each window: (r, PIXELS, PIXELS), rows along the second latent dimension."""
    found = []
    for each, (first, second), total in zip(x, windows, log_likelihood, strict=True):
        grid = np.stack(np.meshgrid(first, second), axis=-1).reshape(-1, 2)
        found.append(np.exp(_joint(model, grid, each[None])[0] - total).reshape(PIXELS, PIXELS))
    return np.stack(found)
