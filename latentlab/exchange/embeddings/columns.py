"""Columns of a user's own table as factors and labels: what kind each is, and which levels it has."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentlab.data import Factor
from latentlab.data._columns import told_apart
from latentlab.data._dialects import MISSING, NUMBERLIKE, WHOLE
from latentlab.data._remarks import say
from latentlab.errors import InputError

CATEGORIES = 20  # at most so many different whole numbers are categories
LEVELS = 100  # at most so many, with ten rows each, are ordered levels
WORDS = 500  # different words in a column, of which at most half may stand in one row alone
MOST_LABELS = 10_000
Column = tuple[NDArray[np.float64], Factor]


def factors_of(
    table: pd.DataFrame, wanted: Collection[str], where: str
) -> tuple[NDArray[np.float64] | None, tuple[Factor, ...]]:
    """The columns (n, k) as factors. One that cannot be a factor is an `InputError` if wanted, else it is left out.

    Words and truth values are categories, and so are at most 20 different whole numbers; up to 100 are ordered levels
    where there are ten rows for each; other numbers are values themselves. An ordered categorical keeps its order.
    A column in which every row has another word cannot be a factor.
    """
    found: list[Column] = []
    left: list[str] = []
    for name in table.columns:
        try:
            found.append(_factor(str(name), table[name], f"{where}: column {str(name)[:40]!r}"))
        except InputError as error:
            if name in wanted:
                raise
            left.append(f"{str(name)[:30]} ({str(error).partition(' holds ')[2].partition(';')[0] or error})")
    if left:
        say(f"{where}: left out as factors: {', '.join(left)}")
    if not found:
        return None, ()
    return np.column_stack([values for values, _ in found]), tuple(factor for _, factor in found)


def _factor(name: str, column: pd.Series[Any], place: str) -> Column:
    kind = pd.api.types
    if column.isna().all():
        raise InputError(f"{place} holds nothing; leave it out")
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _categorical(name, column.cat.remove_unused_categories())
    if kind.is_bool_dtype(column):
        return _categorical(name, column.astype("object").map(str, na_action="ignore").astype("category"))
    if kind.is_numeric_dtype(column) and not kind.is_complex_dtype(column):
        return _numeric(name, told_apart(column).to_numpy(np.float64, na_value=np.nan), place)
    if kind.is_object_dtype(column) or kind.is_string_dtype(column):
        return _categorical(name, _words(column, place))
    raise InputError(f"{place} holds {column.dtype}; expected numbers or words")


def _words(column: pd.Series[Any], place: str) -> pd.Series[Any]:
    """A column of words as a categorical, its levels in their natural order."""
    known = column.where(~column.isin(MISSING)).dropna()
    if not all(isinstance(cell, str) for cell in known):
        raise InputError(f"{place} holds {type(known.iloc[0]).__name__} objects; expected numbers or words")
    levels = sorted(set(known))
    numbers = sum(NUMBERLIKE.fullmatch(level) is not None for level in levels)
    if 0 < numbers < len(levels):
        raise InputError(f"{place} holds both numbers and words; expected one of them, and empty cells where missing")
    if len(levels) > min(WORDS, max(CATEGORIES, len(known) // 2)) or 2 < len(levels) == len(known):
        raise InputError(f"{place} holds {len(levels):,} different words in {len(known):,} rows; expected few")
    if levels and all(map(WHOLE.fullmatch, levels)):
        levels.sort(key=int)
    return pd.Series(pd.Categorical(column.where(column.isin(levels)), levels))


def _categorical(name: str, column: pd.Series[Any]) -> Column:
    codes = column.cat.codes.to_numpy(np.float64)
    kind = "ordinal" if column.cat.ordered else "categorical"
    return np.where(codes < 0, np.nan, codes), Factor(name, kind, tuple(map(str, column.cat.categories)))  # type: ignore[arg-type]


def _numeric(name: str, values: NDArray[np.float64], place: str) -> Column:
    known = values[~np.isnan(values)]
    if np.isinf(known).any():
        raise InputError(f"{place} holds infinity; leave such cells empty")
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
            raise InputError(
                f"{where} holds numbers that cannot be labels; expected whole numbers or names: use --factors"
            )
        names = map(str, range(int(known.max()) + 1)) if known.min() >= 0 else ()
        return np.where(np.isnan(values), -1, values).astype(np.int64), tuple(names)
    codes, factor = _factor("labels", column, where)
    return np.where(np.isnan(codes), -1, codes).astype(np.int64), tuple(map(str, factor.values))
