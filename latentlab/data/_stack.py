"""A TIFF of many frames: each frame is an image."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from latentlab.data._fingerprint import Known, of_files
from latentlab.data._folder import COLOUR, DEEP, GREY, open_image
from latentlab.data.dataset import Dataset, Rows, Samples
from latentlab.data.kinds import Form, image_form
from latentlab.errors import InputError
from latentlab.system.regular import open_regular


def load(path: Path) -> Dataset:
    """The frames of one file as images, grey or RGB; those of 16 bits and of floats are kept as numbers."""
    with open_image(path.parent, path.name, lambda name: open_regular(path)) as image:
        count, (width, height), mode = getattr(image, "n_frames", 1), image.size, image.mode
    if mode not in GREY | COLOUR | DEEP:
        raise InputError(f"{path} has mode {mode}; expected grey frames, or RGB of 8 bits")
    channels = 3 if mode in COLOUR else 1
    shape = (channels, height, width)
    form = Form("image", shape, "float64" if mode == "I" else "float32") if mode in DEEP else image_form(shape)

    def read(rows: Rows) -> Samples:
        """The frames of those rows."""
        frames = np.empty((len(rows), *shape), form.stored)
        with open_image(path.parent, path.name, lambda name: open_regular(path)) as image:
            for k, row in enumerate(rows):
                image.seek(int(row))
                if image.mode != mode or image.size != (width, height):
                    raise InputError(f"{path}: frame {row + 1} is {image.mode} {image.size}; expected {mode} as first")
                array = np.asarray(image if form.stored != "uint8" else image.convert("RGB" if channels == 3 else "L"))
                frames[k] = array.transpose(2, 0, 1) if channels == 3 else array
        return frames

    return Dataset(
        name=path.stem,
        shape=(count, *shape),
        read=Known(read, lambda: of_files([("", path)], *shape)),
        source={"name": "tiff", "file": path.name},
        form=form,
    )
