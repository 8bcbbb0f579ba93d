"""Likelihoods of counts against SciPy's, on counts and dispersions built to break them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from latentlab.analysis.encode.stage import encode
from latentlab.analysis.likelihood.stage import likelihood
from latentlab.data import Dataset, Form
from latentlab.models.counted import LARGEST, Counted, CountLikelihood
from latentlab.training.train import train

HARD = np.array(
    [[0, 0, 0, 0], [1, 0, 0, 0], [1_000_000, 0, 1, 2], [0, 10_000_000, 0, 0], [3, 5, 2, 999_990], [70, 80, 90, 100]]
)


def shares(outputs: np.ndarray) -> np.ndarray:
    outputs = outputs.astype(np.float64)
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def by_scipy(counts: np.ndarray, outputs: np.ndarray, log_theta: np.ndarray | None) -> np.ndarray:
    mean = np.maximum(counts.sum(axis=1, keepdims=True), 1) * shares(outputs)
    if log_theta is None:
        return stats.poisson.logpmf(counts, mean).sum(axis=1)
    theta = np.exp(log_theta.astype(np.float64))
    return stats.nbinom.logpmf(counts, theta, theta / (theta + mean)).sum(axis=1)


def ours(counts: np.ndarray, outputs: np.ndarray, log_theta: np.ndarray | None) -> np.ndarray:
    dispersion = None if log_theta is None else torch.tensor(log_theta, dtype=torch.float32)
    p = Counted(torch.tensor(outputs, dtype=torch.float32), 100.0, dispersion)
    return p.log_prob(torch.tensor(counts, dtype=torch.float32)).numpy()


@pytest.mark.parametrize("log_theta", [-12.0, -3.0, 0.0, 4.0, 10.0, None])
def test_hard_counts_have_scipys_log_probability(log_theta: float | None) -> None:
    outputs = np.random.default_rng(0).normal(size=HARD.shape).astype(np.float32) * 3
    dispersion = None if log_theta is None else np.full(4, log_theta, np.float32)
    expected = by_scipy(HARD, outputs, dispersion)
    np.testing.assert_allclose(ours(HARD, outputs, dispersion), expected, rtol=2e-6, atol=1e-3)


@given(st.integers(0, 2**31), st.floats(-8, 12))
@settings(max_examples=40, deadline=None)
def test_ordinary_counts_have_scipys_log_probability(seed: int, log_theta: float) -> None:
    rng = np.random.default_rng(seed)
    counts, outputs = rng.poisson(rng.exponential(5, (3, 7))), rng.normal(size=(3, 7)).astype(np.float32)
    dispersion = (log_theta + rng.normal(size=7)).astype(np.float32)
    np.testing.assert_allclose(ours(counts, outputs, dispersion), by_scipy(counts, outputs, dispersion), rtol=1e-5)


def test_without_dispersion_it_becomes_a_poisson() -> None:
    """At θ of half a billion all digits of float32 cancel; the Poisson's value is what must come out."""
    outputs = np.random.default_rng(1).normal(size=HARD.shape).astype(np.float32)
    found = ours(HARD[-1:], outputs[-1:], np.full(4, LARGEST + 10, np.float32))
    np.testing.assert_allclose(found, by_scipy(HARD[-1:], outputs[-1:], None), rtol=1e-5)


@pytest.mark.parametrize("log_theta", [None, -1.0, 2.0])
def test_given_a_library_size_the_probabilities_of_a_feature_sum_to_one(log_theta: float | None) -> None:
    """Two features whose counts sum to the library, so that log_prob's own library is the same for all of them."""
    mean, theta = 6.0, None if log_theta is None else np.exp(log_theta)
    grid = np.arange(3000)
    pmf = stats.poisson.pmf(grid, mean) if theta is None else stats.nbinom.pmf(grid, theta, theta / (theta + mean))
    assert pmf.sum() == pytest.approx(1, abs=1e-9)
    k = np.arange(21)
    counts, outputs = np.column_stack([k, 20 - k]), np.tile(np.log([0.3, 0.7]), (21, 1))
    dispersion = None if log_theta is None else np.full(2, log_theta)
    other = 14.0
    second = (
        stats.poisson.logpmf(20 - k, other)
        if theta is None
        else stats.nbinom.logpmf(20 - k, theta, theta / (theta + other))
    )
    np.testing.assert_allclose(ours(counts, outputs, dispersion), np.log(pmf[:21]) + second, rtol=1e-5)


@pytest.mark.parametrize("log_theta", [None, 0.0, 3.0])
def test_draws_have_the_mean_and_the_variance(log_theta: float | None) -> None:
    torch.manual_seed(0)
    outputs = torch.tensor([[0.0, 1.0, 2.0]])
    p = Counted(outputs, 200.0, None if log_theta is None else torch.full((3,), log_theta))
    x, mean = p.sample((20_000,))[:, 0], p.mean[0]
    variance = mean if log_theta is None else mean + mean**2 / np.exp(log_theta)
    assert float(p.mean.sum()) == pytest.approx(200, rel=1e-5)
    np.testing.assert_allclose(x.mean(dim=0), mean, rtol=0.05)
    np.testing.assert_allclose(x.var(dim=0), variance, rtol=0.12)


def test_gradients_are_finite_where_numbers_are_extreme() -> None:
    outputs = torch.tensor([[-60.0, 0.0, 60.0, 3.0]] * len(HARD), requires_grad=True)
    dispersion = torch.tensor([-30.0, 0.0, 60.0, 12.0], requires_grad=True)
    Counted(outputs, 10.0, dispersion).log_prob(torch.tensor(HARD, dtype=torch.float32)).sum().backward()
    assert torch.isfinite(outputs.grad).all()  # type: ignore[arg-type]
    assert torch.isfinite(dispersion.grad).all()  # type: ignore[arg-type]


def test_a_library_size_changes_no_proportion() -> None:
    """Twice the counts of the same cell: the encoder sees another depth, the decoder's best proportions are equal."""
    likely = CountLikelihood(Form("counts", (3,), stored="int32", library=50.0), dispersed=False)
    counts = torch.tensor([[10.0, 20.0, 30.0]])
    best = [likely((scale * counts).log()).mean for scale in (1, 2)]
    torch.testing.assert_close(best[0], best[1])
    assert float(likely((counts).log()).log_prob(counts)) > float(likely(torch.zeros(1, 3)).log_prob(counts))


@pytest.mark.parametrize("name", ["auto", "poisson"])
def test_log_p_of_counts_is_above_the_elbo_and_says_what_is_given(name: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    counts = rng.poisson(np.exp(rng.normal(size=(60, 1)) * np.linspace(-1, 1, 8) + 1))
    data = Dataset("cells", (60, 8), lambda rows: counts[rows], form=Form("counts", (8,), stored="int32"))
    run = train(data, tmp_path / "run", steps=40, latent_dim=2, threads=1, likelihood=name)
    assert run.config.likelihood == {"auto": "negative-binomial", "poisson": "poisson"}[name]
    encode(run, data)
    found = likelihood(run, data=data, rows=6, samples=200)
    assert found.settings["given"] == "library size"
    assert (found.estimate > found.elbo - 0.5).all()
    assert found.exact is not None
    assert np.abs(found.exact.log_likelihood - found.exact.estimate).max() < 0.5
