"""How latent dimensions respond to a factor: the mean code at each of its values, and the spread around it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.codes.codes import Codes
from latentlab.codes.dimensions import dimensions, factors_of, response
from latentlab.errors import InputError
from latentlab.figures import _grids, _style
from latentlab.figures._text import broken, describe, inactive, said_grey
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Response to a factor"
TAKES = "run"
SHOWN = 12
ROWS = 20_000
ACROSS = 4


@dataclass(frozen=True, eq=False)
class Responses:
    """``curves``: a row per (dimension, value) with ``mean`` and ``sd``; ``ticks`` names the values that have names.

    Values with names have no order, so they are not joined. All panels have the same ``limits``. ``grey`` are the
    inactive dimensions.
    """

    curves: pd.DataFrame
    titles: dict[int, str]
    factor: str
    ticks: dict[float, str]
    subtitle: str
    grey: tuple[bool, ...]

    @property
    def limits(self) -> tuple[float, float]:
        """The lowest and the highest code that any band reaches, a little beyond them."""
        low, high = self.curves["mean"] - self.curves["sd"], self.curves["mean"] + self.curves["sd"]
        room = 0.04 * float(high.max() - low.min()) or 1.0
        return float(low.min()) - room, float(high.max()) + room

    @property
    def ends(self) -> tuple[float, float]:
        """The ends of the factor's axis, with room beside the first and the last value."""
        values = self.curves["value"]
        room = 0.5 if self.ticks else 0.04 * float(values.max() - values.min()) or 1.0
        return float(values.min()) - room, float(values.max()) + room


def prepare(run: Run, *, factor: str | None = None, dimension: int | None = None) -> Responses:
    """The responses to `factor` (the first that varies) of one `dimension`, or of the most important ones."""
    codes = run.codes()
    names = factors_of(codes)[1]
    if not names:
        raise InputError(f"{run.name} was analysed on data without factors or labels, so no response can be shown")
    if dimension is not None and not 0 <= dimension < codes.latent_dim:
        raise InputError(f"{run.name} has no dimension {dimension}; it has 0 to {codes.latent_dim - 1}")
    chosen = factor or names[0]
    table = dimensions(codes, notes=run.named(), draws=2)
    table = table.head(SHOWN) if dimension is None else table[table["index"] == dimension]
    curves = response(codes, chosen, rows=ROWS)
    curves["value"] = curves["value"].map(_scale(codes, chosen))
    titles = {
        int(row.index_): f"{row.dim} {row.name}".strip()
        for row in table.rename(columns={"index": "index_"}).itertuples()
    }
    used = min(ROWS, len(codes))
    rows = f"{used:,} of {len(codes):,} rows" if used < len(codes) else f"all {len(codes):,} rows"
    around = f"mean code at each {chosen}, {_around(codes, chosen)}: ± 1 sd over everything else"
    subtitle = f"{describe(run)} · {around} · {rows}{said_grey(table)}"
    shown = curves[curves["index"].isin(titles)]
    return Responses(shown, titles, chosen, _ticks(codes, chosen), subtitle, inactive(table))


def _around(codes: Codes, factor: str) -> str:
    return "bars" if _ticks(codes, factor) else "bands"


def _scale(codes: Codes, factor: str) -> Callable[[float], float]:
    """From a level's index to its value, where the values are numbers."""
    spec = codes.spec(factor)
    if spec is None or not spec.values or any(isinstance(value, str) for value in spec.values):
        return lambda level: level
    values = np.asarray(spec.values, np.float64)
    return lambda level: float(np.interp(level, np.arange(len(values)), values))


def _ticks(codes: Codes, factor: str) -> dict[float, str]:
    spec = codes.spec(factor)
    named = spec is not None and any(isinstance(value, str) for value in spec.values)
    return {float(k): str(value) for k, value in enumerate(spec.values)} if spec and named else {}


def alt(data: Responses) -> str:
    """The figure in words."""
    spans = {title: _span(data.curves[data.curves["index"] == j]) for j, title in data.titles.items()}
    told = ", ".join(f"{title} {low:.2f} to {high:.2f}" for title, (low, high) in spans.items())
    return f"Curves of the mean code against {data.factor}, one per latent dimension. {data.subtitle}. Ranges: {told}."


def _span(curve: pd.DataFrame) -> tuple[float, float]:
    return float(curve["mean"].min()), float(curve["mean"].max())


