"""A table as a data set: which columns are inputs, of which kind, and which are factors, labels, ids or left out.

No column is left out, added or renamed without a word: what was inferred is in the remarks, and can be overridden.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentlab.data._cells import Cells, Floats, read_cells
from latentlab.data._columns import marks_in, parquet_table
from latentlab.data._dialects import COUNTERS, DATE, ID, WITH_UNIT, Asked
from latentlab.data._factors import counts, factors_of, labels_of, unlabelled
from latentlab.data._ids import ids_of, numbered
from latentlab.data._of_kind import dataset_of
from latentlab.data._points import points_of
from latentlab.data._roles import Roles, kinds_of, listed, name_of, names_of, some
from latentlab.data._suspects import said_of_columns, said_of_neighbours
from latentlab.data._textual import WIDEST, Table, read_table
from latentlab.data.dataset import Dataset
from latentlab.data.kinds import Form, kind_named
from latentlab.errors import InputError

PARQUET = (".parquet", ".pq")
TARGETS = ("label", "labels", "class", "target", "species", "y")  # inputs that may be meant as labels
ROUND_OFF = 5e-7  # of a column's range: what float32 may lose
WIDE = 20  # columns from which on a table may be of another kind
FEW = 20  # words that may all be different
SIGNS = {"point": ".", "comma": ","}
UNITS = 3  # different numbers before the same word make it a unit
MOST_LEVELS = 1000
NAMED_SO = r"0\d|\d+[eE]\d"  # whole numbers that look like names: 007, 1E5


class Inputs(NamedTuple):
    """Columns of the model's input: ``values`` (n, k), their ``names``, and what each is in `Form.columns`."""

    values: Floats
    names: tuple[str, ...]
    columns: tuple[str, ...]


def load(
    path: Path,
    *,
    columns: Any = "",
    factors: Any = "",
    labels: Any = "",
    ids: Any = "",
    drop: Any = "",
    header: Any = None,
    decimal: Any = "",
    kind: str = "table",
    axis_unit: str = "",
    unit: str = "",
) -> Dataset:
    """The rows of a table: CSV and its relatives in any dialect, packed or not, and Parquet.

    Numbers are ``numeric`` columns, 0 and 1 or truth values ``binary`` ones, words a ``category``: a column
    ``NAME=level`` for each of its levels. ``columns=NAME=KIND+NAME=KIND`` says otherwise; ``factors=NAME+NAME``,
    ``labels=NAME`` and ``ids=NAME`` make columns factors, labels and row ids instead of inputs, ``drop=NAME+NAME``
    leaves them out. A mark of a missing value (NA, ?, …) is NaN. ``header=1`` or ``header=0`` says whether the first
    line has names, where that is not plain, and ``decimal=point`` or ``decimal=comma`` which the decimal sign is.
    ``kind=counts`` and ``kind=signal`` say that the columns of numbers are features that were counted, or the points of
    a signal, whose axis are their names where these are numbers in order.
    """
    if header not in (None, 0, 1):
        raise InputError(f"header is {header!r:.40}; expected 1, the first line has names, or 0")
    if decimal not in ("", *SIGNS):
        raise InputError(f"decimal is {decimal!r:.40}; expected {' or '.join(SIGNS)}")
    if path.suffix.lower() in PARQUET:
        table = parquet_table(path)
    else:
        headed = None if header is None else bool(header)
        table = read_table(path, Asked(headed, index=False, option=True, decimal=SIGNS.get(decimal, "")))
    names = [str(name) for name in table.frame.columns]
    kinds = kinds_of(path, columns, names)
    several = {key: names_of(path, key, given, names) for key, given in (("factors", factors), ("drop", drop))}
    single = {key: name_of(path, key, given, names) for key, given in (("labels", labels), ("ids", ids))}
    about = {key: given for key, given in (("axis_unit", axis_unit), ("unit", unit)) if given}
    roles = Roles(kinds, **several, **single, kind=str(kind), about=about)  # type: ignore[arg-type]
    source = {"name": path.suffix.lower().lstrip("."), "file": path.name}
    return of_table(str(path), table, roles, name=path.name.split(".")[0], source=source)


