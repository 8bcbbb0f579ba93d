"""Signals: (channels, points) over an axis with a name, as spectra, series and sound."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from latentlab.data.kinds._draw import lines
from latentlab.data.kinds._form import Form, Samples
from latentlab.data.kinds._spread import moments
from latentlab.errors import InputError

if TYPE_CHECKING:
    from latentlab.data.dataset import Dataset

NOUN, PLURAL = "signal", "signals"
SEEN = "itself"
SHOWN = 3  # standard deviations from the middle of a picture to its edge


def described(form: Form) -> str:
    """Many of them in words."""
    channels, points = form.shape
    return f"signals of {points:,} points" + (f" in {channels} channels" if channels > 1 else "")


def check(form: Form) -> None:
    """Raise an `InputError` where no signal can be of that form."""
    if form.ndim != 2 or form.stored not in ("float32", "float64"):
        raise InputError(f"a signal has shape {form.shape} of {form.stored}; expected (channels, points) of floats")


def fitted(form: Form, data: Dataset) -> Form:
    """Each channel with mean 0 and standard deviation 1."""
    mean, spread = moments(data)
    return replace(form, offset=tuple(map(float, mean)), scale=tuple(float(s) if s > 0 else 1.0 for s in spread))


def networks(form: Form) -> tuple[str, ...]:
    """Convolutions along the axis, a multilayer perceptron for short signals."""
    return ("conv1d", "mlp") if form.shape[1] >= 32 else ("mlp",)


def likelihoods(form: Form) -> tuple[str, ...]:
    """Gaussian with a learned σ for each channel, or one for all."""
    return ("gaussian-channels", "gaussian-learned", "gaussian")


def shown(form: Form) -> str:
    """What a line is."""
    return f"lines: channels over the axis, ± {SHOWN} standard deviations"


def picture(form: Form, samples: Samples) -> NDArray[np.uint8]:
    """A line a channel, in units of its standard deviation."""
    return lines(0.5 + form.to_model(samples) / (2 * SHOWN))
