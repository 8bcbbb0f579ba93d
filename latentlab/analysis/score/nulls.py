"""Codes that a score is compared with: codes without information, equally informative unaligned codes, the factors.

- **permuted**: the rows of the codes shuffled against the factors, so that every marginal stays.
- **rotated**: the active codes standardised and turned by a random rotation. A rotation changes marginals; for metrics
  that read them (`MARGINALS`) each turned dimension gets the values of an original one back, by rank.
- **reference**: the factors themselves taken as codes. Another code may exceed it: it is not a bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from latentlab.analysis.score.calls import Material
from latentlab.codes.rates import active
from latentlab.errors import InputError
from latentlab.metrics._arrays import Floats, blocks
from latentlab.metrics._draws import by_rank, rotation

ROUNDING = 1e-12  # deviation over the largest, up to which a dimension of float64 arrays is constant but for rounding
MARGINALS = ("irs", "jemmig")
Mask = NDArray[np.bool_]


def active_dimensions(material: Material) -> Mask:
    """Which dimensions (d,) of arrays to score are active, by the rule of `Codes.active`.

    A run's codes are float32, whose constant columns have a variance of exactly 0 in float64. Arrays that are scored
    come from anywhere, as the components of a matrix without full rank: there what is left of a constant after rounding
    does not count as varying. Scores standardise, and would turn it into noise as large as the codes.
    """
    codes, n = material.codes, len(material.codes)
    mean = np.sum([codes[block].sum(axis=0, dtype=np.float64) for block in blocks(n)], axis=0) / n
    spread = np.sum([((codes[block] - mean) ** 2).sum(axis=0) for block in blocks(n)], axis=0) / n
    return _varying(np.sqrt(spread)) & active(spread, stochastic=material.variance is not None)


def _varying(deviation: Floats) -> Mask:
    return np.asarray(deviation > ROUNDING * deviation.max())


def has_variance(args: Sequence[Any]) -> bool:
    """Whether the third of the arguments is the posterior variance of the first; test arrays come in twos."""
    return len(args) == 3


def _codes_places(args: Sequence[Any]) -> list[int]:
    """Where codes stand among the arguments: first, and third where that is an array of test codes."""
    return [0, 2] if len(args) > 3 and isinstance(args[2], np.ndarray) else [0]


def only(args: Sequence[Any], dimensions: Mask) -> list[Any]:
    """The arguments with those dimensions of the codes, and of the variance where there is one."""
    changed = list(args)
    for place in [0, 2] if has_variance(args) else _codes_places(args):
        changed[place] = changed[place][:, dimensions]
    return changed


def shuffled(args: Sequence[Any], random: RandomState) -> list[Any]:
    """The arguments with the rows of the codes in random order, so that they have no information about the factors."""
    changed = list(args)
    if has_variance(args):
        order = random.permutation(len(args[0]))
        return [args[0][order], args[1], args[2][order]]
    for place in _codes_places(args):
        changed[place] = changed[place][random.permutation(len(changed[place]))]
    return changed


def standardised(args: Sequence[Any], live: Mask | None = None) -> list[Any]:
    """The arguments with the active codes at mean 0 and deviation 1 (of the first array), the others left out."""
    codes: Floats = args[0]
    mean, deviation = codes.mean(axis=0, dtype=np.float64), codes.std(axis=0, dtype=np.float64)
    kept = _varying(deviation) if live is None else live & (deviation > 0)
    if not kept.any():
        raise InputError("undefined: the codes are constant or no dimension is active, so there is nothing to rotate")
    changed = only(args, kept)
    if has_variance(args):
        changed[2] = (changed[2] / deviation[kept] ** 2).astype(codes.dtype)
    for place in _codes_places(args):
        changed[place] = ((changed[place] - mean[kept]) / deviation[kept]).astype(codes.dtype)
    return changed


class Turning:
    """The arguments with active codes standardised, to be turned by any number of random rotations.

    With `marginals` each turned dimension takes the standardised values of the original one, by rank. Raises
    `InputError` where fewer than two dimensions are active: a rotation of one dimension does not change it.
    """

    def __init__(self, args: Sequence[Any], live: Mask | None = None, *, marginals: bool = False) -> None:
        self._args = standardised(args, live)
        self._size = self._args[0].shape[1]
        if self._size < 2:
            raise InputError("undefined: one dimension is active, and a single dimension has no rotation")
        self._sorted = {place: np.sort(self._args[place], axis=0) for place in _codes_places(args) if marginals}

    def turned(self, random: RandomState) -> list[Any]:
        """The arguments turned by one uniformly random rotation.

        A variance is turned as well: of the turned posterior's covariance the diagonal is kept.
        """
        changed = list(self._args)
        turn = rotation(random, self._size).astype(changed[0].dtype)
        if has_variance(changed):
            changed[2] = changed[2] @ turn**2
        for place in _codes_places(changed):
            codes = changed[place] @ turn
            changed[place] = by_rank(codes, self._sorted[place]) if self._sorted else codes
        return changed


def rotated(
    args: Sequence[Any], random: RandomState, live: Mask | None = None, *, marginals: bool = False
) -> list[Any]:
    """The arguments of `Turning`, turned once."""
    return Turning(args, live, marginals=marginals).turned(random)


def factors_as_codes(args: Sequence[Any]) -> list[Any]:
    """The arguments with the factors in place of the codes, missing labels at their mean; without any variance."""
    changed = list(args[:2] if has_variance(args) else args)
    for place in _codes_places(changed):
        factors = args[place + 1]
        changed[place] = np.where(np.isnan(factors), np.nanmean(factors, axis=0), factors)
    return changed