def of_frame(frame: pd.DataFrame, roles: Roles, *, name: str) -> Dataset:
    """A data frame as a data set; an index of different whole numbers from 0, or of different texts, is its row ids."""
    if twice := next((str(each) for each in frame.columns[frame.columns.duplicated()]), None):
        raise InputError(f"{name} has two columns called {twice[:60]!r}; name each once")
    absent = [each for each in (*roles.columns, *roles.others) if each not in set(map(str, frame.columns))]
    if absent:
        raise InputError(f"{name} has no column {absent[0][:60]!r}; it has: {some(map(str, frame.columns))}")
    index = frame.index
    plain = isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1
    known = {} if plain else _of_index(index)
    lost = () if plain or known else ("the index of the frame is left out; row_ids= names the rows otherwise",)
    with np.errstate(invalid="ignore"):  # infinity stays a float
        typed = frame.reset_index(drop=True).convert_dtypes()
        table = Table(typed, True, [], marks=marks_in(typed))
    data = of_table(name, table, roles, name=name, source={"name": "frame"})
    known |= {"remarks": (*data.remarks, *lost)}
    return replace(data, **({"remarks": known["remarks"]} if roles.ids else known))


def _of_index(index: pd.Index[Any]) -> dict[str, Any]:
    """Row ids, and names, of an index of different whole numbers from 0 or of different texts; nothing of another."""
    kind = pd.api.types
    if not index.is_unique or isinstance(index, pd.MultiIndex) or index.hasnans:
        return {}
    if kind.is_integer_dtype(index):
        return {"row_ids": index.to_numpy(np.int64)} if index.min() >= 0 else {}
    if not kind.is_string_dtype(index):
        return {}
    row_ids, row_names = numbered(ids_of(index.to_series(), "the index"))
    return {"row_ids": row_ids, "row_names": row_names}


def of_table(where: str, table: Table, roles: Roles, *, name: str, source: Mapping[str, Any]) -> Dataset:
    """The data set in a table, each column in its role."""
    frame = table.frame.set_axis(list(map(str, table.frame.columns)), axis=1)
    table = table._replace(frame=frame, written={str(name): texts for name, texts in table.written.items()})
    words = {name for name, kind in roles.columns.items() if kind == "category"}
    cells = [
        read_cells(where, name, table.named(name) if name in words else frame[name], words=name in words)
        for name in frame.columns
        if name not in roles.others
    ]
    left = {each.name: why for each in cells if (why := _left_out(each, roles))} | _beside(cells, roles)
    kept = [each for each in cells if each.name not in left]
    if not kept:
        raise InputError(
            f"{where} has no column that is an input ({_reasons(left) or 'all have other roles'}); expected one"
        )
    found = factors_of(pd.DataFrame({name: table.told_apart(name) for name in roles.factors}), roles.factors, where)
    read_labels, label_names, without = _labels(where, table, roles.labels)
    remarks = [f"read as {', '.join(table.said)}"] if table.said not in ([], ["header"]) else []
    remarks += [f"left out: {_reasons(left)}"] if left else []
    remarks += [f"dropped as asked: {some(roles.drop)}"] if roles.drop else []
    remarks += [_meant(each, "labels", "labels") for each in kept if _is_target(each, roles)]
    remarks += [_meant(each, "ids", "row ids") for each in kept if _is_id(each, roles)]
    remarks += [_as_numbers(table, each.name) for each in kept if not each.levels and _is_code(table, each.name)]
    remarks += [*without, *said_of_columns(table, kept, found, label_names)]
    if roles.kind == "table":
        remarks += _hinted(kept, roles) if table.names else said_of_neighbours(_stacked(kept))
        data = numbers(name, _inputs(where, kept, roles), remarks=tuple(remarks), source=source)
    else:
        data, said = _of_kind(where, kept, roles)
        data = replace(data, name=name, remarks=(*remarks, *said), source=source)
    return replace(
        data,
        factors=found.values,
        specs=found.specs,
        labels=read_labels,
        label_names=label_names,
        **(_ids(where, table.named(roles.ids), roles.ids) if roles.ids else {}),
    )


def numbers(name: str, inputs: Inputs, *, remarks: tuple[str, ...] = (), source: Mapping[str, Any]) -> Dataset:
    """The data set of those inputs; float32 where that rounds by less than 5e-7 of a column's range."""
    values, missing = inputs.values, bool(np.isnan(inputs.values).any())
    narrow = values.astype(np.float32)
    with np.errstate(invalid="ignore"):
        low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
        fits = np.nanmax(np.abs(narrow - values), axis=0) <= ROUND_OFF * (high - low)
    stored = narrow if fits.all() else values
    form = Form(
        "table",
        values.shape[1:],
        "float32" if fits.all() else "float64",
        names=inputs.names,
        columns=inputs.columns if set(inputs.columns) != {"numeric"} else (),
        missing=missing,
    )
    return Dataset(name, values.shape, stored.__getitem__, form=form, remarks=remarks, source=source)


