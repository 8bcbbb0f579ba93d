"""Estimates of log p(x), held against a model whose every integral is known in closed form."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Independent, MultivariateNormal, Normal, kl_divergence

from latentlab.analysis.likelihood import compute_quadrature
from latentlab.analysis.likelihood.compute import estimate, importance_bound
from latentlab.analysis.likelihood.compute_quadrature import log_joint
from latentlab.analysis.likelihood.record import load_evidence, save_evidence
from latentlab.errors import InputError
from latentlab.models import Point

SHAPE, SIGMA = (1, 3, 3), 0.5


class Linear(torch.nn.Module):
    """Probabilistic PCA with orthogonal columns: its exact posterior is diagonal, so q can equal it.

    ``widen`` multiplies the deviations of q, ``shift`` moves its mean.
    """

    latent_dim = 2

    def __init__(self, widen: float = 1.0, shift: float = 0.0) -> None:
        super().__init__()
        basis = torch.linalg.qr(torch.randn(9, 2, generator=torch.Generator().manual_seed(0)))[0]
        self.weight = torch.nn.Parameter(basis * torch.tensor([2.0, 0.7]))
        self.widen, self.shift = widen, shift

    def exact_posterior(self, x: torch.Tensor) -> Normal:
        precision = 1 + (self.weight**2).sum(dim=0) / SIGMA**2
        mean = (x.flatten(1) - 0.5) @ self.weight / SIGMA**2 / precision
        return Normal(mean, (1 / precision).sqrt().expand_as(mean))

    def encode(self, x: torch.Tensor) -> Normal:
        q = self.exact_posterior(x)
        return Normal(q.mean + self.shift, q.stddev * self.widen)

    def decode(self, z: torch.Tensor) -> Independent:
        mean = 0.5 + (z @ self.weight.T).reshape(-1, *SHAPE)
        return Independent(Normal(mean, SIGMA), 3)

    def log_likelihood(self, x: torch.Tensor) -> np.ndarray:
        covariance = self.weight @ self.weight.T + SIGMA**2 * torch.eye(9)
        return MultivariateNormal(torch.full((9,), 0.5), covariance).log_prob(x.flatten(1)).detach().numpy()


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (12, *SHAPE)).astype(np.uint8)


def as_floats(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(images).float() / 255


ROWS = np.arange(12)


def test_with_the_exact_posterior_every_sample_says_log_p_of_x(images):
    model = Linear()
    found = estimate(model, images, ROWS, samples=50)
    truth = model.log_likelihood(as_floats(images))
    np.testing.assert_allclose(found.estimate, truth, atol=1e-4)
    np.testing.assert_allclose(found.ess, 50, rtol=1e-4)
    assert found.variance_sampled.max() < 1e-8, "the sampled KL cancels the noise of the distortion"
    assert found.variance_closed.min() > 0.1, "the closed form leaves that noise in"
    np.testing.assert_allclose(found.bounds, truth.mean(), atol=1e-4)


@pytest.mark.parametrize(("widen", "shift"), [(1.0, 0.0), (1.5, 0.0), (0.6, 0.1)])
def test_quadrature_gives_the_closed_form_and_the_gap_is_the_divergence(images, widen, shift):
    model = Linear(widen, shift)
    exact = estimate(model, images, ROWS, samples=10).exact
    x = as_floats(images)
    with torch.no_grad():
        gap = kl_divergence(model.encode(x), model.exact_posterior(x)).sum(dim=1).numpy()
    np.testing.assert_allclose(exact.log_likelihood, model.log_likelihood(x), atol=1e-4)
    np.testing.assert_allclose(exact.gap, gap, atol=2e-4)
    np.testing.assert_allclose(exact.elbo + exact.gap, exact.log_likelihood, atol=2e-4)
    assert exact.error.max() < 0.02
    area = np.prod([axis[:, 1] - axis[:, 0] for axis in np.moveaxis(exact.axes, 1, 0)], axis=0)
    mass = exact.posterior.sum(axis=(1, 2)) * area
    np.testing.assert_allclose(mass, 1, atol=1e-3, err_msg="the window holds all of the exact posterior")


@pytest.mark.parametrize("shift", [25.0, -0.5])
@pytest.mark.parametrize(
    ("part", "share"),
    [("_evidence", 1), ("log_joint", 1), ("_given", -1), ("_elbo", -1), ("_log_normal", -1), ("_divergence", -1)],
)
def test_an_error_in_any_term_breaks_the_identity_by_as_much(images, monkeypatch, part, share, shift):
    """A constant of `shift` nats is planted in what one term is made of: log p(x), its integrand, the ELBO, the KL."""
    right = getattr(compute_quadrature, part)

    def wrong(*args):
        found = right(*args)
        return (found[0] + shift, found[1]) if part == "_evidence" else found + shift

    sound = estimate(Linear(1.3, 0.1), images, ROWS, samples=10).summary()["exact"]
    monkeypatch.setattr(compute_quadrature, part, wrong)
    exact = estimate(Linear(1.3, 0.1), images, ROWS, samples=10).exact
    off = exact.log_likelihood - exact.elbo - exact.gap
    assert sound["identity_error"] < 1e-3
    if part == "_log_normal":  # it weighs the rows as well: the sum over q is off by more than the constant
        assert np.abs(off).min() > 0.1
    else:
        np.testing.assert_allclose(off, share * shift, atol=1e-3)


def test_the_identity_of_older_files_is_not_shown_as_a_check(images):
    """Their KL was made of log p(x), so that the identity held whatever the terms were."""
    found = estimate(Linear(1.3), images, ROWS, samples=10)
    older = replace(found, settings={"samples": 10})
    assert found.summary()["exact"]["identity_error"] < 1e-3
    assert np.isnan(older.summary()["exact"]["identity_error"])


def test_more_samples_raise_the_bound_towards_log_p_of_x(images):
    model = Linear(1.5, 0.1)
    found = estimate(model, images, ROWS, samples=1000)
    truth = model.log_likelihood(as_floats(images)).mean()
    assert found.counts.tolist() == [1, 10, 100, 1000]
    assert np.all(np.diff(found.bounds) > 0)
    assert found.bounds[-1] == pytest.approx(truth, abs=0.05)
    assert found.bounds[0] == pytest.approx(found.elbo.mean(), abs=0.1)
    assert 10 < np.median(found.ess) < 900


def test_both_estimators_of_the_elbo_agree(images):
    found = estimate(Linear(1.3), images, ROWS, samples=4000)
    spread = np.sqrt((found.variance_sampled + found.variance_closed).mean() / 4000 / len(images))
    assert abs(found.bounds[0] - found.elbo.mean()) < 5 * spread


def test_equal_seeds_give_equal_bits(images):
    first, again, other = (estimate(Linear(1.3), images, ROWS, samples=20, seed=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(first.estimate, again.estimate)
    assert (first.estimate != other.estimate).all()


class Bits(Linear):
    """The same encoder before a Bernoulli likelihood."""

    def decode(self, z: torch.Tensor) -> Independent:
        return Independent(Bernoulli(logits=(z @ self.weight.T).reshape(-1, *SHAPE), validate_args=False), 3)


def test_the_product_of_matrices_is_the_likelihood_of_all_pairs():
    model, z = Bits(), torch.randn(5, 2)
    x = (torch.rand(4, *SHAPE) < 0.5).float()
    found = log_joint(model, z, x)
    with torch.no_grad():
        for i in range(4):
            expected = model.decode(z).log_prob(x[i].expand(5, *SHAPE)) + Normal(0.0, 1.0).log_prob(z).sum(dim=1)
            np.testing.assert_allclose(found[i], expected.numpy(), rtol=1e-5)


def test_probabilities_of_all_binary_images_sum_to_one():
    """The estimate is of a probability: over the 512 images of nine bits, exp(log p(x)) adds up."""
    bits = (np.arange(512)[:, None] >> np.arange(9)) & 1
    images = (bits * 255).astype(np.uint8).reshape(-1, *SHAPE)
    exact = compute_quadrature.integrate(Bits(), images, np.arange(512), np.zeros(512))
    assert np.exp(exact.log_likelihood).sum() == pytest.approx(1, abs=1e-4)


def test_quadrature_takes_as_many_rows_as_it_can_afford(images, monkeypatch):
    """Of the first rows, and the same values; where not even one can be had, the estimate says why and stays."""
    whole = estimate(Linear(), images, ROWS, samples=10).exact
    monkeypatch.setattr(compute_quadrature, "TERMS", 0)
    one = estimate(Linear(), images, ROWS, samples=10).exact
    assert one.row_ids.tolist() == [0]
    np.testing.assert_allclose(one.log_likelihood, whole.log_likelihood[:1], atol=1e-4)
    monkeypatch.setattr(compute_quadrature, "POINTS", 10)
    found = estimate(Linear(), images, ROWS, samples=10)
    assert found.exact is None
    assert "at most 10 are computed" in found.summary()["no_quadrature"]
    assert len(found.estimate) == len(images)


def test_grey_levels_under_a_bernoulli_likelihood_are_refused(images):
    with pytest.raises(InputError, match="not normalised") as caught:
        estimate(Bits(), images, ROWS, samples=10)
    assert len(str(caught.value)) < 200
    whites = np.where(images > 127, 255, 0).astype(np.uint8)
    assert np.isfinite(estimate(Bits(), whites, ROWS, samples=10).estimate).all()


def test_a_deterministic_encoder_is_refused(images):
    class Plain(Linear):
        def encode(self, x):
            return Point(self.exact_posterior(x).mean)

    with pytest.raises(InputError, match="deterministic"):
        estimate(Plain(), images, ROWS, samples=10)


def test_posteriors_too_narrow_for_a_grid_leave_the_estimate(images):
    found = estimate(Linear(widen=1e-4), images, ROWS, samples=10)
    assert found.exact is None
    assert "grid over the latent space needs" in found.summary()["no_quadrature"]


def test_the_bound_of_equal_weights_is_the_weight():
    assert importance_bound(np.full((2, 7), -3.0), 3) == pytest.approx([-3, -3])


def test_evidence_reads_back(images, tmp_path):
    found = estimate(Linear(1.2), images, ROWS, samples=30)
    save_evidence(tmp_path / "likelihood.h5", found, {"model": "x"})
    back = load_evidence(tmp_path / "likelihood.h5")
    assert back.summary() == found.summary()
    np.testing.assert_array_equal(back.exact.posterior, found.exact.posterior)
