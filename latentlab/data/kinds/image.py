"""Pictures: (channels, height, width), as bytes or as numbers of any range."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data._axes import layout, ordered
from latentlab.data.kinds._form import STRETCHES, Form, Samples, exact, stretch_named
from latentlab.data.kinds._patches import feature_space, normalised
from latentlab.errors import InputError
from latentlab.system.png import as_colours, channels_shown

if TYPE_CHECKING:
    from latentlab.data.dataset import Dataset

NOUN, PLURAL = "image", "images"
PLACE = "pixel"
CHANNELS, PIXELS = 64, 4096
SMALL = 64
SEEN = "itself"
RGB = ("red", "green", "blue")
MIDDLE = (0.001, 0.999)
NORMAL = 1.4826  # times the median distance from the median is the standard deviation of a normal distribution
DARK = 16  # of 255: images that are not brighter are hardly meant to be
LOOKED_AT = 1 << 23  # values that tell the range
MATCHED = ("intensity", 0.005)  # mean intensities that differ by less, of a range of 1, are called equal
SIDE, FREQUENCIES = 16, 10  # of the coarse picture and the spectrum that a regressor sees


def described(form: Form) -> str:
    """Many of them in words."""
    return f"images {form.size}"


def check(form: Form) -> None:
    """Raise an `InputError` where no image can be of that form."""
    if not all(1 <= channel <= form.shape[0] for channel in form.colours):
        raise InputError(
            f"colours are {form.colours}; expected channels from 1 to {form.shape[0]}, as in colours=3x2x1"
        )
    if form.ndim != 3 or form.shape[0] > CHANNELS or max(form.shape[1:]) > PIXELS:
        raise InputError(
            f"an image has shape {form.shape}; expected (channels, height, width), at most {CHANNELS} channels and "
            f"{PIXELS} pixels per side"
        )


def fitted(form: Form, data: Dataset) -> Form:
    """Bytes as they are. Of other numbers 0 and 1 are the ends of the middle 99.8 % of each channel's values.

    A few bright pixels, as of cosmic rays, so leave the rest its contrast; they lie beyond 1, and are not cut. With a
    ``stretch`` the values are first divided by their noise: 1.4826 times the median distance from the median, or by
    1/1000 of their range where that is 0.
    """
    if form.bytes:
        return form
    values = _some(data)
    if form.stretch != "linear":
        middle = np.median(values, axis=1, keepdims=True)
        noise = NORMAL * np.median(np.abs(values - middle), axis=1)
        soft = np.where(noise > 0, noise, np.ptp(values, axis=1) / 1000)
        form = replace(form, soft=tuple(float(each) if each > 0 else 1.0 for each in soft))
        with np.errstate(invalid="ignore", divide="ignore"):
            values = STRETCHES[form.stretch](values / np.asarray(form.soft)[:, None])
        if not np.isfinite(values).all():
            raise InputError(f"{data.name} has values that {form.stretch} is not defined for; choose another stretch")
    ends = np.quantile(values, MIDDLE, axis=1)
    low, high = np.where(ends[0] < ends[1], ends, [values.min(axis=1), values.max(axis=1)])
    scale = tuple(float(each) if each > 0 else 1.0 for each in high - low)
    return replace(form, offset=tuple(map(float, low)), scale=scale)


def _some(data: Dataset) -> NDArray[np.float64]:
    """The values (c, m) of evenly spaced rows, all of them where they are few."""
    rows = min(len(data), max(1, LOOKED_AT // math.prod(data.form.shape)))
    read = data.read(np.unique(np.linspace(0, len(data) - 1, rows).astype(np.int64)))
    return np.moveaxis(read.astype(np.float64), 1, 0).reshape(data.form.shape[0], -1)


def networks(form: Form) -> tuple[str, ...]:
    """burgess from 64×64 on where it takes the size, mlp for small images.

    What neither is for, resnet takes: from 64×64 on other sizes, and long narrow images of more pixels than 64×64.
    """
    height, width = form.shape[1:]
    if min(height, width) < SMALL:
        return ("mlp",) if height * width <= SMALL * SMALL else ("resnet",)
    return ("burgess", "resnet")


def likelihoods(form: Form) -> tuple[str, ...]:
    """Bernoulli for bytes, which lie in [0, 1] for the model; Gaussian with a learned σ for each channel for others."""
    gaussian = ("gaussian-channels", "gaussian-learned", "gaussian")
    return ("bernoulli", *gaussian, "gaussian-sigmoid", "laplace-sigmoid") if form.bytes else gaussian


def shown(form: Form) -> str:
    """Which channels stand for colours, and where black and white lie, where that needs saying."""
    if len(form.colours) == len(RGB):
        named = [form.names[k - 1] if form.names else f"channel {k}" for k in form.colours]
        told = ", ".join(f"{name} in {colour}" for name, colour in zip(named, RGB, strict=True))
    elif form.colours:
        told = f"channels {', '.join(form.names[k - 1] if form.names else str(k) for k in form.colours)} side by side"
    else:
        told = channels_shown(form.shape[0])
    ends = "" if form.bytes else "black to white: the middle 99.8 % of each channel's values"
    return " · ".join(filter(None, [told, ends]))


def picture(form: Form, samples: Samples) -> NDArray[np.uint8]:
    """Bytes as they are: of two channels red and green, of more than three the first three, or the chosen ones.

    Other numbers from black at 0 of the model's input to white at 1.
    """
    x = in_bytes(form, samples)
    if not form.colours:
        return as_colours(x)
    chosen = x[..., [channel - 1 for channel in form.colours], :, :]
    if len(form.colours) == len(RGB):
        return np.asarray(chosen)
    return np.concatenate(np.split(chosen, len(form.colours), axis=-3), axis=-1)


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

    Brightness and contrast do not count: constant images are 0 from one another, and √2 from all others.
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
    where: object,
    x: Samples,
    *,
    feature_names: Sequence[str] = (),
    unit: str = "",
    axes: str = "",
    stored: str = "",
    stretch: str = "",
    colours: Sequence[int] = (),
    **other: Any,
) -> tuple[Samples, Form]:
    """Images of any range and their form, (n, h, w), (n, h, w, c) or (n, c, h, w), as `layout` reads them."""
    path = Path(str(where))
    if axes:
        x, axes = ordered(path, x, axes)
    (n, *shape), order = layout(path, x, axes)
    x = x.reshape(n, *shape) if order is None else x.transpose(order)
    if other or len(feature_names) not in (0, shape[0]):
        about = f"; leave {min(other)} out" if other else ""
        raise InputError(f"{where}: images have {shape[0]} channels, {len(feature_names)} names{about}; name each")
    return x, Form(
        "image",
        tuple(shape),
        exact(where, x.dtype, stored),
        stretch=stretch_named(where, stretch),
        names=tuple(map(str, feature_names)),
        unit=unit,
        colours=tuple(colours),
    )


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
    elif form.bytes and high < DARK:
        problem = f"no pixel exceeds {high:g} of 255: are they numbers of classes? spread them over 0 to 255"
    channels = [("channels", ", ".join(form.names), "")] if form.names else []
    unit = f" {form.unit}" if form.unit else ""
    return [*channels, ("pixels", f"{low:g} to {high:g}{unit} in {seen:,} rows", problem)]
