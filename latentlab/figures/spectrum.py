"""Units in use against β: what a linear VAE keeps of the data, what is expected of these networks, what runs kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.figures import _style
from latentlab.figures._text import number
from latentlab.runs.advice import of_one_kind, start_of
from latentlab.runs.images import dataset_of
from latentlab.runs.measured import Measured, fit, measure
from latentlab.runs.run import Run
from latentlab.runs.spectrum import ROWS, spectrum

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Units in use, predicted and measured"
TAKES = "runs"
X, Y = "β", "units"
PLACES = 200
NARROW = 100  # of the least to the largest β, a range in which powers of ten are too few ticks
COMPONENTS, EXPECTED, IN_USE, ACTIVE = "components, linear", "expected", "in use", "active"


@dataclass(frozen=True, eq=False)
class Kept:
    """Lines of units (200,) over ``betas``, no higher than the latent size; ``measured`` are the dots."""

    betas: np.ndarray[Any, Any]
    lines: dict[str, np.ndarray[Any, Any]]
    measured: tuple[Measured, ...]
    collapse: float
    subtitle: str


def prepare(runs: Sequence[Run], *, rows: int = ROWS) -> Kept:
    """What the runs kept, and what the spectrum of at most `rows` of their training rows makes expect.

    Raises an `InputError` for runs that differ in likelihood, network or latent size, and where none is encoded.
    """
    some = of_one_kind(runs)
    config = some[0].config
    data = dataset_of(next(run for run in some if run.has("encode"))).split(config.split)
    found = spectrum(data, likelihood=config.likelihood, sigma=config.sigma, rows=rows)
    measured = measure(found, some, start=start_of(config.network))
    fitted = fit(found, measured, config.latent_dim, start=start_of(config.network))
    seen, collapse = [each.beta for each in measured], float(found.thresholds[0])
    betas = np.geomspace(min(seen) / 1.5, max(*seen, collapse) * 1.5, PLACES)
    lines = {
        COMPONENTS: np.array([found.active(beta, config.latent_dim) for beta in betas]),
        EXPECTED: np.array([min(config.latent_dim, fitted.units(found, beta)) for beta in betas]),
    }
    subtitle = [
        f"{found.rows:,} rows of {data.name}",
        f"γ = {number(fitted.exponent)}",
        f"in use: at least 0.1 nats, of {config.latent_dim} dimensions",
        f"collapse above β = {collapse:.3g}",
    ]
    return Kept(betas, lines, measured, collapse, " · ".join(subtitle))


def alt(data: Kept) -> str:
    """The figure in words."""
    dots = "; ".join(
        f"{each.run}: {each.in_use} in use, {each.active} active, {number(each.expected, 1)} expected"
        for each in data.measured
    )
    return f"Units against β on a logarithmic axis. {data.subtitle}. {dots}."


def interactive(data: Kept) -> Any:
    """The Plotly figure."""
    import plotly.graph_objects as go

    fig = _style.plotly(TITLE, data.subtitle, alt(data), height=440)
    for name, (colour, dash) in _looks().items():
        line = {"color": colour, "dash": dash, "shape": "hv" if name == COMPONENTS else "linear"}
        fig.add_trace(go.Scatter(x=data.betas, y=data.lines[name], mode="lines", name=name, line=line))
    for name, symbol, values in _dots(data):
        fig.add_trace(
            go.Scatter(
                x=[each.beta for each in data.measured],
                y=values,
                mode="markers",
                name=name,
                marker={"color": _style.OKABE_ITO[1], "size": 9, "symbol": symbol},
                customdata=[each.run for each in data.measured],
                hovertemplate=f"%{{customdata}}: %{{y}} {name}<extra></extra>",
            )
        )
    fig.add_vline(x=data.collapse, line={"color": _style.GREY, "width": 1, "dash": "dot"})
    fig.update_xaxes(title=X, type="log")
    fig.update_yaxes(title=Y, rangemode="tozero")
    return fig


def _looks() -> dict[str, tuple[str, str]]:
    """Colour and dash of each line."""
    return {COMPONENTS: (_style.GREY, "solid"), EXPECTED: (_style.OKABE_ITO[0], "dash")}


def _dots(data: Kept) -> list[tuple[str, str, list[int]]]:
    """Name, symbol and height of the dots: rings for active units, discs for those in use."""
    return [
        (ACTIVE, "circle-open", [each.active for each in data.measured]),
        (IN_USE, "circle", [each.in_use for each in data.measured]),
    ]


def static(data: Kept, preset: str) -> Any:
    """The Matplotlib figure."""
    from matplotlib.ticker import LogLocator, NullFormatter

    chosen = _style.preset(preset)
    fig = _style.canvas(preset, min(chosen.width * 0.62, 3.0))
    axes = fig.add_subplot()
    for name, (colour, dash) in _looks().items():
        drawn = "steps-post" if name == COMPONENTS else "default"
        style = "--" if dash == "dash" else "-"
        axes.plot(data.betas, data.lines[name], style, color=colour, lw=1, label=name, drawstyle=drawn)
    for name, symbol, values in _dots(data):
        fill = "none" if symbol == "circle-open" else _style.OKABE_ITO[1]
        place = [each.beta for each in data.measured]
        axes.scatter(place, values, s=22, facecolors=fill, edgecolors=_style.OKABE_ITO[1], lw=0.8, label=name, zorder=3)
    axes.axvline(data.collapse, color=_style.GREY, lw=0.6, ls=":")
    axes.set(xlabel=X, ylabel=Y, xscale="log", ylim=(0, None))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    if data.betas.max() < NARROW * data.betas.min():
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.legend()
    return fig


def numbers(data: Kept) -> pd.DataFrame:
    """One row per run: β, units in use, active and expected, rate."""
    import pandas as pd

    columns = ["run", "beta", "seed", "in_use", "active", "expected", "rate", "linear_rate"]
    return pd.DataFrame([vars(each) for each in data.measured])[columns]
