"""Subspaces of a latent space: what is swapped between two codes, along axes or along directions of any angle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SMALLEST = 1e-6  # share of the largest variance below which a direction of the codes counts as absent


@dataclass(frozen=True, eq=False)
class Subspace:
    """A part of a code: ``weights`` (r, d) read its r coordinates, ``directions`` (r, d) move the code along them."""

    directions: Floats
    weights: Floats

    def swapped(self, base: Floats, donor: Floats) -> Floats:
        """Codes (n, d) of `base` with this part taken from `donor`; the rest of the code stays."""
        return np.asarray(base + (donor - base) @ self.weights.T @ self.directions)

    def first(self, rank: int) -> Subspace:
        """The part that the first `rank` directions span."""
        return Subspace(self.directions[:rank], self.weights[:rank])


def axes(dims: Sequence[int], latent_dim: int) -> Subspace:
    """The part that some latent dimensions hold.

    >>> axes([1], 2).swapped(np.zeros((1, 2)), np.ones((1, 2))).tolist()
    [[0.0, 1.0]]
    """
    unit = np.eye(latent_dim)[list(dims)]
    return Subspace(unit, unit)


def conditional(codes: Floats, levels: Ints, dims: Ints, most: int) -> Subspace:
    """The directions along which the mean code of a level differs most from that of another, at most `most` of them.

    Sliced inverse regression (Li 1991): principal components of the mean codes of the levels (n,), after the codes
    (n, d) of dimensions `dims` were whitened. Whitened codes of independent factors that are mixed linearly are a
    rotation of the factors, so a swap along one factor's directions leaves the others as they are. The most different
    direction comes first. A factor on which the mean code does not depend has none here.
    """
    if not len(dims):
        return axes((), codes.shape[1])
    z = codes[:, dims] - codes[:, dims].mean(axis=0)
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(z.T)))
    kept = values > SMALLEST * max(float(values.max()), np.finfo(float).tiny)
    scale, vectors = np.sqrt(values[kept]), vectors[:, kept]
    white = z @ (vectors / scale)
    known, slices = np.unique(levels, return_inverse=True)
    count = np.bincount(slices)
    means = np.stack([np.bincount(slices, column) / count for column in white.T], axis=1)
    _, _, rows = np.linalg.svd(np.sqrt(count / len(z))[:, None] * means, full_matrices=False)
    turned = rows[: min(most, len(known) - 1)]
    directions, weights = np.zeros((2, len(turned), codes.shape[1]))
    directions[:, dims], weights[:, dims] = turned @ (vectors * scale).T, turned @ (vectors / scale).T
    return Subspace(directions, weights)
