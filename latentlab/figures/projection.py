"""A two-dimensional picture of the codes, coloured by a factor, with how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.codes import Codes
from latentlab.codes.dimensions import factors_of
from latentlab.codes.h5ad import free
from latentlab.codes.projections import place
from latentlab.codes.selections import selections_of
from latentlab.errors import InputError
from latentlab.figures import _overlays, _style
from latentlab.figures._text import describe, number
from latentlab.runs.projections import projections_of
from latentlab.runs.run import Run
from latentlab.system.numbers import percent

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Projection of the codes"
TAKES = "run"
POINTS = 30_000
CELLS = 96
TALLEST = 5.2  # inches
OTHER = "#BDBDB8"
Colouring = tuple[NDArray[np.float64] | None, str, tuple[str, ...], bool]
KEPT = "selections"
NAMED = 10  # a category's colour and name can be kept apart up to about this many


@dataclass(frozen=True, eq=False)
class Density:
    """``counts`` (cells up, cells across) of all rows between the edges ``x`` and ``y``; they sum to the rows."""

    counts: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]

    @property
    def shade(self) -> NDArray[np.float64]:
        """How dark each cell is, in [0, 1], by the logarithm of its count; NaN where it is empty."""
        logs = np.log1p(self.counts)
        return np.where(self.counts > 0, logs / logs.max(), np.nan)


@dataclass(frozen=True, eq=False)
class ProjectionData:
    """``xy`` (m, 2) with ``row_ids`` (m,); ``values`` (m,) of the factor ``by``, or none; ``categories`` names the
    levels where they are few and unordered; ``cyclic`` where the last level meets the first. ``density`` is of all
    rows, where there are more than can be drawn as points. The rows are in random order, so that no category is drawn
    over another; ``overlays`` lie on top. ``called`` has the rows' names, where they have some. The axes
    of two dimensions of the codes are ``ticked``: places on them are codes."""

    xy: NDArray[np.float32]
    row_ids: NDArray[np.int64]
    values: NDArray[np.float64] | None
    by: str
    categories: tuple[str, ...]
    cyclic: bool
    axes: tuple[str, str]
    subtitle: str
    density: Density | None = None
    overlays: tuple[_overlays.Overlay, ...] = ()
    called: tuple[str, ...] = ()
    ticked: bool = False

    def groups(self) -> list[tuple[str, NDArray[np.bool_]]]:
        """Each category with the rows that it has."""
        if self.values is None:
            return [("", np.ones(len(self.xy), bool))]
        return [(name, self.values == level) for level, name in enumerate(self.categories)]

    @property
    def scale(self) -> str:
        """The colour scale of ordered values."""
        return _style.CYCLIC if self.cyclic else _style.SEQUENTIAL


def prepare(
    run: Run, *, method: str | None = None, by: str | None = None, path: int | None = None, row: int | str | None = None
) -> ProjectionData:
    """The run's projection by `method` (``umap`` where there is one), coloured by the factor `by` (the first).

    ``by="selections"`` colours what was kept by name. The traversal of the dimension `path`, around the row with the id
    `row` or the mean, is laid over it; UMAP has no place for new codes, so there it goes through the nearest rows.
    """
    projections, codes = projections_of(run), run.codes()
    chosen = method or ("umap" if "umap" in projections else next(iter(projections), "none"))
    if chosen not in projections:
        raise InputError(f"{run.name} has no projection {chosen!r}; it has: {', '.join(projections) or 'none'}")
    projection = projections[chosen]
    judged = [key for key in ("trustworthiness", "continuity") if key in projection.faithfulness]
    chosen_rows, density = thinned(projection.xy)
    xy, row_ids = projection.xy[chosen_rows], projection.row_ids[chosen_rows]
    values, name, categories, cyclic = colouring(run, codes, by, row_ids)
    overlays: tuple[_overlays.Overlay, ...] = ()
    if path is not None:
        overlays = (_overlays.traversal(codes, path, row, partial(place, projection, codes)),)
    faithful = [f"{key} {number(projection.faithfulness[key])}" for key in judged]
    explained = projection.settings.get("explained_variance_ratio")
    axes = [f"{chosen.upper()} {k + 1}" for k in (0, 1)]
    if explained:
        axes = [f"{axis}, {percent(share)} of the variance" for axis, share in zip(axes, explained, strict=False)]
    of = projection.settings.get("of_rows", len(codes))
    subtitle = [
        describe(run),
        chosen.upper(),
        f"{len(projection.xy):,} of {of:,} rows",
        drawn_of(xy, density),
        *faithful,
    ]
    subtitle += [f"coloured by {name}"] if name else ["no factors to colour by"]
    subtitle += [_overlays.warning(each) for each in overlays]
    said = " · ".join(text for text in subtitle if text)
    called = names_of(codes, row_ids)
    return ProjectionData(
        xy, row_ids, values, name, categories, cyclic, (axes[0], axes[1]), said, density, overlays, called
    )


def names_of(codes: Codes, row_ids: NDArray[np.int64]) -> tuple[str, ...]:
    """What rows with those ids are called; nothing where they have no names."""
    return () if codes.row_names is None else tuple(codes.called(codes.positions(row_ids)))


def hovered(called: tuple[str, ...]) -> dict[str, Any]:
    """The names by which a chart calls rows under the pointer, where they have some."""
    return {"hovertext": called} if called else {}


def thinned(xy: NDArray[np.floating], *, seed: int = 0) -> tuple[NDArray[np.int64], Density | None]:
    """Which rows (n, 2) are drawn as points, at most `POINTS` seeded ones, and the density of all where some are not.

    They are in random order: in that of the rows, the last category would hide the others. A browser sends every
    selected point back as text, so more points than that make a lasso slow.
    """
    chosen = np.random.default_rng(seed).permutation(len(xy))[:POINTS]
    if len(xy) <= POINTS:
        return chosen, None
    return chosen, _density(xy)


def _density(xy: NDArray[np.floating]) -> Density:
    cells, edges = zip(*(_cells(np.asarray(xy[:, k], np.float64)) for k in (0, 1)), strict=True)
    counts = np.bincount(cells[1] * CELLS + cells[0], minlength=CELLS * CELLS).reshape(CELLS, CELLS)
    return Density(counts.astype(np.float64), edges[0], edges[1])


def _cells(values: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which of `CELLS` cells of equal width each of the values (n,) is in, and the cells' edges."""
    low, high = values.min(), values.max()
    wide = high - low if high > low else 1.0
    cells = np.minimum((values - low) * (CELLS / wide), CELLS - 1).astype(np.int64)
    return cells, np.linspace(low, low + wide, CELLS + 1)


