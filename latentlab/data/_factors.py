"""Columns about rows as factors and labels: one rule for tables, obs of AnnData, data frames, arrays and metadata.

- **Words, truth values and categories** are categorical factors. Levels of words are in alphabetical order (whole
  numbers written as words in rising order), of truth values ``false`` and ``true``; categories keep their own order,
  and are ordinal where that is declared. Levels that no row has are dropped.
- **Whole numbers**, also where they are stored as floats, are categorical up to `CATEGORIES` different ones, and
  ordinal levels up to `LEVELS` with ten rows each. Other numbers are continuous values.
- **Missing** is NaN, and a text that marks a missing value (NA, ?, …) is missing.
- **No factor** is a column without values, words that (nearly) all differ, numbers beside words, dates and other
  objects: an error where the user named the column, and left out with a word otherwise. Left out unless named are
  columns with one value, and whole numbers that count the rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentlab.data._dialects import COUNTERS, MISSING, NUMBERLIKE, WHOLE
from latentlab.data.dataset import Factor
from latentlab.errors import InputError
from latentlab.system.precision import as_floats, beyond_exact

CATEGORIES = 20  # at most so many different whole numbers are categories
LEVELS = 100  # at most so many, with ten rows each, are ordered levels
WORDS = 500  # different words in a column, of which at most half may stand in one row alone
MOST_LABELS = 10_000
NAMED = 5  # columns that are named among what is left out
Floats = NDArray[np.float64]
Column = tuple[Floats, Factor]


class Factors(NamedTuple):
    """Factors (n, k), None where there are none; what each is; and why a column is none, by its name."""

    values: Floats | None
    specs: tuple[Factor, ...]
    left: dict[str, str]

    def said(self, of: str) -> tuple[str, ...]:
        """A sentence on the columns that are left out, where there are any."""
        shown = [f"{name[:24]} ({why})" for name, why in list(self.left.items())[:NAMED]]
        more = ", …" if len(self.left) > NAMED else ""
        count = f"{len(self.left)} column{'s' * (len(self.left) > 1)}"
        return (f"{count} of {of} left out as factors: {', '.join(shown)}{more}",) if shown else ()


def factors_of(table: pd.DataFrame, wanted: Collection[str], where: str) -> Factors:
    """The columns of a table as factors; an `InputError` where one that is wanted cannot be a factor.

    >>> table = pd.DataFrame({"kind": ["b", "a", None], "size": [1.5, 2.5, 3.5], "id": [0, 1, 2]})
    >>> found = factors_of(table, ["kind"], "t")
    >>> found.values.tolist(), found.left
    ([[1.0, 1.5], [0.0, 2.5], [nan, 3.5]], {'id': 'counts the rows'})
    """
    found: list[Column] = []
    left: dict[str, str] = {}
    for name in map(str, table.columns):
        column = table[name]
        try:
            why = "" if name in wanted else idle(name, column)
            each = None if why else factor_of(name, column)
        except InputError as error:
            if name in wanted:
                raise InputError(f"{where}: column {name[:40]!r} {error}") from error
            each, why = None, str(error).removeprefix("holds ").partition(";")[0]
        if each is None:
            left[name] = why
        else:
            found.append(each)
    values = np.column_stack([values for values, _ in found]) if found else None
    return Factors(values, tuple(factor for _, factor in found), left)


def idle(name: str, column: pd.Series[Any]) -> str:
    """Why a column that nobody named is left out although it could be a factor; empty where it is a factor."""
    known = column.dropna()
    distinct = known.nunique()
    if distinct == 1:
        return f"{str(known.iloc[0])[:20]} in all rows" if len(known) == len(column) else "one value"
    whole = pd.api.types.is_integer_dtype(column) and distinct == len(column) > 2
    return "counts the rows" if whole and (name.lower() in COUNTERS or counts(known.to_numpy(np.float64))) else ""


def counts(values: Floats) -> bool:
    """Whether different values are 0, 1, 2, … or 1, 2, 3, …, in any order."""
    return bool(values.min() in (0, 1) and values.max() - values.min() == len(values) - 1)


def factor_of(name: str, column: pd.Series[Any], *, mixed: bool = False) -> Column:
    """A column as a factor: its values (n,) and what it is; an `InputError` says what it holds that is none.

    `mixed` allows words among which some look like numbers, as names of classes may.
    """
    kind = pd.api.types
    if column.isna().all():
        raise InputError("holds nothing; leave it out")
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _categorical(name, column.cat.remove_unused_categories())
    if kind.is_bool_dtype(column):
        words = column.astype("object").map({True: "true", False: "false"}, na_action="ignore")
        return _categorical(name, pd.Series(pd.Categorical(words)))
    if kind.is_numeric_dtype(column) and not kind.is_complex_dtype(column):
        return _numeric(name, told_apart(column).to_numpy(np.float64, na_value=np.nan))
    if kind.is_object_dtype(column) or kind.is_string_dtype(column):
        return _categorical(name, _words(column, mixed))
    raise InputError(f"holds {column.dtype}; expected numbers or words: convert it, or leave it out")


def told_apart(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column whose whole numbers float64 does not merge: where it would, what `exact_levels` gives.

    >>> told_apart(pd.Series([2**60 + 1, 2**60])).tolist()
    [1.0, 0.0]
    """
    if not pd.api.types.is_integer_dtype(column):
        return column
    known = column.dropna()
    numbers = known.to_numpy(known.dtype.name.lower())
    return pd.Series(as_floats(numbers), known.index).reindex(column.index) if beyond_exact(numbers) else column