def _of_kind(where: str, kept: list[Cells], roles: Roles) -> tuple[Dataset, list[str]]:
    """Rows whose columns are the features that were counted, or the points of a signal, and what was made of names."""
    names, about, said = [each.name for each in kept], dict(roles.about), list[str]()
    if roles.kind == "counts":
        about["feature_names"] = names
    elif "axis" not in about and (axis := points_of(names).axis) and len(axis) == len(names):
        about["axis"], unit = axis, points_of(names).unit
        if unit and "axis_unit" not in about:
            about["axis_unit"] = unit
        said = [f"the names of the columns, {names[0][:20]} to {names[-1][:20]}, are the axis"]
    values = np.stack([each.values for each in kept], axis=1)
    if empty := next((each.name for each in kept if np.isnan(each.values).any()), ""):
        noun = kind_named(roles.kind).NOUN
        raise InputError(f"{where}: column {empty[:40]!r} lacks values; expected {noun}s without gaps, or kind=table")
    return dataset_of(Path(where), values, roles.kind, about), said


def _beside(cells: list[Cells], roles: Roles) -> dict[str, str]:
    """The columns of a signal's table that have no place on the axis that most columns' names are."""
    numbers = points_of([each.name for each in cells]).numbers
    others = [each.name for each in cells if each.name not in numbers]
    if roles.kind != "signal" or 2 * len(others) >= len(cells):
        return {}
    return dict.fromkeys(others, "no number as its name, as the axis has")


def _hinted(kept: list[Cells], roles: Roles) -> list[str]:
    """What a wide table may be instead of one."""
    found = points_of([each.name for each in kept])
    if len(found.numbers) >= max(WIDE, len(kept) / 2) and not roles.columns and found.axis and found.plain:
        return ["the names of the columns are numbers in order; kind=signal reads them as the axis of signals"]
    if len(kept) < WIDE or roles.columns:
        return []
    if all(each.what == "whole" and each.known.min() >= 0 for each in kept) and max(e.known.max() for e in kept) > 1:
        return ["all columns hold whole numbers from 0; kind=counts reads them as counts"]
    return []


def _stacked(kept: list[Cells]) -> Floats:
    return np.stack([each.values for each in kept if not each.levels] or [np.zeros(0)], axis=-1)


def _left_out(cells: Cells, roles: Roles) -> str:
    """Why a column is left out unless the user says that it is; empty where it is one."""
    known, distinct = cells.known, len(np.unique(cells.known))
    asked = cells.name in roles.columns
    if not len(known):
        if asked:
            raise InputError(f"column {cells.name[:60]!r} has no value in any row, so it cannot be an input")
        return "no value in any row"
    if asked:
        return ""
    if roles.kind != "table" and cells.levels:
        return "words"
    dates = cells.what == "words" and all(map(DATE.fullmatch, cells.levels))
    if cells.what == "words" and not dates:
        _check_unit(cells)
    whole = len(known) == len(cells.values) and distinct == len(known) > 2
    if whole and cells.what == "words" and (distinct > FEW or cells.name.lower() in COUNTERS):
        return "dates" if dates else "another word in each row"
    if whole and cells.what == "whole" and (cells.name.lower() in COUNTERS or counts(known)):
        return "counts the rows" if counts(known) else "another number in each row"
    if roles.kind != "table":
        return ""
    if cells.what == "words" and distinct > max(FEW, len(known) / 2):
        raise InputError(
            f"column {cells.name[:40]!r} has {distinct:,} different words in {len(known):,} rows; leave it out by "
            "drop=NAME, or keep it by columns=NAME=category"
        )
    if dates:
        raise InputError(
            f"column {cells.name[:40]!r} holds dates ({cells.levels[0][:20]}); expected numbers: convert it, or leave "
            "it out by drop=NAME"
        )
    shown = cells.levels[0][:20] if cells.levels else f"{known[0]:g}"
    return f"{shown} in all rows" if distinct == 1 and len(known) == len(cells.values) else ""


