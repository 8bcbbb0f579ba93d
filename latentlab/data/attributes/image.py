"""Attributes of images: place, size, slant, thickness, light, colour, symmetry and texture.

The *ink* of an image is how far the lightness of each pixel lies from that of the ground, the median of its border:
dark figures on a light ground and light ones on a dark ground have the same ink.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from latentlab.data._strokes import slant_and_width, thickness_of
from latentlab.data.attributes._attribute import Attribute
from latentlab.data.kinds import Form
from latentlab.data.kinds._form import Samples

Floats = NDArray[np.float64]

LIGHTNESS = np.array([0.2126, 0.7152, 0.0722])  # of red, green and blue (Rec. 709)
HUES = ("red", "orange", "yellow", "lime", "green", "turquoise", "cyan", "azure", "blue", "violet", "magenta", "pink")
ANGLES = 12
GREY = 0.05  # chroma below which a colour has no hue
ROUND = 0.1  # elongation below which a figure has no axis


class Seen:
    """Images as RGB (n, 3, h, w) or grey (n, 1, h, w) in [0, 1], and what several attributes need of them."""

    def __init__(self, pictures: NDArray[np.uint8]) -> None:
        self.rgb = pictures / 255.0
        self.light: Floats = np.tensordot(LIGHTNESS, self.rgb, (0, 1)) if self.rgb.shape[1] == 3 else self.rgb[:, 0]

    @cached_property
    def ink(self) -> Floats:
        """(n, h, w): the distance of the lightness from that of the ground."""
        light = self.light
        border = [light[:, 0], light[:, -1], light[:, 1:-1, 0], light[:, 1:-1, -1]]
        return np.abs(light - np.median(np.concatenate(border, axis=1), axis=1)[:, None, None])

    @cached_property
    def area(self) -> Floats:
        """(n,): the sum of the ink, NaN where there is none."""
        total = self.ink.sum(axis=(1, 2))
        return np.where(total > 0, total, np.nan)

    @cached_property
    def moments(self) -> Floats:
        """(5, n): the ink's mean x and y, and its variances xx, xy and yy, in pixels."""
        y, x = (np.arange(side, dtype=np.float64) for side in self.ink.shape[1:])
        columns, rows = self.ink.sum(axis=1), self.ink.sum(axis=2)
        mx, my = columns @ x / self.area, rows @ y / self.area
        xy = np.einsum("nyx,y,x->n", self.ink, y, x, optimize=True) / self.area - mx * my
        # A pixel is a square, not a point: its own spread of 1/12 belongs to the figure's.
        xx = columns @ (x * x) / self.area - mx**2 + 1 / 12
        return np.stack([mx, my, xx, xy, rows @ (y * y) / self.area - my**2 + 1 / 12])

    @cached_property
    def axes(self) -> Floats:
        """(2, n): the variances along the ink's long and short axis."""
        _, _, xx, xy, yy = self.moments
        half = np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
        return np.stack([(xx + yy) / 2 + half, np.maximum((xx + yy) / 2 - half, 1e-9)])


def prepared(form: Form, samples: Samples) -> Seen:
    """The images as they are shown."""
    return Seen(form.picture(samples))


def x_position(seen: Seen) -> Attribute:
    """The centre of the ink, 0 at the left edge and 1 at the right."""
    return Attribute("x position", (seen.moments[0] + 0.5) / seen.ink.shape[2], "left", "right")


def y_position(seen: Seen) -> Attribute:
    """The centre of the ink, 0 at the upper edge and 1 at the lower."""
    return Attribute("y position", (seen.moments[1] + 0.5) / seen.ink.shape[1], "top", "bottom")


def size(seen: Seen) -> Attribute:
    """The root mean square distance of the ink from its centre, as a share of the image's diagonal."""
    return Attribute("size", np.sqrt(seen.axes.sum(axis=0)) / np.hypot(*seen.ink.shape[1:]), "small", "large")


def filled_area(seen: Seen) -> Attribute:
    """The share of the image that its ink would fill."""
    return Attribute("filled area", seen.area / seen.ink[0].size, "small", "large")


def slant(seen: Seen) -> Attribute:
    """The shear that would set the figure upright, in degrees."""
    return Attribute("slant", slant_and_width(*seen.moments[2:])[0], "to the left", "to the right")


def width(seen: Seen) -> Attribute:
    """The width of the figure in pixels, once it is upright."""
    return Attribute("width", slant_and_width(*seen.moments[2:])[1], "narrow", "wide")


