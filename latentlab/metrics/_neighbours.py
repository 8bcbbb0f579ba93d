"""Ranks of neighbours in the code and in its projection."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray

from latentlab.errors import InputError
from latentlab.metrics._arrays import check_codes


class Ranks(NamedTuple):
    """For each row (m, m): the rank of every other row by distance, 0 for itself, 1 for the nearest."""

    code: NDArray[np.int64]
    picture: NDArray[np.int64]


def ranks(codes: ArrayLike, xy: ArrayLike, neighbours: int, rows: int, seed: int) -> Ranks:
    """Ranks among at most `rows` rows drawn with `seed`; all pairs are compared, so memory grows with rows²."""
    z, p = check_codes(codes).astype(np.float64), check_codes(xy, "xy").astype(np.float64)
    if len(z) != len(p):
        raise InputError(f"codes has {len(z)} rows but xy has {len(p)}; give the rows that were projected")
    if len(z) > rows:
        chosen = np.sort(RandomState(seed).permutation(len(z))[:rows])
        z, p = z[chosen], p[chosen]
    if not 1 <= neighbours < (len(z) - 1) / 2:
        raise InputError(f"neighbours = {neighbours} but there are {len(z)} rows; expected 1 ≤ neighbours < rows / 2")
    return Ranks(_rank(z), _rank(p))


def _rank(x: NDArray[np.float64]) -> NDArray[np.int64]:
    from scipy.spatial.distance import cdist

    distance = cdist(x, x)
    np.fill_diagonal(distance, -1.0)
    order = np.argsort(distance, axis=1, kind="stable")
    found = np.empty_like(order)
    np.put_along_axis(found, order, np.arange(len(x))[None], axis=1)
    return found


def intrusion(near: NDArray[np.int64], far: NDArray[np.int64], neighbours: int) -> float:
    """One less the penalty for rows near by one rank but not by the other (Venna and Kaski 2001, eq. 1)."""
    m = len(near)
    inside = (near >= 1) & (near <= neighbours)
    penalty = np.where(inside, np.maximum(far - neighbours, 0), 0).sum()
    return float(1 - penalty * 2 / (m * neighbours * (2 * m - 3 * neighbours - 1)))
