"""The columns of a table as numbers: whole ones exactly, words as the levels of a factor, and nothing guessed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentlab.data._dialects import COUNTERS, ID, MISSING, NUMBER, NUMBERLIKE, WHOLE, Asked, mend_of, plain
from latentlab.data._factors import factor_of
from latentlab.data._ids import Texts
from latentlab.data._names import one_level
from latentlab.data._packed import LIMIT
from latentlab.data._suspects import said_of_last, said_of_levels, said_of_marks, said_of_missing
from latentlab.data._textual import WIDEST, Table, read_table
from latentlab.errors import InputError
from latentlab.system.precision import exact_levels

SEVERAL = 2  # rows whose words may all differ and be levels still
SHOWN = 6  # levels that are said by name
WORDS = tuple(mark for mark in MISSING if mark.strip("<>#?-"))  # marks of a missing value that may be words: NA
TRUTH = ("false", "true")  # what 0 and 1 stand for in a column of truth values


class Columns(NamedTuple):
    """A table's ``values`` (n, k), its ``names`` where it has some, and what is ``said`` of how it was read.

    ``rows`` (n,) are the names or numbers of its rows, where they are known and all differ; ``first`` is what its first
    column holds, where that may be row numbers as well. ``levels`` has for each column the words that its numbers stand
    for, none where it holds numbers. ``twice`` is a name that two rows have, where names repeat.
    """

    values: NDArray[Any]
    names: tuple[str, ...]
    said: str
    rows: Texts | None = None
    first: Texts | None = None
    levels: tuple[tuple[str, ...], ...] = ()
    twice: str = ""


def of_text(path: Path, asked: Asked, *, words: bool) -> Columns:
    """The columns of a table of text; with `words` a column of words is one of levels, otherwise it is refused."""
    return _columns(path, _named_rows(path, read_table(path, asked), asked), words)


def of_parquet(path: Path, asked: Asked, *, words: bool) -> Columns:
    """The columns of a Parquet file, without what pandas kept as its index."""
    return _columns(path, _named_rows(path, parquet_table(path), asked), words)


def _named_rows(path: Path, table: Table, asked: Asked) -> Table:
    """The table with the first column of words that differ in every row apart: they name rows, and are no levels."""
    frame = table.frame
    if table.rows is not None or asked.index is False or not table.names or len(frame.columns) < 2:
        return table
    name = next((name for name in frame.columns if _names_rows(frame[name])), None)
    if name is None:
        _check_numbered(path, frame, asked)
        return table
    said = [*table.said, f"column {name[:40]!r} names the rows"]
    return table._replace(frame=frame.drop(columns=name), said=said, rows=frame[name])


def _check_numbered(path: Path, frame: pd.DataFrame, asked: Asked) -> None:
    """Raise an `InputError` for a column called id, beyond the first, with another whole number in every row."""
    for name in frame.columns[1:] if asked.index is None else ():
        called = str(name).lower() in COUNTERS or ID.search(str(name)) is not None
        column = frame[name]
        if called and len(column) > SEVERAL and pd.api.types.is_integer_dtype(column) and column.is_unique:
            raise InputError(
                f"{str(path)[-60:]}: column {str(name)[:40]!r} is another number in every row; remove it or, if it "
                "names the rows, put it first and pass --index; --no-index keeps it"
            )


def _names_rows(column: pd.Series[Any]) -> bool:
    """Whether a column holds words, another in every row and none that is missing or may be a number."""
    if len(column) <= SEVERAL or not pd.api.types.is_string_dtype(column) or not column.is_unique:
        return False
    return not any(cell is pd.NA or cell in MISSING or NUMBERLIKE.fullmatch(plain(cell)) for cell in column)


def of_frame(name: str, frame: pd.DataFrame) -> Columns:
    """The columns of a data frame, those of words as the levels of factors."""
    frame = one_level(frame).reset_index(drop=True).convert_dtypes()
    return _columns(Path(name), Table(frame, True, [], marks=marks_in(frame)), True)


def parquet_table(path: Path) -> Table:
    """The table in a Parquet file, without what pandas kept as its index."""
    frame = parquet_frame(path)
    if isinstance(frame.index, pd.RangeIndex):
        return Table(frame, True, [], marks=marks_in(frame))
    rows = None if isinstance(frame.index, pd.MultiIndex) else frame.index.to_series().reset_index(drop=True)
    return Table(frame.reset_index(drop=True), True, ["index left out"], rows=rows, marks=marks_in(frame))


def marks_in(frame: pd.DataFrame) -> dict[str, tuple[str, int]]:
    """The most frequent word among those that mark a missing value, in each column that has one, and how often."""
    texts = {str(name): column for name, column in frame.items() if pd.api.types.is_string_dtype(column)}
    found = {name: column[column.isin(WORDS)].value_counts() for name, column in texts.items()}
    return {name: (str(times.index[0]), int(times.iloc[0])) for name, times in found.items() if len(times)}


def parquet_frame(path: Path) -> pd.DataFrame:
    """The table in a Parquet file as pandas kept it, its index included; whole numbers and truth values may be missing.

    Raises an `InputError` for a file that is damaged, that has too many cells, or that is an export of latentlab's.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            about = file.metadata
            _check_names(path, file.schema_arrow.names)
            if b"latentlab" in (about.metadata or {}):
                raise InputError(f"{path} is a latentlab export with more than codes; pass the run or its codes.h5ad")
            if about.num_columns > WIDEST or about.num_rows * about.num_columns * 8 > LIMIT:
                raise InputError(
                    f"{path} has {about.num_rows:,} × {about.num_columns:,} cells; save fewer, or .npy, to score them"
                )
        frame = pd.read_parquet(path, engine="pyarrow", dtype_backend="numpy_nullable")
    except (pyarrow.ArrowException, OSError, ValueError, KeyError) as error:
        if isinstance(error, InputError):
            raise
        why = " ".join(str(error).split())[:60]
        raise InputError(f"{path} is not a readable Parquet file ({why}); recreate or copy it again") from error
    if not frame.size:
        raise InputError(f"{path} holds {len(frame)} rows × {len(frame.columns)} columns; expected numbers")
    return frame


