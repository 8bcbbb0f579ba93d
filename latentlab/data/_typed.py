"""What is known of a data set's rows, held to what a `Dataset` promises: arrays of one dtype each, a row for a row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import InputError
from latentlab.system.precision import as_floats, unmasked

LARGEST = np.iinfo(np.int64).max
WAY_OUT = "ll.data.from_arrays reads words and data frames"


def factors_of(name: str, given: Any, rows: int) -> NDArray[np.float64]:
    """Factors (n, k) as float64; an `InputError` for words, infinity and other shapes."""
    values = _array(name, "factors", given)
    if values.dtype.kind not in "iubf" or values.ndim != 2:
        raise InputError(f"{name}: factors are {_came(values)}; expected numbers ({rows}, k): {WAY_OUT}")
    if values.dtype != np.float64:
        values = as_floats(values)
    if (endless := np.isinf(values).any(axis=1)).any():
        raise InputError(f"{name}: factors hold infinity in row {int(endless.argmax()) + 1}; NaN marks what is unknown")
    return values


def labels_of(name: str, given: Any, rows: int) -> NDArray[np.int64]:
    """Labels (n,) as int64; an `InputError` for words, fractions and other shapes."""
    values = _array(name, "labels", given)
    return _whole(name, "labels", values, f"expected whole numbers ({rows},), −1 where there is none: {WAY_OUT}")


def ids_of(name: str, given: Any, rows: int) -> NDArray[np.int64]:
    """Row ids (n,) as int64; an `InputError` for what are no whole numbers from 0."""
    values = _array(name, "row_ids", given)
    found = _whole(name, "row_ids", values, f"expected whole numbers ({rows},); names go into row_names")
    if found.size and found.min() < 0:
        raise InputError(f"{name}: row_ids go down to {found.min()}; expected whole numbers from 0")
    return found


def names_of(name: str, given: Any, rows: int) -> NDArray[np.str_]:
    """Names of rows (n,) as texts."""
    values = np.asarray(given, np.str_) if isinstance(given, list | tuple) else _array(name, "row_names", given)
    if values.dtype.kind == "O" and all(isinstance(each, str) for each in values.ravel()):
        values = values.astype(np.str_)
    if values.dtype.kind != "U" or values.ndim != 1:
        raise InputError(f"{name}: row_names are {_came(values)}; expected texts ({rows},)")
    return values


def _array(name: str, what: str, given: Any) -> NDArray[Any]:
    return unmasked(given, f"{name}: {what}", WAY_OUT)


def _whole(name: str, what: str, values: NDArray[Any], expected: str) -> NDArray[np.int64]:
    if values.dtype == np.int64 and values.ndim == 1:
        return values
    whole = values.dtype.kind in "biu"
    if values.dtype.kind == "f":  # numbers that pandas made floats
        whole = bool((np.isfinite(values) & (values % 1 == 0) & (np.abs(values) < 2.0**53)).all())
    if not whole or values.ndim != 1 or (values.dtype.kind == "u" and values.max(initial=0) > LARGEST):
        raise InputError(f"{name}: {what} are {_came(values)}; {expected}")
    return values.astype(np.int64)


def _came(values: NDArray[Any]) -> str:
    fractions = values.dtype.kind == "f" and values.ndim == 1
    return f"{values.dtype} {values.shape}" + (", not all of them whole" if fractions else "")
