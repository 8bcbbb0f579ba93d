"""Synthetic factors and codes whose truth is known: what cards are measured on, and warnings are tried on.

`FACTORS` and `CODES` follow the four kinds of factors and the ten kinds of codes of Joshi et al. 2026 (*Who guards the
guardians?*, D1 to D4 and E1 to E10). `stage` is a trajectory: codes on the way from noise that mixes all factors to
clean codes, one factor per dimension.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from latentlab.metrics._draws import rotation
from latentlab.metrics._metric import Change

Array = NDArray[np.float64]

LEVELS = (3, 4, 5, 8, 10)  # of the factors of `stage`
CURVES: tuple[Callable[[Array], Array], ...] = (  # all increasing
    lambda x: np.tanh(2 * x**3 - 0.1),
    lambda x: np.sinh(np.clip(2 * x**3 + 0.1, -20, 20)),
    lambda x: np.sign(x) * np.sqrt(np.abs(x)),
    lambda x: x**3,
    np.exp,
)


def independent(random: Generator, n: int, k: int) -> Array:
    """D1: normal factors (n, k), independent."""
    return random.standard_normal((n, k))


def correlated(random: Generator, n: int, k: int) -> Array:
    """D2: normal factors (n, k), every two of them with correlation 0.5."""
    return np.sqrt(0.5) * (random.standard_normal((n, k)) + random.standard_normal((n, 1)))


def copied(random: Generator, n: int, k: int) -> Array:
    """D3: the second factor is an increasing function of the first."""
    v = random.standard_normal((n, k))
    v[:, 1] = CURVES[0](v[:, 0])
    return v


def derived(random: Generator, n: int, k: int) -> Array:
    """D4: the third factor is the product of the first two, uncorrelated with either."""
    v = random.standard_normal((n, k))
    v[:, 2] = v[:, 0] * v[:, 1]
    return v


def scaled(random: Generator, v: Array) -> Array:
    """E1: every factor in one dimension, in another order, with its own sign and scale."""
    return v[:, random.permutation(v.shape[1])] * _scales(random, v)


def curved(random: Generator, v: Array) -> Array:
    """E2: every factor in one dimension, by an increasing function that is not linear."""
    order = random.permutation(v.shape[1])
    return np.column_stack([CURVES[i % len(CURVES)](v[:, j]) for i, j in enumerate(order)])


def mixed(random: Generator, v: Array) -> Array:
    """E3: an invertible linear map of all factors, with singular values from 1 to 0.1."""
    left, right = (rotation(random, v.shape[1]) for _ in range(2))
    return v @ (left * np.linspace(1, 0.1, v.shape[1])) @ right


def reduced(random: Generator, v: Array) -> Array:
    """E4: the last factors alone, half of them (rounded up), each in one dimension."""
    kept = v[:, v.shape[1] // 2 :]
    return kept * _scales(random, kept)


def repeated(random: Generator, v: Array) -> Array:
    """E5: every factor in one dimension, and two of them in another with another scale."""
    k = v.shape[1]
    more = v[:, [*range(k), *random.choice(k, 2, replace=False)]]
    return more * _scales(random, more)


def repeated_curved(random: Generator, v: Array) -> Array:
    """E6: as E5, each dimension by another increasing function."""
    k = v.shape[1]
    order = [*range(k), *random.choice(k, 2, replace=False)]
    return np.column_stack([CURVES[i % len(CURVES)](v[:, j]) for i, j in enumerate(order)])


def overmixed(random: Generator, v: Array) -> Array:
    """E7: a linear map of all factors into twice as many dimensions."""
    k = v.shape[1]
    return mixed(random, v) @ rotation(random, 2 * k)[:k]


def circled(random: Generator, v: Array) -> Array:
    """E8: every factor in two dimensions, as its sine and its cosine."""
    order = random.permutation(v.shape[1])
    return np.concatenate([np.sin(v[:, order]), np.cos(v[:, order])], axis=1)


def gaussian(random: Generator, v: Array) -> Array:
    """E9: normal noise in as many dimensions as there are factors."""
    return random.standard_normal(v.shape)


def uniform(random: Generator, v: Array) -> Array:
    """E10: uniform noise in as many dimensions as there are factors."""
    return random.uniform(-1, 1, v.shape)


FACTORS: dict[str, Callable[[Generator, int, int], Array]] = {
    each.__name__: each for each in (independent, correlated, copied, derived)
}
CODES: dict[str, Callable[[Generator, Array], Array]] = {
    each.__name__: each
    for each in (
        scaled, curved, mixed, reduced, repeated, repeated_curved, overmixed, circled, gaussian, uniform
    )
}  # fmt: skip


OUTSIDE = {  # what `score` warns of for each of them; of independent factors with scaled or curved codes of nothing
    "correlated": "correlated factors",
    "copied": "copied factors",
    "derived": "derived factors",
    "mixed": "mixed codes",
    "reduced": "few codes",
    "repeated": "repeated codes",
    "repeated_curved": "repeated codes",
    "overmixed": "many codes",
    "circled": "sinusoidal codes",
    "gaussian": "uninformed codes",
    "uniform": "uninformed codes",
}


def stage(random: Generator, n: int, t: float, extra: int = 2, seed: int = 0) -> tuple[Array, Array]:
    """Codes (n, 5 + extra) and level indices of five factors (n, 5) at t of a trajectory, 0 the start, 1 the end.

    The factors, standardised, are turned by a rotation that becomes the identity at t = 1, with noise of deviation
    1.5 − 1.3 t; `extra` dimensions are noise of deviation 0.3. `seed` is that of the rotation.
    """
    v = np.column_stack([random.integers(0, levels, n) for levels in LEVELS]).astype(float)
    deviation = np.sqrt((np.square(LEVELS) - 1) / 12)
    standard = (v - (np.array(LEVELS) - 1) / 2) / deviation
    turn = rotation(np.random.default_rng(seed), len(LEVELS))
    left, _, right = np.linalg.svd((1 - t) * turn + t * np.eye(len(LEVELS)))
    z = standard @ (left @ right) + (1.5 - 1.3 * t) * random.standard_normal((n, len(LEVELS)))
    return np.column_stack([z, 0.3 * random.standard_normal((n, extra))]), v


def arguments(needs: str, random: Generator, n: int, t: float, extra: int = 2) -> tuple[Any, ...]:
    """What a metric of that `needs` is called with at t of the trajectory.

    For ``posterior`` the means shrink towards the start, where the variance is that of the prior; ``runs`` are three
    whose rotations differ; a ``projection`` goes from noise to the first two dimensions of the codes.
    """
    z, v = stage(random, n, t, extra)
    if needs in ("rows", "split", "draws"):
        return z, v
    if needs == "labels":
        return z, v[:, -1]
    if needs == "codes":
        return (z,)
    if needs == "posterior":
        return t * z, np.full(z.shape, 1 - 0.9 * t)
    if needs == "runs":
        rows = random.integers(2**31)
        return ([stage(np.random.default_rng(rows), n, t, extra, seed)[0] for seed in range(3)],)
    codes, _ = stage(random, n, 1.0, extra)
    return codes, t * codes[:, :2] + (1 - t) * random.standard_normal((n, 2))


def uninformed(needs: str, random: Generator, n: int) -> tuple[Any, ...]:
    """The arguments at the middle of the trajectory with codes (for a projection: with points) of normal noise."""
    first, *others = arguments(needs, random, n, 0.5)
    if needs == "runs":
        return ([random.standard_normal(codes.shape) for codes in first],)
    if needs == "projection":
        return first, random.standard_normal((n, 2))
    return random.standard_normal(first.shape), *others


def changed(needs: str, args: tuple[Any, ...], change: Change, random: Generator) -> tuple[Any, ...]:
    """The arguments with their codes changed: those of the first run alone, and a variance along with its mean."""
    if needs == "runs":
        first, *others = args[0]
        return ([_mapped(first, change, random)[0], *others],)
    codes, factor = _mapped(args[0], change, random)
    if needs != "posterior":
        return codes, *args[1:]
    return codes, args[1] * factor**2


def _mapped(z: Array, change: Change, random: Generator) -> tuple[Array, Array]:
    """Changed codes, and what each dimension was multiplied by."""
    d, one = z.shape[1], np.ones(z.shape[1])
    if change in ("sign", "scale", "scales"):
        sign = np.where(np.arange(d) % 2, 1.0, -1.0)
        factor = {"sign": sign, "scale": 0.125 * one, "scales": np.exp2(random.uniform(-3, 3, d))}[change]
        return z * factor, factor
    if change in ("rotation", "linear"):
        return z @ (rotation(random, d) * (1 if change == "rotation" else random.uniform(0.5, 2, d))), one
    plain: dict[str, Array] = {
        "order": z[:, random.permutation(d)],
        "shift": z + random.uniform(-3, 3, d),
        "monotone": np.sinh(1.5 * z),
    }
    return plain[change], one


def _scales(random: Generator, v: Array) -> Array:
    return np.asarray(random.uniform(0.5, 2, v.shape[1]) * random.choice([-1.0, 1.0], v.shape[1]))