def interactive(data: Responses) -> Any:
    """The Plotly figure."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    count = len(data.titles)
    across = min(ACROSS, count)
    down = math.ceil(count / across)
    titles = [broken(each) for each in data.titles.values()]
    grid = make_subplots(down, across, subplot_titles=titles, vertical_spacing=0.24 / down)
    base = _style.plotly(
        TITLE, data.subtitle, alt(data), showlegend=False, height=120 + (220 if down == 1 else 150 * down)
    )
    fig = _grids.styled(grid, base)
    for k, (j, title) in enumerate(data.titles.items()):
        place, curve = {"row": k // across + 1, "col": k % across + 1}, data.curves[data.curves["index"] == j]
        low, high = curve["mean"] - curve["sd"], curve["mean"] + curve["sd"]
        line, area = _style.tones(data.grey[k])
        look: dict[str, Any] = {"line": {"color": line, "width": 2}, "marker": {"size": 5}}
        if data.ticks:
            error = {"type": "data", "array": curve["sd"], "color": area, "thickness": 2, "width": 0}
            look |= {"mode": "markers", "error_y": error}
        else:
            band = {"line": {"width": 0}, "fill": "toself", "fillcolor": _style.faded(line, 0.15), "hoverinfo": "skip"}
            around = np.concatenate([curve["value"], curve["value"][::-1]])
            fig.add_trace(go.Scatter(x=around, y=np.concatenate([low, high[::-1]]), mode="lines", **band), **place)
            look |= {"mode": "lines+markers"}
        fig.add_trace(go.Scatter(x=curve["value"], y=curve["mean"], name=title, **look), **place)
    grid_lines = {"gridcolor": "rgba(128,128,128,0.18)", "zeroline": False}
    fig.update_yaxes(range=data.limits, **grid_lines)
    fig.update_xaxes(
        range=data.ends,
        **grid_lines,
        **({"tickvals": list(data.ticks), "ticktext": list(data.ticks.values())} if data.ticks else {}),
    )
    if count == 1:
        fig.update_xaxes(title=data.factor)
        fig.update_yaxes(title=f"code, {next(iter(data.titles.values()))}")
        fig.layout.annotations = ()
    fig.update_annotations(font_size=12)
    return fig


def static(data: Responses, preset: str) -> Any:
    """The Matplotlib figure."""
    count = len(data.titles)
    turned = _turned(data, preset, count)
    below = max(_style.wide(name, _style.preset(preset), 1) for name in data.ticks.values()) if turned else 0.0
    drawn = _style.multiples(preset, list(data.titles.values()), 0.3 + max(0.0, below - 0.1), sharey=True)
    for axes, j, title, dead in zip(drawn.axes, data.titles, drawn.titles, data.grey, strict=True):
        line, area = _style.tones(dead)
        curve = data.curves[data.curves["index"] == j]
        if data.ticks:
            bars: dict[str, Any] = {"fmt": "o", "ms": 2.5, "ecolor": area, "elinewidth": 1.6}
            axes.errorbar(curve["value"], curve["mean"], curve["sd"], color=line, **bars)
            axes.set_xticks(list(data.ticks), list(data.ticks.values()))
        else:
            band = (curve["mean"] - curve["sd"], curve["mean"] + curve["sd"])
            axes.fill_between(curve["value"], *band, color=area, lw=0, alpha=0.4)
            axes.plot(curve["value"], curve["mean"], color=line)
        axes.set_title(title, fontweight="normal", color=_style.GREY if dead else _style.INK)
        axes.set(xlim=data.ends, ylim=data.limits)
    for axes in drawn.axes:
        axes.tick_params(labelbottom=axes in drawn.lowest)
    for axes in drawn.lowest:
        axes.set_xlabel(data.factor)
        if turned:
            axes.tick_params(axis="x", rotation=90)
    for axes in drawn.first:
        axes.set_ylabel("mean code")
    return drawn.figure


def _turned(data: Responses, preset: str, count: int) -> bool:
    """Whether the names of values would touch each other: they stand upright then, as long as they all are."""
    chosen = _style.preset(preset)
    room = (chosen.width / _style.abreast(chosen, count) - 0.3) / max(1, len(data.ticks))
    return any(_style.wide(name, chosen, 1) > 0.95 * room for name in data.ticks.values())


def numbers(data: Responses) -> pd.DataFrame:
    """The numbers: a row per (dimension, value of the factor)."""
    return data.curves.assign(factor=data.factor).reset_index(drop=True)
