"""Laws of the objectives: the closed form of the rate, the family, and the three conventions for β."""

import pytest
import torch
from tiny import SHAPE, D, images, model
from torch.distributions import Independent, Normal, kl_divergence

from latentlab.errors import InputError
from latentlab.models import Autoencoder, Point
from latentlab.models.networks.mlp import decoder, encoder
from latentlab.system.registry import names
from latentlab.training.objectives import Moment, Terms, build_objective, gaussian_rate

ROWS = 50
START = Moment(0, ROWS)


def posterior(seed: int = 0, n: int = 5) -> Normal:
    torch.manual_seed(seed)
    return Normal(torch.randn(n, D) * 2, torch.rand(n, D) + 0.1)


def test_rate_is_torch_distributions_kl() -> None:
    q = posterior()
    rate, _ = gaussian_rate(q)
    torch.testing.assert_close(rate, kl_divergence(q, Normal(torch.zeros(D), torch.ones(D))))


def test_rate_is_the_monte_carlo_kl() -> None:
    q, prior = posterior(n=1), Normal(torch.zeros(D), torch.ones(D))
    z = q.rsample((400_000,))
    sampled = (q.log_prob(z) - prior.log_prob(z)).mean(dim=0)
    spread = (q.log_prob(z) - prior.log_prob(z)).std(dim=0) / 400_000**0.5
    assert ((gaussian_rate(q)[0] - sampled).abs() < 5 * spread).all()


def test_rate_parts_add_up_and_vanish_at_the_prior() -> None:
    q = posterior()
    rate, centred = gaussian_rate(q)
    torch.testing.assert_close(rate - centred, 0.5 * (q.variance - 1 - q.variance.log()))
    assert (gaussian_rate(Normal(torch.zeros(1, D), torch.ones(1, D)))[0] == 0).all()


def test_a_point_has_no_rate() -> None:
    with pytest.raises(TypeError, match="no rate"):
        gaussian_rate(Point(torch.zeros(2, D)))


def test_loss_is_distortion_plus_beta_rate() -> None:
    terms = build_objective({"name": "beta-vae", "beta": 4}).terms(model(), images(), START)
    assert terms.rate is not None
    torch.testing.assert_close(terms.loss, (terms.distortion + 4 * terms.rate.sum(1)).mean())


def test_vae_is_beta_vae_at_one() -> None:
    losses = []
    for settings in ({"name": "vae"}, {"name": "beta-vae", "beta": 1}):
        m, x = model(), images()
        torch.manual_seed(3)
        losses.append(build_objective(settings).terms(m, x, START).loss)
    assert torch.equal(*losses)


def loss(settings: dict, step: int = 0) -> torch.Tensor:
    """The loss of one batch under these settings, with the same weights, images and noise each time."""
    m, objective = model(), build_objective(settings)
    moment = Moment(step, ROWS, objective.critic(D, "cpu"))
    torch.manual_seed(3)
    return objective.terms(m, images(), moment).loss


@pytest.mark.parametrize(
    ("settings", "equal"),
    [
        ({"name": "annealed-vae", "gamma": 7, "capacity": 0}, {"name": "beta-vae", "beta": 7}),
        ({"name": "annealed-vae", "gamma": 7, "capacity": 50, "anneal_steps": 9}, {"name": "beta-vae", "beta": 7}),
        ({"name": "beta-tcvae", "beta": 1}, {"name": "vae"}),
        ({"name": "beta-tcvae", "beta": 1, "sampling": "weighted"}, {"name": "vae"}),
        ({"name": "factor-vae", "gamma": 0}, {"name": "vae"}),
        ({"name": "dip-vae-i", "lambda_od": 0, "lambda_d": 0}, {"name": "vae"}),
        ({"name": "dip-vae-ii", "lambda_od": 0, "lambda_d": 0}, {"name": "vae"}),
        ({"name": "info-vae", "alpha": 0, "scale": 1}, {"name": "vae"}),
        ({"name": "info-vae", "alpha": -3, "scale": 4}, {"name": "beta-vae", "beta": 4}),
        ({"name": "beta-vae", "beta": 4, "warmup_steps": 100}, {"name": "beta-vae", "beta": 0}),
    ],
    ids=str,
)
def test_where_two_objectives_are_one(settings: dict, equal: dict) -> None:
    """At step 0, where C and a warm-up's weight are 0."""
    torch.testing.assert_close(loss(settings), loss(equal))


def test_annealing_ends_at_the_capacity() -> None:
    """Past the rate, more capacity costs γ a nat; after ``anneal_steps`` it no longer rises."""
    settings = {"name": "annealed-vae", "gamma": 2, "capacity": 30, "anneal_steps": 10}
    at = [loss(settings, step) for step in (0, 5, 9, 10, 1000)]
    torch.testing.assert_close(at[2] - at[1], torch.tensor(2 * 12.0))
    torch.testing.assert_close(at[3] - at[2], torch.tensor(2 * 3.0))
    assert torch.equal(at[3], at[4])
    assert at[0] < at[1]


def test_warm_up_rises_linearly_and_ends_at_beta() -> None:
    warm = {"name": "beta-vae", "beta": 4, "warmup_steps": 8}
    torch.testing.assert_close(loss(warm, 2), loss({"name": "beta-vae", "beta": 1}))
    for step in (8, 9, 100):
        assert torch.equal(loss(warm, step), loss({"name": "beta-vae", "beta": 4}))


