"""The border: arrays are checked here once, and factors are read by their kind.

Codes keep their precision (float32 stays float32): bin edges follow it, so widening would move bins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.data.dataset import FactorKind
from latentlab.errors import InputError
from latentlab.system.once import once
from latentlab.system.precision import (
    NARROW,
    beyond_exact,
    check_offsets,
    check_sizes,
    exact_levels,
    extremes,
    unmasked,
)  # fmt: skip
from latentlab.system.registry import choose

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
Kinds = Sequence[FactorKind] | None

BLOCK = 1 << 15  # rows per block
HUGE = 1e100  # factors beyond have no squares
WIDEST = 4096  # integers spanning less than this are levels as they stand; wider columns are sorted into levels


@once
def check_codes(codes: ArrayLike, what: str = "codes") -> Floats:
    """Codes as a finite floating (n, d) array with n ≥ 2; `InputError` otherwise, and where arithmetic would fail.

    That is where numbers are too large or vary too little for their squares, and where a dimension lies so far from 0
    that digits are lost. Masked values are refused as NaN is.
    """
    array = check_finite(codes, what)
    check_sizes(array, what)
    check_offsets(array, what)
    small = array.dtype == np.float32 and array.size and not _has_squares(array)
    return array.astype(np.float64) if small else array


def _has_squares(array: Floats) -> bool:
    """Whether squares of float32 codes, and of their differences, are float32 as well."""
    low, high = extremes(array)
    return bool(max(-low.min(), high.max()) <= NARROW[0] and (high - low).max() >= NARROW[1])


def check_finite(numbers: ArrayLike, what: str) -> Floats:
    """Finite floats (n, d) with n ≥ 2, of whatever magnitude: codes, or their posterior variance."""
    array = unmasked(numbers, what)
    if array.ndim != 2 or array.shape[1] == 0:
        raise InputError(
            f"{what} has shape {array.shape}; expected (n, d): one row per example, one column per dimension"
        )
    if array.dtype.kind not in "fiub":
        raise InputError(f"{what} holds {array.dtype}; expected numbers")
    if len(array) < 2:
        raise InputError(f"{what} has {len(array)} row; a score needs at least two")
    if array.dtype.kind in "iu" and beyond_exact(array):
        raise InputError(f"{what} has whole numbers above 2⁵³, which float64 merges; subtract their mean")
    array = array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
    _refuse_unknown(array, what)
    return array


def _refuse_unknown(array: Floats, what: str) -> None:
    bad = [block.start + np.flatnonzero(~np.isfinite(array[block]).all(axis=1)) for block in blocks(len(array))]
    count = sum(map(len, bad))
    if count:
        row = int(np.concatenate(bad)[0])
        place = f"first in row {row}, column {int(np.flatnonzero(~np.isfinite(array[row]))[0])}"
        raise InputError(f"{what} has NaN or infinity in {count} of {len(array)} rows ({place}); leave those rows out")


def blocks(n: int) -> Iterator[slice]:
    """Slices of rows that stay in the cache: what goes over rows in them holds no copy of all rows."""
    return (slice(start, start + BLOCK) for start in range(0, n, BLOCK))


@once
def check_factors(factors: ArrayLike, what: str = "factors", widen: bool = True) -> Floats:
    """Factors as a float64 (n, k) array, NaN where a label is missing or masked; (n,) is one factor.

    Without `widen` numbers of any type stay as they are, for who goes over the rows in blocks. Columns with whole
    numbers beyond 2⁵³, which float64 would merge, become `exact_levels`.
    """
    array = unmasked(factors, what)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or array.shape[1] == 0:
        raise InputError(f"{what} has shape {array.shape}; expected (n, k): one row per example, one column per factor")
    if array.dtype.kind not in "fiub":
        raise InputError(f"{what} holds {array.dtype}; expected numbers (level indices or values)")
    if array.dtype.kind in "iu" and beyond_exact(array):
        array = np.column_stack([exact_levels(column) for column in array.T])
    array = array.astype(np.float64, copy=False) if widen else array
    if array.dtype.kind == "f" and _any_beyond(array, min(HUGE, float(np.finfo(array.dtype).max))):
        raise InputError(f"{what} holds infinity, or values above {HUGE:g}; expected levels or values, or NaN")
    return array


def _any_beyond(array: Floats, largest: float) -> bool:
    """Whether any number is infinite or larger than that, which its own type must hold."""
    return any((np.abs(array[block]) > largest).any() for block in blocks(len(array)))


@once
def check_rows(codes: ArrayLike, factors: ArrayLike, part: str = "", widen: bool = True) -> tuple[Floats, Floats]:
    """Codes (n, d) and factors (n, k) that belong together, every factor with two values at least."""
    z, v = check_codes(codes, f"{part}codes"), check_factors(factors, f"{part}factors", widen)
    if len(z) != len(v):
        raise InputError(
            f"{part}codes has {len(z)} rows but {part}factors has {len(v)}; were both made from the same split?"
        )
    _check_values(v, f"{part}factors")
    return z, v


def _check_values(factors: Floats, what: str, least: int = 2) -> None:
    """Raise an `InputError` for a factor of which fewer than `least` (1 or 2) values are known."""
    for j, column in enumerate(survey(factors)):
        if column.known == 0:
            raise InputError(f"factor {j} of {what} is NaN in every row; leave it out")
        if least > 1 and column.low == column.high:
            raise InputError(f"factor {j} of {what} has one value ({column.low:g}) in every row; leave it out")


class Column(NamedTuple):
    """What a factor's column holds: extremes of its labels, whether they are whole numbers, how many there are."""

    low: float
    high: float
    whole: bool
    known: int


