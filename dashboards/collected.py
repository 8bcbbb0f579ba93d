"""Panels collected for a report on the way through the pages: kept in the study, where it may be written.

`latentlab report` draws them again. Where the study cannot be written they are kept in the visitor's session alone, as
are the numbers of tables that no figure shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import choice
import reads
import streamlit as st
from drawings import Drawing

from latentlab.reports.bundle import Panel
from latentlab.results import plain
from latentlab.runs.collected import Collected, collect, read_collected, writable
from latentlab.runs.collected import give_up as forget
from latentlab.runs.comparison import csv_of
from latentlab.serving.shown import Alone

SCREEN = "neurips"  # the preset whose numbers are taken: they are the same in all


@dataclass(frozen=True)
class Item:
    """A panel as it was when it was added: its figure is drawn again in the width that is asked for."""

    title: str
    said: str
    command: str
    drawing: Drawing | None
    table: bytes | None = None  # as CSV, where it is not what the figure's own numbers are

    @property
    def numbers(self) -> bytes | None:
        """The table behind the panel as CSV."""
        return numbers(self.drawing, None) if self.table is None else self.table

    def panel(self, preset: str) -> Panel:
        """The panel as files."""
        drawing, figure, caption, why = self.drawing, None, "", ""
        if drawing is not None:
            (figure, caption), why = reads.attempt(lambda: drawing.captioned("pdf", preset), (None, ""))
        missing = why and f"Not plotted: {why}"
        return Panel(self.title, self.said, self.made(preset), figure, self.numbers, missing, caption)

    def made(self, preset: str) -> str:
        """The command that makes it in that width."""
        return self.command if self.drawing is None else self.drawing.command("pdf", preset)


def kept() -> bool:
    """Whether collected panels are kept in the study; a run by itself has none."""
    return not isinstance(reads.study(), Alone) and writable(reads.study())


def items() -> dict[str, Item]:
    """What has been collected, in its order, by key."""
    if kept():
        return {panel.key: _item(panel) for panel in reads.attempt(partial(read_collected, reads.study()), ())[0]}
    found: dict[str, Item] = st.session_state.setdefault(choice.COLLECTED, {})
    return found


def _item(panel: Collected) -> Item:
    """A panel that was kept; one of runs that are gone has its command alone."""
    runs = reads.attempt(lambda: tuple(panel.runs_of(reads.study())), ())[0] if panel.kind else ()
    drawing = Drawing(panel.kind, runs, panel.options) if runs else None
    tables: dict[str, bytes] = st.session_state.get("collected_tables", {})
    return Item(panel.title, panel.said, panel.command, drawing, tables.get(panel.key))


def key_of(title: str, command: str) -> str:
    """What makes two panels the same: their title and the command that makes them."""
    return Collected(title, command=command).key


def toggle(title: str, facts: Sequence[str], make: str | Drawing, data: Callable[[], Any] | None) -> None:
    """Collect a panel, or give it up again."""
    drawing = make if isinstance(make, Drawing) else None
    command = make.command() if isinstance(make, Drawing) else make
    key, said = key_of(title, command), " · ".join(fact for fact in facts if fact)
    if key in items():
        give_up(key)
        return
    table = numbers(None, data)
    if not kept():
        items()[key] = Item(title, said, command, drawing, table)
    else:
        if table is not None:
            st.session_state.setdefault("collected_tables", {})[key] = table
        _try(partial(collect, reads.study(), _panel(title, said, command, drawing)))


def _panel(title: str, said: str, command: str, drawing: Drawing | None) -> Collected:
    if drawing is None:
        return Collected(title, said, command)
    every = drawing.runs == tuple(reads.study().runs)
    names = () if every else tuple(run.name for run in drawing.runs)
    options = {key: plain(value) for key, value in drawing.options.items() if value is not None}
    return Collected(title, said, command, drawing.kind, names, options)


def give_up(*keys: str) -> None:
    """Collect these panels no more; without any, none at all."""
    if kept():
        _try(partial(forget, reads.study(), *keys))
    for key in keys or tuple(items()):
        items().pop(key, None)


def _try(change: Callable[[], None]) -> None:
    """Change what is kept in the study, or say why that failed."""
    why = reads.attempt(change, None)[1]
    if why:
        st.toast(f"Not saved: {why}")


def numbers(drawing: Drawing | None, data: Callable[[], Any] | None) -> bytes | None:
    """The table behind a panel as CSV: its own, or the numbers of its figure."""
    found: bytes | None = None
    if data is not None:
        found = reads.attempt(lambda: csv_of(data()), None)[0]
    elif drawing is not None:
        found = reads.attempt(lambda: drawing.file("csv", SCREEN), None)[0]
    return found
