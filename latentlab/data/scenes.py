"""Scenes in colour: a sphere, cube, cylinder or capsule in a room, with six factors; drawn on the spot.

184,320 images of 3×64×64: every combination of floor hue (8), wall hue (8), object hue (8), scale (6), shape (4) and
orientation (15), in row-major order. The factors are those of Shapes3D (Burgess and Kim, 2018), the pictures are not:
a camera goes around the object, whose room has a tiled floor, four walls, a lamp and soft shadows.

What a pixel sees depends on scale, shape and orientation alone; the hues are paint on it. So 360 scenes are traced once
(9 rays a pixel), each as the amount of light that floor, wall, object and highlights send to each pixel, and an image
is those four amounts times four colours. Amounts and colours are whole numbers whose sums float32 holds exactly, so the
bytes of an image do not depend on the order of a sum. Light is added up linearly and encoded as sRGB in the end.
"""

from __future__ import annotations

import colorsys
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from latentlab.data._grid import check_size, checked_rows, drawn
from latentlab.data._rays import LIGHT, trace, view
from latentlab.data.dataset import Dataset, Factor, Images

GRID = (8, 8, 8, 6, 4, 15)
HUES = np.arange(8) / 8
SCALES = np.linspace(0.7, 1.2, 6)
SHAPES = ("sphere", "cube", "cylinder", "capsule")
ORIENTATIONS = np.linspace(-30, 30, 15)
SPECS = (
    *(Factor(f"{part} hue", "circular", tuple(HUES.tolist())) for part in ("floor", "wall", "object")),
    Factor("scale", "ordinal", tuple(SCALES.tolist())),
    Factor("shape", "categorical", SHAPES),
    Factor("orientation", "continuous", tuple(ORIENTATIONS.tolist())),
)
SIZES = range(16, 129)
PAINT, STEPS = 1023, 4096  # what stands for 1 in a colour; how finely linear light is told apart before it is encoded
PER_STEP = np.float32(STEPS / (LIGHT * PAINT))
WHITE = np.full(3, PAINT, np.float32)
SATURATION, VALUE = {"floor": 0.55, "wall": 0.45, "object": 0.85}, {"floor": 0.80, "wall": 0.88, "object": 0.95}


def load(*, size: int = 64, grid: tuple[int, ...] = GRID) -> Dataset:
    """Scenes as a `Dataset`, drawn at ``size`` × ``size``; ``grid`` asks for fewer levels per factor, evenly spaced.

    Hues are circular, over the half-open circle; scale is ordinal; orientation, in degrees, runs from one end to the
    other and back, so it is continuous.

    >>> load(size=32, grid=(2, 2, 2, 2, 4, 3))
    Dataset('scenes': 192 images 3×32×32; floor hue, wall hue, object hue, scale, shape, orientation)
    """
    check_size(size, SIZES, "scenes")
    periods = {"floor hue": 8, "wall hue": 8, "object hue": 8}
    return drawn("scenes", SPECS, render, channels=3, size=size, grid=grid, periods=periods)


def render(rows: NDArray[np.integer] | list[int], size: int = 64) -> Images:
    """The images (k, 3, size, size) uint8 of those rows (k,) of the full grid.

    >>> render([0, 1]).shape
    (2, 3, 64, 64)
    """
    check_size(size, SIZES, "scenes")
    rows = checked_rows(rows, int(np.prod(GRID)), "scenes")
    floor, wall, thing, scale, shape, orientation = np.unravel_index(rows, GRID)
    colours, encoded = _colours(), _encoding()
    painted = np.empty((len(rows), 3, size, size), np.uint8)
    for k in range(len(rows)):
        paint = np.stack([colours[0, floor[k]], colours[1, wall[k]], colours[2, thing[k]], WHITE], axis=1)
        light = (paint @ _scenes(size, int(orientation[k]))[scale[k], shape[k]]) * PER_STEP
        painted[k] = encoded[np.minimum(light, STEPS - 1).astype(np.intp)].reshape(3, size, size)
    return painted


@lru_cache(maxsize=2 * len(ORIENTATIONS))
def _scenes(size: int, orientation: int) -> NDArray[np.float32]:
    """The light (6, 4, 4, size²) that every scale and shape sends to each pixel at one orientation: by floor, wall,
    object and highlights, in whole numbers, LIGHT for 1."""
    seen = view(size, float(ORIENTATIONS[orientation]))
    return np.stack([[trace(size, seen, scale, shape) for shape in SHAPES] for scale in SCALES.tolist()])


@lru_cache(maxsize=1)
def _colours() -> NDArray[np.float32]:
    """Colours (3, 8, 3) of floor, wall and object by hue, as linear light in whole numbers."""
    found = np.empty((3, len(HUES), 3), np.float32)
    for part, name in enumerate(SATURATION):
        for k, hue in enumerate(HUES.tolist()):
            colour = colorsys.hsv_to_rgb(hue, SATURATION[name], VALUE[name])
            found[part, k] = [round(PAINT * _decode(value)) for value in colour]
    return found


def _decode(value: float) -> float:
    """Linear light of an sRGB value in [0, 1]."""
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


@lru_cache(maxsize=1)
def _encoding() -> NDArray[np.uint8]:
    """The sRGB byte of each step of linear light: the one that decodes to the nearest."""
    light = (np.arange(STEPS) + 0.5) / STEPS
    middles = [(_decode(k / 255) + _decode((k + 1) / 255)) / 2 for k in range(255)]
    return np.searchsorted(middles, light).astype(np.uint8)
