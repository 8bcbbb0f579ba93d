"""A tiny autoencoder and images for it: 4×4 pixels, three latent dimensions, the same weights each time."""

import torch

from latentlab.models import Autoencoder
from latentlab.models.likelihoods import GaussianLikelihood
from latentlab.models.networks.mlp import decoder, encoder

SHAPE, D = (1, 4, 4), 3


def model(sigma: float = 1.0, *, stochastic: bool = True) -> Autoencoder:
    torch.manual_seed(0)
    outputs = 2 * D if stochastic else D
    return Autoencoder(encoder(SHAPE, outputs), decoder(D, SHAPE), GaussianLikelihood(sigma, learned=False), D)


def images(n: int = 6) -> torch.Tensor:
    return torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(1))
