"""Samples beside the training data nearest to them: invented, or remembered?"""

from __future__ import annotations

import numpy as np

from latentlab.analysis.support.record import ARMS, read_sheet, read_support
from latentlab.figures import _images, _sheet
from latentlab.figures._kinds import abreast
from latentlab.figures._text import describe, number
from latentlab.runs.run import Run
from latentlab.system.registry import choose

TITLE = "Samples and their nearest training data"
TAKES = "run"
SOURCES = ("prior", "gaussian", "aggregate")


def prepare(run: Run, *, source: str = "prior", images: int | None = None) -> _sheet.Sheet:
    """Samples of one kind (prior, gaussian, aggregate), each above the row of the training data nearest to it.

    12 `images` where no number is said, 4 of other kinds.
    """
    part = read_sheet(run)[f"samples-{choose(source, SOURCES, what='kind of samples')}"]
    count = images or abreast(part.form)
    arms = read_support(run)["arms"]
    here, real = arms[source]["to_training"], arms["real"]["to_training"]
    cells = np.stack([_images.rgba(part.pictures(each[:count])) for each in (part.images, part.originals)])  # type: ignore[index]
    subtitle = f"{describe(run)} · drawn from: {ARMS[source]} · median distance to the nearest {number(here)}"
    subtitle += f", from real data to the nearest other {number(real)}"
    subtitle += "; brightness does not count" if part.form.kind == "image" else ""
    return _sheet.Sheet(cells, ("sample", "nearest training"), subtitle)


def alt(data: _sheet.Sheet) -> str:
    """The figure in words."""
    return f"Two rows of {data.cells.shape[1]} {data.plural}: {' above '.join(data.labels)}. {data.subtitle}."


interactive, static, numbers = _sheet.renderers(TITLE, alt)
