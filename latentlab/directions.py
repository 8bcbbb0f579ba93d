"""Directions of a latent space that no axis names: where the codes vary most, and what a decoder's first layer heeds.

Both are eigenvectors, so each is orthogonal to the others, its sign is free, and equal eigenvalues leave it undefined.
They are found without labels; what one of them means is for the eye to say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.codes import Codes
from latentlab.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Directions:
    """``vectors`` (d, d), a unit vector a row, the most important first; ``share`` (d,) of the whole that each has, in
    [0, 1]: of the codes' variance, or of the first layer's squared weights."""

    vectors: Floats
    share: Floats


def of_codes(codes: Codes) -> Directions:
    """Principal components of the codes: along the first they vary most.

    Do not read them where the codes are draws from N(0, I), as those of a model without an encoder are: these vary
    alike in all directions. A VAE's axes are often near its principal components (Rolínek et al., 2019).

    >>> of_codes(Codes(np.array([[0, 0], [2, 2], [4, 4]], np.float32))).vectors[0].round(3).tolist()
    [0.707, 0.707]
    """
    centred = codes.mean - codes.mean.mean(axis=0, dtype=np.float64)
    return _eigen(centred.T @ centred)


def of_weights(weights: ArrayLike) -> Directions:
    """Directions that a decoder's first layer answers to most: eigenvectors of AᵀA for its weights A (m, d).

    They need no codes and no images, so they serve a GAN's generator. Source: Shen and Zhou 2021, equation 4.

    >>> of_weights([[0, 3], [1, 0]]).share.round(2).tolist()
    [0.9, 0.1]
    """
    found = np.asarray(weights, np.float64)
    if found.ndim != 2 or not np.isfinite(found).all():
        raise InputError(f"the first layer's weights are {found.shape}; expected finite numbers (m, d)")
    return _eigen(found.T @ found)


def along(codes: Codes, direction: ArrayLike, centre: ArrayLike, steps: int, reach: float = 2.0) -> NDArray[np.float32]:
    """Codes (steps, d) from `centre` (d,) along a unit vector, ± `reach` standard deviations of the codes in it."""
    u, start = np.asarray(direction, np.float64), np.asarray(centre, np.float64)
    spread = float((codes.mean.astype(np.float64) @ u).std())
    return (start + np.linspace(-reach, reach, steps)[:, None] * spread * u).astype(np.float32)


def _eigen(matrix: Floats) -> Directions:
    values, vectors = np.linalg.eigh(matrix)
    order = np.argsort(-values, kind="stable")
    rows = vectors.T[order]
    largest = np.abs(rows).argmax(axis=1)
    rows = rows * np.sign(rows[np.arange(len(rows)), largest])[:, None]  # the largest part points up, by convention
    values = np.maximum(values[order], 0)
    return Directions(rows, values / values.sum() if values.any() else values)


KINDS: dict[str, str] = {"codes": "principal components of the codes", "weights": "of the decoder's first layer"}
