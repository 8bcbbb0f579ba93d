"""A study at a glance: what each setting costs, the clearest dimensions of one run per setting, and the verdict."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.figures import _images, _style, rate_distortion
from latentlab.figures._text import short
from latentlab.figures.rate_distortion import RateDistortion
from latentlab.figures.traversals import Traversals
from latentlab.figures.traversals import prepare as traversals
from latentlab.runs.answers import best_setting
from latentlab.runs.choice import choices
from latentlab.runs.comparison import compare
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

TITLE = "The study at a glance"
TAKES = "runs"
MOST = 8  # settings whose strips are drawn
STRIPS, MOST_STRIPS = 2, 4  # of each
ROWS = 9  # strips that are as high as the curve
CURVE = 0.44  # of the width, what the curve takes beside the strips
NARROW = 4.0  # inches: in a column that is no wider the curve is above the strips
EDGE = 0.04  # inches around what is drawn
LIFT = 1.2  # points that a setting stands above the middle of its first strip, whose name is below that


@dataclass(frozen=True, eq=False)
class Shown:
    """The strips of one run: its `setting`, a name and a picture (h, w, 4) each."""

    setting: str
    run: str
    names: tuple[str, ...]
    pictures: tuple[_images.Picture, ...]


@dataclass(frozen=True, eq=False)
class OverviewData:
    """``curve``: rate and distortion of all runs; ``shown``: the strips, a run per setting."""

    curve: RateDistortion
    shown: tuple[Shown, ...]
    subtitle: str
    plural: str = "images"
    smooth: bool = False

    @property
    def rows(self) -> list[tuple[str, str, _images.Picture]]:
        """Every strip with the setting, which only the first of each has, and its name."""
        return [
            (each.setting if k == 0 else "", name, picture)
            for each in self.shown
            for k, (name, picture) in enumerate(zip(each.names, each.pictures, strict=True))
        ]


def prepare(runs: Sequence[Run], *, strips: int | None = None) -> OverviewData:
    """The rate–distortion curve, and of the first run of at most eight settings the `strips` that know a factor best.

    Two a setting where no number is said, and as many as fill the page where there are few settings.
    Where nothing is known of the data, those of the most important dimensions. The caption says which setting is best
    by the scores, or why none can be named, and which runs have collapsed.
    """
    curve, table = rate_distortion.prepare(runs), compare(runs)
    count = min(MOST, table.loc[table["path"].notna(), "setting"].nunique())
    strips = strips or max(STRIPS, min(MOST_STRIPS, ROWS // max(1, count)))
    shown: dict[str, Shown] = {}
    for run, setting in zip(runs, table.set_index("run").loc[[run.name for run in runs], "setting"], strict=True):
        if setting not in shown and len(shown) < MOST and run.has("traverse") and run.has("encode"):
            shown[setting] = _shown(run, setting, strips)
    subtitle = [*_verdict(table), *([_what(strips)] if shown else []), _without(table, shown), curve.subtitle]
    subtitle = [part for part in subtitle if part]
    return OverviewData(curve, tuple(shown.values()), " · ".join(subtitle))


def _shown(run: Run, setting: str, strips: int) -> Shown:
    """The run's dimensions that know most of a factor, or its first ones."""
    drawn: Traversals = traversals(run)
    table = drawn.table
    alive = np.flatnonzero(table["active"].fillna(True).to_numpy(bool))
    ranked = table.iloc[alive]["mi"].fillna(-1).sort_values(ascending=False, kind="stable").index[:strips]
    rows = table.loc[ranked]
    names = tuple(f"{row.dim} {row.name_ or row.top_factor or ''}".strip() for row in _named(rows))
    gap = _images.gap_of(drawn.cells.shape[3])
    return Shown(setting, run.name, names, tuple(_images.mosaic(drawn.cells[[k]], gap) for k in ranked))


def _named(table: pd.DataFrame) -> Any:
    """The rows; pandas would hide a column called ``name``."""
    return table.rename(columns={"name": "name_"}).itertuples()


def _verdict(table: pd.DataFrame) -> list[str]:
    """Which setting is best, or that none is, and the runs that have collapsed."""
    judged = choices(table)
    told = [best_setting(table, judged).sentence.removesuffix(".")] if judged else []
    collapsed = table.loc[table["flags"].str.contains("collapsed"), "run"].tolist()
    return [*told, f"collapsed: {', '.join(collapsed)}" if collapsed else "no run has collapsed"]


def _without(table: pd.DataFrame, shown: Collection[str]) -> str:
    """Which settings have no strips, and why."""
    names = [str(name) for name in table["setting"].dropna().unique() if name not in shown]
    if not shown or not names:
        return ""
    why = f"only {MOST} are drawn" if len(shown) == MOST else "no run of theirs is encoded and traversed"
    return f"no strips of {short(', '.join(names), 80)}: {why}"


def _what(strips: int) -> str:
    named = f"{strips} dimension{'s' * (strips != 1)}"
    return f"strips: the {named} of a run that encode a factor best, around its own row, low to high"


def alt(data: OverviewData) -> str:
    """The figure in words."""
    strips = "; ".join(f"{each.setting}: {', '.join(each.names) or 'no dimension in use'}" for each in data.shown)
    return f"{rate_distortion.alt(data.curve)}. Strips of decoded {data.plural}: {strips or 'none'}. {data.subtitle}."


