"""A long table in pages: sorted over all of its rows, of which one page is drawn."""

from __future__ import annotations

from typing import Any

import choice
import streamlit as st

PAGE = 100  # rows; a table of no more is drawn whole, without these controls
UNSORTED = "the study's order"


def page_of(table: Any, columns: dict[str, str]) -> Any:
    """The rows of a table to draw: all of a short one, else those of the page chosen, in the order chosen.

    `columns` are headings by the columns to sort by. Empty cells come last in either direction.
    """
    if len(table) <= PAGE:
        return table
    by, way, which, said = st.columns([2, 2, 1, 2], vertical_alignment="bottom")
    options = ["", *columns]
    choice.remember("sort", options, "")
    by.selectbox("Sort by", options, key="sort", format_func=lambda key: columns.get(key, UNSORTED))
    choice.keep_unless("sort", "")
    choice.remember("order", ["rising", "falling"], "rising")
    way.segmented_control("Order", ["rising", "falling"], key="order", required=True)
    choice.keep_unless("order", "rising")
    chosen, last = st.session_state["sort"], -(-len(table) // PAGE)
    page = choice.integer(which, f"Page of {last}", "page", 1, 1, last)
    start = (page - 1) * PAGE
    end = min(start + PAGE, len(table))
    said.html(f'<p class="ll-note">{start + 1:,} to {end:,} of {len(table):,} rows; sorted over all of them</p>')
    return ordered(table, chosen, falling=st.session_state["order"] == "falling").iloc[start:end]


def ordered(table: Any, column: str, *, falling: bool) -> Any:
    """A table sorted by a column, equal rows in the order they had; as it is where no column is named."""
    if not column:
        return table.iloc[::-1] if falling else table
    return table.sort_values(column, ascending=not falling, kind="stable", na_position="last")
