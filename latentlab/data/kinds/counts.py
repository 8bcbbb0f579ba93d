"""Counts of features: (features,) whole numbers from 0, as of genes in a cell; what a model takes is the counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from latentlab.data.kinds._draw import bars
from latentlab.data.kinds._form import Form, Samples
from latentlab.data.kinds._spread import blocks
from latentlab.errors import InputError

if TYPE_CHECKING:
    from latentlab.data.dataset import Dataset

NOUN, PLURAL = "sample", "samples"
SEEN = "logarithms"


def described(form: Form) -> str:
    """Many of them in words."""
    return f"samples of {form.shape[0]:,} counted features"


def check(form: Form) -> None:
    """Raise an `InputError` where no sample can be of that form."""
    if form.ndim != 1 or form.stored not in ("int32", "float32") or form.missing:
        raise InputError(f"counts have shape {form.shape} of {form.stored}; expected (features,) of whole numbers")


def fitted(form: Form, data: Dataset) -> Form:
    """Counts as they are; decoded means add up to the typical library size, the median of the samples' sums."""
    sums = np.concatenate([block.sum(axis=1) for block in blocks(data)])
    lowest = min(float(block.min()) for block in blocks(data))
    if lowest < 0:
        raise InputError(f"{data.name} has a count of {lowest:g}; expected whole numbers from 0")
    return replace(form, library=float(max(np.median(sums), 1.0)))


def networks(form: Form) -> tuple[str, ...]:
    """A multilayer perceptron."""
    return ("mlp",)


def likelihoods(form: Form) -> tuple[str, ...]:
    """Negative binomial or Poisson around the library size times the decoded proportions."""
    return ("negative-binomial", "poisson")


def shown(form: Form) -> str:
    """What a bar is."""
    return "bars: features in order, log(1 + count)"


def picture(form: Form, samples: Samples) -> NDArray[np.uint8]:
    """A bar a feature: log(1 + count), against the largest in sight."""
    values = np.log1p(np.maximum(np.asarray(samples, np.float64), 0))
    return bars(values / max(float(values.max(initial=0)), 1e-9))
