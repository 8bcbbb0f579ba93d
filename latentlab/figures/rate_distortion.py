"""What each setting cost: distortion against rate, one dot per run, the settings' means joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from latentlab.errors import InputError
from latentlab.figures import _style
from latentlab.figures._text import number
from latentlab.runs.comparison import check_comparable, compare, summarise
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Rate and distortion"
TAKES = "runs"
NARROW, LETTER = 360, 7  # pixels of a narrow chart and of a letter: a name that would leave it stands before its point
BESIDE = 0.6  # inches that the numbers and the title of the axis take
ROOM = 1.12  # times the largest rate is the axis' end
NAMED = 24  # settings whose names can be told apart beside their points
X, Y = "Rate (nats per example)", "Distortion (nats per example)"


@dataclass(frozen=True, eq=False)
class RateDistortion:
    """``runs`` and ``means`` of the VAEs, ``plain`` the deterministic runs, which have a distortion but no rate."""

    runs: pd.DataFrame
    means: pd.DataFrame
    plain: pd.DataFrame
    colours: dict[str, str]
    subtitle: str


def prepare(runs: Sequence[Run]) -> RateDistortion:
    """Rate and distortion of every run whose distortion was computed."""
    table, known = judged(runs)
    summary = summarise(table)
    means = summary[summary["rate_mean"].notna() & summary["distortion_mean"].notna()]
    means = means.sort_values(["latent_dim", "rate_mean"]).reset_index(drop=True)
    plain = known[known["rate"].isna()].reset_index(drop=True)
    stochastic = known[known["rate"].notna()].reset_index(drop=True)
    seeds = known.groupby("setting")["seed"].nunique()
    subtitle = ["dots: runs", *(["rings: means over seeds"] if seeds.max() > 1 else ["one seed each"])]
    subtitle += ["lines: autoencoders (no rate)"] if len(plain) else []
    subtitle += [f"{len(means)} settings, too many to name"] if len(means) > NAMED else []
    subtitle += (
        [f"{len(table) - len(known)} of {len(table)} runs have no distortion"] if len(known) < len(table) else []
    )
    return RateDistortion(stochastic, means, plain, _style.of_settings(table), " · ".join(subtitle))


def _lines(data: RateDistortion) -> list[pd.DataFrame]:
    """The means that belong on one line: one objective, one latent size."""
    families = data.means["label"].str.replace(r"[-\d.e+]+$", "", regex=True)
    return [group for _, group in data.means.groupby([families, "latent_dim"], sort=False)]


def _baselines(data: RateDistortion) -> list[tuple[str, float, list[float]]]:
    """Per deterministic setting: its name, its mean distortion, that of each seed."""
    groups = data.plain.groupby("setting", sort=False)["distortion"]
    return [(str(name), float(values.mean()), values.tolist()) for name, values in groups]


def judged(runs: Sequence[Run]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A line for each run, and those of the runs whose distortion is known; an `InputError` says why none is."""
    check_comparable(runs)
    table = compare(runs)
    if not any(run.config.has_model for run in runs):
        raise InputError("these runs hold codes without a model, which have no distortion: a decoder would give one")
    known = table[table["distortion"].notna() & (table["state"] != "diverged")]
    if known.empty:
        raise InputError("no run has a distortion; encode them with it: `latentlab analyze … --only encode`")
    return table, known


def alt(data: RateDistortion) -> str:
    """The figure in words."""
    points = [
        f"{row.setting}: rate {number(row.rate_mean, 1)}, distortion {number(row.distortion_mean, 1)}, {row.n} seeds"
        for row in data.means.itertuples()
    ]
    lines = [f"{name}: distortion {number(mean, 1)}, no rate" for name, mean, _ in _baselines(data)]
    told = ["; ".join(part) for part in (points, lines) if part]
    return ". ".join(["Scatter plot of distortion against rate, lower and further left is better", *told])


