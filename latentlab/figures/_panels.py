"""Panels of curves or of bars in a grid: what samples that are no pictures are drawn in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.figures import _grids, _style
from latentlab.figures._text import short

Floats = NDArray[np.float64]
LETTERS = 26  # of a feature's name
HEAD = 44  # pixels between rows of panels, for ticks and a heading
HEADING = 44  # letters of a panel's heading on the screen
BAR = 0.135  # inches that a bar has on paper
CURVES = 0.95  # inches that a panel of curves has


@dataclass(frozen=True, eq=False)
class Line:
    """A curve ``y`` (t,) over ``x`` (t,)."""

    x: Floats
    y: Floats
    colour: str
    name: str = ""
    width: float = 1.2

    @property
    def point(self) -> bool:
        """Whether it is one point, of which a line shows nothing."""
        return len(self.x) == 1


@dataclass(frozen=True, eq=False)
class Bars:
    """Bars of ``values`` (k,) with a name each, from top to bottom; ``marks`` on them are (name, colour, values).

    ``ends`` (2, k) are those of an interval of each.
    """

    names: tuple[str, ...]
    values: Floats
    colours: tuple[str, ...]
    texts: tuple[str, ...] = ()
    marks: tuple[tuple[str, str, Floats], ...] = ()
    ends: Floats | None = None


@dataclass(frozen=True, eq=False)
class Panel:
    """One place of the grid: lines or bars under a heading, which is ``grey`` where it matters little."""

    heading: str
    lines: tuple[Line, ...] = ()
    bars: Bars | None = None
    grey: bool = False
    low: bool = False  # a low panel, as of residuals, below the one that it belongs to


@dataclass(frozen=True, eq=False)
class Panels:
    """Panels row by row, ``across`` of them in each, the titles of their axes, and a key of names and colours."""

    panels: tuple[Panel, ...]
    across: int
    x_title: str
    y_title: str
    key: Mapping[str, str] = field(default_factory=dict)

    @property
    def down(self) -> int:
        """How many rows there are."""
        return -(-len(self.panels) // self.across)

    @property
    def heights(self) -> list[float]:
        """How high each row is, in inches on paper."""
        rows = [self.panels[k * self.across : (k + 1) * self.across] for k in range(self.down)]
        return [max(_height(panel) for panel in row) for row in rows]

    def limits(self, low: bool) -> tuple[float, float] | None:
        """The ends of the values that all high, or all low, panels show, a little beyond them."""
        values = [line.y for each in self.panels if each.low == low for line in each.lines]
        values += [each.bars.values for each in self.panels if each.bars is not None and each.low == low]
        values += [
            each.bars.ends.ravel() for each in self.panels if each.bars is not None and each.bars.ends is not None
        ]
        values += [mark for each in self.panels if each.bars is not None for _, _, mark in each.bars.marks]
        if not any(map(len, values)):
            return None
        start, end = (float(f(np.concatenate(values))) for f in (np.nanmin, np.nanmax))
        room = 0.05 * (end - start) or max(abs(end), 1e-9)
        return start - room, end + room


def _height(panel: Panel) -> float:
    if panel.bars is not None:
        return BAR * max(2, len(panel.bars.names)) + 0.2
    return CURVES * (0.45 if panel.low else 1)


def interactive(data: Panels, title: str, subtitle: str, alt: str) -> Any:
    """The Plotly figure."""
    from plotly.subplots import make_subplots

    heights = data.heights
    height = int(130 + 135 * sum(heights) + 12 * data.down)
    least = min(HEAD / (height - 130), 0.8 / max(1, data.down - 1))
    grid = make_subplots(
        data.down,
        data.across,
        row_heights=heights,
        subplot_titles=[short(panel.heading, HEADING) for panel in data.panels],
        vertical_spacing=max(min(0.3 / data.down, 0.12), least),
        horizontal_spacing=(0.22 if data.panels[0].bars is not None else 0.04) * 2 / max(2, data.across),
    )
    base = _style.plotly(title, subtitle, alt, height=height)
    fig = _grids.styled(grid, base)
    line = {"gridcolor": "rgba(128,128,128,0.18)", "linecolor": _style.GREY, "zeroline": False}
    fig.update_xaxes(**line)
    fig.update_yaxes(**line)
    for annotation, panel in zip(fig.layout.annotations, data.panels, strict=False):
        annotation.update(font={"size": 11, "color": _style.GREY if panel.grey else None})
    for k, panel in enumerate(data.panels):
        place = {"row": k // data.across + 1, "col": k % data.across + 1}
        for trace in _traces(panel):
            fig.add_trace(trace, **place)
        _axes(fig, data, panel, k, place)
    _titles(fig, data)
    return fig


def _traces(panel: Panel) -> list[Any]:
    import plotly.graph_objects as go

    if panel.bars is None:
        return [
            go.Scatter(
                x=each.x, y=each.y, mode="markers" if each.point else "lines", name=each.name, showlegend=False,
                line={"color": each.colour, "width": each.width * 1.2}, marker={"color": each.colour},
                hovertemplate=f"{each.name} %{{x}}: %{{y:.5g}}<extra></extra>",
            )
            for each in panel.lines
        ]  # fmt: skip
    bars, places = panel.bars, list(range(len(panel.bars.names)))
    error = None
    if bars.ends is not None:
        over, under = bars.ends[1] - bars.values, bars.values - bars.ends[0]
        error = {"type": "data", "array": over, "arrayminus": under, "color": _style.GREY, "thickness": 1.2, "width": 2}
    said = bars.texts or tuple(f"{value:.3g}" for value in bars.values)
    traces: list[Any] = [
        go.Bar(
            y=places, x=bars.values, orientation="h", error_x=error, showlegend=False,
            marker={"color": list(bars.colours)},
            customdata=np.column_stack([bars.names, said]),
            hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
        )
    ]  # fmt: skip
    for name, colour, values in bars.marks:
        marker = {"color": colour, "size": 7, "symbol": "line-ns", "line": {"color": colour, "width": 2.5}}
        over = f"{name} %{{x:.3g}}<extra></extra>"
        traces.append(
            go.Scatter(y=places, x=values, mode="markers", marker=marker, hovertemplate=over, showlegend=False)
        )
    return traces


def _axes(fig: Any, data: Panels, panel: Panel, k: int, place: dict[str, int]) -> None:
    ends = data.limits(panel.low)
    if panel.bars is None:
        first = k % data.across == 0
        fig.update_yaxes(range=ends, showticklabels=first, nticks=3 if panel.low else 5, **place)
        fig.update_xaxes(showticklabels=k + data.across >= len(data.panels), **place)
        return
    names = [short(name, LETTERS) for name in panel.bars.names]
    fig.update_yaxes(autorange="reversed", tickvals=list(range(len(names))), ticktext=names, showgrid=False, **place)
    fig.update_xaxes(range=ends, zeroline=True, zerolinecolor=_style.GREY, **place)


def _titles(fig: Any, data: Panels) -> None:
    """What the axes are, once for all panels, and the key."""
    below = {"xref": "paper", "yref": "paper", "x": 0.5, "y": 0, "yanchor": "top", "yshift": -24, "showarrow": False}
    fig.add_annotation(text=data.x_title, **below)
    if data.panels[0].bars is None:
        fig.update_layout(yaxis={"title": {"text": data.y_title}})
    fig.update_layout(
        margin={"t": 100, "b": 84 if data.key else 56, "l": 150 if data.panels[0].bars is not None else 64}
    )
    if data.key:
        _style.colour_key(fig, data.key, below=48)


def static(data: Panels, preset: str) -> Any:
    """The Matplotlib figure."""
    heights = data.heights
    chosen = _style.preset(preset)
    heading = chosen.size / 72 * 1.7
    total = sum(heights) + heading * data.down + 0.35 + 0.2 * bool(data.key)
    fig = _style.canvas(preset, total)
    grid = fig.subplots(data.down, data.across, squeeze=False, height_ratios=[h + heading for h in heights])
    place = chosen.width / data.across - 0.1
    for k, axes in enumerate(grid.ravel()):
        if k >= len(data.panels):
            axes.set_axis_off()
            continue
        panel = data.panels[k]
        tone = _style.GREY if panel.grey else _style.INK
        (_bars if panel.bars is not None else _lines)(axes, data, panel, k)
        said = _style.fitting(panel.heading, chosen, place, 0.5)
        below = [each.bars.names for each in data.panels[k % data.across :: data.across] if each.bars is not None]
        beside = max((_style.wide(short(name, LETTERS), chosen, 1) for names in below for name in names), default=0.0)
        side = "left" if _style.wide(said, chosen, 0.5) < place - beside else "right"  # over the names of the bars
        axes.set_title(said, loc=side, color=tone, weight="normal", size=chosen.size - 0.5)
    if data.panels[0].bars is None:
        grid[0, 0].set_ylabel(data.y_title)
    if data.key:
        from matplotlib.lines import Line2D

        handles = [Line2D([], [], color=colour, lw=2, label=name) for name, colour in data.key.items()]
        words = {"title": data.x_title, "title_fontsize": chosen.size, "alignment": "left"}
        _style.legend_below(fig, min(4, len(handles)), handles=handles, **words)
    return fig


def _lines(axes: Any, data: Panels, panel: Panel, k: int) -> None:
    for each in panel.lines:
        axes.plot(each.x, each.y, color=each.colour, lw=0.75 * each.width, marker="o" if each.point else "", ms=3)
    axes.set_ylim(data.limits(panel.low))
    axes.locator_params(axis="y", nbins=3 if panel.low else 4)
    axes.locator_params(axis="x", nbins=4)
    axes.tick_params(labelleft=k % data.across == 0, labelbottom=k + data.across >= len(data.panels))


def _bars(axes: Any, data: Panels, panel: Panel, k: int) -> None:
    bars = panel.bars
    if bars is None:
        return
    places = np.arange(len(bars.names))
    reach = None if bars.ends is None else np.abs(bars.ends - bars.values)
    axes.barh(
        places, bars.values, color=list(bars.colours), height=0.75, xerr=reach, error_kw={"lw": 0.7, "ecolor": "#555"}
    )
    for _, colour, values in bars.marks:
        axes.scatter(values, places, marker="|", s=28, color=colour, linewidths=1.4, zorder=3)
    axes.set_yticks(places, [short(name, LETTERS) for name in bars.names])
    abreast = data.panels[k - k % data.across :][: data.across]
    most = max(len(each.bars.names) for each in abreast if each.bars is not None)
    axes.set(xlim=data.limits(panel.low), ylim=(most - 0.4, -0.6))
    axes.axvline(0, color=_style.GREY, lw=0.6)
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="x", nbins=4)
