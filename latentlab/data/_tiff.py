"""What a TIFF says of its pages: which of them are the channels of one image, and what Pillow does not read of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import IO, Any, NamedTuple

from latentlab.errors import InputError

WIDTH, HEIGHT, BITS, PHOTOMETRIC, DESCRIPTION, SAMPLES, PLANAR = 256, 257, 258, 262, 270, 277, 284
WHITE_AT_0 = 0
GREYS = (WHITE_AT_0, 1)  # photometric interpretations without colours
APART = 2  # the planes of the channels are stored one after the other
SIDES = 2  # of a page


class Pages(NamedTuple):
    """How many pages in a row are the channels of one image, by whom that is told, and of how many pages."""

    channels: int = 1
    told_by: str = ""
    found: int = 0


def refusal(file: IO[bytes]) -> str:
    """Why a TIFF that Pillow does not open cannot be read, and what to do; nothing where its tags do not tell."""
    tags = _tags(file)
    bits, channels = max(tags.get(BITS, (1,))), tags.get(SAMPLES, 1)
    if channels > 1:
        return _channels_in_a_page(tags)
    return f"{bits} bits a pixel are not read from TIFF; save 32-bit floats" if bits > 32 else misread(tags)


def misread(tags: Mapping[int, Any]) -> str:
    """Why Pillow gives other values of a page than are stored, and what to do; nothing where it gives those.

    It takes planes of several channels for pages of their own, and turns white at 0 into 255 of bytes alone.
    """
    bits, grey = max(tags.get(BITS, (1,))), tags.get(PHOTOMETRIC) in GREYS
    if tags.get(SAMPLES, 1) > 1 and tags.get(PLANAR) == APART and (bits > 8 or grey):
        return _channels_in_a_page(tags)
    if bits > 8 and tags.get(PHOTOMETRIC) == WHITE_AT_0:
        return f"{bits} bits a pixel with white at 0 (WhiteIsZero) are not read; save them with black at 0"
    return ""


def _channels_in_a_page(tags: Mapping[int, Any]) -> str:
    channels = tags.get(SAMPLES, 1)
    size = f"{channels}, {tags.get(HEIGHT)}, {tags.get(WIDTH)}"
    bits = max(tags.get(BITS, (1,)))
    return f"{channels} channels of {bits} bits in a page are not read; save all as one .npy (n, {size})"


def _tags(file: IO[bytes]) -> Mapping[int, Any]:
    from PIL.TiffImagePlugin import PREFIXES, ImageFileDirectory_v2

    file.seek(0)
    head = file.read(8)
    if not head.startswith(tuple(PREFIXES)):
        return {}
    tags = ImageFileDirectory_v2(head + file.read(8 if head[2] == 43 else 0))
    file.seek(tags.next)
    tags.load(file)
    return tags


def pages(name: str, tags: Mapping[int, Any], found: int) -> Pages:
    """Which pages are channels, as ImageJ, OME and tifffile write it; an `InputError` where that is not how they lie.

    >>> pages("a.tif", {DESCRIPTION: "ImageJ=1.11a\\nimages=60\\nchannels=5\\nframes=12"}, 60)
    Pages(channels=5, told_by='ImageJ', found=60)
    >>> pages("a.tif", {DESCRIPTION: '{"shape": [12, 5, 16, 20]}'}, 60).channels
    5
    """
    text = str(tags.get(DESCRIPTION, ""))
    if text.startswith("ImageJ="):
        told = {key: int(value) for key, value in re.findall(r"^(images|channels)=(\d+)", text, re.MULTILINE)}
        made = Pages(told.get("channels", 1), "ImageJ", told.get("images", 1))
    elif "<OME" in text:
        made = _of_ome(name, text, found)
    elif text.startswith('{"shape"'):
        shape = _shape(text)
        made = Pages(shape[-3], "tifffile", found) if len(shape) > SIDES + 1 else Pages(found=found)
    else:
        return Pages(found=found)
    if made.found != found or made.channels < 1 or found % made.channels:
        raise InputError(
            f"{name[-60:]} announces {made.found} pages in images of {made.channels} channels, and {found} pages are "
            "read; save it as .npy (n, channels, h, w)"
        )
    return made


def _of_ome(name: str, text: str, found: int) -> Pages:
    sizes = {axis: int(size) for axis, size in re.findall(r'\bSize([ZCT])="(\d+)"', text)}
    order = re.search(r'DimensionOrder="XY([ZCT]{3})"', text)
    channels, varied = sizes.get("C", 1), [axis for axis in (order[1] if order else "") if sizes.get(axis, 1) > 1]
    if channels > 1 and varied[:1] != ["C"]:
        raise InputError(f"{name[-60:]} holds its channels one after the other; save it as .npy (n, channels, h, w)")
    return Pages(channels, "OME", found)


def _shape(text: str) -> list[int]:
    try:
        shape = json.loads(text)["shape"]
    except (ValueError, KeyError, TypeError):
        return []
    return shape if all(isinstance(size, int) for size in shape) else []
