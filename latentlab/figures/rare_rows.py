"""The rarest and the commonest rows under the latent distribution, each above its reconstruction."""

from __future__ import annotations

import numpy as np

from latentlab.analysis.debias.record import load_extremes
from latentlab.figures import _images, _sheet
from latentlab.figures._kinds import abreast
from latentlab.figures._text import describe
from latentlab.runs.run import Run

TITLE = "Rare and common rows"
TAKES = "run"


def prepare(run: Run, *, images: int | None = None) -> _sheet.Sheet:
    """The first `images` rarest and commonest training rows, as `latentlab debias` found them.

    12 `images` where no number is said, 4 of other kinds.
    """
    extremes = load_extremes(run)
    rows, labels, marks = [], [], {"which": [], "row": [], "weight": [], "class": []}  # type: ignore[var-annotated]
    count = min(images or abreast(run.config.form), *(len(part.images) for part in extremes.values()))
    for name in ("rarest", "commonest"):
        part = extremes[name]
        if part.originals is not None:
            rows.append(part.pictures(part.originals[:count]))
            labels.append(name)
        rows.append(part.pictures(part.images[:count]))
        labels.append(name if part.originals is None else "decoded")
        marks["which"] += [name] * count
        marks["row"] += part.settings["rows"][:count]
        marks["weight"] += part.settings["weights"][:count]
        marks["class"] += part.settings["classes"][:count]
    summary = extremes["rarest"].settings["summary"]
    subtitle = [
        describe(run),
        f"{len(summary['dimensions'])} of {summary['of_dimensions']} dimensions used, combined by {summary['combine']}",
        f"effective sample size {summary['effective']:,.0f} of {summary['rows']:,} rows",
    ]
    cells = np.stack([_images.rgba(row) for row in rows])
    codes = np.concatenate([extremes[name].codes[:count] for name in ("rarest", "commonest")])
    return _sheet.Sheet(cells, tuple(labels), " · ".join(subtitle), codes=codes, marks=marks)


def alt(data: _sheet.Sheet) -> str:
    """The figure in words."""
    classes = [str(name) for name in data.marks["class"] if name]
    half = len(classes) // 2
    of = f" Classes: rarest {', '.join(classes[:half])}; most common {', '.join(classes[half:])}." if classes else ""
    return f"Grid of {data.plural}, rows: {'; '.join(data.labels)}. {data.subtitle}.{of}"


interactive, static, numbers = _sheet.renderers(TITLE, alt)
