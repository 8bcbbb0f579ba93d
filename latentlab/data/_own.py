"""Data that a Python file of the user's own makes: ``FILE.py:NAME``. The file is run, for the user named it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data import _arrays
from latentlab.data._fingerprint import Known
from latentlab.data._memory import from_arrays, is_samples
from latentlab.data._pixels import Typed
from latentlab.data._spec import Code
from latentlab.data.dataset import Dataset, Images, Rows
from latentlab.errors import InputError
from latentlab.system import user_code
from latentlab.system.files import sha256
from latentlab.system.precision import unmasked


def maker(spec: Code) -> Callable[..., Dataset]:
    """What makes the data, with the options that the user's own function has."""
    head, path, name = spec.head, Path(spec.file), spec.name
    found = user_code.look_up(user_code.existing(path, "data set"), name)
    source = {"name": "own", "file": path.name, "sha256": sha256(path), "made_by": name}
    if not callable(found):
        return lambda: _dataset(head, name, found, source)

    @functools.wraps(found)
    def make(**options: Any) -> Dataset:
        try:
            with user_code.neighbours(path):
                made = found(**options)
        except InputError:
            raise
        except (Exception, SystemExit) as error:  # the user's own code may raise anything, or end the program
            raise user_code.failure(head, error) from error
        return _dataset(head, name, made, {**source, **({"options": options} if options else {})})

    return make


def _named(head: str, read: Callable[[Rows], Images]) -> Callable[[Rows], Images]:
    """Their reader; whatever is wrong with what it returns, or goes wrong in it, names the user's file."""
    inner = replace(read, name=head) if isinstance(read, Typed) else read

    def named(rows: Rows) -> Images:
        """Images (k, c, h, w) uint8 of `rows`, or an `InputError` that names the user's file."""
        try:
            return inner(rows)
        except InputError:
            raise
        except Exception as error:  # the user's own code may raise anything
            raise user_code.failure(head, error) from error

    return named


def _array(head: str, key: str, value: Any) -> NDArray[Any]:
    """What the user's file calls `key`, as an array; ragged lists and tensors that keep a gradient are none."""
    try:
        return unmasked(value, f"{head}: {key}")
    except InputError:
        raise
    except Exception as error:  # NumPy asks the object itself, which may raise anything
        came, why = type(value).__name__, " ".join(str(error).split())[:60]
        raise InputError(
            f"{head}: {key} is a {came} that makes no array ({why}); expected a NumPy array"[:199]
        ) from error


def _dataset(head: str, name: str, found: Any, source: Mapping[str, Any]) -> Dataset:
    """A `Dataset` as it is; arrays as those of an ``.npz``."""
    if isinstance(found, Dataset):
        read = _named(head, found.read)
        known = Known(read, found.read.digest) if isinstance(found.read, Known) else read
        return replace(found, source=source, read=known)
    if isinstance(found, np.ndarray):
        found = {"images": found}
    if not isinstance(found, Mapping) and is_samples(found):
        return replace(from_arrays(found, name=name), source=source)
    if not isinstance(found, Mapping):
        raise InputError(
            f"{head} returned a {type(found).__name__}; expected images (n, h, w), a mapping or an ll.Dataset"
        )
    made = _arrays.from_arrays(Path(head), {str(key): _array(head, str(key), value) for key, value in found.items()})
    return replace(made, name=name, source=source, remarks=(*made.remarks, *_arrays.passed_over(map(str, found))))
