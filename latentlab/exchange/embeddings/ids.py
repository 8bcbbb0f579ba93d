"""Rows joined to another table by the ids that a user's own tables give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from latentlab.data._ids import Texts, ids_of, places_of, without_zeros
from latentlab.data._remarks import say
from latentlab.errors import InputError
from latentlab.exchange.embeddings.tables import own_ids

PARTLY = 0.5  # of the ids: a column that holds as many is that of the ids, and lacks the others


def joined(ids: Texts, own: str, table: pd.DataFrame, named: str, where: str) -> tuple[pd.DataFrame, Texts]:
    """The table with its rows in the order of the codes, without its column of ids; and the ids.

    ``ids`` (n,) are those of the codes in the file ``own``; ``named`` is the column of the table that has them, or else
    it is the only one in which all of them occur. ``where`` is what the table is called.
    """
    column = named if named in table.columns else _column_with(ids, table)
    if not column:
        if named or not _counts(ids) or len(table) != len(ids):
            raise InputError(_no_ids(ids, own, table, named, where))
        say(f"{where}: its rows are taken to be in the order of {own}, whose ids only count")
        return table, ids
    theirs = ids_of(table[column], f"{where}: column {column[:40]!r}")
    places, as_numbers = places_of(ids, theirs)
    if (absent := places < 0).any():
        first = str(ids[absent][0])[:40]
        raise InputError(
            f"{int(absent.sum()):,} of {len(ids):,} ids of {own[-40:]} are not in {where[-40:]} (first: {first!r}); "
            "complete it, or name another column: --ids"
        )
    spare = len(table) - len(ids)
    how = " by number, for leading zeros differ" if as_numbers else ""
    say(f"{where}: joined on {column!r}{how}" + (f"; {spare:,} of its rows have no code" if spare else ""))
    return table.iloc[places].drop(columns=column).reset_index(drop=True), ids


def _counts(ids: Texts) -> bool:
    """Whether the ids say no more than the order of the rows."""
    return bool((ids == np.arange(len(ids)).astype(np.str_)).all())


def _column_with(ids: Texts, table: pd.DataFrame) -> str:
    """The only column in which every id occurs; nothing where none does, or several do.

    Ids that only count are those of row numbers alone: other whole numbers may agree with them by chance.
    """
    if _counts(ids):
        own = own_ids(table)
        return own if own and pd.Index(ids).isin(_as_texts(table[own])).all() else ""
    columns = [str(name) for name in table.columns] if len(table) >= len(ids) else []
    return _only(ids, {name: _as_texts(table[name]) for name in columns}) or _only(
        [*map(without_zeros, ids.tolist())], {name: [*map(without_zeros, _as_texts(table[name]))] for name in columns}
    )


def _only(ids: Any, columns: Mapping[str, Sequence[str]]) -> str:
    """The only column in which all ids occur, or nothing."""
    wanted = pd.Index(ids)
    found = [name for name, texts in columns.items() if wanted.isin(texts).all()]
    return found[0] if len(found) == 1 else ""


def _as_texts(column: pd.Series[Any]) -> Sequence[str]:
    if pd.api.types.is_float_dtype(column):
        return []
    return [str(each) for each in column.tolist()]


def _no_ids(ids: Texts, own: str, table: pd.DataFrame, named: str, where: str) -> str:
    if named:
        return f"{where} has no column {named[:40]!r}; it has: {', '.join(map(str, table.columns))}"[:200]
    if _counts(ids):
        return f"{where} has {len(table):,} rows but {own} has {len(ids):,}; give both an id column and name it: --ids"
    share = {str(name): float(pd.Index(ids).isin(_as_texts(table[name])).mean()) for name in table.columns}
    if share and share[best := max(share, key=share.__getitem__)] >= PARTLY:
        absent = round((1 - share[best]) * len(ids))
        return (
            f"{absent:,} of {len(ids):,} ids of {own[-40:]} are not in {where[-40:]}, column {best[:30]!r}; "
            "complete it, or name another column: --ids"
        )
    return f"no column of {where[-60:]} holds the ids of {own[-60:]} (as {ids[0][:30]!r}); name it: --ids COLUMN"
