"""Counts of features: (features,) whole numbers from 0, as of genes in a cell; what a model takes is the counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data.kinds._draw import bars
from latentlab.data.kinds._form import Form, Samples
from latentlab.data.kinds._spread import blocks, distance_to, principal
from latentlab.errors import InputError

if TYPE_CHECKING:
    from latentlab.data.dataset import Dataset

NOUN, PLURAL = "sample", "samples"
PLACE = "feature"
SEEN = "logarithms"
DRAWN = "features"
STANDARD = "log2(1 + count)"
MATCHED = ("total", 0.05)  # logarithms of sums that differ by less are called equal
CHANGE = "log2 fold"
INPUT = "counts"
PSEUDO = 0.1  # counts added to both means of a fold, so that what is hardly ever counted makes no large one


def described(form: Form) -> str:
    """Many of them in words."""
    return f"samples of {form.shape[0]:,} counted feature{'s' * (form.shape[0] > 1)}"


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


def change(form: Form, low: Samples, high: Samples) -> NDArray[np.float64]:
    """log₂ of how many times `high` mean counts are of `low` ones, `PSEUDO` counts added to both."""
    return np.asarray(np.log2((np.asarray(high, np.float64) + PSEUDO) / (np.asarray(low, np.float64) + PSEUDO)))


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
    """A bar per feature: log(1 + count), against the largest in sight."""
    values = np.log1p(np.maximum(np.asarray(samples, np.float64), 0))
    return bars(values / max(float(values.max(initial=0)), 1e-9), signed=False)


def of_array(
    where: object, x: Any, *, feature_names: Sequence[str] = (), unit: str = "", **other: Any
) -> tuple[Any, Form]:
    """Counts (n, d), an array or a sparse matrix, and their form."""
    if other or len(x.shape) != 2 or len(feature_names) not in (0, x.shape[1]):
        about = f"; leave {min(other)} out" if other else ""
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


def examined(form: Form, blocks: Iterable[Samples]) -> list[tuple[str, str, str]]:
    """What is found in the counts, and what is wrong with it."""
    sums, high = [], 0.0
    total = np.zeros(form.shape[0])
    for block in blocks:
        sums.append(block.sum(axis=1, dtype=np.float64))
        total += block.sum(axis=0, dtype=np.float64)
        high = max(high, float(block.max()))
    library, never = np.concatenate(sums), int((total == 0).sum())
    empty = int((library == 0).sum())
    found = f"0 to {high:g}; {library.min():g} to {library.max():g} in all, median {np.median(library):g}"
    problem = f"{empty:,} of {len(library):,} samples have no count" if empty else ""
    features = f"{len(total):,} features, {never:,} of them never counted"
    return [("counts", found, problem), ("features", features, "")]


def baselines(form: Form, samples: Samples, trained: Samples) -> dict[str, NDArray[np.float64]]:
    """What needs no model: log(1 + sum of the counts), features that were counted, distance from the mean sample.

    Distances are between log(1 + count) of samples that are scaled to the typical sum.
    """
    return {
        "total": np.log1p(samples.sum(axis=1, dtype=np.float64)),
        "features counted": (samples > 0).sum(axis=1).astype(np.float64),
        "distance to the mean": distance_to(compared(form, trained).mean(axis=0), compared(form, samples)),
    }


def constants(form: Form, trained: Samples) -> tuple[Samples, dict[str, slice]]:
    """The mean of the samples that were trained on: what a decoder that has collapsed makes of everything."""
    return trained.mean(axis=0, keepdims=True, dtype=np.float64).round().astype(form.stored), {"mean": slice(1)}


def compared(form: Form, samples: Samples) -> NDArray[np.float32]:
    """log(1 + count) of samples scaled to the typical sum (n, d): how much was counted in all does not count."""
    total = np.maximum(np.asarray(samples, np.float64).sum(axis=1, keepdims=True), 1e-9)
    return np.log1p(np.asarray(samples, np.float64) * (form.library / total)).astype(np.float32)


def space(form: Form, samples: Samples, seed: int = 0) -> Callable[[Samples], NDArray[np.float32]]:
    """The directions in which these samples vary most, at most 64."""
    return principal(compared(form, samples), lambda others: compared(form, others))


def seen(form: Form, samples: Samples) -> NDArray[np.float32]:
    """What a regressor sees: the same numbers."""
    return compared(form, samples)