def _check_names(path: Path, names: list[str]) -> None:
    """Raise an `InputError` for a column without a name, and for two of one name."""
    if "" in names:
        raise InputError(f"{path}: column {names.index('') + 1} has no name; name every column")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"{path} has two columns called {twice[:40]!r}; name each once")


def _columns(path: Path, table: Table, words: bool) -> Columns:
    said = [*table.said, f"{len(table.frame):,} rows × {len(table.frame.columns):,} columns"]
    arrays, levels = [], []
    for name in table.frame.columns:
        place = _Place(path, f"column {name + 1}" if isinstance(name, int) else f"column {name[:40]!r}")
        found = _values(place, table.told_apart(name) if words else table.frame[name], words)
        arrays.append(found.values)
        levels.append(found.words)
        said += found.said + said_of_levels(place.name, found.words)
    numbers = [
        (str(name), a.astype(np.float64)) for name, a, w in zip(table.frame, arrays, levels, strict=True) if not w
    ]
    said += said_of_last(table.frame) + said_of_marks(numbers) + said_of_missing(table.marks)
    whole = all(values.dtype.kind == "i" for values in arrays)
    values = np.column_stack([values if whole else values.astype(np.float64) for values in arrays])
    names = tuple(map(str, table.frame.columns)) if table.names else ()
    first = table.named(table.frame.columns[0])
    rows = None if table.rows is None else _row_names(table.rows)
    about, twice = f"{path.name}: {', '.join(said)}", "" if table.rows is None else _twice(table.rows)
    return Columns(values, names, about, rows, _row_names(first) if names else None, tuple(levels), twice)


def _twice(column: pd.Series[Any]) -> str:
    """The first name that two rows have; empty where all differ."""
    repeated = column[column.duplicated()]
    return str(repeated.iloc[0]) if len(repeated) else ""


def _row_names(column: pd.Series[Any]) -> Texts | None:
    """The entries of a column as row names, or row numbers; None where they cannot be, because some are alike."""
    if column.isna().any() or not column.is_unique or pd.api.types.is_float_dtype(column):
        return None
    return np.array([str(each) for each in column.tolist()], np.str_)


