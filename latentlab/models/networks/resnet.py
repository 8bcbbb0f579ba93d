"""A residual convolutional pair with group normalisation, for images of any size and shape.

The encoder halves the image (an odd side rounded up) to 4 or fewer pixels per side; at each size it widens the channels
and adds two 3×3 convolutions to what passes by (He et al. 2016, "Identity mappings in deep residual networks", the
pre-activation block of figure 1b). The decoder goes through the same sizes backwards, enlarging by nearest neighbours,
which leaves no checkerboard. Group normalisation (Wu and He, 2018), because an image's code must not depend on the rest
of its batch.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

CHANNELS, WIDEST, GROUPS = 32, 128, 8
SMALLEST = 4
LEARNING_RATE = 5e-4
MEMORY_FORMAT = "channels_last"

Size = tuple[int, int]


class Residual(nn.Module):
    """x + f(x), f twice normalisation, ReLU and a 3×3 convolution; f starts at 0, so the network starts shallow."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        last = nn.Conv2d(channels, channels, 3, padding=1)
        for parameter in last.parameters():
            nn.init.zeros_(parameter)
        first = [nn.GroupNorm(GROUPS, channels), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1)]
        self.change = nn.Sequential(*first, nn.GroupNorm(GROUPS, channels), nn.ReLU(), last)

    def forward(self, x: Tensor) -> Tensor:
        """Images (n, c, h, w) to (n, c, h, w)."""
        return torch.add(x, self.change(x))


def sizes(size: Size) -> list[Size]:
    """The sizes that an image (h, w) passes through, the largest first.

    >>> sizes((105, 28))
    [(105, 28), (53, 14), (27, 7), (14, 4), (7, 2), (4, 1)]
    """
    found = [size]
    while max(found[-1]) > SMALLEST:
        found.append((-(-found[-1][0] // 2), -(-found[-1][1] // 2)))
    return found


def widths(count: int) -> list[int]:
    """The channels at each of `count` sizes after the image's own."""
    return [min(CHANNELS * 2**step, WIDEST) for step in range(count)]


def takes(shape: tuple[int, ...]) -> bool:
    """Whether the layers take images (c, h, w): of any size."""
    return len(shape) == 3


def encoder(shape: tuple[int, ...], outputs: int) -> nn.Module:
    """Images (n, c, h, w) to (n, outputs)."""
    channels, *size = shape
    passed = sizes((size[0], size[1]))
    wide = widths(max(1, len(passed) - 1))
    layers: list[nn.Module] = []
    for before, after in pairwise([channels, *wide]):
        layers += [nn.Conv2d(before, after, 3, stride=2 if len(passed) > 1 else 1, padding=1), Residual(after)]
    flat = wide[-1] * math.prod(passed[-1])
    return nn.Sequential(*layers, nn.GroupNorm(GROUPS, wide[-1]), nn.ReLU(), nn.Flatten(), nn.Linear(flat, outputs))


def decoder(latent_dim: int, shape: tuple[int, ...]) -> nn.Module:
    """Codes (n, d) to (n, c, h, w)."""
    channels, *size = shape
    passed = sizes((size[0], size[1]))[::-1]
    wide = widths(max(1, len(passed) - 1))[::-1]
    smallest = (wide[0], *passed[0])
    layers: list[nn.Module] = [nn.Linear(latent_dim, math.prod(smallest)), nn.Unflatten(1, smallest)]
    for target, (before, after) in zip(passed[1:] or passed, pairwise([*wide, wide[-1]]), strict=True):
        layers += [Residual(before), nn.Upsample(target), nn.Conv2d(before, after, 3, padding=1)]
    last = wide[-1]
    return nn.Sequential(*layers, nn.GroupNorm(GROUPS, last), nn.ReLU(), nn.Conv2d(last, channels, 3, padding=1))
