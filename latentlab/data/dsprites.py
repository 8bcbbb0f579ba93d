"""dSprites (Matthey, Higgins, Hassabis, Lerchner, 2017): rendered on the spot, or the published file.

737,280 binary images: every combination of shape (3), scale (6), orientation (40), x position (32) and y position
(32), in row-major order; the published file's constant colour is left out. The images were once drawn in LÖVE by
a program that is not public. These outlines, in pixels at scale 1 and size 64, are fitted to 254 distinct frames of
the published data. All but three of them are reproduced pixel for pixel, those three but for two pixels:

- square: |u|, |v| < 9.598 (the frames allow 9.5966 to 9.5998, just short of the nominal 9.6);
- ellipse: half axes 12.7675 and 7.2125;
- heart: u = 9.5935 sin³t, v = −1.43588 − 0.662313 (13 cos t − 5 cos 2t − 2 cos 3t − cos 4t).

The image turns by −θ, centres run from 16 to 48, and a pixel is white when its centre lies inside. That agreement on
254 frames does not make the rendering the benchmark file: ``source["name"]`` says which of the two it is.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentlab.data._grid import check_size, checked_rows, drawn
from latentlab.data.dataset import Dataset, Factor, Images, Rows
from latentlab.errors import InputError

GRID = (3, 6, 40, 32, 32)
SHAPES = ("square", "ellipse", "heart")
SCALES = np.linspace(0.5, 1, 6)
ORIENTATIONS = np.linspace(0, 2 * np.pi, 40)
POSITIONS = np.linspace(0, 1, 32)
SPECS = (
    Factor("shape", "categorical", SHAPES),
    Factor("scale", "ordinal", tuple(SCALES.tolist())),
    Factor("orientation", "circular", tuple(ORIENTATIONS.tolist())),
    Factor("x position", "continuous", tuple(POSITIONS.tolist())),
    Factor("y position", "continuous", tuple(POSITIONS.tolist())),
)
SIZES = range(8, 513)
REACH = 14.0  # no outline reaches farther from its centre (a square corner, 13.6), in pixels at size 64
CHUNK = 4096  # images drawn at once: 16 MiB at size 64


def load(path: str | None = None, *, size: int = 64, grid: tuple[int, ...] = GRID) -> Dataset:
    """dSprites as a `Dataset`, rendered at ``size`` × ``size``; with ``path`` the published ``.npz`` or ``.hdf5``.

    ``grid`` asks for fewer levels per factor, evenly spaced (orientations over the half-open circle, so that none
    appears twice). Row ids are then positions in that smaller grid, and ``source["levels"]`` says which levels it has.

    >>> load(size=32, grid=(3, 2, 4, 3, 3))
    Dataset('dsprites': 216 images 1×32×32; shape, scale, orientation, x position, y position)
    """
    if path is not None:
        if size != 64 or grid != GRID:
            raise InputError("the published dSprites file has one size and one grid; leave out size= and grid=")
        from latentlab.data._published import dsprites

        return dsprites(Path(path), SPECS)
    check_size(size, SIZES, "dSprites")
    # Orientation 39 shows the same image as orientation 0.
    return drawn("dsprites", SPECS, render, channels=1, size=size, grid=grid, periods={"orientation": 39})


def render(rows: NDArray[np.integer] | list[int], size: int = 64) -> Images:
    """The images (k, 1, size, size), 0 or 255, of those rows (k,) of the full grid; geometry scales with ``size``.

    >>> int((render([0]) == 255).sum())
    100
    """
    check_size(size, SIZES, "dSprites")
    rows = checked_rows(rows, int(np.prod(GRID)), "dSprites")
    spans, outlines = _spans(size), int(np.prod(GRID[:3]))
    images = np.zeros((len(rows), 1, size, size), dtype=np.uint8)
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        outline, x, y = np.unravel_index(part, (outlines, *GRID[3:]))
        _fill(images[start : start + CHUNK, 0], spans, outline, x, y)
    return images


class _Spans(NamedTuple):
    """Where each outline crosses each pixel row, for every y position.

    ``crossings`` (outline, y position, row, 2 or 4) holds ascending horizontal distances from the centre, +inf where
    unused; ``first`` (y position,) is the image row that row 0 of the table stands for.
    """

    crossings: NDArray[np.float32]
    first: NDArray[np.int64]
    centres: NDArray[np.float64]
    prefix: NDArray[np.uint8]


def _fill(images: Images, spans: _Spans, outline: Rows, x: Rows, y: Rows) -> None:
    """Draw into ``images`` (k, size, size) by even-odd filling.

    A span from a to b is where the rows "white left of a" and "white left of b" differ: their exclusive or.
    """
    size, height = images.shape[1], spans.crossings.shape[2]
    ends = np.ceil(spans.crossings[outline, y] + (spans.centres[x] - 0.5)[:, None, None]).clip(0, size).astype(np.intp)
    white = spans.prefix[ends[..., 0]]
    for k in range(1, ends.shape[-1]):
        white ^= spans.prefix[ends[..., k]]
    band = spans.first[y][:, None] + np.arange(height)
    images[np.arange(len(images))[:, None], band] = white


@lru_cache(maxsize=4)
def _spans(size: int) -> _Spans:
    unit = size / 64
    centres = (16 + 32 * POSITIONS) * unit
    height = min(size, int(np.ceil(2 * REACH * unit)) + 1)
    first = np.clip(np.ceil(centres - REACH * unit - 0.5), 0, size - height).astype(np.int64)
    scanlines = first[:, None] + np.arange(height) + 0.5 - centres[:, None]
    order = np.argsort(scanlines, axis=None)
    ascending = scanlines.reshape(-1)[order]
    table = np.full((*GRID[:3], scanlines.size, 4), np.inf, dtype=np.float32)
    for s, k, o in np.ndindex(GRID[:3]):
        points = unit * float(SCALES[k]) * _outline(SHAPES[s]) @ _turn(float(ORIENTATIONS[o]))
        table[s, k, o, order] = _crossings(points, ascending)
    below = np.arange(size) < np.arange(size + 1)[:, None]
    return _Spans(table.reshape(-1, len(centres), height, 4), first, centres, np.where(below, 255, 0).astype(np.uint8))


def _turn(angle: float) -> NDArray[np.float64]:
    """The matrix M for which (u, v) @ M turns outline points by −angle, with v pointing down."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


