"""What the page of the map loads of each run: its points with their factors, and the pictures of its rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.browser.rows import of_codes
from latentlab.codes.codes import Codes
from latentlab.codes.dimensions import factors_of
from latentlab.codes.symbols import symbol
from latentlab.errors import attempt
from latentlab.figures._kinds import drawing
from latentlab.runs.images import dataset_of, pictures_of
from latentlab.runs.projections import projections_of
from latentlab.runs.run import Run
from latentlab.system.png import Pictures, data_uri, strip

GREY, COLOURED, DRAWN = 64, 32, 128  # pixels of a picture's longer side, at most: 2,000 photos then take some 6 MB
NAMES = {"umap": "UMAP", "pca": "PCA"}


@dataclass
class Mapped:
    """The maps of several runs, and the sheets of pictures that they share: the rows of a study are mostly the same."""

    rows: int
    maps: dict[str, dict[str, Any]] = field(default_factory=dict)
    sheets: list[dict[str, Any]] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)
    _known: dict[Any, tuple[int, str]] = field(default_factory=dict)

    def add(self, run: Run, order: Sequence[int]) -> None:
        """The maps of a run, whose most important dimensions come first in `order`."""
        codes = run.codes()
        names = factors_of(codes)[1]
        views, ids = {}, codes.row_ids[:0]
        for title, (xy, row_ids) in _views(run, codes, order).items():
            some = np.sort(np.random.default_rng(0).permutation(len(row_ids))[: self.rows])
            xy, ids = xy[some], row_ids[some]
            views[title] = of_codes(codes, xy, ids)
        sheet, why = self._sheet(run, codes, ids)
        self.left |= {run.name: why} if why else {}
        self.maps[run.name] = {"views": views, "sheet": sheet, "by": names[0] if names else ""}

    def _sheet(self, run: Run, codes: Codes, ids: NDArray[np.int64]) -> tuple[int, str]:
        """The number of the sheet with the pictures of these rows; −1 where there is none, and why."""
        inputs = codes.provenance.get("inputs", {})
        same = [run.config.data, inputs.get("source"), inputs.get("fingerprint"), run.config.form]
        key = (json.dumps(same[:3], sort_keys=True, default=str), str(same[3]), ids.tobytes())
        if key not in self._known:
            found, why = attempt(partial(_pictures, run, ids), None)
            self._known[key] = (-1, why) if found is None else (len(self.sheets), "")
            self.sheets += [] if found is None else [found]
        return self._known[key]


def _views(run: Run, codes: Codes, order: Sequence[int]) -> dict[str, tuple[Any, NDArray[np.int64]]]:
    """Points and row ids by title: the projections, or where there is none the two most important dimensions."""
    projected, _ = attempt(partial(projections_of, run), {})
    found = {title: (projected[name].xy, projected[name].row_ids) for name, title in NAMES.items() if name in projected}
    if found:
        return found
    i, j = [*order, *order][:2]
    return {f"{symbol(i)} and {symbol(j)}": (codes.mean[:, [i, j]], codes.row_ids)}


def _pictures(run: Run, ids: NDArray[np.int64]) -> dict[str, Any]:
    """The pictures of these rows as one image, made small, and where each of them lies."""
    pictures = pictures_of(run, dataset_of(run), ids)
    pictures = _small(pictures, DRAWN if drawing(run.config.form) else GREY if pictures.shape[1] == 1 else COLOURED)
    across = int(np.ceil(np.sqrt(len(ids))))
    height, width = pictures.shape[2:]
    scale = max(1, 64 // max(height, width))  # as `strip` enlarges them
    sheet = data_uri(strip(pictures, gap=0, columns=across)[::scale, ::scale])
    return {"sheet": sheet, "across": across, "width": width, "height": height, "rows": ids.tolist()}


def _small(pictures: Pictures, longest: int) -> Pictures:
    """Pictures (n, c, h, w) by means of squares, so that their longer side is short enough."""
    n, c, h, w = pictures.shape
    by = -(-max(h, w) // longest)
    if by == 1:
        return pictures
    high, wide = max(1, h // by), max(1, w // by)
    rows, columns = min(by, h), min(by, w)
    cut = pictures[:, :, : high * rows, : wide * columns].reshape(n, c, high, rows, wide, columns)
    return np.asarray(cut.mean(axis=(3, 5)).round(), pictures.dtype)
