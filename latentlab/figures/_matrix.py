"""A matrix of numbers in [0, 1] as coloured cells with the numbers in them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.h5ad import free
from latentlab.figures import _style

if TYPE_CHECKING:
    import pandas as pd

WRITTEN = 400  # more cells than this would be too small to hold a number
LEAST = 0.1  # the end of the colour scale at least: smaller numbers are all alike
NAME = 1.4  # inches that a row's name has on paper
ROW = 0.19  # inches that a row has on paper


@dataclass(frozen=True, eq=False)
class Matrix:
    """``values`` (rows, columns) with a label per row and per column, greyed where it is said.

    Of a ``square`` matrix the diagonal is known beforehand: it is left out of the colours and their scale.
    ``row_names`` are written behind the rows' labels.
    """

    values: NDArray[np.float64]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    grey_rows: tuple[bool, ...]
    grey_columns: tuple[bool, ...]
    unit: str
    square: bool = False
    row_names: tuple[str, ...] = ()

    @property
    def told(self) -> list[str]:
        """What stands before each row: its label with its name where it has one."""
        return [
            f"{row} {name}".strip()
            for row, name in zip(self.rows, self.row_names or ("",) * len(self.rows), strict=True)
        ]

    @property
    def coloured(self) -> NDArray[np.float64]:
        """The values that have a colour; the others are NaN."""
        return np.where(np.eye(len(self.values), dtype=bool), np.nan, self.values) if self.square else self.values

    @property
    def most(self) -> float:
        """The end of the colour scale: the largest coloured value, or the next tenth above it."""
        known = self.coloured[np.isfinite(self.coloured)]
        return max(LEAST, float(np.ceil(known.max() * 10 - 1e-9) / 10)) if known.size else 1.0

    def texts(self) -> NDArray[Any]:
        """What is written in the cells: two decimals without the leading zero, a dash for what is unknown."""
        short = lambda v: f"{v:.2f}".removeprefix("0")  # noqa: E731
        return np.array([[short(v) if np.isfinite(v) else "–" for v in row] for row in self.values], dtype=object)


def interactive(data: Matrix, title: str, subtitle: str, alt: str) -> Any:
    """The Plotly figure."""
    import plotly.graph_objects as go

    written = data.texts() if data.values.size <= WRITTEN else None
    fig = _style.plotly(title, subtitle, alt, height=150 + 26 * max(6, min(len(data.rows), 24)))
    fig.add_trace(
        go.Heatmap(
            z=data.coloured,
            x=list(data.columns),
            y=list(data.rows),
            zmin=0,
            zmax=data.most,
            colorscale=_style.MATRIX,
            xgap=1,
            ygap=1,
            text=written,
            texttemplate=None if written is None else "%{text}",
            hovertemplate=f"%{{y}} and %{{x}}: %{{z:.3f}}<extra>{data.unit}</extra>",
            colorbar={"title": {"text": data.unit, "side": "right"}, "thickness": 10, "outlinewidth": 0},
        )
    )
    fig.update_layout(plot_bgcolor="rgba(138,138,134,0.25)")
    fig.update_xaxes(type="category", showgrid=False, **_ticks(data.columns, data.grey_columns))
    fig.update_yaxes(
        type="category", showgrid=False, autorange="reversed", **_ticks(data.rows, data.grey_rows, data.told)
    )
    return fig


def _ticks(labels: Sequence[str], grey: Sequence[bool], told: Sequence[str] = ()) -> dict[str, Any]:
    texts = [
        f"<span style='color:{_style.GREY}'><i>{text}</i></span>" if dead else text
        for text, dead in zip(told or labels, grey, strict=True)
    ]
    return {"tickvals": list(labels), "ticktext": texts}


def static(data: Matrix, preset: str) -> Any:
    """The Matplotlib figure."""
    chosen = _style.preset(preset)
    rows, columns = data.values.shape
    cell = (chosen.width - 1.2) / columns
    upright = max(_style.wide(name, chosen, 1) for name in data.columns) > 0.95 * cell
    below = max(_style.wide(name, chosen, 1) for name in data.columns) if upright else chosen.size / 72
    fig = _style.canvas(preset, ROW * max(4, rows) + min(below, 1.2) + 0.2)
    axes = fig.add_subplot()
    drawn = axes.pcolormesh(
        np.ma.masked_invalid(data.coloured), cmap=_style.MATRIX, vmin=0, vmax=data.most, edgecolors="white",
        linewidth=0.6,
    )  # fmt: skip
    axes.invert_yaxis()
    axes.set_facecolor(_style.FAINT)
    axes.set(xticks=np.arange(columns) + 0.5, yticks=np.arange(rows) + 0.5)
    axes.set_xticklabels(data.columns)
    axes.set_yticklabels([_style.fitting(text, chosen, NAME, 1) for text in data.told])
    if upright:
        axes.tick_params(axis="x", rotation=90)
    _style.bare(axes)
    both = ((axes.get_xticklabels(), data.grey_columns), (axes.get_yticklabels(), data.grey_rows))
    for ticks, grey in both:
        for tick, dead in zip(ticks, grey, strict=True):
            tick.set_color(_style.GREY if dead else _style.INK)
    if rows * columns <= WRITTEN and cell > _style.wide("0.00", chosen, 1.5):
        _write(axes, data, chosen.size - 1.5)
    bar = fig.colorbar(drawn, ax=axes, fraction=0.03, pad=0.01, aspect=max(10, 4 * rows))
    bar.outline.set_visible(False)
    fits = _style.wide(data.unit, chosen, 1) < ROW * max(4, rows)
    bar.set_label(data.unit if fits else textwrap.fill(data.unit, len(data.unit) // 2 + 2), size=chosen.size - 1)
    return fig


def _write(axes: Any, data: Matrix, size: float) -> None:
    """The numbers in the cells, in the ink that is read on their colour."""
    for (r, c), text in np.ndenumerate(data.texts()):
        light = not data.coloured[r, c] < 0.55 * data.most  # a cell without a colour is light grey
        axes.text(c + 0.5, r + 0.5, text, ha="center", va="center", size=size, color=_style.INK if light else "white")


def numbers(data: Matrix) -> pd.DataFrame:
    """The numbers: one row per row of the matrix, its label first."""
    import pandas as pd

    columns: dict[str, Any] = {"dim": list(data.rows)}
    for name, values in zip(data.columns, np.asarray(data.values).T, strict=True):
        columns[free(name, columns)] = values
    return pd.DataFrame(columns)
