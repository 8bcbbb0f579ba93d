"""The convolutional pair of Burgess et al. (2018), "Understanding disentangling in β-VAE", appendix A.

Convolutions of 32 channels, kernel 4, stride 2 halve the image down to 4×4 (to the last even size, for others), then
two layers of 256 units; the decoder is its mirror. 64×64 gives the published network.
"""

import math
from itertools import pairwise

from torch import nn

from latentlab.errors import InputError
from latentlab.models.networks._layers import ConvTranspose2d, keep_variance

CHANNELS = 32
HIDDEN = 256
LEARNING_RATE = 5e-4
MEMORY_FORMAT = "channels_last"
PRECISION = "mixed"  # where the processor has bfloat16: docs/decisions/0005
SMALLEST, LARGEST = 4, 16


def takes(shape: tuple[int, ...]) -> bool:
    """Whether the layers take images (c, h, w)."""
    if len(shape) != 3:
        return False
    count, smallest = _halved((shape[1], shape[2]))
    return count > 0 and max(smallest) <= LARGEST


def halvings(size: tuple[int, int]) -> int:
    """How many times an image (h, w) is halved; an `InputError` where the layers cannot take it."""
    if not takes((1, *size)):
        raise InputError(
            f"images are {size[0]}×{size[1]}; the burgess network halves them to {LARGEST} or fewer pixels per side, "
            "so resize them (add :size=64 to a folder of images) or choose --network mlp"
        )
    return _halved(size)[0]


def _halved(size: tuple[int, int]) -> tuple[int, tuple[int, int]]:
    """How many times an image (h, w) is halved, and the size that it then has."""
    count, (height, width) = 0, size
    while min(height, width) > SMALLEST and height % 2 == 0 and width % 2 == 0:
        count, height, width = count + 1, height // 2, width // 2
    return count, (height, width)


def encoder(shape: tuple[int, ...], outputs: int) -> nn.Module:
    """Images (n, c, h, w) to (n, outputs)."""
    channels, *size = shape
    count = halvings((size[0], size[1]))
    widths = [channels] + [CHANNELS] * count
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.ReLU(inplace=True)]
    flat = math.prod(_smallest(shape))
    dense = [
        nn.Linear(flat, HIDDEN),
        nn.ReLU(inplace=True),
        nn.Linear(HIDDEN, HIDDEN),
        nn.ReLU(inplace=True),
        nn.Linear(HIDDEN, outputs),
    ]
    return keep_variance(nn.Sequential(*layers, nn.Flatten(), *dense))


def decoder(latent_dim: int, shape: tuple[int, ...]) -> nn.Module:
    """Codes (n, d) to (n, c, h, w)."""
    smallest = _smallest(shape)
    dense = [nn.Linear(latent_dim, HIDDEN), nn.ReLU(inplace=True), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(inplace=True)]
    dense += [nn.Linear(HIDDEN, math.prod(smallest)), nn.ReLU(inplace=True), nn.Unflatten(1, smallest)]
    count = halvings((shape[1], shape[2]))
    layers: list[nn.Module] = []
    for _ in range(count - 1):
        layers += [ConvTranspose2d(CHANNELS, CHANNELS, 4, stride=2, padding=1), nn.ReLU(inplace=True)]
    layers += [ConvTranspose2d(CHANNELS, shape[0], 4, stride=2, padding=1)]
    return keep_variance(nn.Sequential(*dense, *layers))


def _smallest(shape: tuple[int, ...]) -> tuple[int, int, int]:
    _, height, width = shape
    factor = 2 ** halvings((height, width))
    return CHANNELS, height // factor, width // factor
