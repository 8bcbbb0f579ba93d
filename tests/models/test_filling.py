"""Missing pixels against the conditional that a linear Gaussian model has in closed form."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Normal

from latentlab.errors import InputError
from latentlab.models import Model, wrap
from latentlab.models.filling import fill
from latentlab.models.live import Live

SIGMA, SIDE = 0.1, 3
PIXELS = SIDE * SIDE


class Linear(nn.Module):
    """x = ½ + Wz + ε, with the exact posterior of z given x as its encoder, or one that is `blunt` times as wide."""

    def __init__(self, blunt: float) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = nn.Parameter(0.08 * torch.randn(PIXELS, 2, generator=generator))
        precision = torch.eye(2) + self.weight.detach().T @ self.weight.detach() / SIGMA**2
        self.covariance = torch.linalg.inv(precision)
        # The posterior is made independent by turning z, which leaves the prior as it is.
        turn = torch.linalg.eigh(self.covariance).eigenvectors
        self.weight.data = self.weight.data @ turn
        self.variance = blunt * (turn.T @ self.covariance @ turn).diag()
        self.blunt = blunt

    def encode(self, x: torch.Tensor) -> Normal:
        mean = (self.variance / self.blunt) * ((x.flatten(1) - 0.5) @ self.weight / SIGMA**2)
        return Normal(mean, self.variance.sqrt().expand_as(mean), validate_args=False)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return (0.5 + z @ self.weight.T).reshape(-1, 1, SIDE, SIDE)


def model(blunt: float = 1.0) -> tuple[Model, np.ndarray]:
    made = Linear(blunt)
    wrapped = wrap(made.encode, made.decode, latent_dim=2, likelihood="gaussian", sigma=SIGMA)
    return wrapped, made.weight.detach().numpy().astype(float)


HIDDEN = np.array([[False] * 3, [False] * 3, [True] * 3])


def conditional(weight: np.ndarray, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the hidden pixels' likelihood means given the others: Gaussian conditioning."""
    covariance = weight @ weight.T
    seen, missing = np.flatnonzero(~HIDDEN.ravel()), np.flatnonzero(HIDDEN.ravel())
    noisy = covariance[np.ix_(seen, seen)] + SIGMA**2 * np.eye(len(seen))
    gain = covariance[np.ix_(missing, seen)] @ np.linalg.inv(noisy)
    mean = 0.5 + gain @ (image.ravel()[seen] - 0.5)
    return mean, covariance[np.ix_(missing, missing)] - gain @ covariance[np.ix_(seen, missing)]


@pytest.mark.parametrize("blunt", [1.0, 3.0], ids=["exact encoder", "encoder too wide"])
def test_draws_follow_the_models_own_conditional(blunt: float) -> None:
    made, weight = model(blunt)
    images = np.tile(np.array([200, 60, 150, 90, 220, 100, 0, 0, 0], np.uint8).reshape(1, 1, 3, 3), (400, 1, 1, 1))
    found = fill(made, images, HIDDEN, draws=10)
    mean, covariance = conditional(weight, images[0] / 255)
    drawn = found.images[..., 2, :].reshape(-1, 3) / 255
    np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=0.006)
    np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.06 * np.abs(covariance).max() + 2e-5)
    accepted = np.array(found.settings["acceptance"])
    if blunt == 1:
        np.testing.assert_allclose(accepted, 1, atol=1e-3)
    else:
        assert 0.1 < accepted.mean() < 0.9


def test_what_was_seen_stays_and_the_seed_fixes_the_rest() -> None:
    made, _ = model()
    images = np.random.default_rng(0).integers(0, 256, (4, 1, 3, 3)).astype(np.uint8)
    live = Live(made, 1)
    found = live.fill(images, HIDDEN, draws=3, seed=5)
    assert found.images.shape == (3, 4, 1, 3, 3)
    np.testing.assert_array_equal(found.images[..., :2, :], np.tile(images[:, :, :2], (3, 1, 1, 1, 1)))
    np.testing.assert_array_equal(found.images, live.fill(images, HIDDEN, draws=3, seed=5).images)
    assert (found.images != live.fill(images, HIDDEN, draws=3, seed=6).images).any()
    decoded = live.decode(found.codes)
    np.testing.assert_array_equal(decoded[..., 2, :], found.images[..., 2, :])
    hidden_otherwise = images.copy()
    hidden_otherwise[:, :, 2] = 255 - images[:, :, 2]
    np.testing.assert_array_equal(found.images, live.fill(hidden_otherwise, HIDDEN, draws=3, seed=5).images)


def test_what_cannot_be_filled_is_refused() -> None:
    made, _ = model()
    images = np.zeros((2, 1, 3, 3), np.uint8)
    for mask in (np.zeros((3, 3), bool), np.ones((3, 3), bool)):
        with pytest.raises(InputError, match="expected some, and not all"):
            fill(made, images, mask)
    with pytest.raises(InputError, match=r"expected \(channels, height, width\)"):
        fill(made, images[0], HIDDEN)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(9, 9))
    deterministic = wrap(encoder, nn.Unflatten(1, (1, 3, 3)), latent_dim=9, likelihood="gaussian")
    with pytest.raises(InputError, match="no posterior"):
        fill(deterministic, images, HIDDEN)