class _Place(NamedTuple):
    """Where a column stands, for messages: the file, and its name or number."""

    path: Path
    name: str

    def __str__(self) -> str:
        return f"{self.path}: {self.name}"


class _Read(NamedTuple):
    """The numbers of a column, NaN where one is missing, what is said of them, and the words that they stand for."""

    values: NDArray[Any]
    said: list[str]
    words: tuple[str, ...] = ()


def _values(place: _Place, column: pd.Series[Any], words: bool) -> _Read:
    kind = pd.api.types
    if kind.is_string_dtype(column):  # marks of missing values are left in columns that pandas could not make numbers
        column = column.where(~column.isin(MISSING))
    missing = [f"{int(column.isna().sum()):,} missing in {place.name}"] if column.isna().any() else []
    if kind.is_bool_dtype(column) or kind.is_integer_dtype(column):
        return _Read(_whole(column, words), missing, TRUTH if kind.is_bool_dtype(column) else ())
    if kind.is_float_dtype(column):
        return _Read(column.to_numpy(np.float64, na_value=np.nan), missing)
    if not (kind.is_string_dtype(column) or isinstance(column.dtype, pd.CategoricalDtype)):
        raise InputError(f"{place} holds {column.dtype}; expected numbers{' or words' if words else ''}")
    found = _levels(place, column, words)
    return found._replace(said=found.said + missing)


def _whole(column: pd.Series[Any], words: bool) -> NDArray[Any]:
    known = column.dropna()
    values = known.to_numpy(np.uint64 if str(column.dtype) == "UInt64" else np.int64)
    if words:
        values = exact_levels(values)
    elif values.dtype.kind == "u":
        values = values.astype(np.float64)
    return _spread(values, column.notna())


def _spread(values: NDArray[Any], known: pd.Series[Any]) -> NDArray[Any]:
    """The values in their rows, NaN in those that are not known."""
    if known.all():
        return values
    found = np.full(len(known), np.nan)
    found[known.to_numpy(bool)] = values
    return found


def _levels(place: _Place, column: pd.Series[Any], words: bool) -> _Read:
    """Words as the levels of a factor (`factor_of`), whole numbers beyond 2⁶⁴ in rising order; NaN where missing."""
    known = column.dropna().astype("string")
    text = not isinstance(column.dtype, pd.CategoricalDtype) and pd.api.types.is_string_dtype(column)
    if words and text and all(map(WHOLE.fullmatch, known)):
        order = {level: i for i, level in enumerate(sorted(map(int, set(known))))}
        ranks = column.map(lambda cell: order[int(cell)], na_action="ignore")
        return _Read(ranks.to_numpy(np.float64, na_value=np.nan), [])
    if not words or text:
        check_words(place, known, words)
    try:
        values, factor = factor_of(place.name, column)
    except InputError as error:
        raise InputError(f"{place} {error}") from error
    levels = tuple(map(str, factor.values))
    shown = ", ".join(level[:20] for level in levels[:SHOWN]) + (", …" if len(levels) > SHOWN else "")
    return _Read(values, [f"{place.name} has {len(levels)} words as levels ({shown})"], levels)


def check_words(place: object, known: pd.Series[Any], words: bool = True) -> None:
    """Raise an `InputError` unless these are words, and none that could be a number."""
    numbers = known.map(lambda cell: NUMBERLIKE.fullmatch(plain(cell)) is not None).to_numpy(bool)
    if numbers.any() or not words:
        strange = ~numbers if not numbers.all() else ~known.map(_is_finite).to_numpy(bool)
        row = known.index[strange][0] if strange.any() else known.index[0]
        texts = ": these are texts, convert them" if numbers.all() and not strange.any() else mend_of(known[row])
        raise InputError(f"{place}, row {row + 1} holds {known[row][:30]!r}; expected numbers in all its rows{texts}")


def _is_finite(cell: str) -> bool:
    return NUMBER.fullmatch(cell) is not None and math.isfinite(float(cell))
