"""The ways from one row's code to another's, decoded: straight, and along the great circle between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.codes import draws
from latentlab.codes.codes import Codes
from latentlab.codes.paths import WAYS
from latentlab.errors import InputError
from latentlab.figures import _images, _sheet
from latentlab.figures._kinds import drawing
from latentlab.figures._text import describe, plain
from latentlab.figures.code import original
from latentlab.runs.run import Run

if TYPE_CHECKING:
    from latentlab.models.live import Live

TITLE = "Interpolation"
TAKES = "run"
PICTURES, DRAWN = 9, 5  # steps


def prepare(
    run: Run,
    *,
    model: Live,
    a: int | str | None = None,
    b: int | str | None = None,
    steps: int | None = None,
    way: str | None = None,
) -> _sheet.Sheet:
    """From the row `a` to the row `b`, by id or name (two seeded random rows), `way` linear, spherical or both.

    9 `steps` where no number is said, 5 of samples that are no pictures. Steps that lie farther from every row's code
    than rows do from each other are faded.
    """
    codes = run.codes()
    steps = steps or steps_of(run)
    if not 2 <= steps <= 50:
        raise InputError(f"steps is {steps}; expected 2 to 50")
    first, last = _ends(codes, a, b)
    chosen = [way] if way else list(WAYS)
    paths = np.stack([along(codes, first, last, steps, each) for each in chosen])
    far = draws.leaving(codes, paths)
    cells = _images.rgba(run.config.form.picture(model.decode(paths)))
    cells[far, ..., 3] = _images.FADED
    ids = [int(codes.row_ids[place]) for place in (first, last)]
    called = codes.called([first, last])
    heads = [plain(t) for t in np.linspace(0, 1, steps)]
    pictures = [original(run, row) for row in ids]
    if all(picture is not None for picture in pictures):
        cells = np.concatenate([_beside(pictures[0], cells), cells, _beside(pictures[1], cells)], axis=1)
        heads = [f"row {called[0]}", *heads, f"row {called[1]}"]
    subtitle = [
        describe(run),
        f"from row {called[0]} to row {called[1]}",
        "" if len(heads) == steps else f"outer columns: the {run.config.plural} themselves",
        f"{int(far.sum())} of {far.size} steps lie far from every row's code and are faded" if far.any() else "",
    ]
    marks = {"way": np.repeat(chosen, steps), "t": np.tile(np.linspace(0, 1, steps), len(chosen)), "far": far.ravel()}
    said = " · ".join(text for text in subtitle if text)
    return _sheet.Sheet(cells, tuple(chosen), said, tuple(heads), paths.reshape(-1, codes.latent_dim), marks)


def steps_of(run: Run) -> int:
    """Steps of a way where no number is said: drawn curves and bars need more room than pictures."""
    return PICTURES if drawing(run.config.form) is None else DRAWN


def _beside(picture: Any, cells: _images.Picture) -> _images.Picture:
    """A column (rows, 1, h, w, 4) beside the cells, the picture in its first row."""
    column = np.zeros_like(cells[:, :1])
    column[0, 0] = _images.rgba(picture)
    return column


def along(codes: Codes, first: int, last: int, steps: int, way: str) -> draws.Floats:
    """The codes (steps, d) on the way between the rows at two positions."""
    from latentlab.system.registry import choose

    go = WAYS[choose(way, WAYS, what="way")]
    return go(codes.mean[first], codes.mean[last], steps)


def _ends(codes: Codes, a: int | str | None, b: int | str | None) -> tuple[int, int]:
    if len(codes) < 2:
        raise InputError("the codes have one row; an interpolation needs two")
    drawn = np.random.default_rng(0).permutation(len(codes))[:2]
    first, last = (
        codes.position(row) if row is not None else int(other) for row, other in zip((a, b), drawn, strict=True)
    )
    return first, last


def alt(data: _sheet.Sheet) -> str:
    """The figure in words."""
    return f"Rows of {len(data.heads)} decoded {data.plural}: {', '.join(data.labels)}. {data.subtitle}."


interactive, static, numbers = _sheet.renderers(TITLE, alt)
