"""Accuracy with few labels: accuracy of a simple classifier on the codes, against labelled rows per class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from latentlab.analysis.probe.measure import ESTIMATORS, Curve
from latentlab.analysis.probe.record import load_probes
from latentlab.errors import InputError, LatentlabError
from latentlab.figures import _style
from latentlab.figures._text import number
from latentlab.runs.comparison import compare
from latentlab.runs.run import Run
from latentlab.system.registry import choose

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Accuracy with few labels"
TAKES = "runs"
X, Y = "labelled rows per class", "balanced accuracy on held-out rows"


@dataclass(frozen=True, eq=False)
class FewLabels:
    """``curves``: the setting, the run and its curve; ``colours`` by setting; ``chance`` for all of them."""

    curves: tuple[tuple[str, str, Curve], ...]
    colours: dict[str, str]
    chance: float
    subtitle: str

    @property
    def limits(self) -> tuple[float, float]:
        """The ends of the axis: from chance, or what is lowest, to what is highest, a little beyond them."""
        values = [value for _, _, curve in self.curves for value in curve.accuracy]
        low, high = min(self.chance, *values), max(self.chance, *values)
        room = 0.06 * (high - low) or 0.05
        return low - room, min(high + room, 1.02)


def prepare(runs: Sequence[Run], *, estimator: str = "linear") -> FewLabels:
    """The few-label curves of the runs that `latentlab probe` has been at, of one `estimator` (linear, knn)."""
    choose(estimator, ESTIMATORS, what="estimator")
    table = compare(runs)
    settings = table.set_index("run")["setting"]
    curves: list[tuple[str, str, Curve]] = []
    missing: list[LatentlabError] = []
    for run in runs:
        try:
            curve = load_probes(run).get(estimator)
        except LatentlabError as error:
            missing.append(error)
            continue
        curves += [(str(settings[run.name]), run.name, curve)] if curve else []
    if not curves:
        raise missing[0] if missing else InputError(f"no run has a {estimator} curve; compute one: `latentlab probe …`")
    if len({(curve.factor, curve.classes) for _, _, curve in curves}) > 1:
        raise InputError("the runs were probed for different classes; probe all for one: `latentlab probe --factor`")
    first = curves[0][2]
    subtitle = [
        f"{estimator} probe of {first.factor}, {first.classes} classes",
        f"one line per run: mean over {first.draws} draws of the labelled rows",
        f"{first.tested:,} rows tested",
    ]
    subtitle += [f"{len(runs) - len(curves)} of {len(runs)} runs were not probed"] if len(curves) < len(runs) else []
    drawn = {setting for setting, _, _ in curves}
    colours = {setting: colour for setting, colour in _style.of_settings(table).items() if setting in drawn}
    return FewLabels(tuple(curves), colours, first.chance, " · ".join(subtitle))


def alt(data: FewLabels) -> str:
    """The figure in words."""
    lines = "; ".join(
        f"{setting}, {run}: {number(curve.accuracy[0])} at {curve.sizes[0]}, "
        f"{number(curve.accuracy[-1])} at {curve.sizes[-1]}"
        for setting, run, curve in data.curves
    )
    return f"Lines of accuracy against labelled rows per class, chance {number(data.chance)}. {data.subtitle}. {lines}."


def interactive(data: FewLabels) -> Any:
    """The Plotly figure."""
    import plotly.graph_objects as go

    fig = _style.plotly(TITLE, data.subtitle, alt(data), height=440)
    seen: set[str] = set()
    for setting, run, curve in data.curves:
        fig.add_trace(
            go.Scatter(
                x=curve.sizes,
                y=curve.accuracy,
                mode="lines+markers",
                name=setting,
                legendgroup=setting,
                showlegend=setting not in seen,
                line={"color": data.colours[setting], "width": 1.5},
                customdata=list(zip(curve.low, curve.high, strict=True)),
                hovertemplate=f"{setting}, %{{x}} per class: %{{y:.3f}}, 95 %% of draws %{{customdata[0]:.3f}} to "
                f"%{{customdata[1]:.3f}}<extra>{run}</extra>".replace("%%", "%"),
            )
        )
        seen.add(setting)
    fig.add_hline(y=data.chance, line={"color": _style.GREY, "width": 1, "dash": "dash"})
    ticks = sorted({size for _, _, curve in data.curves for size in curve.sizes})
    fig.update_xaxes(title=X, type="log", tickvals=ticks, ticktext=[str(size) for size in ticks])
    fig.update_yaxes(title=Y, range=data.limits)
    return fig


def static(data: FewLabels, preset: str) -> Any:
    """The Matplotlib figure."""
    chosen = _style.preset(preset)
    fig = _style.canvas(preset, min(chosen.width * 0.6, 2.8))
    axes = fig.add_subplot()
    seen: set[str] = set()
    for setting, _, curve in data.curves:
        label = None if setting in seen else setting
        axes.plot(
            curve.sizes, curve.accuracy, color=data.colours[setting], marker="o", ms=2.5, label=label, gid="curves"
        )
        seen.add(setting)
    axes.axhline(data.chance, color=_style.GREY, lw=0.6, ls=(0, (4, 2)))
    axes.annotate("chance", (1, data.chance), (-2, 2), xycoords=("axes fraction", "data"), textcoords="offset points",
                  ha="right", size=chosen.size - 1, color=_style.GREY)  # fmt: skip
    ticks = sorted({size for _, _, curve in data.curves for size in curve.sizes})
    axes.set_xscale("log")
    axes.set(xlabel=X, ylabel=Y, ylim=data.limits)
    axes.set_xticks(ticks, [str(size) for size in ticks])
    axes.minorticks_off()
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return fig


def numbers(data: FewLabels) -> pd.DataFrame:
    """The numbers: a row per point, with the range that holds 95 % of the draws."""
    import pandas as pd

    rows = [
        {"setting": setting, "run": run, "labels": size, "accuracy": mean, "low": low, "high": high}
        for setting, run, curve in data.curves
        for size, mean, low, high in zip(curve.sizes, curve.accuracy, curve.low, curve.high, strict=True)
    ]
    return pd.DataFrame(rows)
