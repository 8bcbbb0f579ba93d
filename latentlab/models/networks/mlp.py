"""A multilayer perceptron: two hidden layers of 512 units each way. Any shape; of images at its best up to 32×32."""

import math

from torch import nn

HIDDEN = 512
LEARNING_RATE = 1e-3


def encoder(shape: tuple[int, ...], outputs: int) -> nn.Module:
    """Samples (n, *shape) to (n, outputs)."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(math.prod(shape), HIDDEN),
        nn.ReLU(),
        nn.Linear(HIDDEN, HIDDEN),
        nn.ReLU(),
        nn.Linear(HIDDEN, outputs),
    )


def decoder(latent_dim: int, shape: tuple[int, ...]) -> nn.Module:
    """Codes (n, d) to (n, *shape)."""
    return nn.Sequential(
        nn.Linear(latent_dim, HIDDEN),
        nn.ReLU(),
        nn.Linear(HIDDEN, HIDDEN),
        nn.ReLU(),
        nn.Linear(HIDDEN, math.prod(shape)),
        nn.Unflatten(1, shape),
    )
