"""The border: arrays are checked here once, and factors are read by their kind.

Codes keep their precision (float32 stays float32): bin edges follow it, so widening would move bins.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.data.dataset import FactorKind
from latentlab.errors import InputError

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
Kinds = Sequence[FactorKind] | None

WIDEST = 4096  # integers spanning less than this are levels as they stand; wider columns are sorted into levels


def check_codes(codes: ArrayLike, what: str = "codes") -> Floats:
    """Codes as a finite floating (n, d) array with n ≥ 2; `InputError` otherwise."""
    array = np.asarray(codes)
    if array.ndim != 2 or array.shape[1] == 0:
        raise InputError(f"{what} has shape {array.shape}; expected (n, d): one row an example, one column a dimension")
    if array.dtype.kind not in "fiub":
        raise InputError(f"{what} holds {array.dtype}; expected numbers")
    if len(array) < 2:
        raise InputError(f"{what} has {len(array)} row; a score needs at least two")
    array = array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
    if not np.isfinite(array).all():
        bad = ~np.isfinite(array).all(axis=1)
        raise InputError(f"{what} has NaN or infinity in {bad.sum()} of {len(bad)} rows; leave those rows out")
    return array


def check_factors(factors: ArrayLike, what: str = "factors") -> Floats:
    """Factors as a floating (n, k) array, NaN where a label is missing; (n,) is one factor."""
    array = np.asarray(factors)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or array.shape[1] == 0:
        raise InputError(f"{what} has shape {array.shape}; expected (n, k): one row an example, one column a factor")
    if array.dtype.kind not in "fiub":
        raise InputError(f"{what} holds {array.dtype}; expected numbers (level indices or values)")
    array = array.astype(np.float64, copy=False)
    if np.isinf(array).any():
        raise InputError(f"{what} holds infinity; expected level indices or values, NaN where missing")
    return array


def check_rows(codes: ArrayLike, factors: ArrayLike, part: str = "") -> tuple[Floats, Floats]:
    """Codes (n, d) and factors (n, k) that belong together, every factor with two values at least."""
    z, v = check_codes(codes, f"{part}codes"), check_factors(factors, f"{part}factors")
    if len(z) != len(v):
        raise InputError(
            f"{part}codes has {len(z)} rows but {part}factors has {len(v)}; were both made from the same split?"
        )
    for j, column in enumerate(v.T):
        known = column[~np.isnan(column)]
        if len(known) == 0:
            raise InputError(f"factor {j} of {part}factors is NaN in every row; leave it out")
        if known.min() == known.max():
            raise InputError(f"factor {j} of {part}factors has one value ({known[0]:g}) in every row; leave it out")
    return z, v


def check_parts(
    codes: ArrayLike, factors: ArrayLike, test_codes: ArrayLike | None, test_factors: ArrayLike | None, seed: int
) -> tuple[Floats, Floats, Floats, Floats, str]:
    """Train and test rows, and how they came about: as given, or a seeded split of the rows in two thirds and one."""
    z, v = check_rows(codes, factors)
    if (test_codes is None) != (test_factors is None):
        raise InputError("test_codes and test_factors go together; one of them is missing")
    if test_codes is None or test_factors is None:
        train, test = split_rows(len(z), seed)
        return z[train], v[train], z[test], v[test], f"rows split 2:1 with seed {seed}"
    tz, tv = check_codes(test_codes, "test codes"), check_factors(test_factors, "test factors")
    if len(tz) != len(tv):
        raise InputError(f"test codes has {len(tz)} rows but test factors has {len(tv)}; made from the same split?")
    if tz.shape[1] != z.shape[1] or tv.shape[1] != v.shape[1]:
        raise InputError(
            f"train has {z.shape[1]} dimensions and {v.shape[1]} factors, test {tz.shape[1]} and {tv.shape[1]}"
        )
    return z, v, tz, tv, "train and test rows as given"


def split_rows(n: int, seed: int) -> tuple[Ints, Ints]:
    """Row indices for training (two thirds) and testing (one third), each in rising order."""
    if n < 3:
        raise InputError(f"{n} rows cannot be split into train and test; give test_codes and test_factors")
    order = np.random.RandomState(seed).permutation(n)
    cut = n - max(1, n // 3)
    return np.sort(order[:cut]), np.sort(order[cut:])


def kind_of(column: Floats, kind: FactorKind | None) -> FactorKind:
    """The kind as declared; undeclared, whole numbers are categories and anything else is continuous."""
    if kind is not None:
        return kind
    known = column[~np.isnan(column)]
    return "categorical" if bool((known == np.round(known)).all()) else "continuous"


def kinds_of(factors: Floats, kinds: Kinds) -> tuple[FactorKind, ...]:
    """One kind a column of factors (n, k); see `kind_of`."""
    if kinds is not None and len(kinds) != factors.shape[1]:
        raise InputError(f"kinds names {len(kinds)} factors but factors has {factors.shape[1]} columns")
    return tuple(kind_of(column, kinds[j] if kinds is not None else None) for j, column in enumerate(factors.T))


def levels_of(column: Floats, kind: FactorKind | None = None, bins: int = 20) -> tuple[Ints, int]:
    """A factor's column as level indices (n,), −1 where it is NaN, and how many levels there may be.

    Categories and ordinal levels stay as they are. Continuous and circular values that are not whole numbers fall
    into `bins` bins of equal width.
    """
    missing = np.isnan(column)
    known = column[~missing] if missing.any() else column
    if kind in (None, "continuous", "circular") and not (known == np.round(known)).all():
        edges = np.histogram_bin_edges(known, bins)
        found, count = np.digitize(known, edges[:-1]) - 1, bins
    elif (known == np.round(known)).all() and known.max() - known.min() < WIDEST:
        found, count = (known - known.min()).astype(np.int64), int(known.max() - known.min()) + 1
    else:
        values, found = np.unique(known, return_inverse=True)
        count = len(values)
    if not missing.any():
        return np.asarray(found, dtype=np.int64), count
    levels = np.full(len(column), -1, dtype=np.int64)
    levels[~missing] = found
    return levels, count


def by_factor(values: Sequence[float] | Floats) -> dict[str, float]:
    """One number a factor, keyed by the column's index; scoring puts the factors' names in."""
    return {str(j): float(value) for j, value in enumerate(values)}
