"""A figure that moves: one Matplotlib figure, redrawn a frame, as a GIF that comes back to where it began."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from latentlab.figures import _labels

DPI = 110  # a moving picture is for a screen, so a third of what print needs
MILLISECONDS = 90
PAUSE = 500  # at either end


def gif(figures: Iterator[Any], alt: str) -> bytes:
    """Figures in their order and back again, for ever; `alt` is kept as the file's comment.

    One palette of 256 colours serves all frames, so what stands still does not flicker.
    """
    from PIL import Image

    with _labels.quiet():
        frames = [_pixels(figure) for figure in figures]
    sheet = Image.fromarray(np.concatenate(frames))
    palette = sheet.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    there = [Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    times = [PAUSE, *[MILLISECONDS] * (len(there) - 2), PAUSE][: len(there)]
    images, durations = there + there[-2:0:-1], times + times[-2:0:-1]
    buffer = io.BytesIO()
    first, *others = images
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=durations, loop=0, comment=alt.encode())
    return buffer.getvalue()


def _pixels(figure: Any) -> np.ndarray:
    from matplotlib import rc_context

    figure.set_dpi(DPI)
    _labels.legible(figure)
    with rc_context({"text.hinting": "no_hinting"}):  # hinted letters are wider than the layout has counted with
        figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()
