"""Effect of directions other than the axes: a row per direction, two standard deviations around the mean code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from latentlab.codes.directions import KINDS, along, of_codes, of_weights
from latentlab.errors import InputError
from latentlab.figures import _images, _sheet
from latentlab.figures._text import describe
from latentlab.runs.run import Run
from latentlab.system.numbers import percent
from latentlab.system.registry import choose

if TYPE_CHECKING:
    from latentlab.models.live import Live

TITLE = "Directions"
TAKES = "run"
REACH = 2.0


def prepare(
    run: Run, *, model: Live, by: str | None = None, top: int = 8, steps: int = 7, row: int | str | None = None
) -> _sheet.Sheet:
    """The `top` directions ``by`` ``codes`` (principal components) or ``weights`` (of the decoder's first layer).

    They start from the mean code, or from that of the row with the id `row`. A model without an encoder has draws from
    the prior for codes, which vary alike in all directions, so its directions are by weights where nothing is said.
    """
    codes = run.codes()
    kind = choose(by or ("codes" if run.encodes else "weights"), KINDS, what="kind of directions")
    if not 2 <= steps <= 50 or top < 1:
        raise InputError(f"steps is {steps} and top {top}; expected 2 to 50 steps and a direction or more")
    found = of_codes(codes) if kind == "codes" else of_weights(model.first_weights())
    centre = codes.mean.mean(axis=0, dtype=np.float64) if row is None else codes.mean[codes.position(row)]
    count = min(top, len(found.vectors))
    paths = np.stack([along(codes, vector, centre, steps, REACH) for vector in found.vectors[:count]])
    labels = tuple(f"{k + 1}: {percent(share)}" for k, share in enumerate(found.share[:count]))
    heads = tuple(f"{t:+.2g} σ".replace("-", "−") if abs(t) > 1e-9 else "0" for t in np.linspace(-REACH, REACH, steps))
    around = "around the mean code" if row is None else f"around row {codes.called([codes.position(row)])[0]}"
    said = " · ".join([describe(run), f"{KINDS[kind]}, with their share", around])
    marks = {
        "direction": np.repeat(np.arange(1, count + 1), steps),
        "sd": np.tile(np.linspace(-REACH, REACH, steps), count),
    }
    cells = _images.rgba(run.config.form.picture(model.decode(paths)))
    return _sheet.Sheet(cells, labels, said, heads, paths.reshape(-1, codes.latent_dim), marks)


def alt(data: _sheet.Sheet) -> str:
    """The figure in words."""
    return f"Rows of decoded {data.plural} along directions of the latent space, most important first. {data.subtitle}."


interactive, static, numbers = _sheet.renderers(TITLE, alt)
