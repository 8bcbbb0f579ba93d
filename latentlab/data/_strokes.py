"""Thickness, slant and width of drawn figures, measured on the images: factors for data that come with labels alone.

MNIST has labels and nothing else, so a table of its dimensions could only name digits. These three are measured on
each image, from its moments and its edges, and stand beside the label: ``load("mnist/:factors=strokes")``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from latentlab.data._polarity import light_ground
from latentlab.data.dataset import Dataset, Factor, Images
from latentlab.errors import InputError

BLOCK = 4096
SPECS = tuple(Factor(name, "continuous") for name in ("thickness", "slant", "width"))
UNIFORM = np.sqrt(12)  # the width of a uniform distribution over its standard deviation

Floats = NDArray[np.float64]


def measured(data: Dataset, factors: str) -> Dataset:
    """The data set with what ``factors`` names measured on its images: ``strokes``, the only choice so far.

    Thickness, slant and width stand after the factors that it has; a label becomes one as well.

    Raises `InputError` for images of less than 3×3 pixels. An image without ink has NaN in all three.
    """
    if factors != "strokes":
        raise InputError(
            f"{data.name}: factors is {str(factors)[:40]!r}; expected strokes (thickness, slant and width)"
        )
    if data.form.kind != "image" or not data.form.bytes or min(data.form.shape[1:]) < 3:
        raise InputError(f"{data.name} has {data.form.described()}; strokes are measured on 3×3 pixels or more")
    light = light_ground(data)
    starts = range(0, len(data), BLOCK)
    found = np.concatenate([strokes(data[start : start + BLOCK], light=light) for start in starts])
    columns, specs = [found], SPECS
    if data.factors is not None:
        taken = {spec.name for spec in data.specs}
        mine = (replace(spec, name=f"stroke {spec.name}") if spec.name in taken else spec for spec in SPECS)
        columns, specs = [data.factors, found], (*data.specs, *mine)
    elif data.labels is not None:
        columns = [data.labels[:, None].astype(np.float64), found]
        specs = (Factor("class", "categorical", data.label_names), *SPECS)
    source = {**data.source, "factors": "strokes"}
    return replace(data, factors=np.hstack(columns), specs=specs, grid=None, source=source)


def strokes(images: Images, *, light: bool = False) -> Floats:
    """Thickness, slant and width (n, 3) of images (n, c, h, w) uint8 with light ink on a dark ground.

    ``light`` says that the ground is light and the ink dark. With a the sum of the ink in [0, 1] and p the length of
    its edges (the total variation, by the coarea formula), *thickness* in pixels is the short side of the rectangle
    of that area and circumference: exact for a bar, close for a line that bends. *Slant* in degrees is the shear that
    would set the figure upright, arctan(−μ₁₁ / μ₀₂): positive where it leans to the right. *Width* in pixels is √12
    times the standard deviation of the ink's x after that shear, which is the width of a box filled evenly.

    Do not read them as ground truth: a round figure has no slant (the measure says 0 ± noise), and thickness is the
    mean over a figure whose strokes differ.

    Source: moments as Hu 1962; the same three as Castro et al. 2019 (Morpho-MNIST), who measure on skeletons.

    >>> bar = np.zeros((1, 1, 28, 28), np.uint8)
    >>> bar[..., 4:24, 12:16] = 255
    >>> strokes(bar).round(1).tolist()
    [[4.2, -0.0, 4.0]]
    """
    ink = images.mean(axis=1) / 255
    ink = 1 - ink if light else ink
    return np.column_stack([thickness_of(ink), *_moments(ink)])


def thickness_of(ink: Floats) -> Floats:
    """The shorter side t of the rectangle with area a = t·l and circumference p = 2 (t + l); of a disc, p / 4."""
    padded = np.pad(ink, ((0, 0), (1, 1), (1, 1)))
    # The gradient in the middle of four pixels, so that a mirrored figure has edges of the same length.
    rise, run = np.diff(padded, axis=1), np.diff(padded, axis=2)
    dy, dx = (rise[:, :, 1:] + rise[:, :, :-1]) / 2, (run[:, 1:] + run[:, :-1]) / 2
    area, edge = ink.sum(axis=(1, 2)), np.sqrt(dx**2 + dy**2).sum(axis=(1, 2))
    root = np.sqrt(np.maximum(edge**2 / 4 - 4 * area, 0))
    return np.where(area > 0, (edge / 2 - root) / 2, np.nan)


def _moments(ink: Floats) -> tuple[Floats, Floats]:
    """Slant in degrees and width in pixels."""
    h, w = ink.shape[1:]
    y, x = (axis.ravel() for axis in np.mgrid[:h, :w].astype(np.float64))
    raw = ink.reshape(len(ink), -1) @ np.column_stack([np.ones(h * w), x, y, x * x, x * y, y * y])
    area = np.where(raw[:, 0] > 0, raw[:, 0], np.nan)
    mx, my, xx, xy, yy = (raw[:, k] / area for k in range(1, 6))
    # A pixel is a square, not a point: its own spread of 1/12 belongs to the figure's.
    vx, vy, cov = xx - mx**2 + 1 / 12, yy - my**2 + 1 / 12, xy - mx * my
    return slant_and_width(vx, cov, vy)


def slant_and_width(vx: Floats, cov: Floats, vy: Floats) -> tuple[Floats, Floats]:
    """Slant in degrees and width in pixels of figures with these variances of x, of x and y, and of y."""
    return np.degrees(np.arctan2(-cov, vy)), UNIFORM * np.sqrt(np.maximum(vx - cov**2 / vy, 0))