def height(seen: Seen) -> Attribute:
    """√12 times the standard deviation of the ink's y, in pixels."""
    return Attribute("height", np.sqrt(12 * seen.moments[4]), "low", "tall")


def thickness(seen: Seen) -> Attribute:
    """The short side of the rectangle with the ink's area and circumference, in pixels."""
    return Attribute("thickness", thickness_of(seen.ink), "thin", "thick")


def elongation(seen: Seen) -> Attribute:
    """1 − the short axis over the long one."""
    return Attribute("elongation", 1 - np.sqrt(seen.axes[1] / seen.axes[0]), "round", "elongated")


def orientation(seen: Seen) -> Attribute:
    """The direction of the long axis, half a turn being the same; unknown where the figure is round."""
    _, _, xx, xy, yy = seen.moments
    angle = np.degrees(np.arctan2(-2 * xy, xx - yy)) / 2 % 180
    step = 180 / ANGLES
    levels = np.round(angle / step) % ANGLES
    known = 1 - np.sqrt(seen.axes[1] / seen.axes[0]) > ROUND
    labels = tuple(f"{k * step:g}°" for k in range(ANGLES))
    return Attribute("orientation", np.where(known, levels, np.nan), kind="circular", labels=labels)


def compactness(seen: Seen) -> Attribute:
    """The area of the ink over that of the ellipse with its variances: 1 for a filled ellipse, else less."""
    ellipse = 4 * np.pi * np.sqrt(seen.axes[0] * seen.axes[1])
    return Attribute("compactness", seen.area / ellipse, "open", "compact")


def symmetry(seen: Seen) -> Attribute:
    """The share of the ink that a reflection at the vertical line through its centre leaves in place."""
    w = seen.ink.shape[2]
    mirrored = np.round(2 * np.nan_to_num(seen.moments[0]))[:, None] - np.arange(w)
    inside = (mirrored >= 0) & (mirrored < w)
    at = np.clip(mirrored, 0, w - 1).astype(np.intp)[:, None, :]
    other = np.take_along_axis(seen.ink, np.broadcast_to(at, seen.ink.shape), axis=2) * inside[:, None, :]
    shared = np.minimum(seen.ink, other).sum(axis=(1, 2))
    return Attribute("symmetry", shared / seen.area, "one-sided", "symmetric")


def brightness(seen: Seen) -> Attribute:
    """The mean lightness."""
    return Attribute("brightness", seen.light.mean(axis=(1, 2)), "dark", "bright")


def contrast(seen: Seen) -> Attribute:
    """The standard deviation of the lightness."""
    return Attribute("contrast", seen.light.std(axis=(1, 2)), "flat", "strong")


def texture(seen: Seen) -> Attribute:
    """The mean change of lightness between neighbouring pixels, as a share of the contrast."""
    steps = sum(np.abs(np.diff(seen.light, axis=axis)).mean(axis=(1, 2)) for axis in (1, 2))
    spread = seen.light.std(axis=(1, 2))
    return Attribute("texture", steps / np.where(spread > 0, spread, np.nan), "smooth", "textured")


def hue(seen: Seen) -> list[Attribute]:
    """The mean hue of the whole image, of its upper and lower third, and of its middle."""
    if seen.rgb.shape[1] != 3:
        return []
    h, w = (side // 3 for side in seen.rgb.shape[2:])
    parts = {
        "hue": seen.rgb,
        "hue of the upper part": seen.rgb[:, :, :h],
        "hue of the lower part": seen.rgb[:, :, -h:],
        "hue of the middle": seen.rgb[:, :, h:-h, w:-w],
    }
    return [Attribute(name, _hue(part), kind="circular", labels=HUES) for name, part in parts.items() if part.size]


def saturation(seen: Seen) -> list[Attribute]:
    """The mean difference between the strongest and the weakest of red, green and blue."""
    if seen.rgb.shape[1] != 3:
        return []
    chroma = (seen.rgb.max(axis=1) - seen.rgb.min(axis=1)).mean(axis=(1, 2))
    return [Attribute("saturation", chroma, "grey", "colourful")]


def _hue(rgb: Floats) -> Floats:
    """The nearest of `HUES` to the mean colour (n, 3, h, w); NaN of grey."""
    red, green, blue = rgb.mean(axis=(2, 3)).T
    x, y = red - (green + blue) / 2, np.sqrt(3) / 2 * (green - blue)
    level = np.round(np.arctan2(y, x) / (2 * np.pi) * len(HUES)) % len(HUES)
    return np.where(np.hypot(x, y) > GREY, level, np.nan)
