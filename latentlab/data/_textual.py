"""A table as text: CSV and its relatives, in whatever dialect it was written, as a pandas frame.

No row, column or name is dropped or made up in silence: what was inferred is said, what could be either is asked for.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from latentlab.data._dialects import (
    CODED,
    CODES,
    COUNTERS,
    ID,
    MISSING,
    SAMPLE,
    SEPARATORS,
    UNNAMED,
    Asked,
    Lines,
    Verdict,
    cells_of,
    decimal_of,
    grouped,
    has_row_names,
    in_thousands,
    is_comment,
    judge,
    names_in_comment,
    separator_of,
    split_comments,
)
from latentlab.data._factors import in_order
from latentlab.data._packed import read_text
from latentlab.errors import InputError

WIDEST, LONGEST, MOST = 10_000, 5_000_000, 50_000_000  # columns, lines and cells that are read
INDEX = "index"  # what a first column without a name is called, as pandas calls it


class Table(NamedTuple):
    """A table: the ``frame``, whether its ``names`` are the file's own, and what is ``said`` of how it was read.

    ``written`` has the texts of columns of whole numbers that are not all written as such (007, 1E5), and may be names;
    ``rows`` is the column of row names or numbers that was left out. ``marks`` has for columns of words a mark of
    a missing value that is a word as well (NA), and in how many rows it stands.
    """

    frame: pd.DataFrame
    names: bool
    said: list[str]
    written: Mapping[Any, pd.Series[Any]] = MappingProxyType({})
    rows: pd.Series[Any] | None = None
    marks: Mapping[Any, tuple[str, int]] = MappingProxyType({})

    def named(self, name: Any) -> pd.Series[Any]:
        """A column whose entries are names, as ids and labels are: as they are written."""
        column: pd.Series[Any] = self.written.get(name, self.frame[name])
        return column

    def told_apart(self, name: Any) -> pd.Series[Any]:
        """A column as it was read, or its texts as categories where numbers would merge some of them (1 and 01)."""
        column: pd.Series[Any] = self.frame[name]
        texts = self.written.get(name)
        if texts is None or texts.nunique() == column.nunique():
            return column
        return pd.Series(pd.Categorical(texts, in_order(texts.dropna())))


class _Dialect(NamedTuple):
    separator: str
    decimal: str


def read_table(path: Path, asked: Asked = Asked()) -> Table:  # noqa: B008
    """The table in a file of text, packed or not.

    Raises `InputError` for rows of different lengths (by line), names that are missing or there twice, more columns,
    lines, cells or text than `WIDEST`, `LONGEST`, `MOST` and `latentlab.data._packed.LIMIT`, and for what can be read
    in two
    ways unless `asked` says which.
    """
    text, said = read_text(path)
    if text.count("\n") > LONGEST:
        raise InputError(f"{path} has more than {LONGEST:,} lines; save the numbers as .npy")
    try:
        return _table(path, split_comments(text), said, asked)
    except csv.Error as error:
        raise InputError(f"{path} is not a readable table ({error}); expected one row per line") from error


def _table(path: Path, lines: Lines, said: list[str], asked: Asked) -> Table:
    if not lines.rows:
        raise InputError(f"{path} has no rows; expected one row of numbers per line")
    _check_width(path, lines)
    separator = separator_of(lines.rows)
    dialect = _Dialect(separator, _decimal(path, lines.rows, separator, asked))
    counts = _scan(path, lines, separator)
    headed, names = _names(path, lines, dialect, asked, counts)
    rows = lines.rows[_lines_of_first(lines.rows, separator) if headed else 0 :]
    frame = _parsed(path, rows, dialect, max(counts))
    if len(frame) != len(counts) - headed:
        raise InputError(f"{path} has quotes that are not closed, or ambiguous lines; save it again")
    _check_thousands(path, rows, dialect, frame, asked)
    written = _written(path, rows, dialect, frame)
    index = written.get(0, frame[0]) if _has_index(path, frame, names, asked) else None
    kept = frame if index is None else frame.drop(columns=0)
    over = _nameless(kept, names)
    kept = kept.drop(columns=over)
    called = _called(path, list(kept.columns), names)
    about = "header" if headed else "no header" if names is None else "names in a comment"
    spared = ["first column of fractions kept"] if asked.index and index is None else []
    ends = ["separators at the ends of lines ignored"] if over else []
    said = [*said, *_described(dialect, lines), about, *_said_of_first(names, index), *ends, *spared]
    texts = {called[j]: column for j, column in written.items() if j in called}
    marks = {called[j]: mark for j, mark in _marks(path, rows, dialect, frame).items() if j in called}
    return Table(kept.set_axis(list(called.values()), axis=1), names is not None, said, texts, index, marks)


def _decimal(path: Path, rows: list[str], separator: str, asked: Asked) -> str:
    if asked.decimal:
        return asked.decimal
    decimal = decimal_of(rows, separator)
    if cell := grouped(rows, separator, decimal):
        raise _doubt(path, cell, asked)
    return decimal


def _doubt(path: Path, cell: str, asked: Asked) -> InputError:
    told = "pass decimal=comma or decimal=point" if asked.option else "write more decimals, or no marks"
    return InputError(f"{path}: is {cell} a fraction, or a whole number with a mark of thousands? {told}")


def _check_thousands(path: Path, lines: list[str], dialect: _Dialect, frame: pd.DataFrame, asked: Asked) -> None:
    """Raise an `InputError` where a column was read as fractions that may be whole numbers in thousands."""
    suspects = [] if asked.decimal else [j for j, column in frame.items() if _in_thousandths(column)]
    if suspects:
        texts = _parsed(path, lines, dialect, frame.shape[1], usecols=suspects, dtype="string")
        for j in suspects:
            if cell := in_thousands(texts[j].dropna().str.strip().tolist()):
                raise _doubt(path, cell, asked)


def _in_thousandths(column: pd.Series[Any]) -> bool:
    """Whether there are fractions among whole numbers below 1,000, and none that three decimals do not tell."""
    if not pd.api.types.is_float_dtype(column):
        return False
    known = column.dropna().to_numpy(np.float64)
    whole, thousandths = known % 1 == 0, known * 1000
    near = np.abs(thousandths - thousandths.round()) < 1e-6 * np.maximum(1, np.abs(known))
    return bool(np.isfinite(known).all() and near.all() and whole.any() and not whole.all())


def _check_width(path: Path, lines: Lines) -> None:
    widest = max(line.count(separator) for line in lines.rows[:2] for separator in SEPARATORS)
    if widest >= WIDEST:
        raise InputError(f"{path} has {widest + 1:,} columns; at most {WIDEST:,} are read: is it transposed?")
    if any(map(is_comment, lines.rows)):
        number = lines.first + next(i for i, line in enumerate(lines.rows) if is_comment(line))
        raise InputError(f"{path}: line {number} begins with #, between rows; remove it, or quote it if it is a value")


def _scan(path: Path, lines: Lines, separator: str) -> list[int]:
    """How many cells each row has; an `InputError` names the line of the first that has another number of them.

    The first row may have one less than the others: R leaves out the name of the row names.
    """
    counts: list[int] = []
    for number, cells in _numbered(lines, separator):
        counts.append(cells)
        expected = counts[min(1, len(counts) - 1)]
        if cells != expected or (len(counts) == 2 and counts[0] not in (cells, cells - 1)):
            title = counts[-2] == 1 < cells
            mend = f"remove lines to {number - 1} if they are a title" if title else "correct that line"
            raise InputError(f"{path}: line {number} has {cells} cells, not {counts[-2]} as above; {mend}")
        if len(counts) * cells > MOST:
            raise InputError(f"{path} has more than {MOST:,} cells; save the numbers as .npy")
    return counts


def _numbered(lines: Lines, separator: str) -> Iterator[tuple[int, int]]:
    stripped = (line.strip(" ") for line in lines.rows) if separator == " " else iter(lines.rows)
    reader = csv.reader((f"{line}\n" for line in stripped), delimiter=separator, skipinitialspace=True, strict=True)
    for row in reader:
        if row:
            yield lines.first + reader.line_num - 1, len(row)


def _lines_of_first(lines: list[str], separator: str) -> int:
    """Over how many lines the first row runs: names in quotes may have line breaks."""
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=separator, skipinitialspace=True)
    next(reader)
    return reader.line_num


def _names(
    path: Path, lines: Lines, dialect: _Dialect, asked: Asked, counts: Sequence[int]
) -> tuple[bool, list[str] | None]:
    """Whether the first line holds the names, and the columns' names where there are any."""
    sample = [row for row in cells_of(lines.rows[: SAMPLE + 1], dialect.separator) if row]
    if len(counts) > 1 and counts[0] < counts[1]:
        if asked.header is not False and all(len(row) == counts[1] and not row[-1] for row in sample[1:]):
            return True, [*sample[0], ""]
        if asked.header is False or not has_row_names(sample, dialect.decimal):
            mend = "remove it if it is a title" if counts[0] == 1 else "correct that line"
            raise InputError(f"{path}: line {lines.first} has {counts[0]} cells, not {counts[1]} as below; {mend}")
        return True, ["", *sample[0]]
    headed = asked.header
    if headed is None:
        headed = _has_names(path, sample, dialect, asked, len(counts))
    if headed:
        return True, sample[0]
    return False, names_in_comment(lines.comments, max(counts), dialect.separator)