def drawn_of(xy: NDArray[np.floating], density: Density | None) -> str:
    """What a subtitle says of the points where they are not all rows."""
    return "" if density is None else f"{len(xy):,} as points over the density of all, in grey"


def colouring(run: Run, codes: Codes, by: str | None, row_ids: NDArray[np.int64]) -> Colouring:
    """The values (m,) that colour rows, what they are of, the names of few unordered ones, whether they go round."""
    if by == KEPT:
        kept = selections_of(run.notes())
        values = np.full(len(row_ids), np.nan)
        for level, ids in reversed(list(enumerate(kept.values()))):
            values[np.isin(row_ids, ids)] = level
        if not kept:
            raise InputError(f"{run.name} has no selections by name; save some on the Map page of the dashboard")
        return values, "saved selections", tuple(kept), False
    return coloured(codes, by, row_ids)


def coloured(codes: Codes, by: str | None, row_ids: NDArray[np.int64]) -> Colouring:
    """`colouring` by a factor alone."""
    columns, names, kinds = factors_of(codes)
    if by is not None and by not in names:
        raise InputError(f"the codes have no varying factor {by!r}; they have: {', '.join(names) or 'none'}"[:200])
    if not names:
        return None, "", (), False
    k = names.index(by) if by else 0
    places = codes.positions(row_ids)
    column = columns[:, k]
    spec = codes.spec(names[k])
    levels = int(np.nanmax(column)) + 1 if (np.nan_to_num(column) == np.floor(np.nan_to_num(column))).all() else 0
    values = column[places]
    if spec and len(spec.values) > NAMED and all(isinstance(value, str) for value in spec.values):
        return _commonest(column, values, spec.values, names[k])
    if kinds[k] == "categorical" and 0 < levels <= NAMED and np.nanmin(column) >= 0:
        named = spec.values[:levels] if spec and len(spec.values) >= levels else range(levels)
        return values, names[k], tuple(map(str, named)), False
    if spec and spec.values and all(isinstance(v, int | float) for v in spec.values):
        known = np.isfinite(values)
        values = np.where(known, np.asarray(spec.values, float)[np.where(known, values, 0).astype(int)], np.nan)
    return values, names[k], (), kinds[k] == "circular"


