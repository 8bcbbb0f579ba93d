"""Cause and isolation of the part of the code that carries each factor, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.analysis.intervene.record import load_interventions
from latentlab.figures import _style
from latentlab.figures._text import describe, number, short
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Which part of the code carries each factor"
TAKES = "run"
LETTERS = 28  # of a factor's name
AXIS = "share (1: the whole difference to the donor)"
KINDS = {  # colour, marker on the screen and on paper, and how far from the middle of its row
    "cause": (_style.OKABE_ITO[0], "circle", "o", -0.13),
    "isolation": (_style.OKABE_ITO[1], "diamond", "D", 0.13),
}
WHOLE = "cause of the whole code"


@dataclass(frozen=True, eq=False)
class InterventionsData:
    """``rows``: a line per factor, as `Interventions.to_frame` has it."""

    rows: pd.DataFrame
    subtitle: str

    @property
    def labels(self) -> list[str]:
        """Each factor with what carries it."""
        pairs = zip(self.rows["factor"], self.rows["carried by"], strict=True)
        return [f"{short(factor, LETTERS)}: {carrier}" for factor, carrier in pairs]


def prepare(run: Run) -> InterventionsData:
    """The interventions on the run's codes (`latentlab intervene`)."""
    found = load_interventions(run)
    subtitle = [describe(run), "a part of the code is replaced by that of a donor row, then decoded and read"]
    subtitle += ["lines: 95 % intervals over pairs of rows"]
    left_out = found.settings.get("left_out") or {}
    subtitle += [f"not readable: {', '.join(left_out)}"] if left_out else []
    return InterventionsData(found.to_frame(), " · ".join(subtitle))


def alt(data: InterventionsData) -> str:
    """The figure in words."""
    rows = data.rows.to_dict("records")
    told = "; ".join(
        f"{label}, cause {number(row['cause'])}, isolation {number(row['isolation'])}, whole code {number(row[WHOLE])}"
        for label, row in zip(data.labels, rows, strict=True)
    )
    return f"Dots with intervals, one row per factor: cause and isolation. {data.subtitle}. {told}."


def interactive(data: InterventionsData) -> Any:
    """The Plotly figure."""
    import plotly.graph_objects as go

    table, places = data.rows, np.arange(len(data.rows))
    fig = _style.plotly(TITLE, data.subtitle, alt(data), height=170 + 34 * len(table))
    for name, (colour, symbol, _, offset) in KINDS.items():
        ends = {"array": table[f"{name} high"] - table[name], "arrayminus": table[name] - table[f"{name} low"]}
        fig.add_trace(
            go.Scatter(
                x=table[name],
                y=places + offset,
                mode="markers",
                name=name,
                marker={"color": colour, "size": 9, "symbol": symbol},
                error_x={"type": "data", "symmetric": False, "thickness": 1.2, "width": 0, "color": colour, **ends},
                customdata=table[["other factor moved most", "disagreement"]].assign(label=data.labels).fillna("–"),
                hovertemplate=f"%{{customdata[2]}}<br>{name} %{{x:.2f}}<br>other factor moved most: "
                "%{customdata[0]}<br>%{customdata[1]}<extra></extra>",
            )
        )
    fig.add_trace(
        go.Scatter(
            x=table[WHOLE],
            y=places,
            mode="markers",
            name=WHOLE,
            marker={"color": _style.GREY, "size": 14, "symbol": "line-ns-open", "line": {"width": 2}},
            text=data.labels,
            hovertemplate="%{text}<br>" + WHOLE + " %{x:.2f}<extra></extra>",
        )
    )
    fig.update_xaxes(title=AXIS, range=_reach(table))
    fig.update_yaxes(tickvals=places, ticktext=data.labels, range=[len(table) - 0.5, -0.5], showgrid=False)
    return fig.update_layout(showlegend=True)


def static(data: InterventionsData, preset: str) -> Any:
    """The Matplotlib figure."""
    table, places = data.rows, np.arange(len(data.rows))
    fig = _style.canvas(preset, 0.7 + 0.24 * len(table))
    axes = fig.add_subplot()
    for name, (colour, _, marker, offset) in KINDS.items():
        axes.hlines(places + offset, table[f"{name} low"], table[f"{name} high"], color=colour, lw=0.8)
        style: dict[str, Any] = {"color": colour, "marker": marker, "lw": 0, "clip_on": False}
        axes.scatter(table[name], places + offset, s=14, zorder=3, label=name, **style)
    axes.scatter(table[WHOLE], places, s=40, color=_style.GREY, marker="|", label=WHOLE, clip_on=False)
    axes.set(yticks=places, yticklabels=data.labels, xlabel=AXIS, xlim=_reach(table))
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), alignment="left")
    return fig


def _reach(table: pd.DataFrame) -> tuple[float, float]:
    """From 0 to 1, or as far as values go beyond."""
    shown = table[["cause low", "cause high", WHOLE]]
    return min(-0.02, float(shown.min().min())), max(1.02, float(shown.max().max()))


def numbers(data: InterventionsData) -> pd.DataFrame:
    """The numbers: one row per factor."""
    return data.rows
