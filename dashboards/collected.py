"""Panels collected for a report on the way through the pages: kept in the visitor's session, never on the disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import choice
import reads
import streamlit as st
from drawings import Drawing

from latentlab.reports.bundle import Panel
from latentlab.runs.comparison import csv_of

SCREEN = "neurips"  # the preset whose numbers are taken: they are the same in all


@dataclass(frozen=True)
class Item:
    """A panel as it was when it was added: its figure is drawn again in the width that is asked for."""

    title: str
    said: str
    command: str
    drawing: Drawing | None
    numbers: bytes | None

    def panel(self, preset: str) -> Panel:
        """The panel as files."""
        drawing, figure, why = self.drawing, None, ""
        if drawing is not None:
            figure, why = reads.attempt(lambda: drawing.file("pdf", preset), None)
        return Panel(self.title, self.said, self.made(preset), figure, self.numbers, why and f"Not plotted: {why}")

    def made(self, preset: str) -> str:
        """The command that makes it in that width."""
        return self.command if self.drawing is None else self.drawing.command("pdf", preset)


def items() -> dict[str, Item]:
    """What has been collected, in its order, by key."""
    found: dict[str, Item] = st.session_state.setdefault(choice.COLLECTED, {})
    return found


def key_of(title: str, command: str) -> str:
    """What makes two panels the same: their title and the command that makes them."""
    return f"{title}|{command}"


def toggle(title: str, facts: Sequence[str], make: str | Drawing, data: Callable[[], Any] | None) -> None:
    """Collect a panel, or give it up again."""
    drawing = make if isinstance(make, Drawing) else None
    command = make.command() if isinstance(make, Drawing) else make
    key = key_of(title, command)
    if key in items():
        give_up(key)
    else:
        said = " · ".join(fact for fact in facts if fact)
        items()[key] = Item(title, said, command, drawing, numbers(drawing, data))


def give_up(key: str) -> None:
    """Collect that panel no more."""
    items().pop(key, None)


def numbers(drawing: Drawing | None, data: Callable[[], Any] | None) -> bytes | None:
    """The table behind a panel as CSV: its own, or the numbers of its figure."""
    found: bytes | None = None
    if data is not None:
        found = reads.attempt(lambda: csv_of(data()), None)[0]
    elif drawing is not None:
        found = reads.attempt(lambda: drawing.file("csv", SCREEN), None)[0]
    return found