def _commonest(column: NDArray[np.float64], values: NDArray[np.float64], texts: Any, name: str) -> Colouring:
    """Colours for the commonest of many named levels, as many as can be kept apart; the rest are ``other``."""
    known = column[np.isfinite(column)].astype(np.int64)
    most = np.argsort(-np.bincount(known, minlength=len(texts)), kind="stable")
    kept = np.sort(most[: len(_style.LONG)] if len(texts) <= len(_style.LONG) else most[: len(_style.LONG) - 1])
    place = np.full(len(texts) + 1, np.nan)
    place[kept] = np.arange(len(kept))
    found = place[np.where(np.isfinite(values), values, len(texts)).astype(np.int64)]
    return found, name, tuple(texts[k] for k in kept), False


def alt(data: ProjectionData) -> str:
    """The figure in words."""
    return f"Scatter plot of {len(data.xy):,} codes in two dimensions. {data.subtitle}."


def interactive(data: ProjectionData) -> Any:
    """The Plotly figure."""
    import plotly.graph_objects as go

    fig = _style.plotly(TITLE, data.subtitle, alt(data), height=560)
    if data.density is not None:
        x, y = ((edges[1:] + edges[:-1]) / 2 for edges in (data.density.x, data.density.y))
        scale = [[0, "rgba(138,138,134,0.12)"], [1, "rgba(138,138,134,0.75)"]]
        fig.add_trace(go.Heatmap(x=x, y=y, z=data.density.shade, colorscale=scale, showscale=False, hoverinfo="skip"))
    size = 4 if len(data.xy) < _style.RASTER_FROM else 3
    row = "%{hovertext}" if data.called else "row %{customdata}"
    common = {"mode": "markers", "selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 0.12}}}
    if data.values is None or data.categories:
        names = [*(data.categories or ("",)), "other"]
        known = np.zeros(len(data.xy)) if data.values is None else data.values
        levels = np.where(np.isfinite(known), known, len(names) - 1).astype(np.int64)
        tones = [*(_style.LONG[i % len(_style.LONG)] for i in range(len(names) - 1)), OTHER]
        edges = np.linspace(0, 1, len(names) + 1)
        steps = [[edge, tone] for k, tone in enumerate(tones) for edge in (edges[k], edges[k + 1])]
        fig.add_trace(
            go.Scattergl(
                x=data.xy[:, 0],
                y=data.xy[:, 1],
                customdata=data.row_ids,
                text=np.array(names)[levels],
                marker={"color": levels, "colorscale": steps, "cmin": -0.5, "cmax": len(names) - 0.5, "size": size},
                hovertemplate=f"{row}<extra>%{{text}}</extra>",
                showlegend=False,
                **hovered(data.called),
                **common,
            )
        )
        for name, tone in zip(data.categories, tones, strict=False):
            fig.add_trace(go.Scatter(x=[None], y=[None], mode="markers", name=name, marker={"color": tone, "size": 8}))
    else:
        bar = {"title": {"text": data.by, "side": "right"}, "thickness": 10, "outlinewidth": 0}
        fig.add_trace(
            go.Scattergl(
                x=data.xy[:, 0],
                y=data.xy[:, 1],
                customdata=data.row_ids,
                marker={"color": data.values, "colorscale": data.scale, "size": size, "colorbar": bar},
                hovertemplate=f"{row}<br>{data.by} %{{marker.color:.3g}}<extra></extra>",
                **hovered(data.called),
                **common,
            )
        )
    _overlays.add_interactive(fig, data.overlays)
    still = {"itemsizing": "constant", "itemclick": False, "itemdoubleclick": False}
    still |= {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}  # above: beside, it narrows a telephone's chart
    fig.update_layout(showlegend=bool(data.categories), legend=still)
    shown = {"showticklabels": data.ticked, "showgrid": data.ticked}
    fig.update_xaxes(title=data.axes[0], **shown)
    fig.update_yaxes(title=data.axes[1], scaleanchor="x", **shown)
    return fig


def static(data: ProjectionData, preset: str) -> Any:
    """The Matplotlib figure."""
    from matplotlib.lines import Line2D

    chosen = _style.preset(preset)
    side = min(chosen.width - _beside(data, chosen) - 0.3, TALLEST)
    fig = _style.canvas(preset, side * float(np.clip(np.ptp(data.xy[:, 1]) / np.ptp(data.xy[:, 0]), 0.5, 1)) + 0.3)
    axes = fig.add_subplot()
    if data.density is not None:
        axes.pcolormesh(
            data.density.x,
            data.density.y,
            np.ma.masked_invalid(data.density.shade),
            cmap="Greys",
            vmin=0,
            vmax=1.6,
            rasterized=True,
        )
    many = len(data.xy) > _style.RASTER_FROM
    # Without antialiasing the raster has few colours, so that a PDF stores it as a small indexed image.
    common: dict[str, Any] = {
        "s": float(np.clip(3e4 / len(data.xy), 0.6, 8)),
        "lw": 0,
        "rasterized": many,
        "antialiased": not many,
    }
    if data.values is None or data.categories:
        colour = np.empty(len(data.xy), object)
        keys = []
        for (name, rows), tone in zip(data.groups(), _style.LONG, strict=False):
            colour[rows] = tone
            keys.append(Line2D([], [], ls="", marker="o", ms=3, color=tone, label=name))
        colour[[c is None for c in colour]] = OTHER
        axes.scatter(data.xy[:, 0], data.xy[:, 1], c=list(colour), **common)
        if data.categories:
            place: dict[str, Any] = {
                "loc": "upper left",
                "bbox_to_anchor": (1.0, 1.0),
                "title_fontsize": chosen.size - 1,
            }
            axes.legend(handles=keys, title=data.by, alignment="left", **place)
    else:
        drawn = axes.scatter(data.xy[:, 0], data.xy[:, 1], c=data.values, cmap=data.scale, plotnonfinite=True, **common)
        bar = fig.colorbar(drawn, ax=axes, fraction=0.03, pad=0.01, aspect=30)
        bar.outline.set_visible(False)
        bar.set_label(data.by)
    _overlays.add_static(axes, data.overlays)
    axes.set(xlabel=data.axes[0], ylabel=data.axes[1])
    axes.set_aspect("equal", adjustable="datalim")
    if not data.ticked:
        axes.set(xticks=[], yticks=[])
    return fig


def _beside(data: ProjectionData, chosen: _style.Preset) -> float:
    """Inches that a key of the colours takes beside the points, or their scale."""
    return max((_style.wide(name, chosen, 1) for name in (*data.categories, data.by)), default=0.0) + 0.25


def numbers(data: ProjectionData) -> pd.DataFrame:
    """The numbers: a row per point, with its row's id and its value of the factor."""
    import pandas as pd

    named = {"row_name": list(data.called)} if data.called else {}
    found = pd.DataFrame({"row": data.row_ids, **named, data.axes[0]: data.xy[:, 0], data.axes[1]: data.xy[:, 1]})
    if data.values is None:
        return found
    names = dict(enumerate(data.categories))
    return found.assign(**{free(data.by, found.columns): [names.get(value, value) for value in data.values]})
