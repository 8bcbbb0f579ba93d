"""Scores by setting: a panel per metric, a dot per seed, a line at the mean, and the scores of rotated codes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.errors import InputError
from latentlab.figures import _grids, _places, _style
from latentlab.figures._text import broken, number
from latentlab.runs.comparison import compare
from latentlab.runs.run import Run
from latentlab.runs.verdicts import title_of

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Scores by setting"
TAKES = "runs"
ACROSS = 3


@dataclass(frozen=True, eq=False)
class Scores:
    """``points``: a row a (metric, run) with its ``value``, ``whole`` (over all rows, where the value is a draw from
    them), ``shown`` (whole where there is one: what the interval is for), interval ``low`` to ``high``, ``null`` and
    ``place`` on the axis; ``settings`` name the places; ``panels`` are (column, title) pairs."""

    points: pd.DataFrame
    settings: tuple[str, ...]
    panels: tuple[tuple[str, str], ...]
    colours: dict[str, str]
    subtitle: str

    def limits(self, metric: str) -> tuple[float, float]:
        """The lowest and the highest that is drawn of a metric, a little beyond them."""
        here = self.points.loc[self.points["metric"] == metric, ["value", "shown", "low", "high", "null", "whole"]]
        low, high = (float(f(here.to_numpy(float))) for f in (np.nanmin, np.nanmax)) if len(here) else (0.0, 1.0)
        room = 0.07 * (high - low) or max(0.05 * abs(high), 1e-3)
        return low - room, high + room


def prepare(runs: Sequence[Run], *, metrics: Sequence[str] | str | None = None) -> Scores:
    """Every score of every run, the active units last; `metrics` names those wanted (a list, or commas between)."""
    import pandas as pd

    wanted = metrics.split(",") if isinstance(metrics, str) else metrics
    table = compare(runs, metrics=wanted)
    found = list(table.attrs["metrics"])
    if not found:
        raise InputError("the runs have no scores; compute them: `latentlab analyze … --only score`")
    columns = [*found, *(() if wanted or table["active_units"].isna().all() else ("active_units",))]
    good = table[~table["state"].isin(["broken", "diverged"])]
    settings = tuple(dict.fromkeys(good["setting"]))
    rows = [_point(row, metric, settings) for metric in columns for _, row in good.iterrows()]
    points = pd.DataFrame([row for row in rows if math.isfinite(row["value"])])
    return Scores(
        points, settings, tuple((c, title_of(c)) for c in columns), _style.of_settings(table), _told(good, points)
    )


def _point(row: pd.Series, metric: str, settings: Sequence[str]) -> dict[str, Any]:
    more = {key: row.get(f"{metric}_{key}", math.nan) for key in ("low", "high", "null", "whole")}
    head = {"metric": metric, "run": row["run"], "setting": row["setting"], "seed": int(row["seed"])}
    value = float(row[metric])
    shown = more["whole"] if math.isfinite(more["whole"]) else value
    return head | {"place": settings.index(row["setting"]), "value": value, "shown": shown} | more


def _told(table: pd.DataFrame, points: pd.DataFrame) -> str:
    most = int(table.groupby("setting")["seed"].nunique().max())
    subtitle = ["one dot per seed, bars: mean over seeds" if most > 1 else "one seed each"]
    subtitle += ["thin lines: 95 % interval"] if points["low"].notna().any() else []
    subtitle += ["grey: the same codes, randomly rotated"] if points["null"].notna().any() else []
    return " · ".join(subtitle)


def _spread_out(group: pd.DataFrame) -> np.ndarray:
    """Seeds side by side, so that equal scores do not hide each other: (rows,) places."""
    seeds = sorted(group["seed"].unique())
    step = min(0.12, 0.5 / max(1, len(seeds)))
    shift = {seed: (i - (len(seeds) - 1) / 2) * step for i, seed in enumerate(seeds)}
    return group["place"].to_numpy(float) + group["seed"].map(shift).to_numpy(float)


def alt(data: Scores) -> str:
    """The figure in words."""
    panels = []
    for metric, title in data.panels:
        here = data.points[data.points["metric"] == metric].groupby("setting", sort=False)["shown"]
        values = ", ".join(f"{name} {number(v.mean())} ({number(v.min())} to {number(v.max())})" for name, v in here)
        panels.append(f"{title}: {values}")
    return f"One panel per metric, by setting. {data.subtitle}. Means (ranges over seeds): {'; '.join(panels)}."


def _panel(data: Scores, metric: str) -> list[tuple[str, pd.DataFrame]]:
    here = data.points[data.points["metric"] == metric]
    return [(str(name), group) for name, group in here.groupby("setting", sort=False)]


def interactive(data: Scores) -> Any:
    """The Plotly figure."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    count = len(data.panels)
    across = min(ACROSS, count)
    down = math.ceil(count / across)
    grid = make_subplots(
        down,
        across,
        subplot_titles=[broken(title) for _, title in data.panels],
        vertical_spacing=0.3 / down,
        horizontal_spacing=0.08,
    )
    called, below = _places.places(data.settings)
    names, tall = _places.on_screen(called, across)
    base = _style.plotly(TITLE, data.subtitle, alt(data), showlegend=False, height=94 + tall + 230 * down)
    fig = _grids.styled(grid, base)
    for index, (metric, _) in enumerate(data.panels):
        row, column = index // across + 1, index % across + 1
        for setting, group in _panel(data, metric):
            values = group["shown"]
            dots = go.Scatter(
                x=_spread_out(group),
                y=values,
                mode="markers",
                name=setting,
                marker={"color": data.colours[setting], "size": 7},
                error_y=_lines(group, values),
                cliponaxis=False,
                customdata=group[["run", "seed"]].astype(object).to_numpy(),
                hovertemplate=f"{setting}, seed %{{customdata[1]}}: %{{y:.3f}}<extra>%{{customdata[0]}}</extra>",
            )
            fig.add_trace(dots, row=row, col=column)
            for value, colour, width in (
                (values.mean(), data.colours[setting], 2),
                (group["null"].mean(), _style.GREY, 1.5),
            ):
                if math.isfinite(value):
                    ends = [group["place"].iloc[0] - 0.28, group["place"].iloc[0] + 0.28]
                    line = go.Scatter(
                        x=ends, y=[value] * 2, mode="lines", line={"color": colour, "width": width}, hoverinfo="skip"
                    )
                    fig.add_trace(line, row=row, col=column)
        lowest = index >= count - across  # names of settings may be long, so they stand once below each column
        ticks = names | {"showticklabels": lowest, "title": below if lowest else ""}
        fig.update_xaxes(range=[-0.6, len(data.settings) - 0.4], showgrid=False, row=row, col=column, **ticks)
        fig.update_yaxes(range=data.limits(metric), row=row, col=column)
    fig.update_yaxes(gridcolor="rgba(128,128,128,0.18)", zeroline=False)
    fig.update_annotations(font_size=12)
    return fig


