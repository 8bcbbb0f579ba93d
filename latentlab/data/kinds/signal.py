"""Signals: (channels, points) over an axis with a name, as spectra, series and sound."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import cycle, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data._axes import signals
from latentlab.data.kinds._draw import LINES, lines, ticks
from latentlab.data.kinds._form import STRETCHES, Form, Samples, exact, stretch_named
from latentlab.data.kinds._spread import blocks, distance_to, moments, principal
from latentlab.errors import InputError

if TYPE_CHECKING:
    from latentlab.data.dataset import Dataset

NOUN, PLURAL = "signal", "signals"
PLACE = "point"
SEEN = "itself"
DRAWN = "curves"
MATCHED = ("power", 0.02)  # logarithms of power that differ by less are called equal
INPUT = "standard deviations"
SHOWN = 3  # standard deviations from the middle of a picture to its edge
TICKS = 5


def described(form: Form) -> str:
    """Many of them in words."""
    channels, points = form.shape
    return f"signals of {points:,} point{'s' * (points > 1)}" + (f" in {channels} channels" if channels > 1 else "")


def check(form: Form) -> None:
    """Raise an `InputError` where no signal can be of that form."""
    if len(form.edges) not in (0, 2) or any(a >= b for a, b in pairwise(form.edges)):
        raise InputError(f"the edges are {form.edges}; expected a lower and a higher number")
    if form.ndim != 2 or form.stored not in ("float32", "float64"):
        raise InputError(f"a signal has shape {form.shape} of {form.stored}; expected (channels, points) of floats")


def fitted(form: Form, data: Dataset) -> Form:
    """Each channel with mean 0 and standard deviation 1, after the stretch where there is one."""
    mean, spread = moments(data, STRETCHES[form.stretch])
    if not np.isfinite(mean).all():
        raise InputError(f"{data.name} has values that {form.stretch} is not defined for; choose another stretch")
    scaled = replace(form, offset=tuple(map(float, mean)), scale=tuple(float(s) if s > 0 else 1.0 for s in spread))
    ends = [(float(x.min()), float(x.max())) for x in map(scaled.to_model, blocks(data))]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    return replace(scaled, edges=(low, high) if low < high else ())


def networks(form: Form) -> tuple[str, ...]:
    """Convolutions along the axis, a multilayer perceptron for short signals."""
    return ("conv1d", "mlp") if form.shape[1] >= 32 else ("mlp",)


def likelihoods(form: Form) -> tuple[str, ...]:
    """Gaussian with a learned σ for each channel, or one for all."""
    return ("gaussian-channels", "gaussian-learned", "gaussian")


def shown(form: Form) -> str:
    """What a line is."""
    at = form.axis or (0, form.shape[1] - 1)
    over = f"{min(at):g} to {max(at):g} {form.axis_unit or ('' if form.axis else 'points')}".rstrip()
    if form.shape[0] > 1:
        return f"lines: channels over {over}, each from its lowest to its highest value"
    low, high = (float(_values(form, end)[0]) for end in (0, 1))
    return f"lines: values over {over}, from {low:.3g} to {high:.3g} {form.unit}".rstrip()


def picture(form: Form, samples: Samples) -> NDArray[np.uint8]:
    """A line a channel, in units of its standard deviation, over the range of the signals that were trained on."""
    return lines(_heights(form, samples), np.asarray(form.axis) if form.axis else None)


def ruler(form: Form) -> dict[str, Any]:
    """What stands beside and below a picture: ticks as (share of the way, text), titles, and a range per channel."""
    at = form.axis or (0, form.shape[1] - 1)
    left, right = min(at), max(at)
    low, high = ([float(value) for value in _values(form, end)] for end in (0, 1))
    single = form.shape[0] == 1
    names = form.names or tuple(f"channel {k + 1}" for k in range(form.shape[0]))
    return {
        "x": [((each - left) / (right - left or 1), f"{each:g}") for each in ticks(left, right, TICKS)],
        "x_title": form.axis_unit or ("axis" if form.axis else "point"),
        "y": [(_height(form, each), f"{each:g}") for each in ticks(low[0], high[0], TICKS)] if single else [],
        "y_title": form.unit or "value",
        "channels": [
            {"name": name, "colour": "#{:02x}{:02x}{:02x}".format(*colour), "range": f"{a:.3g} to {b:.3g}"}
            for name, colour, a, b in zip(names, cycle(LINES), low, high, strict=False)
            if not single
        ],
    }


def _heights(form: Form, samples: Samples) -> NDArray[np.floating]:
    """Where values stand between the lower and the upper edge of a picture, 0 to 1."""
    low, high = form.edges or (-SHOWN, SHOWN)
    return np.asarray((form.to_model(samples) - low) / (high - low))


def _height(form: Form, value: float) -> float:
    return float(_heights(form, np.full((1, *form.shape), value))[0, 0, 0])


def _values(form: Form, height: float) -> NDArray[np.floating]:
    """The value of each channel at that height of a picture."""
    low, high = form.edges or (-SHOWN, SHOWN)
    return np.asarray(form.from_model(np.full((1, *form.shape), low + height * (high - low)))[0, :, 0])


def of_array(
    where: object,
    x: Samples,
    *,
    feature_names: Sequence[str] = (),
    axis: Sequence[float] = (),
    axis_unit: str = "",
    unit: str = "",
    axes: str = "",
    stored: str = "",
    stretch: str = "",
) -> tuple[Samples, Form]:
    """Signals and their form: (n, t), or (n, channels, t) where the axis or the longer side is that of time."""
    letters = signals(Path(str(where)), x.shape, axes, len(axis))
    x = x.transpose([letters.index(each) for each in "nct" if each in letters])
    x = x[:, None] if x.ndim == 2 else x
    if len(axis) not in (0, x.shape[2]) or len(feature_names) not in (0, x.shape[1]):
        raise InputError(
            f"{where}: signals are {x.shape} with an axis of {len(axis)} points and {len(feature_names)} names; "
            "expected (n, points) or (n, channels, points)"
        )
    places = np.asarray(axis)
    if len(axis) and places.dtype.kind not in "iuf":
        raise InputError(f"{where}: the axis holds {places.dtype}; expected numbers, such as wavelengths or seconds")
    steps = np.diff(places.astype(np.float64))
    if not (np.isnan(steps).any() or (steps >= 0).all() or (steps <= 0).all()):
        raise InputError(f"{where}: the axis goes up and down; expected points in order: sort it and the signals alike")
    return x, Form(
        "signal",
        x.shape[1:],
        exact(where, x.dtype, stored),
        stretch=stretch_named(where, stretch),
        names=tuple(map(str, feature_names)),
        axis=tuple(map(float, axis)),
        axis_unit=axis_unit,
        unit=unit,
    )


def examined(form: Form, blocks: Iterable[Samples]) -> list[tuple[str, str, str]]:
    """What is found in each channel, and what is wrong with it."""
    channels, seen = form.shape[0], 0
    low, high, flat = np.full(channels, np.inf), np.full(channels, -np.inf), np.zeros(channels, int)
    for block in blocks:
        least, most = block.min(axis=2), block.max(axis=2)
        low, high = np.minimum(low, least.min(axis=0)), np.maximum(high, most.max(axis=0))
        flat, seen = flat + (least == most).sum(axis=0), seen + len(block)
    names = form.names or tuple(f"channel {k + 1}" for k in range(form.shape[0]))
    ends = [("axis", f"{form.axis[0]:g} to {form.axis[-1]:g} {form.axis_unit}".rstrip(), "")] if form.axis else []
    return ends + [
        (
            name,
            f"{a:g} to {b:g} {form.unit}".rstrip(),
            f"{k:,} of {seen:,} signals are constant" if k and form.shape[1] > 1 else "",
        )
        for name, a, b, k in zip(names, low, high, flat, strict=True)
    ]


def baselines(form: Form, samples: Samples, trained: Samples) -> dict[str, NDArray[np.float64]]:
    """What needs no model: log₁₀ of the mean square, and the distance from the mean signal, in standard deviations."""
    x = form.to_model(samples).reshape(len(samples), -1).astype(np.float64)
    return {
        "power": np.log10(np.maximum((x**2).mean(axis=1), 1e-12)),
        "distance to the mean": distance_to(compared(form, trained).mean(axis=0), x),
    }


def constants(form: Form, trained: Samples) -> tuple[Samples, dict[str, slice]]:
    """The mean of the signals that were trained on: what a decoder that has collapsed makes of everything."""
    return trained.mean(axis=0, keepdims=True, dtype=np.float64).astype(form.stored), {"mean": slice(1)}


def compared(form: Form, samples: Samples) -> NDArray[np.float32]:
    """Values in standard deviations of their channel (n, channels · points)."""
    return form.to_model(samples).reshape(len(samples), -1)


def space(form: Form, samples: Samples, seed: int = 0) -> Callable[[Samples], NDArray[np.float32]]:
    """The directions in which these signals vary most, at most 64."""
    return principal(compared(form, samples), lambda others: compared(form, others))


def seen(form: Form, samples: Samples) -> NDArray[np.float32]:
    """What a regressor sees: the same numbers."""
    return compared(form, samples)
