"""Pictures: (channels, height, width), as bytes or as numbers of any range."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from latentlab.data.kinds._form import Form, Samples
from latentlab.errors import InputError
from latentlab.system.png import as_colours, channels_shown

if TYPE_CHECKING:
    from latentlab.data.dataset import Dataset

NOUN, PLURAL = "image", "images"
CHANNELS, PIXELS = 64, 4096
SMALL = 64
SEEN = "itself"


def described(form: Form) -> str:
    """Many of them in words."""
    return f"images {form.size}"


def check(form: Form) -> None:
    """Raise an `InputError` where no image can be of that form."""
    if form.ndim != 3 or form.shape[0] > CHANNELS or max(form.shape[1:]) > PIXELS:
        raise InputError(
            f"an image has shape {form.shape}; expected (channels, height, width), at most {CHANNELS} channels and "
            f"{PIXELS} pixels a side"
        )


def fitted(form: Form, data: Dataset) -> Form:
    """Bytes as they are."""
    return form


def networks(form: Form) -> tuple[str, ...]:
    """burgess from 64×64 on where it takes the size, mlp for small images.

    What neither is for, resnet takes: from 64×64 on other sizes, and long narrow images of more pixels than 64×64.
    """
    height, width = form.shape[1:]
    if min(height, width) < SMALL:
        return ("mlp",) if height * width <= SMALL * SMALL else ("resnet",)
    return ("burgess", "resnet")


def likelihoods(form: Form) -> tuple[str, ...]:
    """Bernoulli for bytes, which lie in [0, 1] for the model; Gaussian for other numbers."""
    gaussian = ("gaussian-learned", "gaussian", "gaussian-channels")
    return ("bernoulli", *gaussian, "gaussian-sigmoid", "laplace-sigmoid") if form.bytes else gaussian


def shown(form: Form) -> str:
    """Which channels stand for colours, where that needs saying."""
    return channels_shown(form.shape[0])


def picture(form: Form, samples: Samples) -> NDArray[np.uint8]:
    """Bytes as they are: of two channels red and green, of more than three the first three.

    Other numbers from black at 0 of the model's input to white at 1.
    """
    x = samples if form.bytes else np.round(np.clip(form.to_model(samples), 0, 1) * 255).astype(np.uint8)
    return as_colours(x)