@once
def survey(factors: Floats) -> list[Column]:
    """What each column of factors (n, k) holds, from one pass in blocks; infinite extremes where nothing is known."""
    k = factors.shape[1]
    low, high = np.full(k, np.inf), np.full(k, -np.inf)
    whole, missing = np.ones(k, dtype=bool), np.zeros(k, dtype=np.int64)
    for block in blocks(len(factors)):
        values = factors[block]
        least, most = extremes(values, known=True)
        low, high = np.fmin(low, least), np.fmax(high, most)
        if values.dtype.kind == "f":
            absent = np.isnan(values)
            missing += absent.sum(axis=0)
            whole &= ((values == np.rint(values)) | absent).all(axis=0)
    columns = zip(low, high, whole, len(factors) - missing, strict=True)
    return [Column(float(a), float(b), bool(c), int(n)) for a, b, c, n in columns]


def check_parts(
    codes: ArrayLike, factors: ArrayLike, test_codes: ArrayLike | None, test_factors: ArrayLike | None, seed: int
) -> tuple[Floats, Floats, Floats, Floats, str]:
    """Train and test rows, and how they came about: as given, or a seeded split of the rows in two thirds and one."""
    z, v = check_rows(codes, factors)
    if (test_codes is None) != (test_factors is None):
        raise InputError("test_codes and test_factors go together; one of them is missing")
    if test_codes is None or test_factors is None:
        train, test = split_rows(len(z), seed)
        _check_values(v[train], "the training factors")
        _check_values(v[test], "test factors", least=1)
        return z[train], v[train], z[test], v[test], f"rows split 2:1 with seed {seed}"
    tz, tv = check_codes(test_codes, "test codes"), check_factors(test_factors, "test factors")
    if len(tz) != len(tv):
        raise InputError(f"test codes has {len(tz)} rows but test factors has {len(tv)}; made from the same split?")
    if tz.shape[1] != z.shape[1] or tv.shape[1] != v.shape[1]:
        raise InputError(
            f"train has {z.shape[1]} dimensions and {v.shape[1]} factors, test {tz.shape[1]} and {tv.shape[1]}"
        )
    _check_values(tv, "test factors", least=1)
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
        choose(str(kind), get_args(FactorKind), what="kind of factor")
        return kind
    return "categorical" if survey(column[:, None])[0].whole else "continuous"


