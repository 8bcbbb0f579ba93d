"""Rows of images with a label per row, and a heading per column where there are any."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.symbols import symbols
from latentlab.figures import _images, _style
from latentlab.figures._text import short

if TYPE_CHECKING:
    import pandas as pd

LABELS = 0.6  # of the width, the most that labels take
SCREEN_LETTERS = 40
HEAD_LETTERS = 100  # that all headings may have abreast on a screen
EDGE = 0.04  # inches around what is drawn
TILE = 0.55  # inches that a cell of a tile takes at least


@dataclass(frozen=True, eq=False)
class Sheet(_images.Cells):
    """``cells`` (rows, columns, h, w, 4), a label per row, ``heads`` one per column or none, and what is said of them.

    ``codes`` (m, d) are those that were decoded, and ``marks`` what tells them apart, by column. ``plural`` is what
    the samples are called; ``smooth`` cells are drawn curves or bars, no pixels of data.
    """

    labels: tuple[str, ...]
    subtitle: str
    heads: tuple[str, ...] = ()
    codes: NDArray[np.float32] | None = None
    marks: Mapping[str, Sequence[Any] | NDArray[Any]] = field(default_factory=dict)
    plural: str = "images"
    smooth: bool = False


def interactive(data: Sheet, title: str, alt: str) -> Any:
    """The Plotly figure."""
    picture, rows = data.picture, len(data.labels)
    labels = [short(label, SCREEN_LETTERS) for label in data.labels]
    margin = {"l": max(60, 8 * max(map(len, labels)) + 16), "r": 10, "t": 64 + 18 * bool(data.heads), "b": 10}
    fig = _style.plotly(title, data.subtitle, alt, height=90 + 64 * rows, margin=margin)
    fig.add_trace(_images.image_trace(picture))
    fig.update_xaxes(visible=False, range=[-0.5, picture.shape[1] - 0.5], constrain="domain", constraintoward="left")
    if data.heads:
        heads = [short(text, max(6, HEAD_LETTERS // len(data.heads))) for text in data.heads]
        ticks = {"tickvals": list(data.columns), "ticktext": heads, "tickangle": 0, "ticks": ""}
        fig.update_xaxes(visible=True, showgrid=False, showline=False, side="top", **ticks)
    fig.update_yaxes(
        showgrid=False,
        showline=False,
        range=[picture.shape[0] - 0.5, -0.5],
        constrain="domain",
        tickvals=list(data.rows),
        ticktext=[f"{label}  " for label in labels],
    )
    return fig


def static(data: Sheet, preset: str) -> Any:
    """The Matplotlib figure, across the whole width."""
    chosen, picture = _style.preset(preset), data.picture
    labels = [_style.fitting(label, chosen, LABELS * chosen.width, 1) for label in data.labels]
    left = max(_style.wide(label, chosen, 1) for label in labels) + 0.09
    width = chosen.width - left - EDGE
    height = width * picture.shape[0] / picture.shape[1]
    heads = [_style.lines(text, chosen, width / len(data.heads) - EDGE, 1) for text in data.heads]
    head = chosen.size / 72 * (1.6 + 1.25 * max(text.count("\n") for text in heads)) if heads else 0
    total = height + head + 2 * EDGE
    fig = _style.canvas(preset, total, arranged=False)
    axes = fig.add_axes((left / chosen.width, EDGE / total, width / chosen.width, height / total))
    axes.imshow(picture, aspect="auto", interpolation=_images.interpolation(data.smooth))
    axes.set(xticks=[], yticks=data.rows, yticklabels=labels)
    axes.tick_params(axis="y", pad=3)
    if data.heads:
        axes.xaxis.tick_top()
        axes.set_xticks(data.columns, heads)
    _style.bare(axes)
    return fig


def tiles(data: Sheet, preset: str, grey: Sequence[bool]) -> Any:
    """The Matplotlib figure of a sheet of few columns: each row a tile with its label above, as many as fit abreast."""
    chosen = _style.preset(preset)
    across = min(len(data.labels), max(1, int(chosen.width / (TILE * data.cells.shape[1]))))
    down, width = -(-len(data.labels) // across), chosen.width / across
    picture = [_images.mosaic(row[None], data.gap) for row in data.cells]
    said = _alike(data.labels, chosen, width - 2 * EDGE)
    line = chosen.size / 72 * 1.25 * (1.2 + max(label.count("\n") for label in said))
    high = (width - 2 * EDGE) * picture[0].shape[0] / picture[0].shape[1]
    total = down * (high + line) + EDGE
    fig = _style.canvas(preset, total, arranged=False)
    for k, (row, label, dead) in enumerate(zip(picture, said, grey, strict=True)):
        left, top = (k % across) * width + EDGE, total - (k // across) * (high + line) - line
        axes = fig.add_axes(
            (left / chosen.width, (top - high) / total, (width - 2 * EDGE) / chosen.width, high / total)
        )
        axes.imshow(row, aspect="auto", interpolation=_images.interpolation(data.smooth))
        axes.set(xticks=[], yticks=[])
        _style.bare(axes)
        tone = _style.GREY if dead else _style.INK
        axes.set_title(label, size=chosen.size - 1, weight="normal", color=tone, pad=2)
    return fig


def _alike(labels: Sequence[str], chosen: _style.Preset, room: float) -> list[str]:
    """Labels in one line each, or where one of them is too long for that, the parts of every one in a line each."""
    if all(_style.wide(label, chosen, 1) <= room for label in labels):
        return list(labels)
    return ["\n".join(_style.fitting(part, chosen, room, 1) for part in label.split(", ")) for label in labels]


def renderers(
    title: str, alt: Callable[[Any], str]
) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """What a figure that is a sheet needs besides `prepare` and `alt`: ``interactive``, ``static`` and ``numbers``."""
    return (lambda data: interactive(data, title, alt(data)), static, numbers)


def numbers(data: Sheet) -> pd.DataFrame:
    """What stands where: one row per image, with the code that it was decoded from where the sheet has them, otherwise
    with its label, its heading and its mean grey level from 0 to 255."""
    import pandas as pd

    if data.codes is not None:
        return pd.DataFrame({**data.marks, **dict(zip(symbols(len(data.codes.T)), data.codes.T, strict=True))})
    rows, columns = data.cells.shape[:2]
    heads = data.heads or [str(k) for k in range(columns)]
    grey = data.cells[..., :3].mean(axis=(2, 3, 4))
    return pd.DataFrame({"label": np.repeat(data.labels, columns), "column": list(heads) * rows, "grey": grey.ravel()})
