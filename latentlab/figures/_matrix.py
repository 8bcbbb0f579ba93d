"""A matrix of numbers in [0, 1] as coloured cells with the numbers in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.h5ad import free
from latentlab.figures import _style

if TYPE_CHECKING:
    import pandas as pd

WRITTEN = 400  # more cells than this would be too small to hold a number


@dataclass(frozen=True, eq=False)
class Matrix:
    """``values`` (rows, columns) with a label a row and a column, greyed where it is said."""

    values: NDArray[np.float64]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    grey_rows: tuple[bool, ...]
    grey_columns: tuple[bool, ...]
    unit: str

    def texts(self) -> NDArray[Any]:
        """What is written in the cells: two decimals without the leading zero, nothing below 0.005."""
        short = lambda v: "" if not v >= 0.005 else f"{v:.2f}".removeprefix("0")  # noqa: E731
        return np.array([[short(v) for v in row] for row in self.values], dtype=object)


def interactive(data: Matrix, title: str, subtitle: str, alt: str) -> Any:
    """The Plotly figure."""
    import plotly.graph_objects as go

    size = data.values.size
    fig = _style.plotly(title, subtitle, alt, height=150 + 26 * max(6, min(len(data.rows), 24)))
    fig.add_trace(
        go.Heatmap(
            z=data.values,
            x=list(data.columns),
            y=list(data.rows),
            zmin=0,
            zmax=1,
            colorscale=_style.MATRIX,
            xgap=1,
            ygap=1,
            text=data.texts() if size <= WRITTEN else None,
            texttemplate="%{text}" if size <= WRITTEN else None,
            hovertemplate=f"%{{y}} and %{{x}}: %{{z:.3f}}<extra>{data.unit}</extra>",
            colorbar={"title": {"text": data.unit, "side": "right"}, "thickness": 10, "outlinewidth": 0},
        )
    )
    fig.update_xaxes(type="category", showgrid=False, **_ticks(data.columns, data.grey_columns))
    fig.update_yaxes(type="category", showgrid=False, autorange="reversed", **_ticks(data.rows, data.grey_rows))
    return fig


def _ticks(labels: tuple[str, ...], grey: tuple[bool, ...]) -> dict[str, Any]:
    texts = [
        f"<span style='color:{_style.GREY}'><i>{label}</i></span>" if dead else label
        for label, dead in zip(labels, grey, strict=True)
    ]
    return {"tickvals": list(labels), "ticktext": texts}


def static(data: Matrix, preset: str, title: str, subtitle: str) -> Any:
    """The Matplotlib figure."""
    chosen = _style.preset(preset)
    rows, columns = data.values.shape
    cell = min(0.55, (chosen.width - 1.3) / columns)
    high = min(cell, 0.24)
    fig = _style.canvas(preset, high * rows + 0.5, title, _style.wrap(subtitle, preset))
    axes = fig.add_subplot()
    drawn = axes.pcolormesh(
        np.ma.masked_invalid(data.values), cmap=_style.MATRIX, vmin=0, vmax=1, edgecolors="white", linewidth=0.6
    )
    axes.invert_yaxis()
    axes.set_facecolor(_style.FAINT)
    axes.set(xticks=np.arange(columns) + 0.5, yticks=np.arange(rows) + 0.5)
    axes.set_xticklabels(data.columns)
    axes.set_yticklabels(data.rows)
    if max(map(len, data.columns)) * chosen.size / 72 * 0.55 > (chosen.width - 1.2) / columns:
        axes.tick_params(axis="x", rotation=90)
    _style.bare(axes)
    both = ((axes.get_xticklabels(), data.grey_columns), (axes.get_yticklabels(), data.grey_rows))
    for ticks, grey in both:
        for tick, dead in zip(ticks, grey, strict=True):
            tick.set_color(_style.GREY if dead else _style.INK)
    if rows * columns <= WRITTEN:
        for (r, c), text in np.ndenumerate(data.texts()):
            ink = "white" if data.values[r, c] < 0.55 else _style.INK
            axes.text(c + 0.5, r + 0.5, text, ha="center", va="center", size=chosen.size - 1.5, color=ink)
        axes.set(aspect=high / cell, anchor="W")
    else:
        bar = fig.colorbar(drawn, ax=axes, fraction=0.03, pad=0.02, aspect=30)
        bar.outline.set_visible(False)
        bar.set_label(data.unit, size=chosen.size - 1)
    return fig


def numbers(data: Matrix) -> pd.DataFrame:
    """The numbers: one row per row of the matrix, its label first."""
    import pandas as pd

    columns: dict[str, Any] = {"dim": list(data.rows)}
    for name, values in zip(data.columns, np.asarray(data.values).T, strict=True):
        columns[free(name, columns)] = values
    return pd.DataFrame(columns)
