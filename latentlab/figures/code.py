"""One code, decoded: a row's or the mean's, and what it becomes when some of its dimensions are set by hand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.codes import draws
from latentlab.codes.codes import Codes
from latentlab.codes.paths import normal_of
from latentlab.errors import InputError, LatentlabError
from latentlab.figures import _images, _sheet
from latentlab.figures._text import describe
from latentlab.runs.images import dataset_of, picture_of
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

    from latentlab.models.live import Live

TITLE = "One code, decoded"
TAKES = "run"


def prepare(run: Run, *, model: Live, row: int | None = None, moved: str = "") -> _sheet.Sheet:
    """The code of the row with the id `row` (the prior's mean), and what `moved` makes of it: ``z3=1.5,z0=-0.4``."""
    codes = run.codes()
    start, code = moved_code(codes, row, moved)
    pair = np.stack([start, code]) if moved.strip() else start[None]
    images, heads = list(run.config.form.picture(model.decode(pair))), ["decoded", "moved"][: len(pair)]
    if row is not None and (image := original(run, row)) is not None:
        images, heads = [image, *images], [run.config.noun, *heads]
    far = bool(draws.leaving(codes, pair[-1]))
    told = [describe(run), moved.strip(), "far from the rows' codes" if far else ""]
    label = f"row {row}" if row is not None else "mean"
    said, marks = " · ".join(text for text in told if text), {"code": ["start", "moved"][: len(pair)]}
    return _sheet.Sheet(_images.rgba(np.stack(images))[None], (label,), said, tuple(heads), pair, marks)


def moved_code(codes: Codes, row: int | None, moved: str) -> tuple[draws.Floats, draws.Floats]:
    """The code (d,) of a row, or of the mean, and with the values that ``z3=1.5,z0=-0.4`` sets.

    >>> moved_code(Codes(np.ones((3, 2), np.float32)), 0, "z1=-2")[1].tolist()
    [1.0, -2.0]
    """
    centre = normal_of(codes)[0] if row is None else codes.mean[codes.position(row)]
    start = np.asarray(centre, np.float32)
    code = start.copy()
    for part in filter(None, re.split(r"[,;\s]+", moved.strip().replace("−", "-"))):
        found = re.fullmatch(r"z(\d{1,6})=(-?\d{1,9}(?:\.\d{1,9})?)", part)
        if found is None or int(found[1]) >= codes.latent_dim:
            raise InputError(
                f"{part[:40]!r} moves no dimension; expected such as z3=1.5, with z0 to z{codes.latent_dim - 1}"
            )
        code[int(found[1])] = float(found[2])
    return start, code


def table(start: draws.Floats, code: draws.Floats) -> pd.DataFrame:
    """Two codes (d,), one line per dimension."""
    import pandas as pd

    return pd.DataFrame({"dim": [f"z{j}" for j in range(len(code))], "start": start, "value": code})


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


def interactive(data: _sheet.Sheet) -> Any:
    """The Plotly figure."""
    return _sheet.interactive(data, TITLE, alt(data)).update_layout(height=260)


def static(data: _sheet.Sheet, preset: str) -> Any:
    """The Matplotlib figure."""
    return _sheet.static(data, preset, TITLE, cell=2.4 if data.smooth else 1.2)


def numbers(data: _sheet.Sheet) -> pd.DataFrame:
    """The numbers: one row per image, with the code that it was decoded from."""
    return _sheet.numbers(data)
