"""A perceptron with one hidden layer of 512 units each way: what pythae builds where no network is given."""

import math

from torch import nn

HIDDEN = 512
LEARNING_RATE = 1e-3


def encoder(image_shape: tuple[int, int, int], outputs: int) -> nn.Module:
    """Images (n, c, h, w) to (n, outputs)."""
    return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(image_shape), HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, outputs))


def decoder(latent_dim: int, image_shape: tuple[int, int, int]) -> nn.Module:
    """Codes (n, d) to (n, c, h, w)."""
    return nn.Sequential(
        nn.Linear(latent_dim, HIDDEN),
        nn.ReLU(),
        nn.Linear(HIDDEN, math.prod(image_shape)),
        nn.Unflatten(1, image_shape),
    )