def test_free_bits_leave_dimensions_below_the_floor_alone() -> None:
    free, full = build_objective({"name": "beta-vae", "free_bits": 0.5}), build_objective({"name": "beta-vae"})
    rate = torch.tensor([[0.1, 0.4, 2.0], [0.3, 0.8, 4.0]], requires_grad=True)
    charged = free.charged(rate)
    assert charged.item() == pytest.approx(0.5 + 0.6 + 3.0)
    (found,) = torch.autograd.grad(charged, rate)
    assert found.tolist() == [[0, 0.5, 0.5], [0, 0.5, 0.5]]
    (found,) = torch.autograd.grad(full.charged(rate).mean(), rate)
    assert (found == 0.5).all()


def test_ae_is_beta_vae_at_zero_without_noise() -> None:
    """A β-VAE at β = 0 whose posterior is a point minimises what the plain autoencoder minimises."""
    m, x = model(stochastic=False), images()
    ae = build_objective({"name": "ae"}).terms(m, x, START)
    assert ae.rate is None
    torch.testing.assert_close(ae.loss, -m.decode(m.encoder(x)).log_prob(x).mean())


def gradient(m: Autoencoder, loss: torch.Tensor) -> torch.Tensor:
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(m.parameters()))])


@pytest.mark.parametrize(
    ("half_error", "half_kl", "beta_of_variance"), [(1.0, 1.0, 1.0), (0.5, 0.5, 1.0), (1.0, 0.5, 2.0)]
)
def test_three_conventions_of_beta(half_error: float, half_kl: float, beta_of_variance: float) -> None:
    """Squared error plus β·KL has the gradient of (a multiple of) −ELBO of a Gaussian decoder of variance σ².

    Without any ½, ‖x − f‖² + β(μ² + σ² − 1 − log σ²): β = σ². With ½ on both: σ² again. With ½ on the KL alone: 2σ².
    """
    variance = 0.3
    m, x = model(variance**0.5), images()
    noise = torch.randn(len(x), D, generator=torch.Generator().manual_seed(2))
    q = m.encode(x)
    assert isinstance(q, Normal)
    z = q.mean + q.stddev * noise
    likelihood = m.decode(z)
    elbo = (likelihood.log_prob(x) - gaussian_rate(q)[0].sum(1)).mean()
    error = (x - likelihood.mean).square().sum(dim=(1, 2, 3))
    doubled_kl = (q.mean.square() + q.variance - 1 - q.variance.log()).sum(1)
    conventional = (half_error * error + beta_of_variance * variance * half_kl * doubled_kl).mean()
    scale = 2 * variance * half_error
    torch.testing.assert_close(
        gradient(m, conventional), gradient_again(variance, x, noise) * scale, rtol=1e-4, atol=1e-6
    )
    assert torch.isfinite(elbo)


def gradient_again(variance: float, x: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """The gradient of −ELBO on a fresh copy of the same model."""
    m = model(variance**0.5)
    q = m.encode(x)
    assert isinstance(q, Normal)
    z = q.mean + q.stddev * noise
    return gradient(m, -(m.decode(z).log_prob(x) - gaussian_rate(q)[0].sum(1)).mean())


def test_no_such_identity_for_bernoulli() -> None:
    """Rescaling β cannot turn a Bernoulli's −ELBO into another β: the gradients are not parallel."""
    from latentlab.models.likelihoods import BernoulliLikelihood

    grads = []
    for beta in (1.0, 4.0):
        torch.manual_seed(0)
        m = Autoencoder(encoder(SHAPE, 2 * D), decoder(D, SHAPE), BernoulliLikelihood(), D)
        torch.manual_seed(1)
        grads.append(gradient(m, build_objective({"name": "beta-vae", "beta": beta}).terms(m, images(), START).loss))
    assert torch.cosine_similarity(grads[0], grads[1], dim=0) < 0.999


@pytest.mark.parametrize("name", names("training/objectives"))
def test_every_objective_gives_terms_with_gradients(name: str) -> None:
    objective = build_objective({"name": name})
    m = model(stochastic=objective.stochastic)
    terms = objective.terms(m, images(), Moment(3, ROWS, objective.critic(D, "cpu")))
    assert isinstance(terms, Terms)
    assert terms.distortion.shape == (6,)
    assert (terms.rate is not None) == objective.stochastic
    if terms.rate is not None:
        assert terms.rate.shape == (6, D)
        assert (terms.rate >= -1e-6).all()
    assert (terms.critic_loss is not None) == (name == "factor_vae")
    terms.loss.backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in m.parameters())


def test_wrong_settings() -> None:
    with pytest.raises(InputError, match=r"beta is -1.*greater than or equal to 0"):
        build_objective({"name": "beta-vae", "beta": -1})
    with pytest.raises(InputError, match="did you mean 'beta-vae'"):
        build_objective({"name": "beta-vea"})
    with pytest.raises(InputError, match="gamma is not a setting"):
        build_objective({"name": "vae", "gamma": 1})
    with pytest.raises(InputError, match=r"sampling is 'none'.*'weighted' or 'stratified'"):
        build_objective({"name": "beta-tcvae", "sampling": "none"})
    with pytest.raises(InputError, match=r"alpha is 2.*less than or equal to 1"):
        build_objective({"name": "info-vae", "alpha": 2})


def test_event_is_one_image() -> None:
    assert isinstance(model().decode(torch.zeros(2, D)), Independent)
    assert model().decode(torch.zeros(2, D)).log_prob(torch.zeros(2, *SHAPE)).shape == (2,)
