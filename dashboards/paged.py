"""A table that a click on a heading sorts, over all of its rows; of a long one, a page is drawn at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import choice
import streamlit as st
from markup import Sorting

PAGE = 100  # rows; a table of no more is drawn whole
FALLING_FIRST = "num"  # the class of columns of numbers, of which the largest come first
ORDERS = ("rising", "falling")
HEADINGS = st.components.v2.component(
    "latentlab_headings",
    html="<span></span>",
    js=(Path(__file__).parent / "headings.js").read_text(encoding="utf-8"),
)


def page_of(table: Any, name: str, columns: Sequence[tuple[str, str, str]]) -> tuple[Any, Sorting]:
    """The rows of a table to draw, in the order chosen: all of a short one, else a page; and how it is sorted.

    `columns` are (key, heading, class), the key that of the table's column; `name` is what the drawn table is called.
    Empty cells come last in either direction.
    """
    keys = [key for key, _, _ in columns]
    choice.remember("sort", ["", *keys], "")
    choice.remember("order", ORDERS, ORDERS[0])
    _headings(name, {key: kind == FALLING_FIRST for key, _, kind in columns})
    by, falling = str(choice.keep_unless("sort", "")), choice.keep_unless("order", ORDERS[0]) == ORDERS[1]
    rows, sorting = ordered(table, by, falling=falling), Sorting(keys, by, falling)
    return (rows if len(rows) <= PAGE else _page(rows)), sorting


def _headings(name: str, falls_first: dict[str, bool]) -> None:
    """Listen to the table's headings: a first click sorts, a second one turns the order, a third one gives it up."""

    def clicked() -> None:
        key = st.session_state[f"headings-{name}"].sorted
        if key not in falls_first:
            return
        orders = ORDERS[::-1] if falls_first[key] else ORDERS
        again = st.session_state["sort"] == key
        turned = again and st.session_state["order"] == orders[1]
        st.session_state["sort"] = "" if turned else key
        st.session_state["order"] = ORDERS[0] if turned else orders[again]

    HEADINGS(key=f"headings-{name}", data={"table": name}, height=1, on_sorted_change=clicked)


def _page(rows: Any) -> Any:
    """The page of the rows that was chosen."""
    which, said = st.columns([1, 5], vertical_alignment="bottom")
    last = -(-len(rows) // PAGE)
    start = (choice.integer(which, f"Page of {last}", "page", 1, 1, last) - 1) * PAGE
    end = min(start + PAGE, len(rows))
    said.html(f'<p class="ll-note">{start + 1:,} to {end:,} of {len(rows):,} rows; sorted over all of them</p>')
    return rows.iloc[start:end]


def ordered(table: Any, column: str, *, falling: bool) -> Any:
    """A table sorted by a column, equal rows in the order they had; as it is where no column is named."""
    if not column:
        return table.iloc[::-1] if falling else table
    return table.sort_values(column, ascending=not falling, kind="stable", na_position="last")
