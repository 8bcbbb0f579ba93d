"""Regions of a picture of the codes, and the factor value that each has more of than the rest: labels of a map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CELLS = 64
MOST = 16  # regions
LEAST = 0.01  # of the rows, for a region
SHARE, LIFT = 0.5, 1.5  # of a value that names its region, at least
Levels = tuple[NDArray[np.integer], list[str]]


class Region(NamedTuple):
    """A label and the place (x, y) it belongs to, with the rows of the region."""

    text: str
    x: float
    y: float
    rows: int


def regions(xy: NDArray[np.floating], factors: Mapping[str, Levels]) -> list[Region]:
    """The dense regions of a picture (n, 2) that a factor value names.

    A region is what lies nearest to one peak of the smoothed density. It is named by the value that most of its rows
    have (half of them at least, and one and a half times as often as in all rows), the most over-represented first;
    a region without such a value has no label. ``factors`` are each row's level (n,), −1 where it is missing, and the
    levels' texts.

    >>> xy = np.repeat([[0.0, 0.0], [9.0, 9.0]], 50, axis=0)
    >>> [region.text for region in regions(xy, {"shape": (np.repeat([0, 1], 50), ["heart", "square"])})]
    ['heart', 'square']
    """
    nearest, count = _nearest_peak(xy)
    sizes = np.bincount(nearest, minlength=count)
    named = {peak: text for peak, text in enumerate(_names(nearest, count, factors)) if text}
    found = []
    for peak, text in named.items():
        if sizes[peak] >= LEAST * len(xy):
            x, y = np.median(xy[nearest == peak], axis=0)
            found.append(Region(text, float(x), float(y), int(sizes[peak])))
    return found


def _nearest_peak(xy: NDArray[np.floating]) -> tuple[NDArray[np.integer], int]:
    """The peak of the density that each point (n,) is nearest to, and how many peaks there are."""
    from scipy.ndimage import gaussian_filter, maximum_filter

    low, span = xy.min(axis=0), np.maximum(np.ptp(xy, axis=0), 1e-12)
    cells = np.minimum(((xy - low) / span * CELLS).astype(np.int64), CELLS - 1)
    density = gaussian_filter(
        np.bincount(cells[:, 1] * CELLS + cells[:, 0], minlength=CELLS * CELLS).reshape(CELLS, CELLS).astype(float), 2
    )
    peaks = np.argwhere((density == maximum_filter(density, 9)) & (density > 0.05 * density.max()))
    peaks = peaks[np.argsort(-density[tuple(peaks.T)], kind="stable")][:MOST]
    places = np.indices((CELLS, CELLS)).reshape(2, -1).T
    near = ((places[:, None] - peaks) ** 2).sum(axis=2).argmin(axis=1).reshape(CELLS, CELLS)
    return near[cells[:, 1], cells[:, 0]], len(peaks)


def _names(nearest: NDArray[np.integer], count: int, factors: Mapping[str, Levels]) -> list[str]:
    """The text that names each region; empty where no value does."""
    best, texts = np.zeros(count), [""] * count
    for factor, (levels, values) in factors.items():
        known = levels >= 0
        pairs = nearest[known] * len(values) + levels[known]
        rows = np.bincount(pairs, minlength=count * len(values)).reshape(count, len(values))
        share = rows / np.maximum(rows.sum(axis=1, keepdims=True), 1)
        lift = share / np.maximum(rows.sum(axis=0) / max(rows.sum(), 1), 1e-12)
        lift[(share < SHARE) | (lift < LIFT)] = 0
        top = lift.argmax(axis=1)
        for peak in np.flatnonzero(lift.max(axis=1) > best):
            value = values[top[peak]]
            best[peak] = lift[peak, top[peak]]
            texts[peak] = value if value[:1].isalpha() else f"{factor} {value}"
    return texts
