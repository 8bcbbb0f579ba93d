"""What arithmetic would spoil in silence: masks, whole numbers that floats merge, codes far too large, small or far."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.errors import InputError
from latentlab.system.once import once

EXACT = 2**53  # whole numbers up to here are told apart by float64
WIDE = (1e70, 1e-70)  # the largest code, and the least that the widest dimension varies by: both have fourth powers
NARROW = (1e15, 1e-13)  # the same where a metric computes in 32 bits, or scikit-learn takes less for a constant
FOLDED = 32  # rows that are compared side by side
FAR, SHARE = 1e4, 1e-5  # how far from 0 a dimension may lie that varies by less than that share of the distance


def unmasked(values: ArrayLike, what: str = "an array", expected: str = "expected numbers") -> NDArray[Any]:
    """An array whose masked numbers are NaN, where it is one of `numpy.ma`; the same without a mask.

    Raises `InputError` for what makes no array, with what was `expected`, and for masked values that cannot be NaN.

    >>> unmasked(np.ma.masked_array([1, 2], [False, True])).tolist()
    [1.0, nan]
    """
    if not isinstance(values, np.ma.MaskedArray) or not np.ma.getmaskarray(values).any():
        try:
            return np.asarray(values)
        except Exception as error:  # NumPy asks the object itself, which may raise anything
            raise InputError(f"{what} is a {type(values).__name__} that makes no array; {expected}") from error
    plain = np.array(values.data)
    if plain.dtype.kind not in "fiub" or (plain.dtype.kind in "iu" and beyond_exact(plain)):
        raise InputError(f"{what} holds masked {plain.dtype} values; expected floats, NaN where one is missing")
    plain = plain.astype(plain.dtype if plain.dtype.kind == "f" else np.float64)
    plain[np.ma.getmaskarray(values)] = np.nan
    return plain


def beyond_exact(whole: NDArray[Any]) -> bool:
    """Whether float64 may merge some of these whole numbers with their neighbours."""
    return whole.size > 0 and not -EXACT <= int(whole.min()) <= int(whole.max()) <= EXACT


def exact_levels(whole: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers (n,) that float64 tells apart: themselves, their distance from the lowest, or else their rank.

    >>> exact_levels(np.array([2**60 + 1, 2**60, 2**60 + 2])).tolist()
    [1, 0, 2]
    """
    if not beyond_exact(whole):
        return whole
    if int(whole.max()) - int(whole.min()) > EXACT:
        return np.unique(whole, return_inverse=True)[1].astype(np.int64)
    return (whole - whole.min()).astype(np.int64)


def as_floats(numbers: NDArray[Any]) -> NDArray[np.float64]:
    """Numbers (n,) or (n, k) as float64; of a column of whole ones that it would merge, what `exact_levels` gives.

    >>> as_floats(np.array([[2**60, 1], [2**60 + 1, 2]])).tolist()
    [[0.0, 1.0], [1.0, 2.0]]
    """
    if numbers.dtype.kind not in "iu" or not beyond_exact(numbers):
        return numbers.astype(np.float64)
    columns = numbers.reshape(len(numbers), -1).T
    return np.column_stack([exact_levels(each).astype(np.float64) for each in columns]).reshape(numbers.shape)


@once
def extremes(values: NDArray[Any], *, known: bool = False) -> tuple[NDArray[Any], NDArray[Any]]:
    """The lowest and the highest number of each column (n, d); with `known` those that are not NaN, where some are.

    NumPy takes a column at a time, a tenth as fast as when many rows stand side by side.

    >>> [each.tolist() for each in extremes(np.array([[1.0, 5.0], [3.0, 4.0]]))]
    [[1.0, 4.0], [3.0, 5.0]]
    """
    least, most = (np.fmin, np.fmax) if known else (np.minimum, np.maximum)
    return _by_column(least, values), _by_column(most, values)


def _by_column(reduce: np.ufunc, values: NDArray[Any]) -> NDArray[Any]:
    n, d = values.shape
    full = n // FOLDED * FOLDED if values.flags.c_contiguous else 0
    if not full:
        return np.asarray(reduce.reduce(values))
    folded = reduce.reduce(values[:full].reshape(-1, FOLDED * d)).reshape(FOLDED, d)
    return np.asarray(reduce.reduce(np.concatenate([folded, values[full:]])))


def check_sizes(codes: NDArray[np.floating[Any]], what: str = "codes", limits: tuple[float, float] = WIDE) -> None:
    """Raise an `InputError` for finite codes (n, d) that are too large, or vary too little, for arithmetic.

    ``limits`` are the largest code and the least variation of the widest dimension: one that has collapsed beside live
    ones may vary as little as it does.
    """
    most, least = limits
    low, high = (each.astype(np.float64) for each in extremes(codes))
    size = np.maximum(np.abs(low), np.abs(high))
    j = int(np.argmax(size))
    if size[j] > most:
        raise InputError(f"{what}: dimension {j} is as large as {size[j]:.3g}; at most {most:g}: standardise them")
    width = float((high - low).max())
    if 0 < width < least:
        raise InputError(f"{what} vary by {width:.3g} only; expected {least:g} or more: standardise them")


def check_offsets(codes: NDArray[np.floating[Any]], what: str = "codes") -> None:
    """Raise an `InputError` for a dimension so far from 0 that the digits in which its codes differ are lost."""
    low, high = (each.astype(np.float64) for each in extremes(codes))
    size, width = np.maximum(np.abs(low), np.abs(high)), high - low
    far = np.flatnonzero((width > 0) & (size > FAR) & (width < SHARE * size))
    if len(far):
        place = f"dimension {far[0]} lies at {high[far[0]]:.6g} and varies by {width[far[0]]:.3g} only"
        raise InputError(f"{what}: {place}: subtract its mean, because digits are lost that far from 0")
