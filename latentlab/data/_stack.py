"""A TIFF of many pages: each page is an image, or as many pages as an image has channels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from latentlab.data._fingerprint import Known, of_files
from latentlab.data._folder import COLOUR, DEEP, GREY, check_page, open_image
from latentlab.data._tiff import pages
from latentlab.data.dataset import Dataset, Rows, Samples
from latentlab.data.kinds import Form, image_form
from latentlab.errors import InputError
from latentlab.system.regular import open_regular


def load(path: Path) -> Dataset:
    """The pages of one file as images, grey or RGB; those of 16 bits and of floats are kept as numbers.

    Where ImageJ, OME or tifffile say how many pages are the channels of an image, it has these channels.
    """
    with open_image(path.parent, path.name, lambda name: open_regular(path)) as image:
        frames, (width, height), mode = getattr(image, "n_frames", 1), image.size, image.mode
        laid = pages(path.name, getattr(image, "tag_v2", {}), frames)
    if mode not in GREY | COLOUR | DEEP:
        raise InputError(f"{path} has mode {mode}; expected grey frames, or RGB of 8 bits")
    if mode in COLOUR and laid.channels > 1:
        raise InputError(f"{path} has {laid.channels} pages of colours an image; expected grey pages, one a channel")
    channels = 3 if mode in COLOUR else laid.channels
    shape = (channels, height, width)
    form = Form("image", shape, "float64" if mode == "I" else "float32") if mode in DEEP else image_form(shape)

    def read(rows: Rows) -> Samples:
        """The frames of those rows."""
        images = np.empty((len(rows), *shape), form.stored)
        with open_image(path.parent, path.name, lambda name: open_regular(path)) as image:
            for k, row in enumerate(rows):
                for channel in range(laid.channels):
                    page = int(row) * laid.channels + channel
                    image.seek(page)
                    check_page(path, image)
                    if image.mode != mode or image.size != (width, height):
                        found = f"{image.mode} {image.size}"
                        raise InputError(f"{path}: page {page + 1} is {found}; expected {mode} {(width, height)}")
                    array = np.asarray(image if not form.bytes else image.convert("RGB" if mode in COLOUR else "L"))
                    images[k, ... if mode in COLOUR else channel] = (
                        array.transpose(2, 0, 1) if mode in COLOUR else array
                    )
        return images

    return Dataset(
        name=path.stem,
        shape=(frames // laid.channels, *shape),
        read=Known(read, lambda: of_files([("", path)], *shape)),
        source={"name": "tiff", "file": path.name},
        remarks=(f"{laid.channels} pages are the channels of an image, as {laid.told_by} says",) * (laid.channels > 1),
        form=form,
    )
