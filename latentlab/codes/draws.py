"""Which codes to decode: draws from a distribution of codes, the manifold, ways between two codes, attribute vectors.

Everything here makes codes (…, d) float32 and decodes nothing: `latentlab.models.live` turns them into images. A random
choice is fixed by its seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.codes.codes import Codes
from latentlab.system.registry import choose

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

    rows = codes.drawn(FITTED, seed)
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


def drawn_from(positions: ArrayLike, count: int, seed: int) -> NDArray[np.int64]:
    """At most `count` of the positions (m,), drawn at random and in order.

    >>> drawn_from([4, 7, 9], 2, 0).shape
    (2,)
    """
    pool = np.asarray(positions, np.int64)
    return np.sort(np.random.default_rng(seed).choice(pool, min(count, len(pool)), replace=False))


# Attribute vectors


# Where codes leave the data, and what is hidden of an image


def leaving(codes: Codes, points: ArrayLike, *, seed: int = 0) -> NDArray[np.bool_]:
    """Which points (…, d) lie farther from the rows' codes than 99 % of the rows do themselves.

    The distance is that to the `NEAR`-th nearest of at most `JUDGED` seeded rows, each dimension in units of its own
    spread; a row does not count as its own neighbour. The decoder was never trained on what lies far out.
    """
    from scipy.spatial import cKDTree

    scale = codes.mean.std(axis=0)
    scale = np.where(scale > 0, scale, 1)
    rows = codes.drawn(JUDGED, seed)
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