@lru_cache
def _outline(shape: str) -> NDArray[np.float64]:
    """Vertices (m, 2) of a closed outline (u to the right, v down) in pixels at scale 1 and size 64."""
    if shape == "square":
        return 9.598 * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    t = np.linspace(0, 2 * np.pi, 2048, endpoint=False)
    if shape == "ellipse":
        return np.stack([12.7675 * np.cos(t), 7.2125 * np.sin(t)], axis=1)
    profile = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([9.5935 * np.sin(t) ** 3, -1.43588 - 0.662313 * profile], axis=1)


def _crossings(points: NDArray[np.float64], heights: NDArray[np.float64]) -> NDArray[np.float32]:
    """Where a closed polygon crosses horizontal lines at ascending ``heights`` (r,): ascending (r, 4), +inf unused."""
    (x0, y0), (x1, y1) = points.T, np.roll(points, -1, axis=0).T
    low, high = np.searchsorted(heights, [np.minimum(y0, y1), np.maximum(y0, y1)])
    count = high - low
    edge = np.repeat(np.arange(len(points)), count)
    line = low[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    at = x0[edge] + (heights[line] - y0[edge]) / (y1 - y0)[edge] * (x1 - x0)[edge]
    order = np.lexsort((at, line))
    line, at = line[order], at[order]
    place = np.arange(len(line)) - np.searchsorted(line, line)
    found = np.full((len(heights), 4), np.inf, dtype=np.float32)
    found[line, place] = at
    return found
