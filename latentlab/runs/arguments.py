"""What the public functions are given: held against their annotations, so that a wrong argument is one line."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from latentlab.codes.codes import Codes
from latentlab.data import Dataset, is_samples, load
from latentlab.errors import InputError
from latentlab.runs.run import Run
from latentlab.runs.study import Study

# Annotations that are checked, and how a message names them; of an annotation with any other part nothing is checked.
NOUNS: dict[str, tuple[type, ...]] = {
    "Run": (Run,), "Study": (Study,), "Codes": (Codes,), "Dataset": (Dataset,), "Path": (PathLike,), "str": (str,),
    "int": (Integral,), "float": (Real,), "bool": (bool, np.bool_), "None": (type(None),),
}  # fmt: skip
OPENED: dict[str, Callable[[Any], Any]] = {"Run": Run, "Dataset": load}  # what may be given by its path, or its name


def checked(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as ``ll.NAME``: it opens runs and data given by path, and refuses what fits no annotation.

    Raises `InputError` for an argument of another type, and TypeError, as Python does, for a missing or surplus one.
    """
    signature = inspect.signature(function)

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs)
        for parameter, value in given.arguments.items():
            annotation = signature.parameters[parameter].annotation
            given.arguments[parameter] = fitting(f"{name}: {parameter}", value, str(annotation))
        return function(*given.args, **given.kwargs)

    call.__module__, call.__qualname__ = "latentlab", name  # where other processes find it
    return call


def fitting(what: str, value: Any, annotation: str) -> Any:
    """The value, opened where it is the path of a run or of data; an `InputError` where it does not fit the annotation.

    >>> fitting("top", 3, "int | None")
    3
    """
    parts = annotation.split(" | ")
    if not all(part in NOUNS for part in parts):
        return value
    if isinstance(value, str) and "\0" in value:
        raise InputError(f"{what} holds a zero byte; expected {_named(parts)}")
    if isinstance(value, tuple(each for part in parts for each in NOUNS[part])):
        return value
    opens = next((OPENED[part] for part in parts if part in OPENED), None)
    if opens is not None and (isinstance(value, str | Path) or (opens is load and is_samples(value))):
        return opens(value)
    raise InputError(f"{what} is a {type(value).__name__}, {value!r:.40}; expected {_named(parts)}")


def _named(parts: list[str]) -> str:
    words = {
        "Run": "a Run or its folder",
        "Dataset": "a Dataset, its name or path, or an array",
        "Path": "Path",
        "None": "None",
    }
    return " or ".join(words.get(part, part) for part in parts)