def interactive(data: RateDistortion) -> Any:
    """The Plotly figure."""
    import plotly.graph_objects as go

    fig = _style.plotly(TITLE, data.subtitle, alt(data), showlegend=False, height=440)
    line = {"color": _style.GREY, "width": 1}
    for group in _lines(data):
        at = {"x": group["rate_mean"], "y": group["distortion_mean"]}
        fig.add_trace(go.Scatter(**at, mode="lines", line=line, hoverinfo="skip", name="means"))
    fig.add_traces([_dots(data), _rings(data), _dashes(data)])
    # All at once: Plotly checks every one that is there whenever one is added.
    fig.update_layout(shapes=_lines_of(data), annotations=_names(data))
    fig.update_xaxes(title=X, rangemode="tozero")
    fig.update_yaxes(title=Y)
    return fig


def _lines_of(data: RateDistortion) -> list[dict[str, Any]]:
    """The distortion of the deterministic settings as lines across: thin for a seed, dashed for the mean."""
    across = {"type": "line", "x0": 0, "x1": 1, "xref": "x domain"}
    found = []
    for name, mean, values in _baselines(data):
        colour = data.colours[name]
        found += [{**across, "y0": y, "y1": y, "line": {"color": colour, "width": 0.5}} for y in values]
        found.append({**across, "y0": mean, "y1": mean, "line": {"color": colour, "width": 1.2, "dash": "dash"}})
    return found


def _names(data: RateDistortion) -> list[dict[str, Any]]:
    """The settings' names beside their means, as far as they can be told apart; hovering names the others.

    The line through the means falls: above it is room at the right of a mean, below it at the left.
    """
    beside = {"showarrow": False, "xanchor": "left", "yanchor": "bottom", "xshift": 6, "yshift": 2}
    before = {**beside, "xanchor": "right", "yanchor": "top", "xshift": -6, "yshift": -2}
    rows = data.means.itertuples() if len(data.means) <= NAMED else ()
    most = ROOM * float(data.runs["rate"].max()) if len(data.runs) else 1.0
    found = []
    for row in rows:
        room = NARROW * (1 - row.rate_mean / most) / LETTER
        said = row.setting if len(row.setting) < room else row.setting.replace(", ", ",<br>")
        right = max(map(len, said.split("<br>"))) < room
        text = {"text": said, "align": "left"} if right else {"text": row.setting}
        found.append({"x": row.rate_mean, "y": row.distortion_mean} | text | (beside if right else before))
    place = {**beside, "x": 0, "xref": "paper", "yshift": 0}
    plain = _baselines(data)
    return found + [{"y": max(values), "text": f"{name}, no rate", **place} for name, _, values in plain[:NAMED]]


def _dots(data: RateDistortion) -> Any:
    """The runs, a dot each in the colour of its setting: one trace, because each costs the browser time."""
    import plotly.graph_objects as go

    return go.Scatter(
        x=data.runs["rate"],
        y=data.runs["distortion"],
        mode="markers",
        name="runs",
        marker={"color": data.runs["setting"].map(data.colours), "size": 8},
        customdata=data.runs[["run", "setting", "seed", "elbo"]].astype(object).to_numpy(),
        hovertemplate="%{customdata[1]}, seed %{customdata[2]}<br>rate %{x:.2f}, distortion %{y:.2f}, "
        "ELBO %{customdata[3]:.2f} nats<extra>%{customdata[0]}</extra>",
    )


def _rings(data: RateDistortion) -> Any:
    """The means of the settings that have several seeds."""
    import plotly.graph_objects as go

    rings = data.means[data.means["n"] > 1]
    return go.Scatter(
        x=rings["rate_mean"],
        y=rings["distortion_mean"],
        mode="markers",
        name="means of settings",
        marker={"color": rings["setting"].map(data.colours), "size": 14, "symbol": "circle-open"},
        text=rings["setting"],
        hovertemplate="%{text}, mean over seeds: rate %{x:.2f}, distortion %{y:.2f} nats<extra></extra>",
    )


