"""The aggregate posterior q(z_j) of each latent dimension beside the prior N(0, 1) that it should resemble."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.codes import Codes
from latentlab.codes.dimensions import dimensions
from latentlab.errors import InputError
from latentlab.figures import _grids, _style
from latentlab.figures._text import broken, describe, inactive, said_grey
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Aggregate posterior"
TAKES = "run"
SHOWN = 12
ROWS = 5_000
POINTS = 161
ACROSS = 4


@dataclass(frozen=True, eq=False)
class AggregatePosterior:
    """``density`` (panels, points) of the dimensions in ``titles`` at ``z`` (panels, points); ``prior`` (points,) is
    none where an encoder is deterministic. ``grey`` are the inactive dimensions."""

    titles: tuple[str, ...]
    z: NDArray[np.float64]
    density: NDArray[np.float64]
    prior: NDArray[np.float64] | None
    subtitle: str
    grey: tuple[bool, ...]

    @property
    def tones(self) -> list[tuple[str, str]]:
        """The colours of each panel's line and area."""
        return [_style.tones(dead) for dead in self.grey]


def prepare(run: Run, *, dimension: int | None = None, seed: int = 0) -> AggregatePosterior:
    """The density of one `dimension`, or of the most important ones: q(z_j) = E_x q(z_j|x), a mean of Gaussians.

    A deterministic encoder has no q; there it is the histogram of the codes, and no prior is drawn.
    """
    codes = run.codes()
    if dimension is not None and not 0 <= dimension < codes.latent_dim:
        raise InputError(f"{run.name} has no dimension {dimension}; it has 0 to {codes.latent_dim - 1}")
    table = dimensions(codes, notes=run.named(), draws=2)
    table = table.head(SHOWN) if dimension is None else table[table["index"] == dimension]
    some = codes.sample(ROWS, seed)
    index = table["index"].to_numpy()
    draw = _histogram if codes.variance is None else _mixture
    z, density = (np.stack(part) for part in zip(*(draw(some, j) for j in index), strict=True))
    prior = None if codes.variance is None else np.exp(-0.5 * z[0] ** 2) / math.sqrt(2 * math.pi)
    titles = tuple(f"{row.dim} {row.name}".strip() for row in table.itertuples())
    rows = f"{len(some):,} of {codes.of_rows:,} rows" if len(some) < codes.of_rows else f"all {len(codes):,} rows"
    against = "dashed: the prior N(0, 1)" if prior is not None else "a deterministic encoder has no prior: its codes"
    subtitle = f"{describe(run)} · {against} · {rows}{said_grey(table)}"
    return AggregatePosterior(titles, z, density, prior, subtitle, inactive(table))


def _mixture(codes: Codes, j: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    assert codes.variance is not None
    mean, sd = codes.mean[:, j].astype(np.float64), np.sqrt(codes.variance[:, j].astype(np.float64))
    z = np.linspace(-4, 4, POINTS)
    # A posterior narrower than the grid's step would fall between its points, so none is drawn narrower than that.
    sd = np.maximum(sd, (z[1] - z[0]) / 2)
    each = np.exp(-0.5 * ((z[None] - mean[:, None]) / sd[:, None]) ** 2) / (sd[:, None] * math.sqrt(2 * math.pi))
    return z, each.mean(axis=0)


def _histogram(codes: Codes, j: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    heights, edges = np.histogram(codes.mean[:, j].astype(np.float64), bins=POINTS // 4, density=True)
    z = np.linspace(edges[0], edges[-1], POINTS)
    return z, heights[np.clip(np.searchsorted(edges, z, side="right") - 1, 0, len(heights) - 1)]


def alt(data: AggregatePosterior) -> str:
    """The figure in words."""
    width = [math.sqrt(_variance(z, p)) for z, p in zip(data.z, data.density, strict=True)]
    told = ", ".join(f"{title} standard deviation {sd:.2f}" for title, sd in zip(data.titles, width, strict=True))
    return f"Density curves, one per latent dimension. {data.subtitle}. {told}."


def _variance(z: NDArray[np.float64], density: NDArray[np.float64]) -> float:
    weight = density / max(density.sum(), 1e-300)
    return float((weight * z**2).sum() - (weight * z).sum() ** 2)


def interactive(data: AggregatePosterior) -> Any:
    """The Plotly figure."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    count = len(data.titles)
    across = min(ACROSS, count)
    down = math.ceil(count / across)
    grid = make_subplots(
        down, across, subplot_titles=[broken(each) for each in data.titles], vertical_spacing=0.24 / down
    )
    base = _style.plotly(
        TITLE, data.subtitle, alt(data), showlegend=False, height=120 + (220 if down == 1 else 150 * down)
    )
    fig = _grids.styled(grid, base)
    for k, (tone, under) in enumerate(data.tones):
        place = {"row": k // across + 1, "col": k % across + 1}
        area = {
            "fill": "tozeroy",
            "fillcolor": _style.faded(under, 0.35),
            "line": {"color": tone, "width": 1.5},
            "name": data.titles[k],
        }
        fig.add_trace(go.Scatter(x=data.z[k], y=data.density[k], **area), **place)
        if data.prior is not None:
            dashed = {"line": {"color": _style.GREY, "width": 1.5, "dash": "dash"}, "name": "N(0, 1)"}
            fig.add_trace(go.Scatter(x=data.z[k], y=data.prior, mode="lines", **dashed), **place)
    grid_lines: dict[str, Any] = {"gridcolor": "rgba(128,128,128,0.18)", "zeroline": False}
    fig.update_yaxes(rangemode="tozero", showticklabels=False, **grid_lines)
    fig.update_xaxes(**grid_lines)
    if count == 1:
        fig.update_xaxes(title=f"code, {data.titles[0]}")
        fig.layout.annotations = ()
    fig.update_annotations(font_size=12)
    return fig


def static(data: AggregatePosterior, preset: str) -> Any:
    """The Matplotlib figure."""
    drawn = _style.multiples(preset, data.titles, 0.2)
    panels = zip(drawn.axes, drawn.titles, data.z, data.density, data.tones, data.grey, strict=True)
    for axes, title, z, density, (line, area), dead in panels:
        axes.fill_between(z, density, color=area, lw=0, alpha=0.6)
        axes.plot(z, density, color=line)
        if data.prior is not None:
            axes.plot(z, data.prior, color=_style.GREY, ls=(0, (4, 2)))
        axes.set_title(title, fontweight="normal", color=_style.GREY if dead else _style.INK)
        axes.set(yticks=[], ylim=(0, None))
    for axes in drawn.first:
        axes.set_ylabel("density")
    for axes in drawn.lowest:
        axes.set_xlabel("code")
    return drawn.figure


def numbers(data: AggregatePosterior) -> pd.DataFrame:
    """The numbers: a row per point of a curve."""
    import pandas as pd

    points = data.z.shape[1]
    prior = math.nan if data.prior is None else np.tile(data.prior, len(data.titles))
    curves = {"dim": np.repeat(data.titles, points), "z": data.z.ravel(), "density": data.density.ravel()}
    return pd.DataFrame({**curves, "prior": prior})
