"""The projections of 2 to 4 runs side by side, each laid over the first, the same rows in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.alignment import aligned, overlap
from latentlab.codes.h5ad import free
from latentlab.errors import InputError
from latentlab.figures import _grids, _style
from latentlab.figures._text import number
from latentlab.figures.projection import ProjectionData, colouring, hovered, names_of
from latentlab.runs.comparison import told_apart
from latentlab.runs.projections import projections_of
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Aligned projections"
TAKES = "runs"
MOST = 4
POINTS = 5_000  # a picture: each is redrawn when rows are selected
OVERLAP = "overlap"
SHARED = "shared neighbours"


@dataclass(frozen=True, eq=False)
class Aligned:
    """``pictures``: a `ProjectionData` a run, all of the same rows; ``titles`` name the runs; ``agreement`` (n,) is
    Procrustes' R² with the first, 1 for the first itself."""

    pictures: tuple[ProjectionData, ...]
    titles: tuple[str, ...]
    agreement: tuple[float, ...]
    subtitle: str

    @property
    def by(self) -> str:
        """What the points are coloured by."""
        return self.pictures[0].by

    @property
    def limits(self) -> tuple[tuple[float, float], ...]:
        """The lowest and the highest place across and up, the same for all pictures, with a margin."""
        every = np.concatenate([picture.xy for picture in self.pictures])
        low, high = every.min(axis=0), every.max(axis=0)
        margin = 0.03 * max(float((high - low).max()), 1e-6)
        return tuple((float(a) - margin, float(b) + margin) for a, b in zip(low, high, strict=True))


def prepare(runs: Sequence[Run], *, method: str | None = None, by: str | None = None) -> Aligned:
    """The projections by `method` (``umap`` where all have one) of the first four runs that have any.

    ``by`` is a factor, or ``overlap``: the share of a row's 15 nearest codes, among the rows shown, that are nearest in
    the first run as well; in the first run's picture, the mean over the others.
    """
    chosen = [run for run in runs if run.has("project")][:MOST]
    if not chosen:
        projections_of(runs[0])  # says what is missing, and how it is made
    projections = [projections_of(run) for run in chosen]
    common = [name for name in ("umap", "pca", *projections[0]) if all(name in each for each in projections)]
    method = method or next(iter(common), "none")
    if method not in common:
        raise InputError(f"the runs have no projection {method!r} in common; they share: {', '.join(common) or 'none'}")
    laid = aligned([each[method] for each in projections])
    rows = len(laid[0].row_ids)
    some = np.random.default_rng(0).permutation(rows)[:POINTS]  # in random order, so that no colour hides another
    ids = laid[0].row_ids[some]
    values = _values(chosen, ids, by)
    pictures = tuple(replace(data, xy=each.xy[some], subtitle="") for data, each in zip(values, laid, strict=True))
    agreement = tuple(float(each.settings.get("aligned", 1.0)) for each in laid)
    subtitle = [
        method.upper(),
        f"{len(some):,} of {rows:,} rows in all" if len(some) < rows else f"all {rows:,} rows in common",
        "rotated and reflected onto the first (Procrustes, R² = "
        + ", ".join(number(each) for each in agreement[1:])
        + ")"
        if len(chosen) > 1
        else "",
        f"coloured by {values[0].by}" if values[0].by else "",
        f"the first {MOST} of {len(runs)} runs" if len(chosen) < len(runs) else "",
    ]
    return Aligned(pictures, tuple(told_apart(chosen)), agreement, " · ".join(text for text in subtitle if text))


def _values(runs: Sequence[Run], ids: NDArray[np.int64], by: str | None) -> list[ProjectionData]:
    """A picture per run, its places still to be set, coloured by the factor or by the shared neighbours."""
    codes = [run.codes() for run in runs]
    if by != OVERLAP:
        found = [colouring(run, each, by, ids) for run, each in zip(runs, codes, strict=True)]
    else:
        shares = [overlap(codes[0], each, ids).share for each in codes[1:]]
        first = np.mean(shares, axis=0) if shares else np.ones(len(ids))
        found = [(share, SHARED, (), False) for share in (first, *shares)]
    empty, called = np.zeros((len(ids), 2), np.float32), names_of(codes[0], ids)
    return [ProjectionData(empty, ids, *each, ("", ""), "", called=called) for each in found]


def alt(data: Aligned) -> str:
    """The figure in words."""
    each = ", ".join(f"{title} (R² {number(fit)})" for title, fit in zip(data.titles, data.agreement, strict=True))
    return (
        f"{len(data.pictures)} scatter plots of the same {len(data.pictures[0].xy):,} codes: {each}. {data.subtitle}."
    )


