"""Rows of a table: (columns,), each numeric, binary or one level of a category; values may be missing (NaN)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data.kinds._draw import bars
from latentlab.data.kinds._form import Form, Samples
from latentlab.data.kinds._spread import distance_to, moments
from latentlab.errors import InputError
from latentlab.system.numbers import percent

if TYPE_CHECKING:
    from latentlab.data.dataset import Dataset

NOUN, PLURAL = "row", "rows"
PLACE = "column"
SEEN = "without what is missing"
DRAWN = "features"
STANDARD = "standard deviations from the mean, or 0 to 1"
INPUT = "standard deviations"
MATCHED = ("", 0.0)  # nothing of a row is like brightness
SHOWN = 3  # standard deviations from the middle line of a picture to its edge
COLUMNS = ("numeric", "binary")
LEVELS = 6  # of a category that are named


def described(form: Form) -> str:
    """Many of them in words."""
    return f"rows of {form.shape[0]:,} column{'s' * (form.shape[0] > 1)}"


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
    """A bar per column in units of its standard deviation."""
    return bars(form.to_model(samples) / SHOWN)


def of_array(
    where: object, x: Samples, *, feature_names: Sequence[str] = (), unit: str = "", **other: Any
) -> tuple[Samples, Form]:
    """Rows (n, d) and their form: columns of 0 and 1 alone are binary, others numeric."""
    if other or x.ndim != 2 or len(feature_names) not in (0, x.shape[1]):
        about = f"; leave {min(other)} out" if other else ""
        raise InputError(f"{where}: a table is {x.shape} with {len(feature_names)} names; expected (n, d) and d{about}")
    if np.isinf(x).any():
        raise InputError(f"{where}: the table holds infinity; replace it, or leave NaN where a value is missing")
    binary = [set(np.unique(column[~np.isnan(column)]).tolist()) == {0.0, 1.0} for column in x.T.astype(np.float64)]
    form = Form(
        "table",
        (x.shape[1],),
        "float64" if x.dtype.kind != "f" or x.dtype.itemsize > 4 else "float32",
        names=tuple(map(str, feature_names)),
        columns=tuple("binary" if each else "numeric" for each in binary) if any(binary) else (),
        unit=unit,
        missing=bool(np.isnan(x).any()),
    )
    return x, form


def standard(form: Form, samples: Samples) -> NDArray[np.float64]:
    """Rows (…, d) in standard deviations from the mean; binary columns and levels as they are."""
    return np.asarray(form.to_model(samples), np.float64)


def examined(form: Form, blocks: Iterable[Samples]) -> list[tuple[str, str, str]]:
    """What is found in each column, the levels of a category together, and what is wrong with it."""
    rows = np.concatenate([np.asarray(block, np.float64) for block in blocks])
    names = form.names or tuple(f"column {k + 1}" for k in range(form.shape[0]))
    grouped: dict[str, list[int]] = {}
    for k, (name, kind) in enumerate(zip(names, form.columns or ("numeric",) * len(names), strict=True)):
        grouped.setdefault(kind if kind.startswith("category ") else f"{kind} {name}", []).append(k)
    return [_column(what, rows[:, places], [names[k] for k in places]) for what, places in grouped.items()]


def _column(what: str, values: NDArray[np.float64], names: list[str]) -> tuple[str, str, str]:
    kind, _, name = what.partition(" ")
    head = name if name.startswith("column ") else f"column {name}"
    missing = int(np.isnan(values[:, 0]).sum())
    known = values[~np.isnan(values[:, 0])]
    problem = f"missing in {missing:,} of {len(values):,} rows" if missing else ""
    if not len(known):
        return head, kind, "no value in any row"
    if kind == "category":
        counts = sorted(zip(known.sum(axis=0), names, strict=True), reverse=True)[:LEVELS]
        shown = ", ".join(f"{level.removeprefix(f'{name}=')} {count:,.0f}" for count, level in counts)
        return head, f"category of {len(names)}: {shown}", problem
    if (known == known[0]).all():
        problem = "never varies"
    shown = f"1 in {percent(known.mean())}" if kind == "binary" else f"{known.min():g} to {known.max():g}"
    return head, f"{kind}, {shown}", problem


def baselines(form: Form, samples: Samples, trained: Samples) -> dict[str, NDArray[np.float64]]:
    """What needs no model: how far a row lies from the mean training row, in standard deviations, and what it lacks."""
    mean = np.nanmean(form.to_model(trained).astype(np.float64), axis=0)
    return {
        "distance to the mean": distance_to(mean, form.to_model(samples)),
        "missing values": np.isnan(samples).sum(axis=1).astype(np.float64),
    }


def constants(form: Form, trained: Samples) -> tuple[Samples, dict[str, slice]]:
    """The mean of the rows that were trained on: what a decoder that has collapsed makes of everything."""
    return np.nanmean(trained, axis=0, keepdims=True, dtype=np.float64).astype(form.stored), {"mean": slice(1)}


def compared(form: Form, samples: Samples) -> NDArray[np.float32]:
    """Columns in standard deviations from their mean (n, d), which stands for what is missing."""
    return np.nan_to_num(form.to_model(samples))


def space(form: Form, samples: Samples, seed: int = 0) -> Callable[[Samples], NDArray[np.float32]]:
    """The columns themselves, in standard deviations."""
    return lambda others: compared(form, others)


def seen(form: Form, samples: Samples) -> NDArray[np.float32]:
    """What a regressor sees: the same numbers."""
    return compared(form, samples)
