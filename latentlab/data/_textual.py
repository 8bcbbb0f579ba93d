"""A table as text: CSV and its relatives, in whatever dialect it was written, as a pandas frame.

No row, column or name is dropped or made up in silence: what was inferred is said, what could be either is asked for.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from latentlab.data._dialects import (
    COUNTERS,
    MISSING,
    SAMPLE,
    SEPARATORS,
    UNNAMED,
    Asked,
    Lines,
    Verdict,
    cells_of,
    decimal_of,
    has_row_names,
    judge,
    names_in_comment,
    separator_of,
    split_comments,
)
from latentlab.data._packed import read_text
from latentlab.errors import InputError

WIDEST, LONGEST, MOST = 10_000, 5_000_000, 50_000_000  # columns, lines and cells that are read


class Table(NamedTuple):
    """A table: the ``frame``, whether its ``names`` are the file's own, and what is ``said`` of how it was read."""

    frame: pd.DataFrame
    names: bool
    said: list[str]


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
    dialect = _Dialect(separator, decimal_of(lines.rows, separator))
    counts = _scan(path, lines, separator)
    headed, names = _names(path, lines, dialect, asked, counts)
    frame = _parsed(path, lines.rows[headed:], dialect, max(counts))
    if len(frame) != len(counts) - headed:
        raise InputError(f"{path} has quotes that are not closed, or ambiguous lines; save it again")
    frame, index = _without_index(path, frame, names, asked)
    about = "header" if headed else "no header" if names is None else "names in a comment"
    said = [*said, *_described(dialect, lines), about, *index]
    return Table(_named(path, frame, names), names is not None, said)


def _check_width(path: Path, lines: Lines) -> None:
    widest = max(line.count(separator) for line in lines.rows[:2] for separator in SEPARATORS)
    if widest >= WIDEST:
        raise InputError(f"{path} has {widest + 1:,} columns; at most {WIDEST:,} are read: is it transposed?")
    if any(line.lstrip().startswith("#") for line in lines.rows):
        number = lines.first + next(i for i, line in enumerate(lines.rows) if line.lstrip().startswith("#"))
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
            raise InputError(f"{path}: line {number} has {cells} cells, not {counts[-2]} as above; correct that line")
        if len(counts) * cells > MOST:
            raise InputError(f"{path} has more than {MOST:,} cells; save the numbers as .npy")
    return counts


def _numbered(lines: Lines, separator: str) -> Iterator[tuple[int, int]]:
    stripped = (line.strip(" ") for line in lines.rows) if separator == " " else iter(lines.rows)
    reader = csv.reader((f"{line}\n" for line in stripped), delimiter=separator, skipinitialspace=True, strict=True)
    for row in reader:
        if row:
            yield lines.first + reader.line_num - 1, len(row)


def _names(
    path: Path, lines: Lines, dialect: _Dialect, asked: Asked, counts: Sequence[int]
) -> tuple[bool, list[str] | None]:
    """Whether the first line holds the names, and the columns' names where there are any."""
    sample = [row for row in cells_of(lines.rows[: SAMPLE + 1], dialect.separator) if row]
    if len(counts) > 1 and counts[0] < counts[1]:
        if asked.header is False or not has_row_names(sample, dialect.decimal):
            raise InputError(
                f"{path}: line {lines.first} has {counts[0]} cells, not {counts[1]} as below; correct that line"
            )
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


def _parsed(path: Path, lines: list[str], dialect: _Dialect, width: int) -> pd.DataFrame:
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
            na_values=list(MISSING),
            keep_default_na=False,
            skipinitialspace=True,
            low_memory=False,
            float_precision="round_trip",
            dtype_backend="numpy_nullable",
        )
    except (ValueError, OverflowError) as error:
        why = " ".join(str(error).split())[:60]
        raise InputError(f"{path} is not a readable table ({why}); expected one row per line") from error


def _without_index(
    path: Path, frame: pd.DataFrame, names: list[str] | None, asked: Asked
) -> tuple[pd.DataFrame, list[str]]:
    """The frame without the row numbers or row names in its first column."""
    if asked.index is None and len(frame.columns) > 1:
        found = _is_index(path, frame[0], None if names is None else names[0])
    else:
        found = bool(asked.index)
    if found and len(frame.columns) < 2:
        raise InputError(f"{path} has one column; --index would leave none: leave it out")
    return (frame.drop(columns=0), ["index column left out"]) if found else (frame, [])


def _is_index(path: Path, column: pd.Series[Any], name: str | None) -> bool:
    counts = pd.api.types.is_integer_dtype(column) and _counts_up(column)
    if name in UNNAMED:
        if column.is_unique and not pd.api.types.is_float_dtype(column) and not column.isna().any():
            return True
        raise InputError(f"{path}: the first column has neither a name nor row numbers; pass --index or --no-index")
    if counts and len(column) > 2 and (name is None or name.lower() in COUNTERS):
        raise InputError(f"{path}: the first column counts the rows; pass --index to leave it out, or --no-index")
    return False


def _counts_up(column: pd.Series[Any]) -> bool:
    first = column.iloc[0]
    return first in (0, 1) and bool((column == pd.RangeIndex(int(first), int(first) + len(column))).all())


def _named(path: Path, frame: pd.DataFrame, names: list[str] | None) -> pd.DataFrame:
    """The frame under the file's own names, or numbered from 0."""
    if names is None:
        return frame.set_axis(range(len(frame.columns)), axis=1)
    held = [names[j] or ("index" if j == 0 else "") for j in frame.columns]
    if "" in held:
        raise InputError(f"{path}: column {names.index('', 1) + 1} has no name; name every column, or none")
    if twice := next((name for name in held if held.count(name) > 1), None):
        raise InputError(f"{path} has two columns called {twice[:40]!r}; name each once")
    return frame.set_axis(held, axis=1)


def _described(dialect: _Dialect, lines: Lines) -> list[str]:
    blank = sum(not line.strip() for line in lines.rows)
    said = [f"separated by {SEPARATORS[dialect.separator]}"] if dialect.separator != "," else []
    said += ["decimal comma"] if dialect.decimal == "," else []
    said += [f"{blank} blank {'line' if blank == 1 else 'lines'} skipped"] if blank else []
    return said + (["comments below the rows skipped"] if lines.trailing else [])
