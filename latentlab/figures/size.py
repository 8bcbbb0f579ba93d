"""The size of the space: distortion, rate and active units against β, or against the latent size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.figures import _grids, _style
from latentlab.figures._text import number
from latentlab.figures.rate_distortion import judged
from latentlab.runs.run import Run
from latentlab.system.registry import choose

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Size of the latent space"
TAKES = "runs"
PANELS = {"distortion": "Distortion (nats)", "rate": "Rate (nats)", "active_units": "Active units"}
AXES = {"beta": "β", "latent_dim": "latent dimensions"}


@dataclass(frozen=True, eq=False)
class Size:
    """``table`` one row per run; ``x`` the column that varies, ``by`` the one that tells the lines apart.

    ``names`` call the places left of 0, where what has no β stands.
    """

    table: pd.DataFrame
    x: str
    by: str
    places: dict[float, int]
    colours: dict[Any, str]
    subtitle: str
    names: dict[float, str]


def prepare(runs: Sequence[Run], *, against: str = "") -> Size:
    """Every run that was encoded, ``against`` beta or latent_dim; by default whichever takes more values."""
    table = judged(runs)[1].copy()
    several = {key: table[key].nunique() for key in AXES}
    x = choose(against.replace("-", "_"), AXES, what="axis") if against else max(AXES, key=lambda key: several[key])
    by = next(key for key in AXES if key != x)
    names = _without_beta(table)
    below = {name: value for value, name in names.items()}
    table["beta"] = [
        below[name] if np.isnan(beta) else beta for name, beta in zip(_called(table), table["beta"], strict=True)
    ]
    places = {value: k for k, value in enumerate(sorted(table[x].dropna().unique().tolist()))}
    subtitle = ["one dot per run, lines: mean over seeds"]
    subtitle += ["an AE has no rate and no active units"] if "AE" in names.values() else []
    subtitle += [f"{table['latent_dim'].iloc[0]} latent dimensions"] if several["latent_dim"] == 1 else []
    subtitle += [f"β = {table['beta'].iloc[0]:g}"] if several["beta"] == 1 and not (table["beta"] < 0).any() else []
    values = sorted(table[by].unique().tolist())
    plain = [value for value in values if value < 0]
    colours: dict[Any, str] = dict(zip(plain, _style.OKABE_ITO, strict=False))
    colours |= {value: _style.GREY for value in plain if by == "latent_dim" or names[value] == "AE"}
    colours |= dict(zip(values[len(plain) :], _style.along(len(values) - len(plain)), strict=True))
    return Size(table, x, by, places, colours, " · ".join(subtitle), names)


def _called(table: pd.DataFrame) -> list[str]:
    """Each run's setting without its latent size."""
    rows = zip(table["setting"], table["latent_dim"], strict=True)
    return [str(name).replace(f", latent size {size}", "") for name, size in rows]


def _without_beta(table: pd.DataFrame) -> dict[float, str]:
    """Settings that have no β, a plain autoencoder or another objective, at places of their own left of 0."""
    names = dict.fromkeys(_called(table[table["beta"].isna()]))
    return {-float(k): name for k, name in enumerate(names, start=1)}


def _name(data: Size, axis: str, value: float) -> str:
    return data.names[value] if axis == "beta" and value < 0 else f"{value:g}"


def _legend(data: Size, value: float) -> str:
    name = _name(data, data.by, value)
    return name if data.by == "beta" and value < 0 else f"β = {name}" if data.by == "beta" else f"{name} dimensions"


def _lines(data: Size) -> Iterator[tuple[int, str, float, list[float], list[float], list[float], list[float]]]:
    """Panel, measure, the line's value, its dots and its means."""
    for panel, measure in enumerate(PANELS):
        known = data.table[data.table[measure].notna()]
        for value, group in known.groupby(data.by):
            joined = group["beta"] >= 0 if data.x == "beta" else group["rate"].notna()
            means = group[joined].groupby(data.x)[measure].mean()
            dots = [float(data.places[v]) for v in group[data.x]]
            yield (
                panel,
                measure,
                float(value),
                dots,
                group[measure].tolist(),
                [float(data.places[v]) for v in means.index],
                means.tolist(),
            )


