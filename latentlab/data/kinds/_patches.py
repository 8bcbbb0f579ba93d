"""A space to compare images in that no model under judgement has shaped, and that brightness and contrast cannot move.

Every image is centred and scaled to length one, so that a constant is nothing and a darker copy is the same image.
Seeded random 5×5 filters (zero mean, rectified) respond to strokes and edges wherever they stand; their responses,
averaged over a 4×4 grid, say what is where, and the directions in which real images vary most are kept. Random filters
keep neighbourhoods of small images and need no labels, no download and no training (Naeem et al. 2020, section 4.3,
compare images in a randomly initialised network for the same reasons).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import InputError

Floats = NDArray[np.float32]
FILTERS = 32
CELLS = 4
SIDE = 32  # pixels: larger images are averaged down to about this
DIRECTIONS = 64
BLOCK = 256


@dataclass(frozen=True, eq=False)
class FeatureSpace:
    """Fixed filters (k·k·c, f), and the directions (·, p) in which the images it was made for vary around ``mean``."""

    filters: Floats
    mean: Floats
    directions: Floats

    def __call__(self, images: NDArray[np.uint8]) -> Floats:
        """Features (n, p) of images (n, c, h, w) uint8."""
        return np.asarray((responses(images, self.filters) - self.mean) @ self.directions, np.float32)


def feature_space(images: NDArray[np.uint8], *, seed: int = 0) -> FeatureSpace:
    """The space of the `DIRECTIONS` principal directions of images (n, c, h, w) uint8 under seeded random filters.

    >>> images = np.random.default_rng(0).integers(0, 128, (9, 1, 8, 8)).astype(np.uint8)
    >>> space = feature_space(images)
    >>> bool(np.allclose(space(images), space(images * 2), atol=1e-5))  # twice as bright is the same image
    True
    """
    if images.ndim != 4 or len(images) < 2 or min(images.shape[2:]) < 4:
        raise InputError(f"images are {images.shape}; expected at least 2 of (channels, 4 or more, 4 or more pixels)")
    side = 5 if min(images.shape[2:]) >= 16 else 3
    rng = np.random.default_rng(seed)
    filters = rng.standard_normal((images.shape[1], side, side, FILTERS)).reshape(-1, FILTERS)
    filters -= filters.mean(axis=0)
    filters = (filters / np.linalg.norm(filters, axis=0)).astype(np.float32)
    found = responses(images, filters)
    mean = found.mean(axis=0)
    _, vectors = np.linalg.eigh(np.cov(found - mean, rowvar=False))
    kept = vectors[:, ::-1][:, :DIRECTIONS]
    return FeatureSpace(filters, mean, np.ascontiguousarray(kept, np.float32))


def responses(images: NDArray[np.uint8], filters: Floats) -> Floats:
    """Rectified responses of normalised images, averaged over cells: (n, CELLS·CELLS·f)."""
    blocks = [_responses(images[start : start + BLOCK], filters) for start in range(0, len(images), BLOCK)]
    return np.concatenate(blocks)


def _responses(images: NDArray[np.uint8], filters: Floats) -> Floats:
    x = normalised(_smaller(images))
    side = round((len(filters) / images.shape[1]) ** 0.5)
    windows = np.lib.stride_tricks.sliding_window_view(x, (side, side), axis=(2, 3))
    n, _, h, w = windows.shape[:4]
    patches = windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, len(filters))
    found = np.maximum(patches @ filters, 0).reshape(n, h, w, -1)
    rows, columns = (np.linspace(0, size, CELLS + 1).astype(int)[:-1] for size in (h, w))
    summed = np.add.reduceat(np.add.reduceat(found, rows, axis=1), columns, axis=2)
    return np.asarray(summed.reshape(n, -1), np.float32)


def normalised(images: NDArray[np.uint8]) -> Floats:
    """Images with mean 0 and length 1 each, (n, c, h, w); zero where an image is constant."""
    flat = images.reshape(len(images), -1).astype(np.float32)
    flat = flat - flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    # A range of one grey level or less is a constant picture: scaled up, its rounding would pass for a motif.
    nothing = np.ptp(images.reshape(len(images), -1), axis=1, keepdims=True) <= 1
    return np.where(nothing, 0, flat / np.maximum(length, 1e-6)).reshape(images.shape).astype(np.float32)


def _smaller(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    factor = max(1, min(images.shape[2:]) // SIDE)
    n, c, h, w = images.shape
    cut = images[:, :, : h // factor * factor, : w // factor * factor]
    return cut.reshape(n, c, h // factor, factor, w // factor, factor).mean(axis=(3, 5)).round().astype(np.uint8)