def interactive(data: OverviewData) -> Any:
    """The Plotly figure."""
    fig = rate_distortion.interactive(data.curve)
    look = _style.plotly(TITLE, data.subtitle, alt(data)).layout
    fig.update_layout(title=look.title, meta=look.meta, margin=look.margin.to_plotly_json() | {"r": 10})
    if not data.rows:
        return fig
    picture, middles = _stacked(data)
    fig.update_layout(xaxis={"domain": [0, CURVE]}, height=max(440, 130 + 46 * len(middles)))
    fig.add_trace(_images.image_trace(picture).update(xaxis="x2", yaxis="y2"))
    fig.update_layout(
        xaxis2={"domain": [CURVE + 0.24, 1], "anchor": "y2", "visible": False, "constrain": "domain",
                "range": [-0.5, picture.shape[1] - 0.5], "constraintoward": "left"},
        yaxis2={"anchor": "x2", "visible": False, "range": [picture.shape[0] - 0.5, -0.5], "scaleanchor": "x2",
                "constrain": "domain", "constraintoward": "top"},
    )  # fmt: skip
    for (setting, name, _), middle in zip(data.rows, middles, strict=True):
        text = f"<b>{setting}</b><br>{name}" if setting else name
        fig.add_annotation(
            x=0, xref="x2 domain", y=middle, yref="y2", text=text, xanchor="right", xshift=-8, showarrow=False,
            align="right", font={"size": 11},
        )  # fmt: skip
    return fig


def _stacked(data: OverviewData) -> tuple[_images.Picture, list[float]]:
    """All strips below one another as one picture, those of a run close together, and where their middles lie."""
    height = data.rows[0][2].shape[0]
    tops: list[int] = []
    top = 0
    for setting, _, _ in data.rows:
        top += (height // 4 if setting and tops else 0) + (height // 16 if tops else 0)
        tops.append(top)
        top += height
    picture = _images.blank(top, max(strip.shape[1] for _, _, strip in data.rows), 4)
    for place, (_, _, strip) in zip(tops, data.rows, strict=True):
        picture[place : place + height, : strip.shape[1]] = strip
    return picture, [place + (height - 1) / 2 for place in tops]


def static(data: OverviewData, preset: str) -> Any:
    """The Matplotlib figure."""
    chosen = _style.preset(preset)
    if not data.rows:
        return rate_distortion.static(data.curve, preset)
    beside = chosen.width > NARROW
    left = CURVE * chosen.width if beside else 0.0
    picture, middles = _stacked(data)
    text = max(_style.wide(word, chosen, 1) for setting, name, _ in data.rows for word in (setting, name)) + 0.1
    text = min(text, 0.4 * (chosen.width - left))
    wide = chosen.width - left - text - EDGE
    strips = wide * picture.shape[0] / picture.shape[1]
    strip = data.rows[0][2].shape[0] / picture.shape[0] * strips
    lift = (
        max(0.0, (chosen.size + LIFT) / 72 - strip / 2 - EDGE) if beside else 0.0
    )  # a low strip's setting is above it
    high = max(strips + lift, 2.0) if beside else strips + 2.1
    fig = _style.canvas(preset, high + 2 * EDGE, arranged=False)
    total = fig.get_figheight()
    axes = fig.add_axes(
        (
            (left + text) / chosen.width,
            (EDGE + (high - strips - lift) * beside) / total,
            wide / chosen.width,
            strips / total,
        )
    )
    axes.imshow(picture, aspect="auto", interpolation=_images.interpolation(data.smooth))
    axes.set_axis_off()
    _labels(axes, data, middles, chosen, text)
    low = (EDGE + chosen.size / 72 * 3) if beside else strips + chosen.size / 72 * 4
    start = chosen.size / 72 * 4.2
    across = (left or chosen.width) - start - 2 * EDGE
    place = (start / chosen.width, low / total, across / chosen.width, (total - low - EDGE) / total)
    beside_curve = fig.add_axes(place)
    rate_distortion.curve(beside_curve, data.curve, chosen, across)
    _within(beside_curve)
    return fig


def _within(axes: Any) -> None:
    """Move the left side of axes to the right as far as their labels would else be cut."""
    fig = axes.get_figure()
    outside = EDGE - axes.yaxis.get_tightbbox(fig.canvas.get_renderer()).x0 / fig.dpi
    if outside > 0:
        box, share = axes.get_position(), outside / fig.get_figwidth()
        axes.set_position((box.x0 + share, box.y0, box.width - share, box.height))


def _labels(axes: Any, data: OverviewData, middles: Sequence[float], chosen: _style.Preset, room: float) -> None:
    """The setting in bold above the name of its first strip, the names of the others beside theirs."""
    look: dict[str, Any] = {"ha": "right", "size": chosen.size - 1}
    lifted = look | {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points", "annotation_clip": False}
    look |= {"transform": axes.get_yaxis_transform()}
    for (setting, name, _), middle in zip(data.rows, middles, strict=True):
        said = _style.fitting(name, chosen, room - 0.06, 1)
        if setting:
            above = _style.fitting(setting, chosen, (room - 0.06) * 0.92, 1)
            axes.annotate(above, (-0.02, middle), (0, LIFT), va="bottom", weight="bold", **lifted)
        axes.text(-0.02, middle, said, va="top" if setting else "center", **look)


def numbers(data: OverviewData) -> pd.DataFrame:
    """The numbers: the runs of the curve; ``strips`` names the dimensions that are drawn of a run."""
    named = {each.run: ", ".join(each.names) for each in data.shown}
    table = rate_distortion.numbers(data.curve)
    return table.assign(strips=table["run"].map(named).fillna(""))
