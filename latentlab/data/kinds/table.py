"""Rows of a table: (columns,), each numeric, binary or one level of a category; values may be missing (NaN)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from latentlab.data.kinds._draw import bars
from latentlab.data.kinds._form import Form, Samples
from latentlab.data.kinds._spread import moments
from latentlab.errors import InputError

if TYPE_CHECKING:
    from latentlab.data.dataset import Dataset

NOUN, PLURAL = "row", "rows"
SEEN = "without what is missing"
SHOWN = 3  # standard deviations from the middle line of a picture to its edge
COLUMNS = ("numeric", "binary")


def described(form: Form) -> str:
    """Many of them in words."""
    return f"rows of {form.shape[0]:,} columns"


def check(form: Form) -> None:
    """Raise an `InputError` where no row can be of that form."""
    if form.ndim != 1 or form.stored not in ("float32", "float64"):
        raise InputError(f"a row has shape {form.shape} of {form.stored}; expected (columns,) of floats")
    for column in form.columns:
        if column not in COLUMNS and not column.startswith("category "):
            raise InputError(f"a column is {column[:40]!r}; expected numeric, binary or category NAME")


def fitted(form: Form, data: Dataset) -> Form:
    """Numeric columns with mean 0 and standard deviation 1 over the rows that are known; others as they are."""
    mean, spread = moments(data)
    numeric = np.array([column == "numeric" for column in form.columns or ("numeric",) * form.shape[0]])
    unknown = data.form.names[int(np.isnan(mean).argmax())] if data.form.names and np.isnan(mean).any() else ""
    if np.isnan(mean).any():
        raise InputError(f"{data.name}: column {unknown[:40]} has no value in any training row; leave it out")
    offset, scale = np.where(numeric, mean, 0.0), np.where(numeric & (spread > 0), spread, 1.0)
    return replace(form, offset=tuple(map(float, offset)), scale=tuple(map(float, scale)))


def networks(form: Form) -> tuple[str, ...]:
    """A multilayer perceptron."""
    return ("mlp",)


def likelihoods(form: Form) -> tuple[str, ...]:
    """Each column its own: Gaussian with a learned σ, Bernoulli, categorical; where all are numbers, one σ for all."""
    plain = not form.missing and set(form.columns) <= {"numeric"}
    return ("per-column", *(("gaussian-learned", "gaussian") if plain else ()))


def shown(form: Form) -> str:
    """What a bar is."""
    return f"bars: columns in order, ± {SHOWN} standard deviations"


def picture(form: Form, samples: Samples) -> NDArray[np.uint8]:
    """A bar a column in units of its standard deviation."""
    return bars(form.to_model(samples) / SHOWN)
