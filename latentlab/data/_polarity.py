"""Whether figures are light on dark or dark on light, and the one turned into the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from latentlab.data._fingerprint import Known, digest
from latentlab.data.dataset import Dataset, Images
from latentlab.errors import InputError

SEEN = 1000  # rows that tell figure from ground


def light_ground(data: Dataset) -> bool:
    """Whether the border of most of its images is lighter than half, seen on at most 1,000 rows evenly spread."""
    rows = np.unique(np.linspace(0, len(data) - 1, min(len(data), SEEN)).astype(np.int64))
    images = data[rows]
    border = np.concatenate([images[..., [0, -1], :].ravel(), images[..., :, [0, -1]].ravel()])
    return bool(np.median(border) > 127)


def inverted(data: Dataset, asked: Any = 1) -> Dataset:
    """The data set with light and dark exchanged: 255 − x for every pixel x."""
    if asked != 1:
        raise InputError(f"inverted is {asked!r}; expected 1, as in strokes.zip:inverted=1, or leave it out")

    def read(rows: Any) -> Images:
        return 255 - data[rows]

    known = Known(read, lambda: digest(data.fingerprint["images"], "inverted"))
    return replace(data, read=known, source={**data.source, "inverted": True})
