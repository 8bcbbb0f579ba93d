"""One code, decoded: a row's or the mean's, and what it becomes when some of its dimensions are set by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.codes import draws
from latentlab.codes.alignment import shared_row
from latentlab.codes.codes import Codes
from latentlab.codes.paths import normal_of
from latentlab.codes.symbols import moves, symbols
from latentlab.errors import LatentlabError
from latentlab.figures import _images, _sheet, _style
from latentlab.figures._text import describe
from latentlab.runs.images import dataset_of, picture_of
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

    from latentlab.models.live import Live

TITLE = "One code, decoded"
TAKES = "run"
PICTURES = 0.55  # of the width on the screen, what the pictures take beside the bars


def prepare(run: Run, *, model: Live, row: int | str | None = None, moved: str = "") -> _sheet.Sheet:
    """The code of the row with the id `row` (a typical one), and what `moved` makes of it: ``z3=1.5,z0=-0.4``.

    A model without an encoder has no rows of data: there the code is the prior's mean.
    """
    codes = run.codes()
    row = shared_row([codes]) if row is None and run.encodes else row
    start, code = moved_code(codes, row, moved)
    pair = np.stack([start, code]) if moved.strip() else start[None]
    images, heads = list(run.config.form.picture(model.decode(pair))), ["decoded", "moved"][: len(pair)]
    place = None if row is None else codes.position(row)
    if place is not None and (image := original(run, int(codes.row_ids[place]))) is not None:
        images, heads = [image, *images], [run.config.noun, *heads]
    far = bool(draws.leaving(codes, pair[-1]))
    subtitle = [describe(run), moved.strip(), "far from the rows' codes" if far else ""]
    label = "mean" if place is None else f"row {codes.called([place])[0]}"
    said, marks = " · ".join(text for text in subtitle if text), {"code": ["start", "moved"][: len(pair)]}
    return _sheet.Sheet(_images.rgba(np.stack(images))[None], (label,), said, tuple(heads), pair, marks)


def moved_code(codes: Codes, row: int | str | None, moved: str) -> tuple[draws.Floats, draws.Floats]:
    """The code (d,) of a row, or of the mean, and with the values that ``z3=1.5,z0=-0.4`` sets.

    >>> moved_code(Codes(np.ones((3, 2), np.float32)), 0, "z1=-2")[1].tolist()
    [1.0, -2.0]
    """
    centre = normal_of(codes)[0] if row is None else codes.mean[codes.position(row)]
    start = np.asarray(centre, np.float32)
    code = start.copy()
    for index, value in moves(moved, codes.latent_dim).items():
        code[index] = value
    return start, code


def table(start: draws.Floats, code: draws.Floats) -> pd.DataFrame:
    """Two codes (d,), one line per dimension."""
    import pandas as pd

    return pd.DataFrame({"dim": symbols(len(code)), "start": start, "value": code})


def original(run: Run, row: int) -> Any:
    """The picture of the data's own sample of a row; None where the data are not at hand."""
    if not run.encodes:
        return None
    try:
        return picture_of(run, dataset_of(run), row)
    except LatentlabError:
        return None


def alt(data: _sheet.Sheet) -> str:
    """The figure in words."""
    return f"{data.plural.capitalize()} side by side, {data.labels[0]}: {', '.join(data.heads)}. {data.subtitle}."


def _bars(data: _sheet.Sheet) -> list[tuple[str, Any, str]]:
    """The name, the values (d,) and the colour of each code's bars: the start in grey where it was moved."""
    codes = [] if data.codes is None else list(data.codes)
    return list(zip(data.marks["code"], codes, (_style.FAINT, _style.OKABE_ITO[0])[-len(codes) :], strict=True))


def interactive(data: _sheet.Sheet) -> Any:
    """The Plotly figure."""
    import plotly.graph_objects as go

    fig = _sheet.interactive(data, TITLE, alt(data))
    for name, values, tone in _bars(data):
        bar = go.Bar(x=symbols(len(values)), y=values, name=name, marker={"color": tone})
        fig.add_trace(bar.update(xaxis="x2", yaxis="y2", hovertemplate=f"{name} %{{x}} = %{{y:.3f}}<extra></extra>"))
    fig.update_layout(
        height=260, showlegend=len(data.marks["code"]) > 1, xaxis={"domain": [0, PICTURES]},
        xaxis2={"domain": [PICTURES + 0.08, 1], "anchor": "y2", "type": "category", "showgrid": False},
        yaxis2={"anchor": "x2", "title": {"text": "value"}, "gridcolor": "rgba(128,128,128,0.18)"},
    )  # fmt: skip
    return fig


def static(data: _sheet.Sheet, preset: str) -> Any:
    """The Matplotlib figure."""
    chosen, picture = _style.preset(preset), data.picture
    wide = chosen.width * min(0.62, 0.24 * data.cells.shape[1])
    fig = _style.canvas(preset, max(0.9, wide * picture.shape[0] / picture.shape[1] + 0.3))
    left, right = fig.subplots(1, 2, width_ratios=[wide, chosen.width - wide])
    left.imshow(picture, interpolation=_images.interpolation(data.smooth))
    left.xaxis.tick_top()
    left.set_xticks(data.columns, data.heads)
    left.set(yticks=[], anchor="W")
    _style.bare(left)
    drawn = _bars(data)
    for k, (name, values, tone) in enumerate(drawn):
        places = np.arange(len(values)) + (k - (len(drawn) - 1) / 2) * 0.4
        right.bar(places, values, 0.8 / len(drawn), color=tone, label=name)
    right.axhline(0, color=_style.GREY, lw=0.6)
    right.set_xticks(range(len(drawn[0][1])), symbols(len(drawn[0][1])))
    right.set_ylabel("value")
    if len(drawn) > 1:
        right.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderpad=0)
    return fig


def numbers(data: _sheet.Sheet) -> pd.DataFrame:
    """The numbers: one row per image, with the code that it was decoded from."""
    return _sheet.numbers(data)
