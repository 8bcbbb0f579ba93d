"""Pictures: (channels, height, width), as bytes or as numbers of any range."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data.kinds._form import Form, Samples
from latentlab.data.kinds._patches import feature_space, normalised
from latentlab.errors import InputError
from latentlab.system.png import as_colours, channels_shown

if TYPE_CHECKING:
    from latentlab.data.dataset import Dataset

NOUN, PLURAL = "image", "images"
CHANNELS, PIXELS = 64, 4096
SMALL = 64
SEEN = "itself"
MATCHED = ("intensity", 0.005)  # mean intensities that differ by less, of a range of 1, are called equal
SIDE, FREQUENCIES = 16, 10  # of the coarse picture and the spectrum that a regressor sees


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
    return as_colours(in_bytes(form, samples))


def in_bytes(form: Form, samples: Samples) -> NDArray[np.uint8]:
    """Images as bytes: from black at 0 of the model's input to white at 1."""
    if form.bytes:
        return samples
    return np.round(np.clip(form.to_model(samples), 0, 1) * 255).astype(np.uint8)


def baselines(form: Form, samples: Samples, trained: Samples) -> dict[str, NDArray[np.float64]]:
    """`image_scores` against the mean of images that were trained on."""
    return image_scores(in_bytes(form, samples), in_bytes(form, trained).mean(axis=0) / 255)


def image_scores(images: NDArray[np.uint8], mean_image: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """What needs no model, of images (n, c, h, w): the baselines that a model's score has to beat.

    ``intensity`` is the mean pixel in [0, 1], ``complexity`` the bytes that zlib needs, ``mean image`` the
    cross-entropy in nats against the mean training image (c, h, w) in [0, 1]: the distortion, under a Bernoulli
    likelihood, of a decoder that has collapsed to one picture.
    """
    flat = images.reshape(len(images), -1)
    p = np.clip(mean_image.ravel(), 1 / 512, 1 - 1 / 512)
    return {
        "intensity": flat.mean(axis=1) / 255,
        "complexity": np.array([len(zlib.compress(row.tobytes(), 9)) for row in flat], np.float64),
        "mean image": -((flat / 255) @ np.log(p / (1 - p)) + np.log(1 - p).sum()),
    }


def constants(form: Form, trained: Samples) -> tuple[Samples, dict[str, slice]]:
    """An image of each grey level and nothing else, black first; any of them, and black alone."""
    grey = constant_images(form.shape)
    return grey if form.bytes else form.from_model(grey / np.float32(255)), {"any": slice(None), "black": slice(1)}


def constant_images(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """An image (256, c, h, w) of each grey level and nothing else, black first."""
    return np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None, None, None], (256, *shape)).copy()


def compared(form: Form, samples: Samples) -> NDArray[np.float32]:
    """Pixels with mean 0 and length 1 for each image, then 1 where it is constant (n, pixels + 1).

    Brightness and contrast do not count, and a constant image is √2 from all others.
    """
    pixels = normalised(in_bytes(form, samples)).reshape(len(samples), -1)
    return np.concatenate([pixels, ~pixels.any(axis=1, keepdims=True)], axis=1, dtype=np.float32)


def space(form: Form, samples: Samples, seed: int = 0) -> Callable[[Samples], NDArray[np.float32]]:
    """Seeded random filters' responses, in the directions in which these images vary: see `_patches`."""
    found = feature_space(in_bytes(form, samples), seed=seed)
    return lambda images: found(in_bytes(form, images))


def seen(form: Form, samples: Samples) -> NDArray[np.float32]:
    """What a regressor sees of images: (n, numbers) float32, a coarse picture and a low spectrum."""
    from scipy.fft import rfft2

    pixels = in_bytes(form, samples).astype(np.float32) / 255
    coarse = pixels
    for axis in (2, 3):
        size = pixels.shape[axis]
        edges = np.linspace(0, size, min(SIDE, size) + 1).astype(int)
        shape = [1, 1, 1, 1]
        shape[axis] = -1
        coarse = np.add.reduceat(coarse, edges[:-1], axis=axis) / np.diff(edges).reshape(shape).astype(np.float32)
    spectrum = np.abs(rfft2(pixels.mean(axis=1)))
    most = min(FREQUENCIES, pixels.shape[2] // 2 - 1)
    low = np.concatenate([spectrum[:, : most + 1], spectrum[:, -most:]], axis=1)[:, :, : FREQUENCIES + 1]
    return np.concatenate([coarse.reshape(len(pixels), -1), np.sqrt(low).reshape(len(pixels), -1) / SIDE], axis=1)


def of_array(
    where: object, x: Samples, *, feature_names: Sequence[str] = (), unit: str = "", **other: Any
) -> tuple[Samples, Form]:
    """Images of any range and their form: (n, h, w), or (n, c, h, w), or (n, h, w, c) where c is the least; float32."""
    if x.ndim == 4 and x.shape[3] < min(x.shape[1:3]):
        x = x.transpose(0, 3, 1, 2)
    x = x[:, None] if x.ndim == 3 else x
    if other or x.ndim != 4 or len(feature_names) not in (0, x.shape[1]):
        raise InputError(
            f"{where}: images are {x.shape} with {len(feature_names)} names; expected (n, h, w) or (n, c, h, w)"
        )
    if not np.isfinite(x).all():
        raise InputError(f"{where}: images hold NaN or infinity; expected finite numbers: remove or replace them")
    low, high = float(x.min()), float(x.max())
    offset, scale = (low,), (high - low if high > low else 1.0,)
    names = tuple(map(str, feature_names))
    return x, Form("image", x.shape[1:], "float32", offset=offset, scale=scale, names=names, unit=unit)


def examined(form: Form, blocks: Iterable[Samples]) -> list[tuple[str, str, str]]:
    """What is found in the values of images, and what is wrong with it."""
    low, high, flat, seen = np.inf, -np.inf, 0, 0
    for block in blocks:
        rows = block.reshape(len(block), -1)
        least, most = rows.min(axis=1), rows.max(axis=1)
        low, high, flat = min(low, least.min()), max(high, most.max()), flat + int((least == most).sum())
        seen += len(rows)
    problem = f"{flat:,} of {seen:,} images are constant" if flat else ""
    if form.bytes and high <= 1:
        problem = "no pixel exceeds 1 of 255: were floats or flags saved as uint8? multiply by 255"
    return [("pixels", f"{low:g} to {high:g} in {seen:,} rows", problem)]
