"""Directions of a latent space that no axis names: where the codes vary most, and what a decoder's first layer heeds.

Both are eigenvectors, so each is orthogonal to the others, its sign is free, and equal eigenvalues leave it undefined.
They are found without labels; what one of them means is for the eye to say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.codes.codes import Codes
from latentlab.codes.draws import REDRAWS
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


@dataclass(frozen=True, eq=False)
class Attribute:
    """What rows with an attribute have in their codes over rows without it.

    ``vector`` (d,) is the difference of the two mean codes, ``error`` (d,) its standard error, ``length`` its norm and
    ``by_chance`` the norm that 95 % of the differences of random rows of these sizes stay below. ``cosine`` is the
    2.5 % quantile of the cosine between the vector and what other rows of the same kinds would have given: 1 where its
    direction is certain. ``counts`` are the rows with and without. ``redraws`` (r, d) are such other vectors.
    """

    vector: NDArray[np.float64]
    error: NDArray[np.float64]
    length: float
    by_chance: float
    cosine: float
    counts: tuple[int, int]
    redraws: NDArray[np.float64]

    @property
    def known(self) -> bool:
        """Whether the vector is longer than chance makes it."""
        return self.length > self.by_chance

    def along(self, code: ArrayLike, steps: int, reach: float = 1.5) -> NDArray[np.float32]:
        """A code moved along the vector (steps, d), from `reach` times it backward to as far forward."""
        shifts = np.linspace(-reach, reach, steps)[:, None]
        return (np.asarray(code, np.float64) + shifts * self.vector).astype(np.float32)


def attribute(codes: Codes, having: NDArray[np.int64], lacking: NDArray[np.int64], *, seed: int = 0) -> Attribute:
    """The attribute vector (Larsen et al., 2016, section 3.2) from the positions of rows with and without it.

    Its uncertainty takes the rows for draws of their kind: the covariance of the difference is that of each group over
    its size. Two groups that differ in more than the attribute give the vector of all they differ in.

    >>> codes = Codes(np.array([[0, 0], [0, 1], [4, 0], [4, 1]], np.float32))
    >>> attribute(codes, np.array([2, 3]), np.array([0, 1])).vector.tolist()
    [4.0, 0.0]
    """
    groups = [codes.mean[rows].astype(np.float64) for rows in (having, lacking)]
    for what, group in zip(("with", "without"), groups, strict=True):
        if len(group) < 2:
            raise InputError(f"{len(group)} rows are {what} the attribute; expected at least two on either side")
    if np.intersect1d(having, lacking).size:
        raise InputError("some rows are both with and without the attribute; choose two groups that share no row")
    vector = groups[0].mean(axis=0) - groups[1].mean(axis=0)
    covariance = sum(np.atleast_2d(np.cov(group.T)) / len(group) for group in groups)
    rng = np.random.default_rng(seed)
    noise = rng.multivariate_normal(np.zeros(len(vector)), covariance, REDRAWS, method="eigh")
    pooled = np.concatenate(groups)
    spread = np.atleast_2d(np.cov(pooled.T)) * sum(1 / len(group) for group in groups)
    chance = np.linalg.norm(rng.multivariate_normal(np.zeros(len(vector)), spread, REDRAWS, method="eigh"), axis=1)
    length = float(np.linalg.norm(vector))
    redraws = vector + noise
    lengths = np.linalg.norm(redraws, axis=1) * length
    cosines = np.divide(redraws @ vector, lengths, out=np.zeros(REDRAWS), where=lengths > 0)
    return Attribute(
        vector,
        np.sqrt(np.diag(covariance)),
        length,
        float(np.quantile(chance, 0.95)),
        float(np.quantile(cosines, 0.025)),
        (len(groups[0]), len(groups[1])),
        redraws,
    )
