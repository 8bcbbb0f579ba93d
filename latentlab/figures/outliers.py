"""How well each score tells out-of-distribution images, beside baselines that need no model: AUROC with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from latentlab.analysis.outliers.record import load_outliers
from latentlab.errors import InputError
from latentlab.figures import _style
from latentlab.figures._text import describe, number
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Out-of-distribution detection"
TAKES = "run"
AXIS = "AUROC (0.5: no better than chance)"
ALL = "all rows"


@dataclass(frozen=True, eq=False)
class OutliersData:
    """``rows``: one line per score and data set: ``auroc`` with ``low`` and ``high``, ``matched`` likewise."""

    rows: pd.DataFrame
    against: tuple[str, ...]
    subtitle: str
    matched_by: str


def prepare(run: Run, *, against: str | None = None) -> OutliersData:
    """Every score of the data set `against`, or of each one that the run was judged against."""
    import pandas as pd

    entries = [entry for entry in load_outliers(run).values() if against in (None, entry["against"])]
    if not entries:
        raise InputError(f"{run.name} has no result against {against}; run `latentlab outliers {run.path} --against …`")
    lines = []
    for entry in entries:
        for name, each in entry["scores"].items():
            low, high = each["auroc_interval"]
            matched = each["matched_interval"] or (None, None)
            lines.append(
                {
                    "against": entry["against"],
                    "score": name,
                    "baseline": each["baseline"],
                    "auroc": each["auroc"],
                    "low": low,
                    "high": high,
                    "matched": each["matched"],
                    "matched_low": matched[0],
                    "matched_high": matched[1],
                }
            )
    subtitle = [describe(run), "in-distribution rows " + " and ".join(dict.fromkeys(entry["own"] for entry in entries))]
    subtitle += ["grey: baseline without a model", "bars: 95 % intervals over redraws of the rows"]
    if any(entry["own_rows_were_trained_on"] for entry in entries):
        subtitle.append("in-distribution rows were training rows")
    by = entries[0].settings.get("matched_by", "intensity")  # older entries are of images
    matched_by = "brightness" if by == "intensity" else by
    return OutliersData(
        pd.DataFrame(lines), tuple(entry["against"] for entry in entries), " · ".join(subtitle), matched_by
    )


def _labels(data: OutliersData) -> list[str]:
    several = len(set(data.against)) > 1
    return [f"{row['score']}, {row['against']}" if several else row["score"] for row in data.rows.to_dict("records")]


def _kinds(data: OutliersData) -> list[tuple[str, str, str, str, str]]:
    """Name, column, its two bounds and a marker of each reading: of all rows, and of matched ones where there are."""
    every = [(ALL, "auroc", "low", "high", "circle")]
    matched = (f"at equal {data.matched_by}", "matched", "matched_low", "matched_high", "circle-open")
    return [*every, matched] if data.matched_by and data.rows["matched"].notna().any() else every


def alt(data: OutliersData) -> str:
    """The figure in words."""
    pairs = zip(_labels(data), data.rows.to_dict("records"), strict=True)
    points = "; ".join(
        f"{label} {number(row['auroc'], 3)}" + (" (no model)" if row["baseline"] else "") for label, row in pairs
    )
    return f"Dots with intervals, AUROC against {', '.join(data.against)}. {data.subtitle}. {points}."


def interactive(data: OutliersData) -> Any:
    """The Plotly figure."""
    import plotly.graph_objects as go

    labels, table = _labels(data), data.rows
    fig = _style.plotly(TITLE, data.subtitle, alt(data), height=150 + 26 * len(labels))
    tones = [_style.GREY if grey else _style.OKABE_ITO[0] for grey in table["baseline"]]
    for name, value, low, high, symbol in _kinds(data):
        fig.add_trace(
            go.Scatter(
                x=table[value],
                y=labels,
                mode="markers",
                name=name,
                marker={"color": tones, "size": 9, "symbol": symbol},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": (table[high] - table[value]).tolist(),
                    "arrayminus": (table[value] - table[low]).tolist(),
                    "thickness": 1,
                    "width": 0,
                    "color": _style.GREY,
                },
                hovertemplate="%{y}: %{x:.3f}<extra>" + name + "</extra>",
            )
        )
    fig.add_vline(x=0.5, line={"color": _style.GREY, "width": 1, "dash": "dash"})
    fig.update_xaxes(title=AXIS, range=[-0.02, 1.02])
    fig.update_yaxes(type="category", autorange="reversed")
    return fig


def static(data: OutliersData, preset: str) -> Any:
    """The Matplotlib figure."""
    labels, table = _labels(data), data.rows
    fig = _style.canvas(preset, 0.19 * len(labels) + 0.7)
    axes = fig.add_subplot()
    for name, value, low, high, symbol in _kinds(data):
        known = table[table[value].notna()]
        for place, row in known[[value, low, high, "baseline"]].astype(float).iterrows():
            tone = _style.GREY if row["baseline"] else _style.OKABE_ITO[0]
            axes.plot([row[low], row[high]], [place, place], color=_style.GREY, lw=0.7, zorder=1)
            face = tone if symbol == "circle" else "white"
            axes.scatter(row[value], place, s=16, color=face, edgecolors=tone, lw=0.8, zorder=2, gid=name)
    axes.axvline(0.5, color=_style.GREY, lw=0.6, ls=(0, (4, 2)), zorder=0)
    axes.set(yticks=range(len(labels)), yticklabels=labels, xlim=(-0.02, 1.02), xlabel=AXIS)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    for tick, grey in zip(axes.get_yticklabels(), table["baseline"], strict=True):
        tick.set_color(_style.GREY if grey else _style.INK)
    for name, *_, symbol in _kinds(data):
        face = _style.INK if symbol == "circle" else "white"
        axes.scatter([], [], s=16, color=face, edgecolors=_style.INK, lw=0.8, label=name)
    _style.legend_below(fig, 2)
    return fig


def numbers(data: OutliersData) -> pd.DataFrame:
    """The numbers: one row per score and data set."""
    return data.rows
