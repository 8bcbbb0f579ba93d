"""What pictures in a figure show."""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def pixels_of(uri: str) -> NDArray[np.uint8]:
    """The picture (h, w, 4) in a data URI: the inverse of `latentlab.figures._images.data_uri`."""
    content = base64.b64decode(uri.partition(",")[2])
    with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
        return np.asarray(image.convert("RGBA"))
