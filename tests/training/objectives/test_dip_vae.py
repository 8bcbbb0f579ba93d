"""Laws of the covariance penalties."""

import pytest
import torch
from torch.distributions import Normal

from latentlab.training.objectives._objective import Sampled
from latentlab.training.objectives.dip_vae_i import DIPVAEI, covariance, covariance_penalty
from latentlab.training.objectives.dip_vae_ii import DIPVAEII


def batch(mean: torch.Tensor, variance: torch.Tensor) -> Sampled:
    empty = torch.empty(0)
    return Sampled(Normal(mean, variance.sqrt()), empty, empty, empty, empty)


def test_covariance_is_numpys() -> None:
    values = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(covariance(values), torch.cov(values.T, correction=0))


def test_no_penalty_at_the_identity_alone() -> None:
    assert covariance_penalty(torch.eye(4), 3.0, 7.0) == 0
    assert covariance_penalty(torch.tensor([[2.0, 0.5], [0.5, 1.0]]), 3.0, 7.0) == pytest.approx(3 * 2 * 0.25 + 7)


def test_the_first_holds_the_means_and_the_second_the_aggregate() -> None:
    """Independent signs have the identity as covariance; half of it in the variances is the second's identity."""
    signs = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    first = batch(signs, torch.full((4, 2), 0.3))
    torch.testing.assert_close(DIPVAEI().covariance(first), torch.eye(2))
    second = batch(signs * 0.5**0.5, torch.full((4, 2), 0.5))
    torch.testing.assert_close(DIPVAEII().covariance(second), torch.eye(2))
    assert not torch.allclose(DIPVAEI().covariance(second), torch.eye(2))


def test_the_seconds_covariance_is_that_of_its_samples() -> None:
    torch.manual_seed(0)
    mean, variance = torch.randn(6, 3), torch.rand(6, 3)
    samples = Normal(mean, variance.sqrt()).sample((100_000,)).reshape(-1, 3)
    torch.testing.assert_close(DIPVAEII().covariance(batch(mean, variance)), covariance(samples), atol=0.02, rtol=0)


def test_nothing_is_rounded_under_autocast() -> None:
    values = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(covariance(values), covariance(values.clone()))
        assert covariance(values).dtype == torch.float32
