"""Shapes3D: 480,000 rooms in colour, 64×64, with six factors (Burgess and Kim, 2018), from ``3dshapes.h5``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from latentlab.data import _arrays
from latentlab.data._axes import layout
from latentlab.data._fingerprint import Known, of_files
from latentlab.data.dataset import Dataset, Factor, FactorKind
from latentlab.errors import InputError

FILES = "3dshapes.h5"
KINDS: Mapping[str, FactorKind] = {
    "floor hue": "circular",
    "wall hue": "circular",
    "object hue": "circular",
    "scale": "ordinal",
    "shape": "categorical",
    "orientation": "continuous",  # of the view, from −30° to 30°: its ends do not meet
}
LEVELS = 1000


def load(path: str) -> Dataset:
    """The images of that file, or of the one of that name in a folder, read by index; factors hold level indices."""
    file = Path(path) / FILES if Path(path).is_dir() else Path(path)
    arrays = _arrays.read_h5(file)
    if not found(arrays):
        held = ", ".join(f"{key} {array.shape}" for key, array in sorted(arrays.items())[:4]) or "nothing"
        raise InputError(f"{file} holds {held}; expected images (n, h, w, 3) and labels (n, 6), as in {FILES}")
    return from_arrays(file, arrays)


def found(arrays: Mapping[str, Any]) -> bool:
    """Whether an HDF5 file is laid out as the published one."""
    shapes = {key: tuple(array.shape) for key, array in arrays.items()}
    return (
        set(shapes) == {"images", "labels"}
        and len(shapes["images"]) == 4
        and shapes["labels"] == (shapes["images"][0], len(KINDS))
    )


def from_arrays(path: Path, arrays: Mapping[str, Any]) -> Dataset:
    """The data set in a file that `found` knows."""
    shape, transpose = layout(path, arrays["images"])
    labels = np.asarray(arrays["labels"][...], np.float64)
    if not np.isfinite(labels).all():
        raise InputError(f"{path}: labels hold NaN or infinity; copy the file again")
    columns, specs = [], []
    for (name, kind), column in zip(KINDS.items(), labels.T, strict=True):
        values, levels = np.unique(column.round(6), return_inverse=True)
        if len(values) > LEVELS:
            raise InputError(f"{path}: {name} has {len(values):,} values; expected a few levels, as in {FILES}")
        columns.append(levels.astype(np.float64))
        specs.append(Factor(name, kind, tuple(values.tolist())))
    factors = np.stack(columns, axis=1)
    return Dataset(
        name="shapes3d",
        shape=shape,
        read=Known(_arrays.reader(path, arrays["images"], transpose), lambda: of_files([("", path)])),
        factors=factors,
        specs=tuple(specs),
        grid=_arrays.full_grid(factors),
        source={"name": "shapes3d-published", "file": path.name},
    )