def _check_unit(cells: Cells) -> None:
    """Raise an `InputError` for words that are numbers, three or more, with the same unit."""
    parts = [WITH_UNIT.fullmatch(level) for level in cells.levels]
    if len(parts) >= UNITS and all(parts) and len({part["unit"] for part in parts if part}) == 1:
        raise InputError(
            f"column {cells.name[:40]!r} holds {cells.levels[0][:20]!r}, …; expected numbers: remove what stands "
            "behind them, or keep the words by columns=NAME=category"
        )


def _inputs(where: str, kept: list[Cells], roles: Roles) -> Inputs:
    parts = [_input(where, each, roles.columns.get(each.name, "")) for each in kept]
    names = tuple(name for part in parts for name in part.names)
    if len(names) > WIDEST:
        raise InputError(f"{where} has {len(names):,} input columns, each level of words counted; at most {WIDEST:,}")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"{where}: a level of words is called like the column {twice[:60]!r}; rename that column")
    return Inputs(np.concatenate([p.values for p in parts], axis=1), names, tuple(c for p in parts for c in p.columns))


def _input(where: str, cells: Cells, asked: str) -> Inputs:
    """The columns that one column of the table is to the model."""
    truth = set(np.unique(cells.known).tolist()) == {0.0, 1.0}
    kind = asked or ("category" if cells.levels else "binary" if truth or cells.what == "truth" else "numeric")
    if kind == "numeric" and cells.levels:
        raise InputError(f"{where}: column {cells.name[:40]!r} holds words; expected numbers, or columns=NAME=category")
    if kind == "binary" and not truth:
        raise InputError(f"{where}: column {cells.name[:40]!r} is to be binary; expected 0 and 1, or two words")
    if kind != "category":
        name = f"{cells.name}={cells.levels[1]}" if cells.levels else cells.name
        return Inputs(cells.values[:, None], (name,), (kind,))
    values, words = _as_words(cells)
    if len(words) > MOST_LEVELS:
        raise InputError(f"{where}: column {cells.name[:40]!r} has {len(words):,} levels; at most {MOST_LEVELS:,}")
    one_hot = np.where(np.isnan(values)[:, None], np.nan, values[:, None] == np.arange(len(words)))
    return Inputs(one_hot, tuple(f"{cells.name}={word}" for word in words), (f"category {cells.name}",) * len(words))


def _as_words(cells: Cells) -> tuple[Floats, tuple[str, ...]]:
    """Level indices (n,) and the levels' names; of numbers, their values in rising order."""
    if cells.levels:
        return cells.values, cells.levels
    levels = np.unique(cells.known)
    values = np.where(np.isnan(cells.values), np.nan, np.searchsorted(levels, cells.values).astype(np.float64))
    return values, tuple(np.format_float_positional(level, trim="-") for level in levels)


def _labels(where: str, table: Table, name: str) -> tuple[NDArray[np.int64] | None, tuple[str, ...], list[str]]:
    """The labels, their names, and a word on rows without one."""
    if not name:
        return None, (), []
    column = table.named(name).rename(name)
    found, names = labels_of(column, f"{where}: column {name[:40]!r}")
    return found, names, [each for each in (unlabelled(found, column),) if each]


def _ids(where: str, column: pd.Series[Any], name: str) -> dict[str, Any]:
    """Row ids, and row names where the ids are texts, as fields of a `Dataset`."""
    row_ids, row_names = numbered(ids_of(column, f"{where}: column {name[:40]!r}"))
    return {"row_ids": row_ids, "row_names": row_names}


def _is_target(cells: Cells, roles: Roles) -> bool:
    return not roles.labels and cells.name not in roles.columns and cells.name.lower() in TARGETS


def _is_code(table: Table, name: str) -> bool:
    return name in table.written and bool(table.written[name].str.match(NAMED_SO).any())


def _as_numbers(table: Table, name: str) -> str:
    texts = table.written[name]
    shown = texts[texts.str.match(NAMED_SO, na=False)].iloc[0]
    return f"{name[:40]} is read as numbers, though it holds {shown[:20]}; columns={name[:40]}=category keeps the texts"


def _is_id(cells: Cells, roles: Roles) -> bool:
    """Whether different whole numbers go by a name that ends in id."""
    named = not roles.ids and cells.name not in roles.columns and ID.search(cells.name) is not None
    return named and cells.what == "whole" and len(np.unique(cells.known)) == len(cells.values) > 2


def _meant(cells: Cells, option: str, what: str) -> str:
    return f"{cells.name} is an input; {option}={cells.name} makes it the {what}"


def _reasons(left: Mapping[str, str]) -> str:
    return listed(f"{each} ({why})" for each, why in left.items())