def _dashes(data: RateDistortion) -> Any:
    """The deterministic runs, which have no rate: at the left edge."""
    import plotly.graph_objects as go

    return go.Scatter(
        x=[0] * len(data.plain),
        y=data.plain["distortion"],
        mode="markers",
        name="no rate",
        marker={"color": data.plain["setting"].map(data.colours), "size": 8, "symbol": "line-ew-open"},
        customdata=data.plain[["run", "setting", "seed"]].astype(object).to_numpy(),
        hovertemplate="%{customdata[1]}, seed %{customdata[2]}<br>distortion %{y:.2f} nats, no rate"
        "<extra>%{customdata[0]}</extra>",
    )


def static(data: RateDistortion, preset: str) -> Any:
    """The Matplotlib figure."""
    chosen = _style.preset(preset)
    fig = _style.canvas(preset, min(chosen.width * 0.62, 3.0))
    curve(fig.add_subplot(), data, chosen, chosen.width - BESIDE)
    return fig


def curve(axes: Any, data: RateDistortion, chosen: _style.Preset, width: float) -> None:
    """Draw the runs, the means and the lines on Matplotlib axes, about so many inches wide."""
    for group in _lines(data):
        axes.plot(group["rate_mean"], group["distortion_mean"], color=_style.GREY, lw=0.8, zorder=1, gid="means")
    for setting, group in data.runs.groupby("setting", sort=False):
        axes.scatter(group["rate"], group["distortion"], s=12, color=data.colours[setting], zorder=3, lw=0, gid="runs")
    small: dict[str, Any] = {"textcoords": "offset points", "size": chosen.size - 0.5}
    most = float(data.runs["rate"].max()) if len(data.runs) else 1.0
    for row in data.means.itertuples():
        place = (row.rate_mean, row.distortion_mean)
        if row.n > 1:
            axes.scatter(
                *place, s=34, facecolors="none", edgecolors=data.colours[row.setting], lw=0.7, zorder=2, gid="rings"
            )
        if len(data.means) <= NAMED:
            said, right = _beside(row.setting, chosen, width, row.rate_mean / (ROOM * most))
            side = ((6, 4), "left", "bottom") if right else ((-6, -4), "right", "top")
            axes.annotate(said, place, side[0], ha=side[1], va=side[2], **small)
    for count, (name, mean, values) in enumerate(_baselines(data)):
        for value in values:
            axes.axhline(value, color=data.colours[name], lw=0.35, zorder=0)
        axes.axhline(mean, color=data.colours[name], lw=0.9, ls=(0, (4, 2)), zorder=0)
        if count < NAMED:
            axes.annotate(f"{name}, no rate", (0, max(values)), (4, 2), xycoords=("axes fraction", "data"), **small)
    axes.margins(y=0.13)  # names stand above the highest point, and below the lowest
    axes.set(xlabel=X, ylabel=Y, xlim=(-most * 0.02, most * ROOM))


def _beside(setting: str, chosen: _style.Preset, width: float, share: float) -> tuple[str, bool]:
    """What stands beside the mean of a setting, at that share of the width, and whether it stands at the right.

    That is the setting where there is room for it, otherwise a line for each of its parts: at the right, above the line
    through the means, which falls, before the left, where names below it meet those of others.
    """
    rooms = {True: width * (1 - share), False: width * share}
    parts = setting.replace(", ", ",\n")
    for right, room in rooms.items():
        for said in (setting, parts):
            if max(_style.wide(line, chosen) for line in said.split("\n")) < room:
                return said, right
    return parts, rooms[True] >= rooms[False]


def numbers(data: RateDistortion) -> pd.DataFrame:
    """The numbers: a row per dot or line; a deterministic run has no rate."""
    import pandas as pd

    columns = ["run", "setting", "seed", "rate", "distortion", "elbo", "judged_rows"]
    return pd.concat([part[columns] for part in (data.runs, data.plain) if len(part)], ignore_index=True)
