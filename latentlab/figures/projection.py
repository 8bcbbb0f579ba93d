"""A two-dimensional picture of the codes, coloured by a factor, with how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes import Codes
from latentlab.dimensions import factors_of
from latentlab.errors import InputError
from latentlab.figures import _style
from latentlab.figures._text import describe, number
from latentlab.runs import Run

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Projection of the codes"
TAKES = "run"
POINTS = 30_000
CELLS = 96
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
    rows, where there are more than can be drawn as points."""

    xy: NDArray[np.float32]
    row_ids: NDArray[np.int64]
    values: NDArray[np.float64] | None
    by: str
    categories: tuple[str, ...]
    cyclic: bool
    axes: tuple[str, str]
    subtitle: str
    density: Density | None = None

    def groups(self) -> list[tuple[str, NDArray[np.bool_]]]:
        """Each category with the rows that it has."""
        if self.values is None:
            return [("", np.ones(len(self.xy), bool))]
        return [(name, self.values == level) for level, name in enumerate(self.categories)]

    @property
    def scale(self) -> str:
        """The colour scale of ordered values."""
        return _style.CYCLIC if self.cyclic else _style.SEQUENTIAL


def prepare(run: Run, *, method: str | None = None, by: str | None = None) -> ProjectionData:
    """The run's projection by `method` (``umap`` where there is one), coloured by the factor `by` (the first)."""
    projections, codes = run.projections(), run.codes()
    chosen = method or ("umap" if "umap" in projections else next(iter(projections), "none"))
    if chosen not in projections:
        raise InputError(f"{run.name} has no projection {chosen!r}; it has: {', '.join(projections) or 'none'}")
    found = projections[chosen]
    judged = [key for key in ("trustworthiness", "continuity") if key in found.faithfulness]
    chosen_rows, density = thinned(found.xy)
    xy, row_ids = found.xy[chosen_rows], found.row_ids[chosen_rows]
    values, name, categories, cyclic = _colouring(codes, by, row_ids)
    faithful = [f"{key} {number(found.faithfulness[key])}" for key in judged]
    explained = found.settings.get("explained_variance_ratio")
    axes = [f"{chosen.upper()} {k + 1}" for k in (0, 1)]
    if explained:
        axes = [f"{axis}, {share:.0%} of the variance" for axis, share in zip(axes, explained, strict=False)]
    of = found.settings.get("of_rows", len(codes))
    told = [describe(run), chosen.upper(), f"{len(found.xy):,} of {of:,} rows", drawn_of(xy, density), *faithful]
    told += [f"coloured by {name}"] if name else ["no factors to colour by"]
    said = " · ".join(text for text in told if text)
    return ProjectionData(xy, row_ids, values, name, categories, cyclic, (axes[0], axes[1]), said, density)


def thinned(xy: NDArray[np.floating], *, seed: int = 0) -> tuple[NDArray[np.int64], Density | None]:
    """Which rows (n, 2) are drawn as points, at most `POINTS` seeded ones, and the density of all where some are not.

    A browser sends every selected point back as text, so more than that makes a lasso slow.
    """
    if len(xy) <= POINTS:
        return np.arange(len(xy)), None
    every = np.asarray(xy, np.float64)
    counts, x, y = np.histogram2d(every[:, 0], every[:, 1], bins=CELLS)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(xy))[:POINTS])
    return chosen, Density(counts.T, x, y)


def drawn_of(xy: NDArray[np.floating], density: Density | None) -> str:
    """What a subtitle says of the points where they are not all rows."""
    return "" if density is None else f"{len(xy):,} as points over the density of all, in grey"


def _colouring(
    codes: Codes, by: str | None, row_ids: NDArray[np.int64]
) -> tuple[NDArray[np.float64] | None, str, tuple[str, ...], bool]:
    columns, names, kinds = factors_of(codes)
    if by is not None and by not in names:
        raise InputError(f"the codes have no varying factor {by!r}; they have: {', '.join(names) or 'none'}"[:200])
    if not names:
        return None, "", (), False
    k = names.index(by) if by else 0
    order = np.argsort(codes.row_ids, kind="stable")
    places = order[np.searchsorted(codes.row_ids, row_ids, sorter=order).clip(max=len(codes) - 1)]
    if not (codes.row_ids[places] == row_ids).all():
        raise InputError(
            "the projection has rows that the codes do not have; project anew: `latentlab analyze … --only project`"
        )
    column = columns[:, k]
    spec = next((s for s in codes.specs if s.name == names[k]), None)
    levels = int(np.nanmax(column)) + 1 if (np.nan_to_num(column) == np.floor(np.nan_to_num(column))).all() else 0
    values = column[places]
    if kinds[k] == "categorical" and 0 < levels <= NAMED and np.nanmin(column) >= 0:
        named = spec.values if spec and len(spec.values) == levels else range(levels)
        return values, names[k], tuple(map(str, named)), False
    if spec and spec.values and all(isinstance(v, int | float) for v in spec.values):
        known = np.isfinite(values)
        values = np.where(known, np.asarray(spec.values, float)[np.where(known, values, 0).astype(int)], np.nan)
    return values, names[k], (), kinds[k] == "circular"


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
    common = {"mode": "markers", "selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 0.12}}}
    if data.values is None or data.categories:
        for (name, rows), colour in zip(data.groups(), _style.LONG, strict=False):
            fig.add_trace(
                go.Scattergl(
                    x=data.xy[rows, 0],
                    y=data.xy[rows, 1],
                    name=name,
                    customdata=data.row_ids[rows],
                    marker={"color": colour, "size": size},
                    hovertemplate=f"row %{{customdata}}<extra>{name}</extra>",
                    **common,
                )
            )
    else:
        bar = {"title": {"text": data.by, "side": "right"}, "thickness": 10, "outlinewidth": 0}
        fig.add_trace(
            go.Scattergl(
                x=data.xy[:, 0],
                y=data.xy[:, 1],
                customdata=data.row_ids,
                marker={"color": data.values, "colorscale": data.scale, "size": size, "colorbar": bar},
                hovertemplate=f"row %{{customdata}}<br>{data.by} %{{marker.color:.3g}}<extra></extra>",
                **common,
            )
        )
    fig.update_layout(showlegend=bool(data.categories), legend={"itemsizing": "constant"})
    fig.update_xaxes(title=data.axes[0], showticklabels=False, showgrid=False)
    fig.update_yaxes(title=data.axes[1], showticklabels=False, showgrid=False, scaleanchor="x")
    return fig


def static(data: ProjectionData, preset: str) -> Any:
    """The Matplotlib figure."""
    from matplotlib.lines import Line2D

    chosen = _style.preset(preset)
    fig = _style.canvas(preset, min(chosen.width * 0.85, 3.6), TITLE, _style.wrap(data.subtitle, preset))
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
        colour[[c is None for c in colour]] = _style.FAINT
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
    axes.set(xticks=[], yticks=[], xlabel=data.axes[0], ylabel=data.axes[1], aspect="equal", anchor="W")
    return fig


def numbers(data: ProjectionData) -> pd.DataFrame:
    """The numbers: a row a point, with its row's id and its value of the factor."""
    import pandas as pd

    found = pd.DataFrame({"row": data.row_ids, data.axes[0]: data.xy[:, 0], data.axes[1]: data.xy[:, 1]})
    if data.values is None:
        return found
    names = dict(enumerate(data.categories))
    return found.assign(**{data.by: [names.get(value, value) for value in data.values]})
