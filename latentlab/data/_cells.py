"""A column of a table as numbers, with the words that they stand for."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentlab.data._columns import check_words
from latentlab.data._dialects import MISSING
from latentlab.data._factors import in_order
from latentlab.errors import InputError
from latentlab.system.precision import beyond_exact

Floats = NDArray[np.float64]


class Cells(NamedTuple):
    """A column as numbers: ``values`` (n,), NaN where missing; ``levels`` are the words that they count, if words."""

    name: str
    values: Floats
    levels: tuple[str, ...] = ()
    what: Literal["number", "whole", "truth", "words"] = "number"
    ordered: bool = False

    @property
    def known(self) -> Floats:
        """The values that are not missing."""
        return self.values[~np.isnan(self.values)]


def read_cells(where: str, name: str, column: pd.Series[Any], *, words: bool = False) -> Cells:
    """A column of a table as numbers and words; with `words`, what looks like a number may be one of them."""
    kind, place = pd.api.types, f"{where}: column {name[:40]!r}"
    if isinstance(column.dtype, pd.CategoricalDtype):
        levels = [str(each) for each in column.cat.categories]
        codes = column.cat.codes.to_numpy(np.float64)
        used = np.unique(codes[codes >= 0]).astype(int)
        rank = np.full(len(levels) + 1, np.nan)
        rank[used] = np.arange(len(used))
        return Cells(name, rank[codes.astype(int)], tuple(levels[k] for k in used), "words", bool(column.cat.ordered))
    if kind.is_string_dtype(column):
        column = column.where(~column.isin(MISSING))
    if column.isna().all():
        return Cells(name, np.full(len(column), np.nan))
    if words and kind.is_integer_dtype(column):
        column = column.astype("string")
    if kind.is_bool_dtype(column) or kind.is_integer_dtype(column) or kind.is_float_dtype(column):
        _check_exact(place, column)
        what = "truth" if kind.is_bool_dtype(column) else "whole" if kind.is_integer_dtype(column) else "number"
        return _finite(place, Cells(name, column.to_numpy(np.float64, na_value=np.nan), what=what))  # type: ignore[arg-type]
    if not kind.is_string_dtype(column):
        raise InputError(
            f"{place} holds {column.dtype}; expected numbers or words: convert it, or leave it out by drop="
        )
    known = column.dropna()
    if not words:
        check_words(place, known)
    levels = in_order(map(str, known))
    order = {level: float(i) for i, level in enumerate(levels)}
    values = column.map(lambda word: order[str(word)], na_action="ignore").to_numpy(np.float64, na_value=np.nan)
    return Cells(name, values, tuple(levels), "words")


def _check_exact(place: str, column: pd.Series[Any]) -> None:
    if pd.api.types.is_integer_dtype(column) and beyond_exact(column.dropna().to_numpy()):
        raise InputError(
            f"{place} holds whole numbers beyond 2^53, which floats merge; subtract the least, make it ids, or leave "
            "it out by drop="
        )


def _finite(place: str, cells: Cells) -> Cells:
    endless = np.isinf(cells.values)
    if endless.any():
        raise InputError(f"{place} holds infinity in row {int(endless.argmax()) + 1}; replace it, or leave it empty")
    return cells
