"""Images decoded from draws of codes: from the prior, the aggregate posterior, and a mixture fitted to the codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from latentlab.codes import draws
from latentlab.errors import InputError
from latentlab.figures import _images, _sheet
from latentlab.figures._kinds import drawing
from latentlab.figures._text import describe
from latentlab.runs.run import Run

if TYPE_CHECKING:
    from latentlab.models.live import Live

TITLE = "Samples"
TAKES = "run"
ACROSS = 12


def prepare(
    run: Run, *, model: Live, source: str | None = None, count: int | None = None, seed: int = 0
) -> _sheet.Sheet:
    """`count` draws from one `source` (prior, aggregate, mixture), or 24 from each in turn (12 if not of images).

    A model without an encoder has no codes of images, and so draws from the prior alone.
    """
    codes = run.codes()
    sources = [source] if source else list(draws.SOURCES) if run.encodes else ["prior"]
    most = ACROSS if drawing(run.config.form) is None else ACROSS // 2
    count = count or (2 * most if len(sources) > 1 else 5 * most)
    if not 1 <= count <= 600:
        raise InputError(f"count is {count}; expected 1 to 600 samples")
    drawn = [draws.samples(codes, each, count, seed) for each in sources]
    images = _images.rgba(run.config.form.picture(model.decode(np.stack(drawn))))
    down = -(-count // most)
    blank = _images.blank(len(sources), down * most - count, *images.shape[2:])
    across = min(most, count)
    cells = np.concatenate([images, blank], axis=1)[:, : down * across].reshape(-1, across, *images.shape[2:])
    labels = [label for each in sources for label in (draws.SOURCE_NAMES[each], *[""] * (down - 1))]
    trained = run.config.stochastic or not run.encodes
    subtitle = [
        describe(run),
        f"{count} samples of each" if len(sources) > 1 else f"{count} samples",
        "" if trained or "prior" not in sources else "an autoencoder has no prior",
        f"seed {seed}",
    ]
    said, marks = " · ".join(text for text in subtitle if text), {"source": np.repeat(sources, count)}
    return _sheet.Sheet(cells, tuple(labels), said, codes=np.concatenate(drawn), marks=marks)


def alt(data: _sheet.Sheet) -> str:
    """The figure in words."""
    return f"Grid of decoded {data.plural}, drawn from: {'; '.join(filter(None, data.labels))}. {data.subtitle}."


interactive, static, numbers = _sheet.renderers(TITLE, alt)
