"""Images and what each run makes of them: a row of originals, then one row per run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.codes.decodings import Decodings
from latentlab.data.dataset import Samples
from latentlab.errors import InputError
from latentlab.figures import _images, _panels, _sheet
from latentlab.figures._kinds import abreast, drawing
from latentlab.runs.comparison import told_apart
from latentlab.runs.run import Run
from latentlab.runs.weights import check_model

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Reconstructions"
TAKES = "runs"


@dataclass(frozen=True, eq=False)
class Reconstructions(_sheet.Sheet):
    """The originals in the first row and a run in each other; ``row_ids`` are the ids of the samples' rows.

    Samples that are no pictures are drawn in ``panels``, ``differences`` being their numbers.
    """

    row_ids: tuple[int, ...] = ()
    panels: _panels.Panels | None = None
    differences: pd.DataFrame | None = None


def prepare(runs: Sequence[Run], *, images: int | None = None) -> Reconstructions:
    """The first `images` reconstructed rows (12 pictures, 4 of other kinds), a seeded random choice, in all runs."""
    if images is not None and images < 1:
        raise InputError(f"images is {images}; expected 1 or more")
    parts = [(run, part) for run in runs if (part := _part(run)) is not None]
    if not parts:
        check_model(runs[0])
    if not parts and not (runs[0].encodes and runs[0].decodes):
        raise InputError(f"{runs[0].path} has no {'decoder' if runs[0].encodes else 'encoder'}, so no reconstructions")
    if not parts:
        raise InputError(f"{runs[0].path} has no reconstructions; compute them: `latentlab analyze … --only traverse`")
    first = parts[0][1]
    drawn = drawing(first.form)
    ids = _shared_ids([part for _, part in parts])[: images or abreast(first.form)]
    originals = _pick(first, first.originals, ids)
    for run, part in parts[1:]:
        if not np.array_equal(_pick(part, part.originals, ids), originals):
            both = f"{run.name[-60:]} and {parts[0][0].name[-60:]}"
            raise InputError(f"{both} reconstruct different {runs[0].config.plural}; choose runs of the same data")
    pictures = first.form.picture
    rows = [pictures(originals), *(pictures(_pick(part, part.images, ids)) for _, part in parts)]
    left_out = len(runs) - len(parts)
    subtitle = [f"{len(ids)} of {len(_ids(first)):,} rows decoded from their posterior means"]
    subtitle += [f"{left_out} of {len(runs)} runs have none"] if left_out else []
    labels = ("original", *told_apart([run for run, _ in parts]))
    cells = np.stack([_images.rgba(row) for row in rows])
    sheet = Reconstructions(cells, labels, " · ".join(subtitle), row_ids=tuple(ids))
    if drawn is None:
        return sheet
    codes = parts[0][0].codes()
    decoded = {label: _pick(part, part.images, ids) for label, (_, part) in zip(labels[1:], parts, strict=True)}
    panels = drawn.reconstructions(first.form, originals, decoded, [f"row {codes.naming(row)}" for row in ids])
    return replace(sheet, panels=panels, differences=drawn.differences(first.form, originals, decoded))


def _part(run: Run) -> Decodings | None:
    if not run.has("traverse"):
        return None
    part = run.decodings().get("reconstructions")
    return part if part is not None and part.originals is not None else None


def _ids(part: Decodings) -> list[int]:
    return [int(row) for row in part.settings.get("rows", range(len(part.images)))]


def _shared_ids(parts: Sequence[Decodings]) -> list[int]:
    shared = [row for row in _ids(parts[0]) if all(row in _ids(part) for part in parts[1:])]
    if not shared or len({part.images.shape[1:] for part in parts}) > 1:
        raise InputError("the runs have no reconstructed row in common; analyse them on the same data and seed")
    return shared


def _pick(part: Decodings, images: Any, ids: Sequence[int]) -> Samples:
    known = _ids(part)
    found: Samples = images[[known.index(row) for row in ids]]
    return found


def alt(data: Reconstructions) -> str:
    """The figure in words."""
    if data.panels is not None:
        of = f"{min(len(data.panels.panels), len(data.row_ids))} panels, data with reconstructions laid over"
        return f"{of}: {'; '.join(data.labels)}. {data.subtitle}."
    return f"Grid of images: {data.cells.shape[1]} columns, rows: {'; '.join(data.labels)}. {data.subtitle}."


def interactive(data: Reconstructions) -> Any:
    """The Plotly figure."""
    if data.panels is not None:
        return _panels.interactive(data.panels, TITLE, data.subtitle, alt(data))
    return _sheet.interactive(data, TITLE, alt(data))


def static(data: Reconstructions, preset: str) -> Any:
    """The Matplotlib figure."""
    if data.panels is not None:
        return _panels.static(data.panels, preset)
    return _sheet.static(data, preset)


def numbers(data: Reconstructions) -> pd.DataFrame:
    """What stands where: one row per image, with the id of its row; of other samples the error of each."""
    if data.differences is not None:
        return data.differences.assign(row=list(data.row_ids) * (len(data.labels) - 1))
    return _sheet.numbers(data).assign(row=list(data.row_ids) * len(data.labels))
