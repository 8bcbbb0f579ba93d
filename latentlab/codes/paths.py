"""Ways through a latent space: grids over two dimensions, sweeps of one, lines and arcs between two codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.codes.codes import Codes
from latentlab.codes.draws import Floats
from latentlab.errors import InputError


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


def through(codes: ArrayLike, steps: int) -> Floats:
    """The way (steps, d) from the first of several codes (k, d) over all others to the last, at an even pace.

    >>> through([[0.0], [1.0], [4.0]], 5)[:, 0].tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0]
    """
    stations = np.asarray(codes, np.float64)
    walked = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(stations, axis=0), axis=1))])
    places = np.linspace(0, walked[-1], steps)
    return np.column_stack([np.interp(places, walked, column) for column in stations.T]).astype(np.float32)


WAYS: Mapping[str, Callable[[ArrayLike, ArrayLike, int], Floats]] = {"linear": linear, "spherical": spherical}
