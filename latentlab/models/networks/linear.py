"""One linear map each way: with a Gaussian likelihood, probabilistic PCA. What it keeps at each β is known exactly.

`latentlab advise` predicts it (Lucas et al. 2019, "Don't blame the ELBO! A linear VAE perspective on posterior
collapse").
"""

import math

from torch import nn

LEARNING_RATE = 1e-3


def encoder(image_shape: tuple[int, int, int], outputs: int) -> nn.Module:
    """Images (n, c, h, w) to (n, outputs)."""
    return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(image_shape), outputs))


def decoder(latent_dim: int, image_shape: tuple[int, int, int]) -> nn.Module:
    """Codes (n, d) to (n, c, h, w)."""
    return nn.Sequential(nn.Linear(latent_dim, math.prod(image_shape)), nn.Unflatten(1, image_shape))
