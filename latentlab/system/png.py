"""Rows of small images as PNG, written by hand: no imaging library is needed for what a table shows."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import InputError

Pictures = NDArray[np.uint8]
HEAT_AT = np.linspace(0, 1, 6)
HEAT = np.array([(0, 0, 0), (0, 43, 98), (85, 91, 108), (135, 131, 120), (191, 173, 104), (254, 232, 56)])
WIDE = 600  # pixels, about what a sheet of pictures has on a page
SMALLEST = 64  # pixels: smaller images are enlarged by a whole factor, so that gaps stay thin and pixels sharp


def as_colours(images: Pictures) -> Pictures:
    """Images (…, c, h, w) as grey (one channel) or RGB: two channels are red and green, of more the first three count.

    >>> as_colours(np.zeros((2, 5, 8, 8), np.uint8)).shape
    (2, 3, 8, 8)
    """
    channels = images.shape[-3]
    if channels == 2:
        return np.concatenate([images, np.zeros_like(images[..., :1, :, :])], axis=-3)
    return images if channels == 1 else images[..., :3, :, :]


def channels_shown(channels: int) -> str:
    """Which channels of an image stand for colours, where that needs saying."""
    if channels in (1, 3):
        return ""
    return "channel 1 in red, 2 in green" if channels == 2 else f"channels 1 to 3 of {channels} as red, green and blue"


def blank(*shape: int) -> Pictures:
    """Pictures of that shape in which nothing is drawn: black, or where they have an alpha channel, transparent.

    >>> int(blank(2, 3, 4).max())
    0
    """
    return np.zeros(shape, np.uint8)


def strip(images: Pictures, *, gap: int = 1, columns: int | None = None) -> Pictures:
    """Images (n, c, h, w) side by side, `columns` a row (all in one by default), as one image (h', w', c).

    A `gap` of grey pixels parts neighbours. Images of less than 64 pixels are enlarged, each pixel to a square. Of two
    channels, or of more than three, those of `as_colours` are shown.

    >>> strip(np.zeros((3, 1, 64, 64), np.uint8)).shape
    (64, 194, 1)
    """
    if images.ndim != 4 or not images.shape[1] or not len(images):
        raise InputError(f"images are {images.shape}; expected (n, channels, height, width)")
    images = as_colours(images)
    scale = max(1, SMALLEST // max(images.shape[2:]))
    images = images.repeat(scale, axis=2).repeat(scale, axis=3)
    n, c, h, w = images.shape
    across = min(columns or n, n)
    down = -(-n // across)
    sheet = np.full((down * (h + gap) - gap, across * (w + gap) - gap, c), 128, np.uint8)
    for i, image in enumerate(images):
        top, left = (i // across) * (h + gap), (i % across) * (w + gap)
        sheet[top : top + h, left : left + w] = image.transpose(1, 2, 0)
    return sheet


def enlarged(sheet: Pictures, width: int = WIDE) -> Pictures:
    """A sheet of pictures with each pixel repeated until it is at least so wide.

    A page then only ever shrinks it to its room, which leaves thin gaps and sharp pixels where they are.

    >>> enlarged(np.zeros((64, 194, 1), np.uint8), 300).shape
    (128, 388, 1)
    """
    times = max(1, -(-width // sheet.shape[1]))
    return sheet.repeat(times, axis=0).repeat(times, axis=1)


def heat(values: NDArray[np.floating], most: float) -> Pictures:
    """Values (h, w), or (n,) as a band, as colours (h, w, 3), large as in a `strip`: black for 0, yellow from `most`.

    Values (w,) along a line are a band of an eighth of its length.

    Lightness grows with the value (the colours are cividis', Nuñez et al., 2018), so colour-blind readers and grey
    printers see the same order.

    >>> heat(np.array([[0.0, 1.0]]), 1.0)[0, [0, -1]].tolist()
    [[0, 0, 0], [254, 232, 56]]
    """
    if values.ndim == 1:
        values = np.tile(values, (max(1, len(values) // 8), 1))
    if values.ndim != 2:
        raise InputError(f"values are {values.shape}; expected (height, width) or (width,)")
    share = np.clip(values / most, 0, 1) if most > 0 else np.zeros(values.shape)
    colours = np.stack([np.interp(share, HEAT_AT, channel) for channel in HEAT.T], axis=-1).round().astype(np.uint8)
    scale = max(1, SMALLEST // max(values.shape))
    return colours.repeat(scale, axis=0).repeat(scale, axis=1)


def png(image: Pictures) -> bytes:
    """An image (h, w, 1) grey or (h, w, 3) RGB as the bytes of a PNG file (ISO/IEC 15948)."""
    height, width, channels = image.shape
    header = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2}[channels], 0, 0, 0)
    rows = image.reshape(height, width * channels)
    filtered = np.column_stack([np.zeros(height, np.uint8), rows]).tobytes()
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(filtered, 6)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def data_uri(image: Pictures) -> str:
    """An image (h, w, c) as a ``data:`` address that a page can show without asking a server."""
    return "data:image/png;base64," + base64.b64encode(png(image)).decode()
