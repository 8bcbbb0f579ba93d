"""Words and numbers as every figure writes them."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from latentlab.runs.config import seeded
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd


def number(value: float, digits: int = 2) -> str:
    """A number with that many decimals and a true minus; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.{digits}f}".replace("-", "−")


def plain(value: float) -> str:
    """A number in at most three digits, without zeros at its end, and with a true minus.

    >>> plain(-2.0), plain(0.125)
    ('−2', '0.125')
    """
    return f"{value:.3g}".replace("-", "−")


def broken(text: str, letters: int = 28) -> str:
    """A text as Plotly shows it, in lines of about that many letters.

    >>> broken("z8 x position: 0.258 to 0.742", 20)
    'z8 x position: 0.258<br>to 0.742'
    """
    return "<br>".join(textwrap.wrap(text, letters))


def short(text: str, letters: int) -> str:
    """A text of at most that many letters; an ellipsis stands for the rest."""
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def describe(run: Run) -> str:
    """A run in a subtitle: ``β = 4, seed 0``."""
    return seeded(run.config.label, run.config.seed)


def told_levels(run: Run, model: Any) -> str:
    """``decoded at batch = B``; nothing where the decoder is told nothing. Without a model, the usual levels."""
    conditions = run.config.conditions
    if conditions is None:
        return ""
    chosen: Mapping[str, str] = {} if model is None else model.levels
    each = [(column.name, chosen.get(column.name, column.usual)) for column in conditions.columns]
    return "decoded at " + ", ".join(f"{name} = {level}" for name, level in each)


def inactive(table: pd.DataFrame) -> tuple[bool, ...]:
    """Which rows of a table of dimensions are inactive; none is where activity is undefined."""
    return tuple(bool(known and not flag) for flag, known in zip(table["active"], table["active"].notna(), strict=True))


def said_grey(table: pd.DataFrame) -> str:
    """What a subtitle adds where some of the dimensions in a table are inactive, and so grey."""
    return " · grey: inactive" if any(inactive(table)) else ""


def of_rows(attrs: Mapping[str, Any]) -> str:
    """``MI on 20,000 of 737,280 rows``, or nothing where all rows were used."""
    used, of = attrs["rows"], attrs["of_rows"]
    return f"MI on {used:,} of {of:,} rows" if used < of and attrs.get("factors", True) else ""
