"""Four strided convolutions along the axis of a signal and two dense layers, mirrored in the decoder."""

from __future__ import annotations

import math

from torch import nn

from latentlab.errors import InputError

WIDTHS = (16, 32, 64, 64)
HIDDEN = 256
SMALLEST = 32
LEARNING_RATE = 1e-3


def takes(shape: tuple[int, ...]) -> bool:
    """Whether the layers take signals (c, t): any of 32 points or more."""
    return len(shape) == 2 and shape[1] >= SMALLEST


def encoder(shape: tuple[int, ...], outputs: int) -> nn.Module:
    """Signals (n, c, t) to (n, outputs)."""
    sizes = _sizes(shape)
    layers: list[nn.Module] = []
    for before, after in zip((shape[0], *WIDTHS), WIDTHS, strict=False):
        layers += [nn.Conv1d(before, after, 5, stride=2, padding=2), nn.ReLU(inplace=True)]
    dense = [nn.Flatten(), nn.Linear(WIDTHS[-1] * sizes[-1], HIDDEN), nn.ReLU(inplace=True), nn.Linear(HIDDEN, outputs)]
    return nn.Sequential(*layers, *dense)


def decoder(latent_dim: int, shape: tuple[int, ...]) -> nn.Module:
    """Codes (n, d) to (n, c, t)."""
    sizes = _sizes(shape)
    layers: list[nn.Module] = [nn.Linear(latent_dim, HIDDEN), nn.ReLU(inplace=True)]
    layers += [
        nn.Linear(HIDDEN, WIDTHS[-1] * sizes[-1]),
        nn.ReLU(inplace=True),
        nn.Unflatten(1, (WIDTHS[-1], sizes[-1])),
    ]
    widths = (*WIDTHS[::-1][1:], WIDTHS[0])
    for i, (before, after) in enumerate(zip(WIDTHS[::-1], widths, strict=True)):
        longer = sizes[-2 - i] - (2 * sizes[-1 - i] - 1)  # 0 or 1: what the stride left out
        layers += [
            nn.ConvTranspose1d(before, after, 5, stride=2, padding=2, output_padding=longer),
            nn.ReLU(inplace=True),
        ]
    layers += [nn.Conv1d(WIDTHS[0], shape[0], 5, padding=2)]
    return nn.Sequential(*layers)


def _sizes(shape: tuple[int, ...]) -> list[int]:
    """How many points there are before and after each convolution."""
    if not takes(shape):
        raise InputError(f"signals have shape {shape}; conv1d takes {SMALLEST} points or more: choose --network mlp")
    sizes = [shape[1]]
    for _ in WIDTHS:
        sizes.append(math.ceil(sizes[-1] / 2))
    return sizes
