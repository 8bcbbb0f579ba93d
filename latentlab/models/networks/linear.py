"""One linear map each way: with a Gaussian likelihood, probabilistic PCA. What it keeps at each β is known exactly.

`latentlab advise` predicts it (Lucas et al. 2019, "Don't blame the ELBO! A linear VAE perspective on posterior
collapse").
"""

import math

from torch import nn

LEARNING_RATE = 1e-3


def encoder(shape: tuple[int, ...], outputs: int) -> nn.Module:
    """Samples (n, *shape) to (n, outputs)."""
    return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), outputs))


def decoder(latent_dim: int, shape: tuple[int, ...]) -> nn.Module:
    """Codes (n, d) to (n, *shape)."""
    return nn.Sequential(nn.Linear(latent_dim, math.prod(shape)), nn.Unflatten(1, shape))
