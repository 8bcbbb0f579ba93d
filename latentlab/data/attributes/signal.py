"""Attributes of signals, each channel by itself: level, bands, peak, slope and roughness."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentlab.data.attributes._attribute import Attribute
from latentlab.data.kinds import Form
from latentlab.data.kinds._form import Samples

BANDS = 8  # of equal width, into which the axis is cut

Floats = NDArray[np.float64]


class Signals(NamedTuple):
    """Signals (n, channels, points) in standard deviations, their axis, and what each channel's attributes end in."""

    values: Floats
    axis: Floats
    unit: str
    endings: tuple[str, ...]


def prepared(form: Form, samples: Samples) -> Signals:
    """The signals as a model takes them; in one of several channels the channel's name ends the attribute's."""
    channels, points = form.shape
    names = form.names or tuple(f"channel {k + 1}" for k in range(channels))
    endings = ("",) if channels == 1 else tuple(f", {name}" for name in names)
    axis = np.asarray(form.axis or range(points), np.float64)
    return Signals(np.asarray(form.to_model(samples), np.float64), axis, form.axis_unit, endings)


def _each(signals: Signals, name: str, values: Floats, low: str, high: str) -> list[Attribute]:
    """An attribute per channel, of values (n, channels)."""
    return [Attribute(name + end, values[:, k], low, high) for k, end in enumerate(signals.endings)]


def level(signals: Signals) -> list[Attribute]:
    """The mean."""
    return _each(signals, "level", signals.values.mean(axis=2), "low", "high")


def amplitude(signals: Signals) -> list[Attribute]:
    """The standard deviation around the mean."""
    return _each(signals, "amplitude", signals.values.std(axis=2), "small", "large")


def slope(signals: Signals) -> list[Attribute]:
    """The slope of a line fitted along the axis."""
    along = signals.axis - signals.axis.mean()
    return _each(signals, "slope", signals.values @ along / max((along**2).sum(), 1e-12), "falling", "rising")


def peak_position(signals: Signals) -> list[Attribute]:
    """Where on the axis the highest value lies."""
    at = signals.axis[signals.values.argmax(axis=2)]
    ends = (f"near {end:g} {signals.unit}".rstrip() for end in (signals.axis.min(), signals.axis.max()))
    return _each(signals, "position of the peak", at, *ends)


def peak_height(signals: Signals) -> list[Attribute]:
    """The highest value over the mean."""
    return _each(signals, "height of the peak", signals.values.max(axis=2) - signals.values.mean(axis=2), "low", "high")


def roughness(signals: Signals) -> list[Attribute]:
    """The mean square of steps from point to point over the variance."""
    spread = signals.values.var(axis=2)
    steps = (np.diff(signals.values, axis=2) ** 2).sum(axis=2) / max(signals.values.shape[2] - 1, 1)
    return _each(signals, "roughness", steps / np.where(spread > 0, spread, np.nan), "smooth", "rough")


def bands(signals: Signals) -> list[Attribute]:
    """The mean in each of `BANDS` parts of the axis, over the mean of the whole."""
    found: list[Attribute] = []
    for part in np.array_split(np.arange(len(signals.axis)), min(BANDS, len(signals.axis))):
        ends = f"{signals.axis[part[0]]:g} to {signals.axis[part[-1]]:g} {signals.unit}".rstrip()
        over = signals.values[:, :, part].mean(axis=2) - signals.values.mean(axis=2)
        found += _each(signals, f"band {ends}", over, "weak", "strong")
    return found