def _has_names(path: Path, sample: list[list[str]], dialect: _Dialect, asked: Asked, rows: int) -> bool:
    verdict: Verdict = judge(sample, dialect.decimal)
    if verdict in ("unclear", "counting names") and asked.rows in (rows, rows - 1):
        return asked.rows == rows - 1
    if verdict == "unclear":
        line = ", ".join(sample[0])[:40]
        raise InputError(f"{path}: the first line ({line}) may be names or a row; pass {asked.answers}")
    return verdict != "row"


def _parsed(path: Path, lines: list[str], dialect: _Dialect, width: int, **how: Any) -> pd.DataFrame:
    """The rows by pandas: whole numbers stay whole, also beside missing ones."""
    if not any(line.strip() for line in lines):
        raise InputError(f"{path} has names but no rows; expected one row of numbers per line")
    try:
        return pd.read_csv(
            io.BytesIO("\n".join(lines).encode()),
            sep=r"\s+" if dialect.separator == " " else dialect.separator,
            decimal=dialect.decimal,
            header=None,
            names=range(width),
            index_col=False,
            keep_default_na=False,
            skipinitialspace=True,
            low_memory=False,
            **({"na_values": list(MISSING), "float_precision": "round_trip", "dtype_backend": "numpy_nullable"} | how),
        )
    except (ValueError, OverflowError) as error:
        why = " ".join(str(error).split())[:60]
        raise InputError(f"{path} is not a readable table ({why}); expected one row per line") from error


