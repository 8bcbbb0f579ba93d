"""Many small images as one picture."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.system.png import Pictures as Picture
from latentlab.system.png import as_colours, blank

FADED = 90


def rgba(images: Picture, alpha: int = 255) -> Picture:
    """Images (…, c, h, w) as (…, h, w, 4): one channel is grey, three are colours, of others see `as_colours`."""
    last = np.moveaxis(as_colours(images), -3, -1)
    colour = np.repeat(last, 3, axis=-1) if last.shape[-1] == 1 else last
    return np.concatenate([colour, np.full_like(colour[..., :1], alpha)], axis=-1)


def mosaic(cells: Picture, gap: int = 1) -> Picture:
    """Cells (rows, columns, h, w, 4) as one picture with transparent gaps of `gap` pixels between them."""
    rows, columns, h, w, _ = cells.shape
    picture = blank(rows * (h + gap) - gap, columns * (w + gap) - gap, 4)
    for r in range(rows):
        for c in range(columns):
            picture[r * (h + gap) : r * (h + gap) + h, c * (w + gap) : c * (w + gap) + w] = cells[r, c]
    return picture


def gap_of(width: int) -> int:
    """Pixels between cells of that width: a thirtieth of it, at least one."""
    return max(1, round(width / 30))


def interpolation(smooth: bool) -> str:
    """How Matplotlib shows a picture of other size: pixels of data stay sharp, drawn lines stay whole."""
    return "antialiased" if smooth else "nearest"


def centres(count: int, size: int, gap: int) -> NDArray[np.float64]:
    """Where the cells' middles lie on the picture's pixel axis, on which pixel i has its middle at i."""
    return np.asarray(np.arange(count) * (size + gap) + (size - 1) / 2, np.float64)


@dataclass(frozen=True, eq=False)
class Cells:
    """Equal ``cells`` (rows, columns, h, w, 4), and the picture that they make side by side."""

    cells: Picture

    @property
    def gap(self) -> int:
        """Pixels between cells."""
        return gap_of(self.cells.shape[3])

    @property
    def picture(self) -> Picture:
        """All cells as one picture (h, w, 4)."""
        return mosaic(self.cells, self.gap)

    @property
    def rows(self) -> NDArray[np.float64]:
        """Where the rows' middles lie on the picture."""
        return centres(self.cells.shape[0], self.cells.shape[2], self.gap)

    @property
    def columns(self) -> NDArray[np.float64]:
        """Where the columns' middles lie on the picture."""
        return centres(self.cells.shape[1], self.cells.shape[3], self.gap)


def data_uri(picture: Picture) -> str:
    """A picture (h, w, 4) as a PNG in a data URI."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture, "RGBA").save(buffer, "PNG", optimize=False, compress_level=6)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def image_trace(picture: Picture) -> Any:
    """A picture as a Plotly trace, its pixels kept sharp."""
    import plotly.graph_objects as go

    return go.Image(source=data_uri(picture), hoverinfo="skip")
