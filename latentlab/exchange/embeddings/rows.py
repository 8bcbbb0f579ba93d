"""Codes and tables about them brought together, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentlab.codes.codes import Codes
from latentlab.data._factors import factors_of, labels_of
from latentlab.data._ids import Texts, ids_of, numbered, without_zeros
from latentlab.data._remarks import say
from latentlab.errors import InputError
from latentlab.exchange.embeddings.embedding import WIDEST, Embedding
from latentlab.exchange.embeddings.ids import joined
from latentlab.exchange.embeddings.tables import counts_rows, matrix, own_ids, with_index

FACTORS = "factors"  # what a table is called that has one row for each code, all of them factors
Tables = Sequence[tuple[pd.DataFrame, str]]


@dataclass(frozen=True, eq=False)
class Rows:
    """Codes (n, d) as a file has them, its ids (n,) where it has some, and what it says of each row."""

    z: NDArray[np.float32]
    ids: Texts | None = None
    variance: NDArray[np.float32] | None = None
    about: pd.DataFrame | None = None
    where: str = "z"

    @staticmethod
    def of(z: Any, ids: Any = None, variance: Any = None, about: pd.DataFrame | None = None, where: str = "z") -> Rows:
        """Checked codes; an `InputError` names the first row that is not finite, and arrays that differ in size."""
        if isinstance(z, pd.DataFrame):
            z, index = numbers_of(with_index(z), where, ids is None and not isinstance(z.index, pd.RangeIndex))
            ids = index if ids is None else ids
        codes = _finite(_array(z, where), where)
        if len(codes) < 2 or codes.shape[1] > WIDEST:
            raise InputError(f"{where} has {codes.shape}; expected at least 2 rows and at most {WIDEST:,} dimensions")
        if ids is not None:
            column = ids if isinstance(ids, pd.Series) else pd.Series(np.asarray(ids).ravel().tolist())
            ids = ids_of(column, f"ids of {where}")
            _same_count(len(ids), "ids", len(codes), where)
        return Rows(codes, ids, None if variance is None else _variance(variance, codes, where), about, where)


def numbers_of(frame: pd.DataFrame, where: str, indexed: bool) -> tuple[NDArray[np.float64], pd.Series[Any] | None]:
    """The columns of a frame as codes, its first column as ids where it is the index."""
    ids = frame.iloc[:, 0] if indexed else None
    frame = frame.iloc[:, 1:] if indexed else frame
    for name in frame.columns:
        column = frame[name]
        if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            raise InputError(
                f"{where}: column {str(name)[:40]!r} holds no numbers; name it with --ids, --labels or --factors, or "
                "remove it"
            )
    if frame.shape[1] == 0:
        raise InputError(f"{where} has no column of numbers left; expected one per latent dimension")
    return frame.to_numpy(np.float64, na_value=np.nan), ids


def frame_of(given: Any, what: str) -> pd.DataFrame:
    """What was given as factors or metadata as a table: a DataFrame, or an array (n, k) with numbered columns."""
    if isinstance(given, pd.DataFrame):
        return with_index(given)
    values = _array(given, what)
    return pd.DataFrame(values, columns=[f"factor {k + 1}" for k in range(values.shape[1])])


def embedded(
    held: Rows,
    tables: Tables,
    chosen: Sequence[str] | None,
    labels: Any,
    ids: str,
    *,
    name: str,
    rows: str = "",
    seed: int = 0,
) -> Embedding:
    """Codes with factors and labels from their own file and from tables, joined row by row.

    ``chosen`` names the columns that are factors; by default they are all that can be, and those of a table called
    ``factors`` all must be.
    """
    about, found = _about(held, tables, ids)
    where = " and ".join([*([held.where] if held.about is not None else []), *(what for _, what in tables)])
    row_ids, names = (np.arange(len(held.z), dtype=np.int64), None) if found is None else numbered(found)
    labelled, label_names = _labels(labels, about, found, held, where)
    columns = about if chosen is None else about[_known(chosen, about, where)]
    read = factors_of(columns, chosen or _required(tables, ids), where)
    for sentence in read.said(where):
        say(sentence)
    factors, specs = read.values, read.specs
    if isinstance(labels, str) and [spec.name for spec in specs] == [labels]:
        factors, specs = None, ()  # labels alone count as a factor already
    codes = Codes(held.z, held.variance, factors, specs, labelled, row_ids, label_names=label_names, row_names=names)
    return Embedding(codes, name, rows or "codes", seed)


def _required(tables: Tables, ids: str) -> list[str]:
    """The columns of tables of factors, each of which must be one."""
    given = [table for table, what in tables if what == FACTORS]
    return [str(each) for table in given for each in table.columns if each not in (ids, own_ids(table))]


def _about(held: Rows, tables: Tables, ids: str) -> tuple[pd.DataFrame, Texts | None]:
    """Everything known of the rows as one table in their order, and their ids."""
    found, known = held.ids, held.about if held.about is not None else pd.DataFrame(index=range(len(held.z)))
    for table, what in tables:
        table, found = _one(held, table, what, ids, found)
        if shared := sorted(set(known.columns) & set(table.columns)):
            say(f"{what}: {len(shared)} columns replace those of {held.where}: {', '.join(shared)[:60]}")
        known = pd.concat([known.drop(columns=shared), table], axis=1)
    return known, found


def _one(
    held: Rows, table: pd.DataFrame, what: str, ids: str, found: Texts | None
) -> tuple[pd.DataFrame, Texts | None]:
    """One table in the order of the codes. Codes without ids of their own take its ids, or are its rows in order."""
    own = own_ids(table) if table.shape[1] > 1 else ""
    if found is None:
        return _ordered(held, table, what, ids, own)
    if what == FACTORS and ids not in table.columns and (not own or counts_rows(table[own])):
        _same_count(len(table), what, len(found), held.where)
        return table.drop(columns=own) if own else table, found
    return joined(found, held.where, table, ids, what)


def _ordered(held: Rows, table: pd.DataFrame, what: str, ids: str, own: str) -> tuple[pd.DataFrame, Texts | None]:
    """A table about codes without ids: its row numbers say which row is which, or else its order does."""
    numbers = np.arange(len(held.z)).astype(np.str_)
    if (
        own
        and ids in ("", own)
        and not pd.api.types.is_float_dtype(table[own])
        and table[own].astype(str).map(without_zeros).isin(numbers).all()
    ):
        return joined(numbers, held.where, table, own, what)
    _same_count(len(table), what, len(held.z), held.where)
    if ids and ids not in table.columns and what != FACTORS:
        raise InputError(f"{what} has no column {ids[:40]!r}; it has: {', '.join(map(str, table.columns))}"[:200])
    if what != FACTORS:
        say(f"{what}: its rows are taken to be in the order of {held.where}, which has no ids of its own")
    column = ids if ids in table.columns else own
    if not column:
        return table, None
    return table.drop(columns=column), ids_of(table[column], f"{what}: column {column[:40]!r}")


def _known(chosen: Sequence[str], about: pd.DataFrame, where: str) -> list[str]:
    for name in chosen:
        if name not in about.columns:
            has = ", ".join(map(str, about.columns)) or "none"
            raise InputError(f"{where or 'the codes'}: no column is called {name[:40]!r}; there are: {has}"[:200])
    return list(chosen)


def _labels(
    labels: Any, about: pd.DataFrame, ids: Texts | None, held: Rows, where: str
) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """Labels by the name of a column, or as a column of their own; one whose index has ids is joined by these."""
    if labels is None:
        return None, ()
    if isinstance(labels, str):
        return labels_of(about[_known([labels], about, where)[0]], f"{where}: column {labels[:40]!r}")
    column = labels if isinstance(labels, pd.Series) else pd.Series(np.asarray(labels).tolist())
    if ids is not None and not isinstance(column.index, pd.RangeIndex):
        table, _ = joined(ids, held.where, with_index(column.to_frame("labels")), "", "labels")
        column = table["labels"]
    _same_count(len(column), "labels", len(held.z), held.where)
    return labels_of(column, "labels")


def _array(given: Any, where: str) -> NDArray[Any]:
    try:
        array = np.asarray(given)
    except Exception as error:  # a tensor that needs a gradient, an object of any kind
        why = " ".join(str(error).split())[:60]
        raise InputError(f"{where} is a {type(given).__name__} that is not an array ({why})") from error
    return matrix(array, where)


def _finite(array: NDArray[Any], where: str) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        found = np.ascontiguousarray(array, np.float32)
    wrong = np.flatnonzero(~np.isfinite(found).all(axis=1))
    if len(wrong):
        raise InputError(
            f"{where[-80:]}: row {wrong[0] + 1} holds NaN, infinity or more than a float32 ({len(wrong):,} such rows); "
            "drop these rows from every file"
        )
    return found


def _variance(given: Any, codes: NDArray[np.float32], where: str) -> NDArray[np.float32]:
    found = _finite(_array(given, "variance"), "variance")
    if found.shape != codes.shape:
        raise InputError(f"variance is {found.shape} but {where} is {codes.shape}; expected one for each code")
    if not (found > 0).all():
        low = float(found.min())
        raise InputError(f"variance goes down to {low:.3g}; expected positive variances: np.exp a log-variance first")
    return found


def _same_count(count: int, what: str, rows: int, where: str) -> None:
    if count != rows:
        raise InputError(f"{what} has {count:,} rows but {where[-80:]} has {rows:,}; expected one for each code")