def _written(path: Path, lines: list[str], dialect: _Dialect, frame: pd.DataFrame) -> dict[int, pd.Series[Any]]:
    """The texts of columns of whole numbers some of which are written as codes are: 007, 1E5."""
    whole = [j for j, column in frame.items() if _is_whole(column)]
    if not whole or not any(map(CODED.search, lines)):
        return {}
    texts = _parsed(path, lines, dialect, frame.shape[1], usecols=whole, dtype="string").apply(lambda c: c.str.strip())
    digits = {j: texts[j].dropna() for j in whole}
    return {
        j: texts[j]
        for j in whole
        if digits[j].str.fullmatch(CODES).any() and digits[j].str.fullmatch(rf"\d+|{CODES}").all()
    }


def _marks(path: Path, lines: list[str], dialect: _Dialect, frame: pd.DataFrame) -> dict[int, tuple[str, int]]:
    """The most frequent mark of a missing value in each column of words that has one written out, and how often."""
    gaps = [j for j, column in frame.items() if pd.api.types.is_string_dtype(column) and column.isna().any()]
    if not gaps:
        return {}
    texts = _parsed(path, lines, dialect, frame.shape[1], usecols=gaps, dtype="string", na_values=[])
    written = {j: texts[j].str.strip()[frame[j].isna()] for j in gaps}
    found = {j: column[column.str.contains(r"\w", na=False)].value_counts() for j, column in written.items()}
    return {j: (str(times.index[0]), int(times.iloc[0])) for j, times in found.items() if len(times)}