def in_order(words: Iterable[str]) -> list[str]:
    """Different words in alphabetical order, whole numbers among themselves in rising order.

    >>> in_order(["b", "a", "b"]), in_order(["10", "9"])
    (['a', 'b'], ['9', '10'])
    """
    levels = sorted(set(words))
    return sorted(levels, key=int) if levels and all(map(WHOLE.fullmatch, levels)) else levels


def _words(column: pd.Series[Any], mixed: bool) -> pd.Series[Any]:
    """A column of words as a categorical."""
    known = column.where(~column.isin(MISSING)).dropna()
    if len(known) and not all(isinstance(cell, str) for cell in known):
        raise InputError(f"holds {type(known.iloc[0]).__name__} objects; expected numbers or words")
    if not len(known):
        raise InputError("holds nothing; leave it out")
    levels = in_order(known)
    numbers = sum(NUMBERLIKE.fullmatch(level) is not None for level in levels)
    if 0 < numbers < len(levels) and not mixed:
        raise InputError("holds both numbers and words; expected one of them, and empty cells where missing")
    if len(levels) > min(WORDS, max(CATEGORIES, len(known) // 2)) or 2 < len(levels) == len(known):
        raise InputError(f"holds {len(levels):,} different words in {len(known):,} rows; expected few")
    return pd.Series(pd.Categorical(column.where(column.isin(levels)), levels))


def _categorical(name: str, column: pd.Series[Any]) -> Column:
    codes = column.cat.codes.to_numpy(np.float64)
    kind = "ordinal" if column.cat.ordered else "categorical"
    levels = tuple(map(_level, column.cat.categories))
    return np.where(codes < 0, np.nan, codes), Factor(name, kind, levels)  # type: ignore[arg-type]


def _level(category: Any) -> float | str:
    if isinstance(category, bool | np.bool_):
        return str(bool(category)).lower()
    return float(category) if isinstance(category, int | float | np.number) else str(category)


def _numeric(name: str, values: Floats) -> Column:
    known = values[~np.isnan(values)]
    if np.isinf(known).any():
        raise InputError("holds infinity; leave such cells empty")
    levels = np.unique(known)
    most = max(CATEGORIES, min(LEVELS, len(known) // 10))
    if (known % 1 != 0).any() or len(levels) > most or 2 < len(levels) == len(known):
        return values, Factor(name, "continuous")
    codes = np.where(np.isnan(values), np.nan, np.searchsorted(levels, np.nan_to_num(values)))
    return codes, Factor(name, "categorical" if len(levels) <= CATEGORIES else "ordinal", tuple(levels.tolist()))


def labels_of(column: pd.Series[Any], where: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """A column as labels (n,), −1 where missing, and the classes' names; small whole numbers from 0 stay what they are.

    >>> labels_of(pd.Series(["b", "a", None]), "t")
    (array([ 1,  0, -1]), ('a', 'b'))
    """
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.to_numpy(np.float64, na_value=np.nan)
        known = values[~np.isnan(values)]
        if not len(known) or (known % 1 != 0).any() or not (-MOST_LABELS < known.min() <= known.max() < MOST_LABELS):
            raise InputError(f"{where} holds numbers that cannot be labels; expected whole numbers or names: factors")
        names = map(str, range(int(known.max()) + 1)) if known.min() >= 0 else ()
        return np.where(np.isnan(values), -1, values).astype(np.int64), tuple(names)
    try:
        codes, factor = factor_of("labels", column, mixed=True)
    except InputError as error:
        raise InputError(f"{where} {error}") from error
    return np.where(np.isnan(codes), -1, codes).astype(np.int64), tuple(_name(each) for each in factor.values)


def unlabelled(labels: NDArray[np.int64], column: pd.Series[Any]) -> str:
    """How many rows lack a label, in a sentence; empty where none does."""
    missing = int((labels < 0).sum()) if not pd.api.types.is_numeric_dtype(column) else int(column.isna().sum())
    return f"{missing:,} of {len(labels):,} rows have no label in {str(column.name)[:40]}" if missing else ""


def _name(level: float | str) -> str:
    return level if isinstance(level, str) else f"{level:g}"
