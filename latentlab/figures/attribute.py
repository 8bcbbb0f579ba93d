"""An attribute vector: how the codes of rows with it differ from those without, with intervals, applied to a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.codes import Codes
from latentlab.codes.dimensions import factors_of
from latentlab.codes.directions import Attribute, attribute
from latentlab.codes.draws import leaving
from latentlab.codes.selections import rows_of, values_of
from latentlab.codes.symbols import symbol
from latentlab.errors import InputError
from latentlab.figures import _images, _style
from latentlab.figures._text import describe, number
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

    from latentlab.models.live import Live

TITLE = "Attribute vector"
TAKES = "run"
SHOWN = 20
REACH = 1.5


@dataclass(frozen=True, eq=False)
class AttributeData(_images.Cells):
    """``cells`` (1, steps, h, w, 4) of the row moved by ``shifts`` (steps,) of the vector; of the `SHOWN` longest
    parts of it the ``dims``, ``values`` and half widths ``half`` of their 95 % intervals."""

    shifts: NDArray[np.float64]
    dims: tuple[str, ...]
    values: NDArray[np.float64]
    half: NDArray[np.float64]
    subtitle: str
    plural: str = "images"
    smooth: bool = False


def prepare(
    run: Run,
    *,
    model: Live,
    of: str | None = None,
    against: str | None = None,
    row: int | str | None = None,
    steps: int = 7,
) -> AttributeData:
    """The vector from the rows `against` to the rows `of` it, applied to the row with the id `row`.

    Either is ``FACTOR=VALUE``, the name of a kept selection, or row ids. By default `of` is the last value of the first
    factor, `against` every other row, and `row` the first of `against`.
    """
    codes = run.codes()
    if not 2 <= steps <= 50:
        raise InputError(f"steps is {steps}; expected 2 to 50")
    found, first, names = between(codes, run.notes(), of, against)
    place = first if row is None else codes.position(row)
    moved = found.along(codes.mean[place], steps, REACH)
    far = leaving(codes, moved)
    cells = _images.rgba(run.config.form.picture(model.decode(moved)))[None]
    cells[0, far, ..., 3] = _images.FADED
    longest = np.argsort(-np.abs(found.vector), kind="stable")[:SHOWN]
    subtitle = [describe(run), *said(found, names), f"row {codes.called([place])[0]} moved"]
    subtitle += [f"{int(far.sum())} of {steps} steps lie far from every row's code and are faded"] if far.any() else []
    return AttributeData(
        cells,
        np.linspace(-REACH, REACH, steps),
        tuple(symbol(j) for j in longest),
        found.vector[longest],
        1.96 * found.error[longest],
        " · ".join(subtitle),
    )


def between(
    codes: Codes, notes: dict[str, Any], of: str | None, against: str | None
) -> tuple[Attribute, int, tuple[str, str]]:
    """The vector between two groups of rows, the position of a row without the attribute, and the groups' names."""
    if of is None:
        names = factors_of(codes)[1]
        if not names:
            raise InputError("these codes have no factors; name two groups: of=NAME and against=NAME or row ids")
        of = f"{names[0]}={values_of(codes, names[0])[-1]}"
    having = rows_of(codes, of, notes)
    others = np.setdiff1d(np.arange(len(codes)), having)
    lacking = others if against is None else rows_of(codes, against, notes)
    return attribute(codes, having, lacking), int(lacking[0]), (of, against or "all others")


def said(found: Attribute, names: tuple[str, str]) -> list[str]:
    """What a subtitle says of the vector and how sure it is."""
    with_, without = found.counts
    return [
        f"{names[0]} ({with_:,} rows) against {names[1]} ({without:,})",
        f"length {number(found.length)}, by chance {number(found.by_chance)}"
        + ("" if found.known else ": no longer than chance makes it"),
        f"cosine to redraws ≥ {number(found.cosine)}",
    ]


def alt(data: AttributeData) -> str:
    """The figure in words."""
    parts = "; ".join(
        f"{dim} {number(value)} ± {number(half)}"
        for dim, value, half in zip(data.dims, data.values, data.half, strict=True)
    )
    return f"A row of {len(data.shifts)} decoded {data.plural} above bars of the vector. {data.subtitle}. {parts}."


def _ticks(data: AttributeData) -> list[str]:
    return [f"{shift:+.2g}".replace("-", "−") if shift else "0" for shift in data.shifts]


def interactive(data: AttributeData) -> Any:
    """The Plotly figure."""
    import plotly.graph_objects as go

    fig = _style.plotly(TITLE, data.subtitle, alt(data), height=430, margin={"l": 70, "r": 10, "t": 72, "b": 40})
    picture = data.picture
    fig.add_trace(_images.image_trace(picture))
    error = {"type": "data", "array": data.half, "color": _style.GREY, "thickness": 1.2}
    fig.add_trace(
        go.Bar(
            x=list(data.dims),
            y=data.values,
            error_y=error,
            marker={"color": _style.OKABE_ITO[0]},
            width=min(0.8, 0.08 * len(data.dims)),
            hovertemplate="%{x} %{y:.3f}<extra></extra>",
            xaxis="x2",
            yaxis="y2",
            showlegend=False,
        )
    )
    line = {"gridcolor": "rgba(128,128,128,0.18)", "zeroline": True, "zerolinecolor": _style.GREY}
    fig.update_layout(
        xaxis={
            "range": [-0.5, picture.shape[1] - 0.5], "domain": [0, 1], "anchor": "y", "constrain": "domain",
            "constraintoward": "left", "tickvals": list(data.columns), "ticktext": _ticks(data), "side": "top",
            "showgrid": False, "showline": False,
        },
        yaxis={
            "range": [picture.shape[0] - 0.5, -0.5], "domain": [0.56, 1], "visible": False, "scaleanchor": "x",
            "constrain": "domain", "constraintoward": "top",
        },
        xaxis2={"domain": [0, 1], "anchor": "y2", "type": "category", "showgrid": False},
        yaxis2={"domain": [0, 0.46], "anchor": "x2", "title": {"text": "difference of mean code"}, **line},
    )  # fmt: skip
    return fig


def static(data: AttributeData, preset: str) -> Any:
    """The Matplotlib figure."""
    chosen, picture = _style.preset(preset), data.picture
    strip = min(chosen.width - 0.6, 0.75 * len(data.shifts)) * picture.shape[0] / picture.shape[1]
    fig = _style.canvas(preset, strip + 1.7)
    above, below = fig.subplots(2, 1, height_ratios=[strip, 1.2])
    above.imshow(picture, interpolation=_images.interpolation(data.smooth))
    above.set(yticks=[], anchor="W")
    above.xaxis.tick_top()
    above.set_xticks(data.columns, _ticks(data))
    _style.bare(above)
    places = np.arange(len(data.dims))
    below.bar(
        places,
        data.values,
        min(0.8, 0.08 * len(places)),
        yerr=data.half,
        color=_style.OKABE_ITO[0],
        error_kw={"lw": 0.8, "ecolor": "#555"},
    )
    below.axhline(0, color=_style.GREY, lw=0.6)
    below.set_xticks(places, data.dims)
    below.set_ylabel("difference\nof mean code")
    return fig


def numbers(data: AttributeData) -> pd.DataFrame:
    """The numbers: one row per dimension, with its part of the vector and its 95 % interval."""
    import pandas as pd

    ends = {"low": data.values - data.half, "high": data.values + data.half}
    return pd.DataFrame({"dim": data.dims, "difference": data.values, **ends})
