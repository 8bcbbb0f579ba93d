"""Pictures: (channels, height, width), as bytes or as numbers of any range."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data._axes import layout, ordered
from latentlab.data.kinds._form import STRETCHES, Form, Samples, exact, stretch_named
from latentlab.errors import InputError
from latentlab.system.png import as_colours, channels_shown

if TYPE_CHECKING:
    from latentlab.data.dataset import Dataset

NOUN, PLURAL = "image", "images"
CHANNELS, PIXELS = 64, 4096
SMALL = 64
SEEN = "itself"
RGB = ("red", "green", "blue")
MIDDLE = (0.001, 0.999)
NORMAL = 1.4826  # times the median distance from the median is the standard deviation of a normal distribution
LOOKED_AT = 1 << 23  # values that tell the range


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
            f"{PIXELS} pixels a side"
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
        values = STRETCHES[form.stretch](values / np.asarray(form.soft)[:, None])
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


def likelihood(form: Form) -> str:
    """Bernoulli for bytes, which lie in [0, 1]; Gaussian with a learned σ for each channel for other numbers."""
    return "bernoulli" if form.bytes else "gaussian-channels"


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
    x = samples if form.bytes else np.round(np.clip(form.to_model(samples), 0, 1) * 255).astype(np.uint8)
    if not form.colours:
        return as_colours(x)
    chosen = x[..., [channel - 1 for channel in form.colours], :, :]
    if len(form.colours) == len(RGB):
        return np.asarray(chosen)
    return np.concatenate(np.split(chosen, len(form.colours), axis=-3), axis=-1)


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
        about = f"; {min(other)} is for signals" if other else ""
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
