"""log p(x) = ELBO + KL(q ‖ p(z|x)): exact posteriors against q, and what lies between bound and truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.analysis.likelihood.record import Evidence, Exact, read_evidence
from latentlab.codes.symbols import symbol
from latentlab.errors import InputError
from latentlab.figures import _grids, _style
from latentlab.figures._text import describe, number
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

TITLE = "The exact posterior, and q"
TAKES = "run"
COLUMNS = 3
RINGS = (1.0, 2.0)  # deviations of q that are drawn


@dataclass(frozen=True, eq=False)
class Identity:
    """``exact`` is what quadrature gave; ``heads`` say a panel's numbers, ``rings`` (r, k, 2, m) are q's ellipses."""

    exact: Exact
    heads: tuple[str, ...]
    rings: NDArray[np.float64]
    subtitle: str


def prepare(run: Run) -> Identity:
    """The exact posteriors of a run with two latent dimensions."""
    found = read_evidence(run)
    if found.exact is None:
        raise InputError(f"{run.path}: {_why_not(run, found)}")
    e = found.exact
    turn = np.linspace(0, 2 * np.pi, 73)
    circle = np.stack([np.cos(turn), np.sin(turn)])
    rings = e.mean[:, None, :, None] + np.sqrt(e.variance)[:, None, :, None] * np.array(RINGS)[:, None, None] * circle
    heads = tuple(
        f"{number(a, 1)} = {number(b, 1)} + {number(c, 1)}"
        for a, b, c in zip(e.log_likelihood, e.elbo, e.gap, strict=True)
    )[: len(e.mean)]
    subtitle = f"{describe(run)} · above each: log p(x) = ELBO + KL(q ‖ p(z|x)), nats"
    subtitle += " · shaded: p(z|x); rings: one and two σ of q"
    subtitle += f" · {symbol(0)} across, {symbol(1)} up"
    mean = [number(float(values.mean()), 1) for values in (e.log_likelihood, e.elbo, e.gap)]
    subtitle += f" · mean of {len(e.row_ids)} rows: {mean[0]} = {mean[1]} + {mean[2]}"
    return Identity(e, heads, rings, subtitle)


def _why_not(run: Run, found: Evidence) -> str:
    """Why nothing was integrated."""
    if run.config.latent_dim != 2:
        return f"it has {run.config.latent_dim} latent dimensions; only two can be integrated exactly"
    return str(found.settings.get("no_quadrature", "log p(x) under conditions is not integrated exactly"))


def alt(data: Identity) -> str:
    """The figure in words."""
    maps = f"{len(data.heads)} maps of exact posteriors with the ellipses of q over them"
    return f"{maps}: {'; '.join(data.heads)}. {data.subtitle}."


def interactive(data: Identity) -> Any:
    """The Plotly figure."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    rows = -(-len(data.heads) // COLUMNS)
    base = _style.plotly(TITLE, data.subtitle, alt(data))
    gaps = {"horizontal_spacing": 0.07, "vertical_spacing": 0.16}
    grid = make_subplots(rows=rows, cols=COLUMNS, subplot_titles=data.heads, **gaps)
    fig = _grids.styled(grid, base, axes=True)
    fig.update_layout(height=130 + 260 * rows, margin={"l": 40, "r": 10, "t": 120, "b": 30}, showlegend=False)
    for k in range(len(data.heads)):
        place = {"row": k // COLUMNS + 1, "col": k % COLUMNS + 1}
        x, y = data.exact.axes[k]
        scale = [[0, "rgba(0,114,178,0)"], [1, "rgba(0,114,178,1)"]]
        shade = go.Heatmap(x=x, y=y, z=data.exact.posterior[k], colorscale=scale, showscale=False)
        fig.add_trace(shade.update(hovertemplate="z0 %{x:.2f}, z1 %{y:.2f}: %{z:.2f}<extra>p(z|x)</extra>"), **place)
        for ring in data.rings[k]:
            line = {"color": _style.OKABE_ITO[3], "width": 1.5}
            fig.add_trace(go.Scatter(x=ring[0], y=ring[1], mode="lines", line=line, hoverinfo="skip"), **place)
        fig.update_xaxes(range=[x[0], x[-1]], showgrid=False, **place)
        fig.update_yaxes(range=[y[0], y[-1]], showgrid=False, **place)
    fig.update_annotations(font_size=12)
    return fig


def static(data: Identity, preset: str) -> Any:
    """The Matplotlib figure."""
    from matplotlib.colors import LinearSegmentedColormap

    chosen, rows = _style.preset(preset), -(-len(data.heads) // COLUMNS)
    fig = _style.canvas(preset, rows * chosen.width / COLUMNS * 0.95)
    shades = LinearSegmentedColormap.from_list("posterior", ["white", _style.OKABE_ITO[0]])
    panels = np.ravel(fig.subplots(rows, COLUMNS))
    for axes in panels[len(data.heads) :]:
        axes.set_visible(False)
    for k, (axes, head) in enumerate(zip(panels, data.heads, strict=False)):
        x, y = data.exact.axes[k]
        edges = (x[0], x[-1], y[0], y[-1])
        axes.imshow(data.exact.posterior[k], origin="lower", extent=edges, cmap=shades, aspect="auto", gid="posterior")
        for ring in data.rings[k]:
            axes.plot(*ring, color=_style.OKABE_ITO[3], lw=0.9, gid="q")
        axes.set(xlim=edges[:2], ylim=edges[2:])
        axes.locator_params(nbins=3)
        axes.set_title(head, weight="normal", size=chosen.size - 1.5)
    return fig


def numbers(data: Identity) -> pd.DataFrame:
    """One row per image that was integrated: its id, log p(x), ELBO and KL(q ‖ p(z|x)) in nats."""
    import pandas as pd

    e = data.exact
    return pd.DataFrame({"row": e.row_ids, "log_likelihood": e.log_likelihood, "elbo": e.elbo, "gap": e.gap})
