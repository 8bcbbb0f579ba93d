"""Parts of an image that can be hidden, for filling in what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from latentlab.system.registry import choose

PARTS: Mapping[str, Callable[[int, int], tuple[slice, slice]]] = {
    "lower": lambda h, w: (slice(h // 2, h), slice(None)),
    "upper": lambda h, w: (slice(0, h // 2), slice(None)),
    "left": lambda h, w: (slice(None), slice(0, w // 2)),
    "right": lambda h, w: (slice(None), slice(w // 2, w)),
    "middle": lambda h, w: (slice(h // 4, h - h // 4), slice(w // 4, w - w // 4)),
}


def hidden(shape: tuple[int, ...], part: str) -> NDArray[np.bool_]:
    """Which pixels (h, w) are hidden: the ``lower``, ``upper``, ``left`` or ``right`` half, or the ``middle``.

    >>> hidden((1, 4, 4), "middle").sum()
    np.int64(4)
    """
    mask = np.zeros(shape[-2:], bool)
    mask[PARTS[choose(part, PARTS, what="part of an image")](*shape[-2:])] = True
    return mask
