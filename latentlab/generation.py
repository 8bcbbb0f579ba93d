"""Which codes to decode: draws from a distribution of codes, the manifold, ways between two codes, attribute vectors.

Everything here makes codes (…, d) float32 and decodes nothing: `latentlab.loading` turns them into images. A random
choice is fixed by its seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.codes import Codes
from latentlab.errors import InputError
from latentlab.registry import choose

Floats = NDArray[np.float32]
COMPONENTS = 10
FITTED = 20_000
JUDGED = 20_000
NEAR = 3
REDRAWS = 400


# Samples


def prior(codes: Codes, count: int, seed: int = 0) -> Floats:
    """Draws (count, d) from the prior N(0, I). A deterministic encoder was trained with none: its decoder knows no
    more of N(0, I) than what its codes happen to cover.

    >>> prior(Codes(np.zeros((4, 3), np.float32)), 5).shape
    (5, 3)
    """
    return np.random.default_rng(seed).standard_normal((count, codes.latent_dim), np.float32)


def aggregate(codes: Codes, count: int, seed: int = 0) -> Floats:
    """Draws (count, d) from the aggregate posterior q(z), the mean of q(z|x) over the rows: what the decoder was
    trained on. A deterministic encoder's are codes of rows."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, len(codes), count)
    mean = codes.mean[rows].astype(np.float32)
    if codes.variance is None:
        return mean
    noise = rng.standard_normal(mean.shape, np.float32)
    return (mean + np.sqrt(codes.variance[rows]) * noise).astype(np.float32)


def mixture(codes: Codes, count: int, seed: int = 0, *, components: int = COMPONENTS) -> Floats:
    """Draws (count, d) from a mixture of Gaussians fitted to the codes (Ghosh et al., 2020, section 4).

    `components` Gaussians with full covariances, fitted to at most `FITTED` seeded rows by expectation maximisation.
    """
    from sklearn.mixture import GaussianMixture

    rows = np.sort(np.random.default_rng(seed).permutation(len(codes))[:FITTED])
    points = codes.mean[rows].astype(np.float64)
    spread = points.std(axis=0)
    scale = np.where(spread > 0, spread, 1)
    distinct = len(np.unique(points[:1000], axis=0))
    fitted = GaussianMixture(min(components, distinct), random_state=seed, reg_covar=1e-6, max_iter=200)
    drawn, _ = fitted.fit(points / scale).sample(count)
    return (np.random.default_rng(seed).permutation(drawn) * scale).astype(np.float32)


SOURCES: Mapping[str, Callable[[Codes, int, int], Floats]] = {
    "prior": prior,
    "aggregate": aggregate,
    "mixture": mixture,
}
SOURCE_NAMES = {
    "prior": "prior N(0, I)",
    "aggregate": "aggregate posterior",
    "mixture": f"mixture of {COMPONENTS}",
}


def samples(codes: Codes, source: str, count: int, seed: int = 0) -> Floats:
    """Draws (count, d) from the ``prior``, the ``aggregate`` posterior or a ``mixture`` fitted to the codes."""
    return SOURCES[choose(source, SOURCES, what="source of samples")](codes, count, seed)


# Two dimensions, and ways between two codes


def manifold(codes: Codes, x: int, y: int, steps: int, around: ArrayLike | None = None) -> Floats:
    """A grid (steps up, steps across, d) over the dimensions `x` and `y`, evenly filled by the prior's mass.

    The values are Φ⁻¹((i + ½)/steps), the inverse normal CDF of the middles of equal parts (Kingma and Welling, 2014,
    figure 4); `y` grows upward, so the first row has its largest value. The codes of a deterministic encoder follow no
    prior: the normal distribution of their own mean and variance takes its place. All other dimensions keep the value
    of the code `around` (d,), by default that mean.
    """
    from scipy.special import ndtri

    if x == y or not all(0 <= axis < codes.latent_dim for axis in (x, y)):
        raise InputError(f"the manifold is over dimensions {x} and {y}; expected two of 0 to {codes.latent_dim - 1}")
    centre, scale = normal_of(codes)
    quantiles = ndtri((np.arange(steps) + 0.5) / steps)
    grid = np.tile(np.asarray(centre if around is None else around, np.float32), (steps, steps, 1))
    grid[:, :, x] = centre[x] + scale[x] * quantiles
    grid[:, :, y] = (centre[y] + scale[y] * quantiles[::-1])[:, None]
    return grid


