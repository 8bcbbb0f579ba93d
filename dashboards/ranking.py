"""A ranked table whose rows are picked and named where they stand."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent

RANKING = st.components.v2.component(
    "latentlab_ranking", html="<i hidden></i>", js=(HERE / "ranking.js").read_text(encoding="utf-8")
)


def rows_of(table: str, picked: str, on_pick: Callable[[str], None], on_name: Callable[[str, str, str], None]) -> None:
    """Let the rows of the table called `table` be picked and named; that with the key `picked` stands out.

    It is drawn by the part of the page that shows the picked row, so that a pick draws that part alone. `on_pick` is
    called with a row's key, `on_name` with its key, the name that was seen and the new one.
    """
    key = f"ranking-{table}"

    def chosen() -> None:
        if (row := st.session_state[key].picked) is not None:
            on_pick(str(row))

    def named() -> None:
        if isinstance(given := st.session_state[key].named, dict):
            on_name(str(given["key"]), str(given["shown"]), str(given["name"]))

    data = {"table": table, "picked": picked}
    RANKING(key=key, data=data, height=1, on_picked_change=chosen, on_named_change=named)


def name_cell(name: str, note: str, what: str, longest: int, *, editable: bool) -> str:
    """The cell of a name, as HTML: a button that becomes a field where names can be kept."""
    shown = f'<span title="{html.escape(note)}">{html.escape(name)}</span>' if name or note else ""
    if not editable:
        return shown
    tone = "" if name else ' class="soft"'
    return (
        f'<button type="button" data-name="{html.escape(name)}" data-longest="{longest}" title="{html.escape(note)}" '
        f'aria-label="name {html.escape(what)}"{tone}>{html.escape(name) or "name it…"}</button>'
    )
