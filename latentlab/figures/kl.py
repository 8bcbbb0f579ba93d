"""KL per latent dimension in its two parts, ranked; the variance's share where an encoder is deterministic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from latentlab.codes.dimensions import dimensions
from latentlab.figures import _style
from latentlab.figures._text import describe, inactive, number
from latentlab.runs.run import Run
from latentlab.system.numbers import percent

if TYPE_CHECKING:
    import pandas as pd

TITLE = "KL per latent dimension"
TAKES = "run"
MEAN, VARIANCE = "½μ²: where the means lie", "½(σ² − 1 − log σ²): how narrow the posteriors are"
SHARE = "share of the codes' variance"


@dataclass(frozen=True, eq=False)
class Kl:
    """``parts``: by legend name one number per row of ``table``, which add up to the bar."""

    table: pd.DataFrame
    parts: dict[str, list[float]]
    title: str
    axis: str
    subtitle: str


def prepare(run: Run, *, top: int = 40) -> Kl:
    """The `top` most important latent dimensions with their KL in nats, or their share of the variance."""
    table = dimensions(run.codes(), notes=run.named(), draws=0).head(top)
    if run.config.stochastic:
        active = int(table["active"].sum())
        parts = {VARIANCE: table["kl_variance_part"].tolist(), MEAN: table["kl_mean_part"].tolist()}
        total = f"the {len(table)} shown sum to {number(table['kl'].sum(), 1)} nats"
        subtitle = f"{describe(run)} · {total} · {active} of them active, the others greyed"
        return Kl(table, parts, TITLE, "KL (nats)", subtitle)
    subtitle = f"{describe(run)} · no KL: the encoder is deterministic, so its dimensions are ranked by variance"
    return Kl(table, {SHARE: table["share"].tolist()}, "Variance per latent dimension", SHARE, subtitle)


def _labels(data: Kl) -> list[str]:
    return [f"{row.dim} {row.name}".strip() for row in data.table.itertuples()]


def _palette(data: Kl) -> list[list[str]]:
    """A colour per bar for each part, grey where the dimension is inactive."""
    tones = [(_style.OKABE_ITO[0], _style.GREY), (_style.OKABE_ITO[5], _style.FAINT)]
    return [[grey if dead else tone for dead in inactive(data.table)] for tone, grey in tones[: len(data.parts)]]


def alt(data: Kl) -> str:
    """The figure in words."""
    total = [sum(values) for values in zip(*data.parts.values(), strict=True)]
    bars = ", ".join(f"{label} {number(value)}" for label, value in zip(_labels(data), total, strict=True))
    return f"Bars, one per latent dimension: {data.axis}. {data.subtitle}. {bars}."


def interactive(data: Kl) -> Any:
    """The Plotly figure."""
    import plotly.graph_objects as go

    labels = _labels(data)
    fig = _style.plotly(
        data.title, data.subtitle, alt(data), barmode="stack", height=160 + 24 * len(labels), bargap=0.3
    )
    for (name, values), tones in zip(data.parts.items(), _palette(data), strict=True):
        fig.add_trace(
            go.Bar(
                x=values,
                y=labels,
                name=name,
                orientation="h",
                marker={"color": tones, "line": {"width": 0}},
                hovertemplate="%{y}: %{x:.3f}<extra></extra>",
            )
        )
    fig.update_yaxes(autorange="reversed", showgrid=False, type="category")
    fig.update_xaxes(title=data.axis, rangemode="tozero")
    legend = {"orientation": "h", "yref": "container", "y": 0.01, "yanchor": "bottom"}
    fig.update_layout(legend=legend, showlegend=len(data.parts) > 1, margin_b=80)
    return fig


def static(data: Kl, preset: str) -> Any:
    """The Matplotlib figure."""
    import numpy as np
    from matplotlib.patches import Patch

    chosen, labels = _style.preset(preset), _labels(data)
    rows, tones = range(len(labels)), _palette(data)
    fig = _style.canvas(preset, 0.55 + 0.17 * len(labels))
    axes = fig.add_subplot()
    start = np.zeros(len(labels))
    for values, tone in zip(data.parts.values(), tones, strict=True):
        axes.barh(rows, values, left=start, color=tone, height=0.68)
        start = start + np.asarray(values)
    pad = start.max() * 0.01 if len(start) else 0.0
    for row, total, grey in zip(rows, start, inactive(data.table), strict=True):
        text = number(total) if len(data.parts) > 1 else percent(total)
        axes.text(total + pad, row, text, va="center", size=chosen.size - 1, color=_style.GREY if grey else _style.INK)
    axes.set(yticks=rows, yticklabels=labels, xlabel=data.axis, xlim=(0, max(start.max() * 1.1, 1e-9)))
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    for tick, grey in zip(axes.get_yticklabels(), inactive(data.table), strict=True):
        tick.set_color(_style.GREY if grey else _style.INK)
    if len(data.parts) > 1:
        plain = (_style.OKABE_ITO[0], _style.OKABE_ITO[5])
        keys = [Patch(color=tone, label=name) for name, tone in zip(data.parts, plain, strict=True)]
        _style.legend_below(fig, 2 if chosen.width > 5 else 1, handles=keys)
    return fig


def numbers(data: Kl) -> pd.DataFrame:
    """The numbers: one row per bar, its parts adding up to it."""
    return data.table[["dim", "index", "name", "active"]].assign(**data.parts)
