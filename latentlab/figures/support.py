"""Is this a space one can sample from? Precision, coverage and holes of three kinds of samples, one dot per run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.analysis.support.record import ARMS, SHARES, support_table
from latentlab.figures import _grids, _places, _style
from latentlab.figures._text import number
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Samples against real data, and the codes"
TAKES = "runs"
DRAWN = ("prior", "gaussian", "aggregate")
TONES = dict(zip(DRAWN, (_style.OKABE_ITO[0], _style.OKABE_ITO[1], _style.OKABE_ITO[2]), strict=True))
OFFSETS = dict(zip(DRAWN, (-0.22, 0.0, 0.22), strict=True))
HEADS = {
    "precision": "precision: share of samples close to real data",
    "coverage": "coverage: share of real data close to samples",
    "holes": "holes: share of samples far from all codes",
}


@dataclass(frozen=True, eq=False)
class SupportData:
    """``table`` one row per run (`support_table`), ``settings`` in order, ``levels`` what real data reach."""

    table: pd.DataFrame
    settings: tuple[str, ...]
    ticks: tuple[str, ...]
    levels: dict[str, float]
    subtitle: str

    def dots(self, arm: str, measure: str) -> tuple[list[float], list[float]]:
        """Where the runs' dots of one arm lie: x beside the setting's place, y the measure."""
        if f"{arm}.{measure}" not in self.table:
            return [], []
        known = self.table[self.table[f"{arm}.{measure}"].notna()]
        place = {setting: i for i, setting in enumerate(self.settings)}
        seeds = known.groupby("setting")["seed"].rank(method="first") - 1
        x = [place[s] + OFFSETS[arm] + 0.05 * (k - 1) for s, k in zip(known["setting"], seeds, strict=True)]
        return x, known[f"{arm}.{measure}"].tolist()


def prepare(runs: Sequence[Run]) -> SupportData:
    """What `latentlab support` found of every run that it measured."""
    table = support_table(runs)
    settings = tuple(dict.fromkeys(table["setting"]))
    levels = {key: float(table[f"real.{key}"].mean()) for key in ("precision", "coverage")} | {"holes": 0.01}
    ticks = tuple(f"{setting}|{_known(table[table['setting'] == setting])}" for setting in settings)
    subtitle = ["one dot per run; line: real training data (for holes: held-out codes)"]
    subtitle += [f"{len(runs) - len(table)} of {len(runs)} runs were not measured"] if len(table) < len(runs) else []
    subtitle += ["holes are undefined for deterministic encoders"] if table["rate"].isna().any() else []
    return SupportData(table, settings, ticks, levels, " · ".join(subtitle))


def _known(group: pd.DataFrame) -> str:
    """What a setting's codes know, under its name: none of the panels means anything without it."""
    rate = "no rate" if group["rate"].isna().all() else f"{number(group['rate'].mean(), 1)} nats"
    return rate if group["probe"].isna().all() else f"{rate}|probe {number(group['probe'].mean())}"


def alt(data: SupportData) -> str:
    """The figure in words."""
    means = data.table.groupby("setting", sort=False)[["prior.precision", "prior.coverage"]].mean()
    said = "; ".join(
        f"{name}: from N(0, I) precision {number(p)}, coverage {number(c)}"
        for name, (p, c) in zip(means.index, means.to_numpy(), strict=True)
    )
    return f"Three dot plots by setting, one colour per kind of samples. {said}. {data.subtitle}."


def _series(data: SupportData) -> Iterator[tuple[int, str, str, list[float], list[float]]]:
    for panel, measure in enumerate(SHARES):
        for arm in DRAWN:
            x, y = data.dots(arm, measure)
            yield panel, measure, arm, x, y


def interactive(data: SupportData) -> Any:
    """The Plotly figure."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    base = _style.plotly(TITLE, data.subtitle, alt(data))
    grid = make_subplots(rows=1, cols=3, horizontal_spacing=0.06, subplot_titles=[HEADS[key] for key in SHARES])
    fig = _grids.styled(grid, base, axes=True)
    ticks, below = _places.on_screen(data.ticks, len(SHARES))
    fig.update_layout(height=370 + below, margin={"l": 50, "r": 10, "t": 110, "b": 60 + below}, showlegend=False)
    _style.colour_key(fig, {ARMS[arm]: tone for arm, tone in TONES.items()}, below=24 + below)
    for panel, measure, arm, x, y in _series(data):
        fig.add_trace(
            go.Scatter(
                x=x,
                y=y,
                mode="markers",
                name=ARMS[arm],
                marker={"color": TONES[arm], "size": 8},
                hovertemplate=f"{ARMS[arm]}<br>{measure} %{{y:.3f}}<extra></extra>",
            ),
            row=1,
            col=panel + 1,
        )
    for panel, measure in enumerate(SHARES):
        line = {"color": _style.GREY, "width": 1, "dash": "dash"}
        fig.add_hline(y=data.levels[measure], line=line, row=1, col=panel + 1)
    fig.update_xaxes(range=[-0.6, len(data.ticks) - 0.4], **ticks)
    lines = {"gridcolor": "rgba(128,128,128,0.18)", "zeroline": False}
    fig.update_xaxes(showgrid=False, showline=False)
    fig.update_yaxes(range=[-0.02, 1.04], showline=False, **lines)
    fig.update_annotations(font_size=12)
    return fig


def static(data: SupportData, preset: str) -> Any:
    """The Matplotlib figure."""
    chosen = _style.preset(preset)
    stacked = chosen.width < 5
    smaller = 1 if stacked else 2.5
    names = _places.fitted(data.ticks, chosen, chosen.width / (1 if stacked else 3) - _style.BESIDE, smaller)
    fig = _style.canvas(preset, 2.2 + names.height if not stacked else 5.0 + 3 * names.height)
    panels = np.ravel(fig.subplots(*((3, 1) if stacked else (1, 3))))
    for panel, _, arm, x, y in _series(data):
        panels[panel].scatter(x, y, s=14, color=TONES[arm], lw=0, label=ARMS[arm], gid=arm, zorder=3)
    for axes, measure in zip(panels, SHARES, strict=True):
        axes.axhline(data.levels[measure], color=_style.GREY, lw=0.7, ls=(0, (4, 2)), zorder=1)
        axes.set(ylim=(0, 1.03), xlim=(-0.6, len(data.settings) - 0.4))
        axes.set_title(HEADS[measure].replace(": ", ":\n"), weight="normal", size=chosen.size - 1)
        names.on(axes, size=chosen.size - smaller)
    handles, labels = panels[0].get_legend_handles_labels()
    _style.legend_below(fig, 3 if chosen.width > 5 else 2, handles=handles, labels=labels)
    return fig


def numbers(data: SupportData) -> pd.DataFrame:
    """What is drawn: the table of all runs that were measured."""
    return data.table