def interactive(data: Aligned) -> Any:
    """The Plotly figure."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    grid = make_subplots(1, len(data.pictures), subplot_titles=data.titles, horizontal_spacing=0.02)
    base = _style.plotly(TITLE, data.subtitle, alt(data), height=420)
    fig = _grids.styled(grid, base)
    common = {"selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 0.1}}, "showlegend": False}
    bar = {"title": {"text": data.by, "side": "right"}, "thickness": 10, "outlinewidth": 0}
    for column, picture in enumerate(data.pictures, start=1):
        marker, texts = _colours(data, picture)
        ordered = picture.values is not None and not picture.categories
        last = {"showscale": True, "colorbar": bar} if ordered and column == len(data.pictures) else {}
        dots = go.Scattergl(
            x=picture.xy[:, 0],
            y=picture.xy[:, 1],
            mode="markers",
            customdata=picture.row_ids,
            text=texts,
            marker={"size": 3, **marker, **last},
            hovertemplate=f"{'%{hovertext}' if picture.called else 'row %{customdata}'}<extra>%{{text}}</extra>",
            **hovered(picture.called),
            **common,
        )
        fig.add_trace(dots, row=1, col=column)
        y = fig.layout[f"xaxis{column if column > 1 else ''}"].anchor
        across, up = data.limits
        fig.update_xaxes(visible=False, scaleanchor=y, range=across, row=1, col=column)
        fig.update_yaxes(visible=False, range=up, row=1, col=column)
    for name, tone in zip(data.pictures[0].categories, _style.LONG, strict=False):
        fig.add_trace(go.Scatter(x=[None], y=[None], mode="markers", name=name, marker={"color": tone, "size": 8}))
    fig.update_annotations(font_size=12)
    still = {"itemclick": False, "itemdoubleclick": False}
    return fig.update_layout(legend=still, showlegend=bool(data.pictures[0].categories), uirevision="aligned")


def static(data: Aligned, preset: str) -> Any:
    """The Matplotlib figure."""
    from matplotlib.lines import Line2D

    chosen = _style.preset(preset)
    across = min(len(data.pictures), 2 if chosen.width < 4 else MOST)
    down = -(-len(data.pictures) // across)
    side = min(chosen.width / across, 2.2)
    fig = _style.canvas(preset, side * down + 0.25)
    grid = fig.subplots(down, across, squeeze=False).ravel()
    for axes in grid[len(data.pictures) :]:
        axes.set_visible(False)
    common: dict[str, Any] = {"s": 1.2, "lw": 0, "rasterized": True, "antialiased": False}
    for axes, picture, title in zip(grid, data.pictures, data.titles, strict=False):
        values, scale = _levels(picture)
        low, high = _ends(data)
        drawn = axes.scatter(
            picture.xy[:, 0], picture.xy[:, 1], c=values, cmap=scale, vmin=low, vmax=high, plotnonfinite=True, **common
        )
        axes.set_title(title, fontweight="normal", size=chosen.size)
        axes.set(xticks=[], yticks=[], aspect="equal", xlim=data.limits[0], ylim=data.limits[1])
    first = data.pictures[0]
    if first.categories:
        keys = [
            Line2D([], [], ls="", marker="o", ms=3, color=tone, label=name)
            for name, tone in zip(first.categories, _style.LONG, strict=False)
        ]
        _style.legend_below(fig, min(6, len(keys)), handles=keys, title=data.by, alignment="left")
    elif first.values is not None:
        shown = list(grid[: len(data.pictures)])
        bar = fig.colorbar(drawn, ax=shown, fraction=0.03, pad=0.01, aspect=30, shrink=0.8)
        bar.outline.set_visible(False)
        bar.set_label(data.by)
    return fig


def _colours(data: Aligned, picture: ProjectionData) -> tuple[dict[str, Any], list[str]]:
    """The marker of a picture's points, and what is said of each."""
    low, high = _ends(data)
    if picture.values is None:
        return {"color": _style.LONG[0]}, [""] * len(picture.xy)
    marker = {"color": picture.values, "cmin": low, "cmax": high}
    if not picture.categories:
        return marker | {"colorscale": picture.scale}, [f"{data.by} {value:.3g}" for value in picture.values]
    edges = np.linspace(0, 1, len(picture.categories) + 1)
    tones = [_style.LONG[k % len(_style.LONG)] for k in range(len(picture.categories))]
    steps = [[edge, tone] for k, tone in enumerate(tones) for edge in (edges[k], edges[k + 1])]
    names = dict(enumerate(picture.categories))
    return marker | {"colorscale": steps}, [str(names.get(value, "")) for value in picture.values]


def _levels(picture: ProjectionData) -> tuple[NDArray[np.float64], Any]:
    """The values of a picture's points and the colour map that they go through."""
    from matplotlib.colors import ListedColormap

    if picture.values is None:
        return np.zeros(len(picture.xy)), ListedColormap([_style.LONG[0]])
    if picture.categories:
        tones = [_style.LONG[k % len(_style.LONG)] for k in range(len(picture.categories))]
        return picture.values, ListedColormap(tones)
    return picture.values, picture.scale


def _ends(data: Aligned) -> tuple[float, float]:
    """The lowest and the highest value of all pictures, so that a colour means the same in each."""
    if data.by == SHARED:
        return 0.0, 1.0
    if data.pictures[0].categories:
        return -0.5, len(data.pictures[0].categories) - 0.5
    values = [picture.values for picture in data.pictures if picture.values is not None]
    return (float(np.nanmin(values)), float(np.nanmax(values))) if values else (0.0, 1.0)


def numbers(data: Aligned) -> pd.DataFrame:
    """The numbers: a row per point of a picture, with its run, its row's id and what colours it."""
    import pandas as pd

    parts = []
    for title, picture in zip(data.titles, data.pictures, strict=True):
        part = pd.DataFrame({"run": title, "row": picture.row_ids, "x": picture.xy[:, 0], "y": picture.xy[:, 1]})
        parts.append(part if picture.values is None else part.assign(**{free(data.by, part.columns): picture.values}))
    return pd.concat(parts)
