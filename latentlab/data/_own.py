"""Data that a Python file of the user's own makes: ``FILE.py:NAME``. The file is run, for the user named it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from latentlab import ownfile
from latentlab.data import _arrays
from latentlab.data._fingerprint import Known
from latentlab.data._spec import Code
from latentlab.data.dataset import Dataset, Images, Rows
from latentlab.errors import InputError
from latentlab.files import sha256
from latentlab.precision import unmasked


def maker(spec: Code) -> Callable[..., Dataset]:
    """What makes the data, with the options that the user's own function has."""
    head, path, name = spec.head, Path(spec.file), spec.name
    found = ownfile.look_up(ownfile.existing(path, "data set"), name)
    source = {"name": "own", "file": path.name, "sha256": sha256(path), "made_by": name}
    if not callable(found):
        return lambda: _dataset(head, name, found, source)

    @functools.wraps(found)
    def make(**options: Any) -> Dataset:
        try:
            made = found(**options)
        except InputError:
            raise
        except (Exception, SystemExit) as error:  # the user's own code may raise anything, or end the program
            raise ownfile.failure(head, error) from error
        return _dataset(head, name, made, {**source, **({"options": options} if options else {})})

    return make


def _checked(head: str, data: Dataset) -> Callable[[Rows], Images]:
    """Its reader, held to what a `Dataset` promises."""

    def read(rows: Rows) -> Images:
        """Images (k, c, h, w) uint8 of `rows`, or an `InputError` that names the user's file."""
        try:
            images = data.read(rows)
        except InputError:
            raise
        except Exception as error:  # the user's own code may raise anything
            raise ownfile.failure(head, error) from error
        expected = (len(rows), *data.image_shape)
        if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.shape != expected:
            came = f"{images.dtype} {images.shape}" if isinstance(images, np.ndarray) else f"a {type(images).__name__}"
            raise InputError(f"{head} read {len(rows)} rows as {came}; expected an array uint8 {expected}")
        return images

    return read


def _dataset(head: str, name: str, found: Any, source: Mapping[str, Any]) -> Dataset:
    """A `Dataset` as it is; arrays as those of an ``.npz``."""
    if isinstance(found, Dataset):
        read = _checked(head, found)
        known = Known(read, found.read.digest) if isinstance(found.read, Known) else read
        return replace(found, source=source, read=known)
    if isinstance(found, np.ndarray):
        found = {"images": found}
    if not isinstance(found, Mapping):
        raise InputError(f"{head} gave a {type(found).__name__}; expected images (n, h, w), a mapping or an ll.Dataset")
    made = _arrays.from_arrays(
        Path(head), {str(key): unmasked(value, f"{head}: {key}") for key, value in found.items()}
    )
    return replace(made, name=name, source=source)