def _lines(group: pd.DataFrame, shown: pd.Series) -> dict[str, Any] | None:
    """The intervals around the values that they are for, as Plotly's error bars."""
    if not group[["low", "high"]].notna().all(axis=1).any():
        return None
    ends = {"array": group["high"] - shown, "arrayminus": shown - group["low"]}
    return {"type": "data", "symmetric": False, "thickness": 1, "width": 0, **ends}


def static(data: Scores, preset: str) -> Any:
    """The Matplotlib figure."""
    chosen = _style.preset(preset)
    count = len(data.panels)
    across = _style.across(count, 5 if chosen.width > 5 else 3)
    down = math.ceil(count / across)
    said, below = _places.places(data.settings)
    names = _places.fitted(said, chosen, chosen.width / across - _style.BESIDE)
    fig = _style.canvas(preset, 1.5 * down + names.height * (1 if names.upright else down))
    grid = np.atleast_1d(fig.subplots(down, across, squeeze=False)).ravel()
    for axes in grid[count:]:
        axes.set_visible(False)
    for index, (axes, (metric, title)) in enumerate(zip(grid, data.panels, strict=False)):
        for setting, group in _panel(data, metric):
            _draw(axes, group, data.colours[setting])
        heading = _style.lines(title, chosen, chosen.width / across - _style.BESIDE)
        axes.set_title(heading, fontweight="normal", size=chosen.size)
        names.on(axes)
        axes.set_xlim(-0.6, len(data.settings) - 0.4)
        axes.set_ylim(data.limits(metric))
        lowest = index >= count - across
        axes.tick_params(labelbottom=lowest or not names.upright)  # long names stand once below each column
        if lowest:
            axes.set_xlabel(below)
    return fig


def _draw(axes: Any, group: pd.DataFrame, colour: str) -> None:
    across, place = _spread_out(group), group["place"].iloc[0]
    if group["low"].notna().any():
        axes.vlines(across, group["low"], group["high"], color=colour, lw=0.6, alpha=0.6)
    axes.scatter(across, group["shown"], s=9, color=colour, lw=0, zorder=3, gid="seeds", clip_on=False)
    axes.hlines(group["shown"].mean(), place - 0.28, place + 0.28, color=colour, lw=1.2)
    if group["null"].notna().any():
        axes.hlines(group["null"].mean(), place - 0.28, place + 0.28, color=_style.GREY, lw=0.9)


def numbers(data: Scores) -> pd.DataFrame:
    """The numbers: a row per dot, with the value over all rows, its interval and what rotated codes reach."""
    return data.points.drop(columns=["place", "shown"])