def normal_of(codes: Codes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation (d,) of the normal that stands for the codes: the prior's 0 and 1, or the codes' own
    where a deterministic encoder has no prior."""
    if codes.variance is not None or codes.provenance.get("inputs", {}).get("source") == {"name": "prior"}:
        return np.zeros(codes.latent_dim), np.ones(codes.latent_dim)
    return codes.mean.mean(axis=0, dtype=np.float64), codes.mean.std(axis=0, dtype=np.float64)


def sweeps(codes: Codes, code: ArrayLike, dims: ArrayLike, steps: int, reach: float = 3.0) -> Floats:
    """Each of the dimensions `dims` (k,) moved through a `code` (d,), the others kept: (k, steps, d).

    From `reach` standard deviations below the middle of the normal that stands for the codes to as many above it, and
    as far as the code itself where that lies farther out.
    """
    order, here = np.asarray(dims, np.int64), np.asarray(code, np.float32)
    centre, scale = normal_of(codes)
    half = reach * np.where(scale > 0, scale, 1)
    grid = np.tile(here, (len(order), steps, 1))
    low, high = np.minimum(centre - half, here)[order], np.maximum(centre + half, here)[order]
    grid[np.arange(len(order)), :, order] = np.linspace(low, high, steps).T
    return grid


def random_row(codes: Codes) -> int:
    """The id of a row, another one each time."""
    return int(np.random.default_rng().choice(codes.row_ids))


def linear(start: ArrayLike, end: ArrayLike, steps: int) -> Floats:
    """The straight way (steps, d) from one code to another, both included."""
    a, b = (np.asarray(code, np.float64) for code in (start, end))
    return np.linspace(a, b, steps).astype(np.float32)


def spherical(start: ArrayLike, end: ArrayLike, steps: int) -> Floats:
    """The way (steps, d) along the great circle between two codes (Shoemake, 1985; White, 2016), both included.

    In many dimensions the prior's draws lie near a sphere, and the straight way leaves it: its middle is shorter than
    any draw. Codes in one direction, or in opposite ones, have no circle of their own: the way is then straight.
    """
    a, b = (np.asarray(code, np.float64) for code in (start, end))
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    angle = np.arccos(np.clip(a @ b / lengths, -1, 1)) if lengths else 0.0
    if np.sin(angle) < 1e-6:
        return linear(a, b, steps)
    t = np.linspace(0, 1, steps)[:, None]
    return ((np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)).astype(np.float32)


WAYS: Mapping[str, Callable[[ArrayLike, ArrayLike, int], Floats]] = {"linear": linear, "spherical": spherical}


# Attribute vectors


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

    def along(self, code: ArrayLike, steps: int, reach: float = 1.5) -> Floats:
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


# Where codes leave the data, and what is hidden of an image


def leaving(codes: Codes, points: ArrayLike, *, seed: int = 0) -> NDArray[np.bool_]:
    """Which points (…, d) lie farther from the rows' codes than 99 % of the rows do themselves.

    The distance is that to the `NEAR`-th nearest of at most `JUDGED` seeded rows, each dimension in units of its own
    spread; a row does not count as its own neighbour. The decoder was never trained on what lies far out.
    """
    from scipy.spatial import cKDTree

    scale = codes.mean.std(axis=0)
    scale = np.where(scale > 0, scale, 1)
    rows = np.sort(np.random.default_rng(seed).permutation(len(codes))[:JUDGED])
    known = (codes.mean[rows] / scale).astype(np.float64)
    tree = cKDTree(known)
    some = known[:: max(1, len(known) // 2000)]
    near = min(NEAR, len(known) - 1)
    here = np.asarray(points, np.float64)
    if near < 1:
        return np.zeros(here.shape[:-1], bool)
    usual = np.quantile(tree.query(some, k=[near + 1])[0], 0.99)
    far = tree.query((here / scale).reshape(-1, codes.latent_dim), k=[near])[0] > usual
    return np.asarray(far.reshape(here.shape[:-1]))


PARTS: Mapping[str, Callable[[int, int], tuple[slice, slice]]] = {
    "lower": lambda h, w: (slice(h // 2, h), slice(None)),
    "upper": lambda h, w: (slice(0, h // 2), slice(None)),
    "left": lambda h, w: (slice(None), slice(0, w // 2)),
    "right": lambda h, w: (slice(None), slice(w // 2, w)),
    "middle": lambda h, w: (slice(h // 4, h - h // 4), slice(w // 4, w - w // 4)),
}


def hidden(shape: tuple[int, ...], part: str) -> NDArray[np.bool_]:
    """Which pixels (h, w) are hidden: the ``lower``, ``upper``, ``left`` or ``right`` half, or the ``middle``.

    >>> hidden((1, 4, 4), "middle").sum()
    np.int64(4)
    """
    mask = np.zeros(shape[-2:], bool)
    mask[PARTS[choose(part, PARTS, what="part of an image")](*shape[-2:])] = True
    return mask


def row_of(codes: Codes, row_id: Any) -> int:
    """The position of a row id; an `InputError` says what ids there are."""
    found = np.flatnonzero(codes.row_ids == row_id)
    if len(found) == 0:
        raise InputError(f"no row has the id {row_id}; ids go from {codes.row_ids.min()} to {codes.row_ids.max()}")
    return int(found[0])
