"""The rows of codes as ``map.js`` draws them: with all their factors, and the regions that these name."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.browser.map import content
from latentlab.codes.codes import Codes
from latentlab.codes.dimensions import factors_of
from latentlab.codes.regions import regions
from latentlab.codes.selections import levels


def of_codes(codes: Codes, xy: NDArray[np.floating], row_ids: NDArray[np.int64]) -> dict[str, Any]:
    """`content` of a picture (n, 2) of those rows of codes, with all their factors and the regions that these name.

    >>> codes = Codes(np.eye(2, dtype=np.float32), labels=np.array([0, 1]))
    >>> [factor["name"] for factor in of_codes(codes, codes.mean, codes.row_ids)["factors"]]
    ['label']
    """
    at = codes.positions(row_ids)
    factors = {name: (known[at], texts) for name, (known, texts) in levels(codes).items()}
    _, names, kinds = factors_of(codes)
    unordered = {name for name, kind in zip(names, kinds, strict=True) if kind == "categorical"}
    called = None if codes.row_names is None else codes.row_names[at]
    return content(xy, row_ids, factors, regions(xy, factors), unordered, called)
