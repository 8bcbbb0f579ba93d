"""Leakage: how much another factor changes along each dimension, one dot per dimension, against the setting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from latentlab.analysis.leakage.record import load_leakage, table
from latentlab.codes.dimensions import factors_of
from latentlab.errors import LatentlabError
from latentlab.figures import _places, _style
from latentlab.figures._text import number
from latentlab.runs.comparison import compare
from latentlab.runs.config import seeded
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Leakage between factors"
TAKES = "runs"
WIDTH = 0.7  # of a setting's place, shared by its runs
AXIS = "change of another factor\n(share of the target's)"


@dataclass(frozen=True, eq=False)
class LeakageData:
    """``dots``: one row per dimension whose leakage is defined, at ``place``; ``runs``: one row per run, with its
    ``leakage``
    (NaN where no dimension has one), its interval ``low`` to ``high`` and how many dimensions are ``defined``."""

    dots: pd.DataFrame
    runs: pd.DataFrame
    settings: tuple[str, ...]
    colours: dict[str, str]
    subtitle: str


def prepare(runs: Sequence[Run]) -> LeakageData:
    """The leakage of every run that has been measured (`latentlab leakage`)."""
    import pandas as pd

    listed = compare(runs).set_index("run")["setting"]
    rows, dots, factors = [], [], list[str]()
    missing: list[LatentlabError] = []
    for run in runs:
        try:
            score = load_leakage(run)
        except LatentlabError as error:
            missing.append(error)
            continue
        low, high = score.interval or (math.nan, math.nan)
        factors = factors or list(_varying(run))
        head = {"run": run.name, "setting": listed[run.name], "seed": run.config.seed}
        known = {"defined": score.parts.get("defined", 0), "of": score.parts.get("of", 0)}
        rows.append({**head, "leakage": score.value, "low": low, "high": high, **known})
        columns = ["dim", "target", "change", "leakage", "into"]
        here = table(score)[columns].dropna(subset="leakage")
        dots += [{**head, **row} for row in here.to_dict("records")]
        factors += score.settings["factors"]
    if not rows:
        raise missing[0]
    settings = tuple(dict.fromkeys(str(row["setting"]) for row in rows))
    found, points = pd.DataFrame(rows), pd.DataFrame(dots, columns=[*rows[0], *columns][:3] + columns)
    found["place"] = _side_by_side(found, settings)
    points["place"] = points["run"].map(found.set_index("run")["place"]) + _apart(points) * _half(found)
    subtitle = ["one dot per dimension; bars: mean of the run; thin lines: 95 % interval over anchors", "0 is best"]
    none = int(found["leakage"].isna().sum())
    subtitle += [f"{none} without a dimension that changes a factor"] if none else []
    subtitle += [f"{len(missing)} of {len(runs)} runs not measured"] if missing else []
    return LeakageData(points, found, settings, _style.colours(factors), " · ".join(subtitle))


def _varying(run: Run) -> tuple[str, ...]:
    """All factors of the run's data, in their order: a factor has its colour whichever of them leakage leaves out."""
    return factors_of(run.codes())[1] if run.has("encode") else ()


def _side_by_side(found: pd.DataFrame, settings: Sequence[str]) -> list[float]:
    """Runs of a setting side by side around the setting's own place."""
    most = int(found.groupby("setting").size().max())
    order = found.groupby("setting").cumcount()
    share = found.groupby("setting")["run"].transform("size")
    shift = (order - (share - 1) / 2) * WIDTH / most
    return [settings.index(name) + float(s) for name, s in zip(found["setting"], shift, strict=True)]


def _half(runs: pd.DataFrame) -> float:
    """Half of what a run's own place is wide."""
    return 0.42 * WIDTH / int(runs.groupby("setting").size().max())


def _apart(points: pd.DataFrame) -> pd.Series:
    """Where a run's dots lie within its place, from −0.75 to 0.75: side by side, so that none hides another."""
    runs = points.groupby("run")
    order, count = runs.cumcount(), runs["dim"].transform("size")
    return 1.5 * ((order + 0.5) / count.clip(lower=1) - 0.5)


def alt(data: LeakageData) -> str:
    """The figure in words."""
    runs = "; ".join(
        f"{seeded(row.setting, row.seed)}: {number(row.leakage)} over {row.defined:.0f} of {row.of:.0f} dimensions"
        for row in data.runs.itertuples()
    )
    return f"Leakage of each dimension against the setting, lower is better. {data.subtitle}. Means: {runs}."


def interactive(data: LeakageData) -> Any:
    """The Plotly figure."""
    import plotly.graph_objects as go

    fig = _style.plotly(TITLE, data.subtitle, alt(data), height=380)
    half = _half(data.runs)
    for row in data.runs.dropna(subset="leakage").itertuples():
        for x, y, width in (
            ([row.place] * 2, [row.low, row.high], 1),
            ([row.place - half, row.place + half], [row.leakage] * 2, 2),
        ):
            line = {"color": _style.GREY, "width": width}
            fig.add_trace(go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False))
    for factor, colour in data.colours.items():
        here = data.dots[data.dots["target"] == factor]
        if here.empty:
            continue
        fig.add_trace(
            go.Scatter(
                x=here["place"],
                y=here["leakage"],
                mode="markers",
                name=factor,
                marker={"color": colour, "size": 9},
                customdata=here[["run", "dim", "into", "change"]].astype(object).to_numpy(),
                hovertemplate=(
                    f"%{{customdata[1]}} changes {factor} by %{{customdata[3]:.2f}} of its range<br>"
                    "leakage %{y:.2f}, into %{customdata[2]}<extra>%{customdata[0]}</extra>"
                ),
            )
        )
    names, below = _places.places(data.settings)
    ticks, _ = _places.on_screen(names)
    fig.update_xaxes(range=[-0.6, len(data.settings) - 0.4], showgrid=False, title=below, **ticks)
    fig.update_yaxes(range=[0, 1.04], title=AXIS.replace("\n", "<br>"))
    return fig.update_layout(showlegend=True, legend={"title": {"text": "target"}})


def static(data: LeakageData, preset: str) -> Any:
    """The Matplotlib figure."""
    chosen = _style.preset(preset)
    said, below = _places.places(data.settings)
    names = _places.fitted(said, chosen, chosen.width - _style.BESIDE - 0.15)
    fig = _style.canvas(preset, 2.0 + names.height)
    axes, half = fig.add_subplot(), _half(data.runs)
    known = data.runs.dropna(subset="leakage")
    axes.vlines(known["place"], known["low"], known["high"], color=_style.INK, lw=0.6, zorder=4)
    axes.hlines(known["leakage"], known["place"] - half, known["place"] + half, color=_style.INK, lw=1.2, zorder=4)
    for factor, colour in data.colours.items():
        here = data.dots[data.dots["target"] == factor]
        if len(here):
            size = 12 if chosen.width > 5 else 5
            axes.scatter(
                here["place"], here["leakage"], s=size, color=colour, lw=0, zorder=3, label=factor, clip_on=False
            )
    names.on(axes)
    axes.set(xlim=(-0.6, len(data.settings) - 0.4), xlabel=below)
    axes.set(ylim=(0, 1), ylabel=AXIS)
    if len(data.dots):
        _style.legend_below(fig, 3 if chosen.width < 5 else 6, title="target", alignment="left")
    return fig


def numbers(data: LeakageData) -> pd.DataFrame:
    """The numbers: a row per dot, and one row per run with the mean over its dimensions (``dim`` is empty)."""
    import pandas as pd

    return pd.concat([data.runs, data.dots]).drop(columns="place")
