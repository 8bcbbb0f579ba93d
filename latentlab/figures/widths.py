"""What σ says: the rows whose posteriors are narrowest, and those whose posteriors are widest."""

from __future__ import annotations

import numpy as np

from latentlab.analysis.support.record import read_sheet, read_support
from latentlab.errors import InputError
from latentlab.figures import _images, _sheet
from latentlab.figures._kinds import abreast
from latentlab.figures._text import describe, number
from latentlab.runs.run import Run

TITLE = "The most and least distinct rows"
TAKES = "run"


def prepare(run: Run, *, images: int | None = None) -> _sheet.Sheet:
    """The `images` rows with the narrowest posteriors and as many with the widest, each above its reconstruction.

    12 `images` where no number is said, 4 of other kinds.
    """
    pictures, found = read_sheet(run), read_support(run)
    if "widest" not in pictures:
        raise InputError(f"{run.path} has no widths: {found['undefined'].get('widths', 'it was not measured')}")
    rows, labels = [], []
    count = images or abreast(pictures["widest"].form)
    for name in ("narrowest", "widest"):
        part = pictures[name]
        rows += [_images.rgba(part.pictures(each[:count])) for each in (part.originals, part.images)]  # type: ignore[index]
        shown = part.settings["width"][:count]
        labels += [f"{name}, σ {min(shown):.2g} to {max(shown):.2g}", "decoded"]
    w = found["widths"]
    subtitle = f"{describe(run)} · geometric mean of σ over active dimensions, in units of the prior's"
    subtitle += (
        f" · half of all rows are below {number(w['median'])}, 95 % within {number(w['low'])} and {number(w['high'])}"
    )
    return _sheet.Sheet(np.stack(rows), tuple(labels), subtitle)


def alt(data: _sheet.Sheet) -> str:
    """The figure in words."""
    return f"Grid of {data.plural}, {data.cells.shape[1]} columns, rows: {'; '.join(data.labels)}. {data.subtitle}."


interactive, static, numbers = _sheet.renderers(TITLE, alt)