def _is_whole(column: pd.Series[Any]) -> bool:
    if pd.api.types.is_float_dtype(column):
        return bool((column.dropna() % 1 == 0).all())
    return bool(pd.api.types.is_integer_dtype(column))


def _has_index(path: Path, frame: pd.DataFrame, names: list[str] | None, asked: Asked) -> bool:
    """Whether the first column holds row numbers or row names."""
    if asked.index is None and len(frame.columns) > 1:
        return _is_index(path, frame[0], None if names is None else names[0])
    if asked.index and _has_fractions(frame[0]):
        return False  # it names no rows: one of two files may have row names, and --index is said of both
    if asked.index and len(frame.columns) < 2:
        raise InputError(f"{path} has one column; --index would leave none: leave it out")
    return bool(asked.index)


def _is_index(path: Path, column: pd.Series[Any], name: str | None) -> bool:
    counts = pd.api.types.is_integer_dtype(column) and _counts_up(column)
    if name in UNNAMED:
        if column.is_unique and not pd.api.types.is_float_dtype(column) and not column.isna().any():
            return True
        raise InputError(f"{path}: the first column has neither a name nor row numbers; pass --index or --no-index")
    called = name is not None and (name.lower() in COUNTERS or ID.search(name) is not None)
    if counts and len(column) > 2 and (name is None or called):
        raise InputError(f"{path}: the first column counts the rows; pass --index to leave it out, or --no-index")
    if called and len(column) > 2 and pd.api.types.is_integer_dtype(column) and column.is_unique:
        raise InputError(
            f"{path}: the first column, {str(name)[:40]!r}, is another number in every row; pass --index if it names "
            "the rows, or --no-index"
        )
    return False


def _has_fractions(column: pd.Series[Any]) -> bool:
    return bool(pd.api.types.is_float_dtype(column) and (column.dropna() % 1 != 0).any())


def _counts_up(column: pd.Series[Any]) -> bool:
    first = column.iloc[0]
    return first in (0, 1) and bool((column == pd.RangeIndex(int(first), int(first) + len(column))).all())


def _nameless(frame: pd.DataFrame, names: list[str] | None) -> list[int]:
    """The last column, where it has neither a name nor a value: a separator ends every line."""
    last = frame.columns[-1]
    nameless = names is not None and last > 0 and not names[last]
    return [last] if nameless and bool(frame[last].isna().all()) else []


def _called(path: Path, columns: list[int], names: list[str] | None) -> dict[int, Any]:
    """The name of each column by its place: the file's own, or numbers from 0."""
    if names is None:
        return {j: k for k, j in enumerate(columns)}
    held = {j: re.sub(r"\s*\n\s*", " ", names[j]) or (INDEX if j == 0 else "") for j in columns}
    if nameless := next((j + 1 for j, name in held.items() if not name), 0):
        raise InputError(f"{path}: column {nameless} has no name; name every column, or none")
    every = list(held.values())
    if twice := next((name for name in every if every.count(name) > 1), None):
        raise InputError(f"{path} has two columns called {twice[:40]!r}; name each once")
    return held


def _said_of_first(names: list[str] | None, index: pd.Series[Any] | None) -> list[str]:
    """What was taken for granted of names, and of a first column without one."""
    if index is not None:
        return ["index column left out"]
    given = names or []
    said = [f"the first column, which has no name, called {INDEX}"] if given[:1] == [""] else []
    return said + (["line breaks in names as spaces"] if any("\n" in name for name in given) else [])


def _described(dialect: _Dialect, lines: Lines) -> list[str]:
    blank = sum(not line.strip() for line in lines.rows)
    said = [f"separated by {SEPARATORS[dialect.separator]}"] if dialect.separator != "," else []
    said += ["decimal comma"] if dialect.decimal == "," else []
    said += [f"{blank} blank {'line' if blank == 1 else 'lines'} skipped"] if blank else []
    return said + (["comments below the rows skipped"] if lines.trailing else [])
