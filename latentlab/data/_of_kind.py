"""Arrays as samples of one kind, which is inferred where it is plain and asked for where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data._pixels import ROUND_OFF
from latentlab.data.dataset import Dataset
from latentlab.data.kinds import kind_named
from latentlab.errors import InputError
from latentlab.system import registry
from latentlab.system.precision import beyond_exact

LEAST_SIDE = 4  # pixels of an image; what is narrower is more likely channels
NARROW = 8  # an image of floats is not that many times as long as it is high


def dataset_of(where: Path, x: Any, kind: str, about: Mapping[str, Any]) -> Dataset:
    """The samples of an array or sparse matrix x, (n, …), of that kind; ``about`` has what its form is told besides.

    That is ``feature_names``, ``axis``, ``axis_unit``, ``unit``, and of arrays ``axes``, ``stored``, ``stretch`` and
    ``colours``, as far as they are given.
    """
    shape = tuple(x.shape)
    if 0 in shape or x.dtype.kind not in "biuf":
        raise InputError(f"{where}: samples are {x.dtype} {shape}; expected numbers, at least one sample: convert them")
    if x.dtype.kind in "iu" and x.dtype.itemsize == 8 and beyond_exact(x.data if hasattr(x, "toarray") else x):
        raise InputError(f"{where}: samples hold whole numbers beyond 2^53, which floats merge; subtract the least")
    named = [str(name) for name in about.get("feature_names", ())]
    if twice := next((name for name in named if named.count(name) > 1), ""):
        raise InputError(f"{where}: two features are called {twice[:40]!r}; name each once")
    samples, form = kind_named(kind).of_array(where, x, **about)
    if hasattr(samples, "toarray"):
        return Dataset(where.stem, shape, lambda rows: samples[rows].toarray(), form=form)
    return Dataset(where.stem, samples.shape, samples.__getitem__, form=form)


def kind_of_array(where: Path, x: Any, kind: str, *, axis: bool, axes: str) -> str:
    """The kind of samples in an array: what is said, or what is plain; an `InputError` asks where it may be several.

    Two axes are rows of a table, of whole numbers from 0 asked for, and with an ``axis`` signals; three or four are
    images, but for floats of fewer than 4 pixels per side, which may be channels of a signal.
    """
    kinds, shape = registry.names("data/kinds"), tuple(x.shape)
    if kind:
        if kind not in kinds:
            raise InputError(f"{where}: kind is {kind[:40]!r}; expected one of {', '.join(kinds)}")
        return kind
    if axis:
        return "signal"
    if len(shape) == 2 and x.dtype.kind in "biuf":
        return _of_rows(where, x)
    side, long = sorted(shape[1:])[:2] if len(shape) == 3 else (1, 1)
    if x.dtype.kind in "fi" and (side < LEAST_SIDE < long or long >= NARROW * side) and not axes:
        raise InputError(
            f"{where}: {shape} may be signals (n, channels, points) or images (n, h, w); say kind=signal or kind=image"
        )
    return "image"


def _of_rows(where: Path, x: Any) -> str:
    values = x[...] if x.dtype.kind in "iu" else np.zeros(0)
    if values.min(initial=0) >= 0 and values.max(initial=0) > 1:
        raise InputError(
            f"{where}: whole numbers {tuple(x.shape)} may be counts or a table: say kind=counts or kind=table; "
            "images are expected (n, h, w)"
        )
    return "table"


def is_bytes(x: NDArray[Any]) -> bool:
    """Whether images are kept as bytes: uint8, truth values, and floats in [0, 1]."""
    if x.dtype in (np.uint8, np.bool_):
        return True
    return x.dtype.kind == "f" and bool(x.min() >= -ROUND_OFF) and bool(x.max() <= 1 + ROUND_OFF)