def alt(data: Size) -> str:
    """The figure in words."""
    means = data.table.groupby([data.x, data.by])[list(PANELS)].mean()
    said = "; ".join(
        f"{AXES[data.x]} {_name(data, data.x, a)}, {_legend(data, b)}: distortion {number(row.distortion, 1)}, "
        f"rate {number(row.rate, 1)}, active units {number(row.active_units, 1)}"
        for (a, b), row in zip(means.index, means.itertuples(), strict=True)
    )
    return f"Three plots against {AXES[data.x]}: distortion, rate, active units. {said}."


def interactive(data: Size) -> Any:
    """The Plotly figure."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    base = _style.plotly(TITLE, data.subtitle, alt(data))
    grid = make_subplots(rows=1, cols=3, horizontal_spacing=0.07, subplot_titles=list(PANELS.values()))
    fig = _grids.styled(grid, base, axes=True)
    fig.update_layout(height=400, margin={"l": 50, "r": 10, "t": 100, "b": 90}, showlegend=False)
    if len(data.colours) > 1:
        _style.colour_key(fig, {_legend(data, value): tone for value, tone in data.colours.items()}, below=56)
    for panel, measure, value, x, y, mean_x, mean_y in _lines(data):
        place, name = {"row": 1, "col": panel + 1}, _legend(data, value)
        tone = {"color": data.colours[value]}
        line = go.Scatter(x=mean_x, y=mean_y, mode="lines", line=tone, hoverinfo="skip")
        fig.add_trace(line.update(name="means"), **place)
        dots = go.Scatter(x=x, y=y, mode="markers", marker=tone | {"size": 8}, name=name)
        fig.add_trace(dots.update(hovertemplate=f"{measure} %{{y:.2f}}<extra>{name}</extra>"), **place)
    ticks = {"tickvals": list(data.places.values()), "ticktext": [_name(data, data.x, v) for v in data.places]}
    fig.update_xaxes(title=AXES[data.x], showgrid=False, range=[-0.4, len(data.places) - 0.6], **ticks)
    fig.update_yaxes(rangemode="tozero", gridcolor="rgba(128,128,128,0.18)", zeroline=False)
    fig.update_annotations(font_size=12)
    return fig


def static(data: Size, preset: str) -> Any:
    """The Matplotlib figure."""
    chosen = _style.preset(preset)
    stacked = chosen.width < 5
    fig = _style.canvas(preset, 4.6 if stacked else 1.9)
    panels = np.ravel(fig.subplots(*((3, 1) if stacked else (1, 3))))
    for panel, _, value, x, y, mean_x, mean_y in _lines(data):
        panels[panel].plot(mean_x, mean_y, color=data.colours[value], lw=0.9, gid="means")
        panels[panel].scatter(x, y, s=9, color=data.colours[value], lw=0, label=_legend(data, value), gid="runs")
    room = (chosen.width / (1 if stacked else 3) - _style.BESIDE) / len(data.places)
    ticks = [_style.lines(_name(data, data.x, value), chosen, room, 1) for value in data.places]
    for axes, title in zip(panels, PANELS.values(), strict=True):
        axes.set_title(title, weight="normal")
        axes.set_xticks(list(data.places.values()), ticks)
        axes.set(xlabel=AXES[data.x], xlim=(-0.4, len(data.places) - 0.6))
        axes.set_ylim(0, max(1.05 * axes.get_ylim()[1], 1e-9))
    if len(data.colours) > 1:
        handles, labels = panels[0].get_legend_handles_labels()
        _style.legend_below(fig, 4, handles=handles, labels=labels)
    return fig


def numbers(data: Size) -> pd.DataFrame:
    """One row per run: β (−1 for an AE), latent size, seed, distortion, rate and active units."""
    return data.table[["run", "setting", "beta", "latent_dim", "seed", *PANELS]]
