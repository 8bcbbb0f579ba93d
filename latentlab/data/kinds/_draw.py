"""Small pictures of numbers: bars and lines, drawn with NumPy alone."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]
HEIGHT, WIDTH = 64, 128
MARGIN = 4  # pixels beside bars, by which a picture stands apart from the next
UP, DOWN, AXIS = (0, 114, 178), (213, 94, 0), (187, 187, 187)  # Okabe and Ito's blue and vermilion, a grey
LINES = (UP, DOWN, (0, 158, 115), (204, 121, 167), (86, 180, 233), (230, 159, 0))
SAMPLED = 8  # points between two columns of pixels
THICK = 2  # pixels of a line


def bars(heights: NDArray[np.floating], *, signed: bool = True) -> Pictures:
    """Bars of heights (…, d) in [−1, 1] around a middle line, as pictures (…, 3, HEIGHT, WIDTH); NaN is a gap.

    Bars that are not `signed` have heights in [0, 1] and stand on a line at the bottom. Of more bars than there are
    pixels, neighbours share one: the one that is farthest from 0.

    >>> bars(np.array([[1.0, -0.5, np.nan]])).shape
    (1, 3, 64, 128)
    """
    room = WIDTH - 2 * MARGIN
    heights = _thinned(np.asarray(heights, np.float64), room)
    d = heights.shape[-1]
    edges = np.linspace(0, room, d + 1).round().astype(int)
    middle = HEIGHT // 2 if signed else HEIGHT - 1
    ends = np.clip(np.nan_to_num(heights) * (middle - 1), 1 - middle, middle - 1).round().astype(int)
    rows = middle - np.arange(HEIGHT)[:, None]  # pixels above the middle
    up = (rows > 0) & (rows <= ends[..., None, :])
    down = (rows < 0) & (rows >= ends[..., None, :])
    picture = np.full((*heights.shape[:-1], 3, HEIGHT, d), 255, np.uint8)
    for mask, colour in ((up, UP), (down, DOWN), (np.broadcast_to(rows == 0, up.shape), AXIS)):
        for channel in range(3):
            picture[..., channel, :, :][mask] = colour[channel]
    wide = np.repeat(picture, np.diff(edges), axis=-1)
    if np.diff(edges).min() >= 3:
        wide[..., edges[1:] - 1] = 255  # a gap between bars
        wide[..., middle, :] = np.array(AXIS, np.uint8)[:, None]
    sides = [(0, 0)] * (wide.ndim - 1) + [(MARGIN, MARGIN)]
    return np.pad(wide, sides, constant_values=255)


def lines(heights: NDArray[np.floating], axis: NDArray[np.floating] | None = None) -> Pictures:
    """Curves of heights (…, c, t) in [0, 1] over an axis (t,), a colour per channel: pictures (…, 3, HEIGHT, WIDTH).

    Low is left, whichever way the axis runs; without one, points are as far apart as the next.

    >>> lines(np.linspace(0, 1, 50)[None]).shape
    (3, 64, 128)
    """
    *leading, channels, t = heights.shape
    flat = np.nan_to_num(np.asarray(heights, np.float64)).reshape(-1, channels, t)
    points = np.arange(t, dtype=np.float64) if axis is None else np.asarray(axis, np.float64)
    if points[0] > points[-1]:
        points, flat = points[::-1], flat[..., ::-1]
    at = np.linspace(points[0], points[-1], WIDTH * SAMPLED)
    below = np.clip(np.searchsorted(points, at, side="right") - 1, 0, max(t - 2, 0))
    above = np.minimum(below + 1, t - 1)
    gap = points[above] - points[below]
    share = np.divide(at - points[below], gap, out=np.zeros_like(at), where=gap > 0)
    fine = flat[..., below] * (1 - share) + flat[..., above] * share
    rows = _rows(fine)
    parted = rows.reshape(len(flat), channels, WIDTH, SAMPLED)
    meet = np.concatenate([parted, np.roll(parted[..., :1], -1, axis=2)], axis=-1)  # a steep line has no gaps
    meet[:, :, -1, -1] = parted[:, :, -1, -1]
    top, bottom, row = meet.min(axis=-1), meet.max(axis=-1), np.arange(HEIGHT)[:, None]
    span = points[-1] - points[0]
    column = np.clip((points - points[0]) * WIDTH / (span if span > 0 else 1), 0, WIDTH - 1).astype(int)
    held, starts = np.unique(column, return_index=True)  # peaks between the points that were sampled
    top[..., held] = np.minimum(top[..., held], np.minimum.reduceat(_rows(flat), starts, axis=-1))
    bottom[..., held] = np.maximum(bottom[..., held], np.maximum.reduceat(_rows(flat), starts, axis=-1))
    picture = np.full((len(flat), 3, HEIGHT, WIDTH), 255, np.uint8)
    for channel in range(channels):
        drawn = (row >= top[:, channel, None]) & (row < bottom[:, channel, None] + THICK)
        for k, level in enumerate(LINES[channel % len(LINES)]):
            picture[:, k][drawn] = level
    return picture.reshape(*leading, 3, HEIGHT, WIDTH)


def _rows(heights: NDArray[np.float64]) -> NDArray[np.int64]:
    """The upper row of pixels of heights in [0, 1]."""
    return ((1 - np.clip(heights, 0, 1)) * (HEIGHT - 4)).round().astype(np.int64) + 1


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from `low` to `high`, at most that many.

    >>> ticks(900, 1700, 5)
    [1000.0, 1200.0, 1400.0, 1600.0]
    """
    if not low < high:
        return [low]
    size = 10.0 ** math.floor(math.log10((high - low) / most))
    for step in (size, 2 * size, 5 * size, 10 * size, 20 * size):
        first, last = math.ceil(low / step), math.floor(high / step)
        if last - first < most:
            break
    return [float(f"{k * step:.12g}") for k in range(first, last + 1)] or [low]


def _thinned(values: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """At most that many values along the last axis: of neighbours that share a place, the one farthest from 0."""
    d = values.shape[-1]
    if d <= most:
        return values
    parts = np.array_split(np.arange(d), most)
    width = max(map(len, parts))
    padded = np.stack([np.pad(part, (0, width - len(part)), mode="edge") for part in parts])
    grouped = values[..., padded]
    best = np.abs(np.nan_to_num(grouped)).argmax(axis=-1)
    return np.take_along_axis(grouped, best[..., None], axis=-1)[..., 0]
