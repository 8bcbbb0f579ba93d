"""Laws of the total correlation's estimators, on data sets whose aggregate is known exactly."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from latentlab.training.objectives import beta_tcvae
from latentlab.training.objectives.beta_tcvae import Sampling, log_weights

N, D = 12, 3


def posteriors() -> Normal:
    """A data set of N posteriors with correlated means."""
    torch.manual_seed(0)
    mean = torch.randn(N, 1, dtype=torch.float64) + 0.3 * torch.randn(N, D, dtype=torch.float64)
    return Normal(mean, 0.2 + torch.rand(N, D, dtype=torch.float64))


def log_aggregate(q: Normal, z: Tensor, rows: int, sampling: Sampling) -> tuple[Tensor, Tensor]:
    return beta_tcvae.log_aggregate(q, z, log_weights(len(z), rows, sampling).to(z))


def exact(q: Normal, z: Tensor) -> tuple[Tensor, Tensor]:
    """log q(z) and log q(z_j) of the mixture, summed over its N components one by one."""
    joint, marginals = torch.zeros(len(z), dtype=z.dtype), torch.zeros_like(z)
    for mean, scale in zip(q.mean, q.stddev, strict=True):
        density = Normal(mean, scale).log_prob(z).exp()
        joint, marginals = joint + density.prod(dim=1) / N, marginals + density / N
    return joint.log(), marginals.log()


def test_stratified_is_exact_on_the_whole_data_set() -> None:
    q = posteriors()
    z = q.sample()
    for found, expected in zip(log_aggregate(q, z, N, "stratified"), exact(q, z), strict=True):
        torch.testing.assert_close(found, expected)


def test_weighted_on_the_whole_data_set_is_off_by_log_n_in_each_logarithm() -> None:
    """So its total correlation is (d − 1) log N too high."""
    q = posteriors()
    z = q.sample()
    for found, expected in zip(log_aggregate(q, z, N, "weighted"), exact(q, z), strict=True):
        torch.testing.assert_close(found, expected - math.log(N))


def test_stratified_is_unbiased_over_batches_and_its_logarithm_too_low() -> None:
    """The mean over all batches that hold image 0 is q(z) at a sample of image 0."""
    from itertools import combinations

    q = posteriors()
    z = q.sample()
    estimates = []
    for others in combinations(range(1, N), 3):
        rows = [0, *others]
        part = Normal(q.mean[rows], q.stddev[rows])
        estimates.append(log_aggregate(part, z[rows], N, "stratified")[0][0])
    found, expected = torch.stack(estimates), exact(q, z)[0][0]
    torch.testing.assert_close(found.exp().mean(), expected.exp())
    assert found.mean() < expected


@pytest.mark.parametrize("n", [1, 2, 5, N])
def test_stratified_weights_sum_to_one(n: int) -> None:
    total = log_weights(n, N, "stratified").double().exp().sum(dim=1)
    torch.testing.assert_close(total, torch.full((n,), 1.0 if n > 1 else 1 / N).double())


def test_the_gaussian_aggregate() -> None:
    """Of means from N(0, Σ) it is N(0, Σ + σ²I), and TC is ½ log of its variances' product over its determinant."""
    torch.manual_seed(1)
    n, noise = 2000, 0.6
    root = torch.tensor([[1.0, 0.0], [0.8, 0.6]])
    q = Normal(torch.randn(n, 2) @ root.T, torch.full((n, 2), noise))
    joint, marginals = log_aggregate(q, q.sample(), n, "stratified")
    covariance = root @ root.T + noise**2 * torch.eye(2)
    expected = 0.5 * (covariance.diagonal().log().sum() - covariance.logdet())
    assert (joint - marginals.sum(dim=1)).mean() == pytest.approx(expected.item(), abs=0.03)


@pytest.mark.parametrize("sampling", ["stratified", "weighted"])
def test_the_three_parts_sum_to_the_rate(sampling: Sampling) -> None:
    """Mutual information + TC + dimension-wise KL is the rate in expectation, whatever the estimates of q(z) are."""
    q, prior = posteriors(), Normal(torch.zeros(D, dtype=torch.float64), torch.ones(D, dtype=torch.float64))
    sums = []
    for _ in range(3000):
        z = q.sample()
        joint, marginals = log_aggregate(q, z, 10 * N, sampling)
        information = q.log_prob(z).sum(dim=1) - joint
        dimensionwise = (marginals - prior.log_prob(z)).sum(dim=1)
        sums.append((information + (joint - marginals.sum(dim=1)) + dimensionwise).mean())
    rate = kl_divergence(q, prior).sum(dim=1).mean()
    found = torch.stack(sums)
    assert abs(found.mean() - rate) < 5 * found.std() / len(sums) ** 0.5
