"""Counts of features: (features,) whole numbers from 0, as of genes in a cell; what a model takes is the counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

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
DRAWN = "features"
STANDARD = "log2(1 + count)"
CONTRAST = "log2 of (1 + mean count)"


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


def likelihood(form: Form) -> str:
    """Negative binomial around the library size times the decoded proportions."""
    return "negative-binomial"


def shown(form: Form) -> str:
    """What a bar is."""
    return "bars: features in order, log(1 + count)"


def picture(form: Form, samples: Samples) -> NDArray[np.uint8]:
    """A bar a feature: log(1 + count), against the largest in sight."""
    values = np.log1p(np.maximum(np.asarray(samples, np.float64), 0))
    return bars(values / max(float(values.max(initial=0)), 1e-9))


def of_array(
    where: object, x: Any, *, feature_names: Sequence[str] = (), unit: str = "", **other: Any
) -> tuple[Any, Form]:
    """Counts (n, d), an array or a sparse matrix, and their form."""
    if other or len(x.shape) != 2 or len(feature_names) not in (0, x.shape[1]):
        about = f"; {min(other)} is for signals" if other else ""
        raise InputError(f"{where}: counts are {x.shape} with {len(feature_names)} names; expected (n, d) and d{about}")
    values = x.data if hasattr(x, "toarray") else x
    if not np.isfinite(values).all() or (values < 0).any() or (values % 1 != 0).any():
        raise InputError(
            f"{where}: counts hold fractions, NaN or numbers below 0; expected whole numbers, or kind=table"
        )
    stored = "int32" if values.max(initial=0) < 1 << 31 else "float32"
    return x, Form("counts", (x.shape[1],), stored, names=tuple(map(str, feature_names)), unit=unit)  # type: ignore[arg-type]


def standard(form: Form, samples: Samples) -> NDArray[np.float64]:
    """Counts (…, d) as log2(1 + count): a unit is a doubling."""
    return np.log2(1 + np.asarray(samples, np.float64))


def contrast(form: Form, low: Samples, high: Samples) -> NDArray[np.float64]:
    """The log2 fold change of 1 + mean count (…, d): the 1 keeps rare features from leading by chance."""
    return standard(form, high) - standard(form, low)