def kinds_of(factors: Floats, kinds: Kinds) -> tuple[FactorKind, ...]:
    """One kind a column of factors (n, k); see `kind_of`."""
    if kinds is not None and len(kinds) != factors.shape[1]:
        raise InputError(f"kinds names {len(kinds)} factors but factors has {factors.shape[1]} columns")
    if kinds is None:
        return tuple("categorical" if column.whole else "continuous" for column in survey(factors))
    return tuple(kind_of(column, kind) for column, kind in zip(factors.T, kinds, strict=True))


def bin_edges(values: Floats, bins: int) -> Floats:
    """The edges (bins + 1,) of `np.histogram`, but for its refusal of values so near each other that edges coincide."""
    low, high = values.min(), values.max()
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1, dtype=values.dtype)


class Scale(NamedTuple):
    """How values become one of `size` levels: less the lowest, by inner `edges` of bins, or by place in `values`."""

    size: int
    low: float = 0.0
    edges: Floats | None = None
    values: Floats | None = None

    def levels(self, column: Floats) -> Ints:
        """Level indices of values (n,), −1 where they are NaN."""
        missing = np.isnan(column) if column.dtype.kind == "f" else np.zeros(0, dtype=bool)
        known = np.where(missing, self.low, column) if missing.any() else column
        if self.edges is not None:
            found = np.searchsorted(self.edges, known, side="right")
        elif self.values is not None:
            found = np.searchsorted(self.values, known)
        else:
            found = np.subtract(known, self.low).astype(np.int64)
        return np.asarray(np.where(missing, -1, found) if missing.any() else found, dtype=np.int64)


def scale_of(column: Floats, kind: FactorKind | None = None, bins: int = 20, held: Column | None = None) -> Scale:
    """The scale of a factor's column (n,); see `levels_of`. ``held`` is its `survey`, where that is known."""
    found = held or survey(column[:, None])[0]
    if kind in (None, "continuous", "circular") and not found.whole:
        pair = np.array([found.low, found.high])
        return Scale(bins, found.low, edges=bin_edges(pair, bins)[1:-1])
    if found.whole and found.high - found.low < WIDEST:
        return Scale(int(found.high - found.low) + 1, found.low)
    seen = [np.unique(column[block]) for block in blocks(len(column))]
    values = np.unique(np.concatenate(seen))
    values = values[~np.isnan(values)]
    return Scale(len(values), found.low, values=values)


def levels_of(column: Floats, kind: FactorKind | None = None, bins: int = 20) -> tuple[Ints, int]:
    """A factor's column as level indices (n,), −1 where it is NaN, and how many levels there may be.

    Categories and ordinal levels stay as they are. Continuous and circular values that are not whole numbers fall
    into `bins` bins of equal width.
    """
    scale = scale_of(column, kind, bins)
    return scale.levels(column), scale.size


def angles_of(column: Floats) -> Floats:
    """A circular factor's column (n,) in radians, NaN where it is missing.

    Values that are not all whole numbers are radians already. Whole numbers are levels in equal steps round the circle:
    their step is the greatest that reaches them all, and the turn ends one step after the last level.

    >>> angles_of(np.array([0.0, 1, 2, 3])).round(2).tolist()
    [0.0, 1.57, 3.14, 4.71]
    """
    held = survey(column[:, None])[0]
    if not held.whole:
        return column
    steps = (column[~np.isnan(column)] - held.low).astype(np.int64)
    step = max(int(np.gcd.reduce(steps)), 1)
    return np.asarray(2 * np.pi * (column - held.low) / (held.high - held.low + step))


def undefined(each: Floats) -> dict[str, str]:
    """What a score's settings say of factors whose number (k,) is NaN, since the test rows have one value of them."""
    missing = ", ".join(str(j) for j in np.flatnonzero(np.isnan(each)))
    return {"undefined": f"the test rows have one value of factor {missing}"} if missing else {}


def by_factor(values: Sequence[float] | Floats) -> dict[str, float]:
    """One number per factor, keyed by the column's index; scoring puts the factors' names in."""
    return {str(j): float(value) for j, value in enumerate(values)}
