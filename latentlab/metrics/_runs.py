"""Codes of several runs on the same rows, checked at the border."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.errors import InputError
from latentlab.metrics._arrays import check_codes

T = TypeVar("T")


def check_runs(runs: Sequence[ArrayLike]) -> list[NDArray[np.float64]]:
    """Codes (n, d_r) of two runs at least, in float64, with the same rows."""
    if len(runs) < 2:
        raise InputError(f"{len(runs)} run was given; comparing runs needs at least two")
    found = [check_codes(codes, f"codes of run {r}").astype(np.float64) for r, codes in enumerate(runs)]
    if len({len(codes) for codes in found}) > 1:
        raise InputError(f"runs have {[len(codes) for codes in found]} rows; encode the same rows with each")
    return found


def pairwise(runs: list[T], similarity: Callable[[T, T], float]) -> NDArray[np.float64]:
    """Symmetric similarities (r, r), 1 on the diagonal."""
    matrix = np.eye(len(runs))
    for a in range(len(runs)):
        for b in range(a):
            matrix[a, b] = matrix[b, a] = similarity(runs[a], runs[b])
    return matrix


def off_diagonal(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The entries that compare different runs."""
    return matrix[~np.eye(len(matrix), dtype=bool)]
