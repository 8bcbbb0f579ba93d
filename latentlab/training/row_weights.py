"""How often each row is drawn in training: weights by row id, from a file or an array."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.data._arrays import read_npy
from latentlab.data.dataset import Dataset
from latentlab.errors import InputError, MissingError
from latentlab.system.precision import unmasked


def weights_of(data: Dataset, given: str | Path | ArrayLike) -> NDArray[np.float64]:
    """The probability of each row (n,), which sum to 1: entry i of what is given belongs to the row with id i.

    ``given`` is a ``.npy`` file or an array (m,), with m above the largest row id. Every row of the data needs a finite
    weight of at least 0, and some row one above 0; entries of other rows are not read.
    """
    if isinstance(given, str | Path) and not Path(given).is_file():
        raise MissingError(f"{given} does not exist; expected weights as .npy, as latentlab debias writes them")
    found = read_npy(Path(given)) if isinstance(given, str | Path) else unmasked(given, "weights")
    if found.ndim != 1 or found.dtype.kind not in "fiu":
        raise InputError(f"weights are {found.dtype} {found.shape}; expected numbers (rows,), entry i for row id i")
    if data.row_ids.min() < 0:
        raise InputError(f"{data.name} has negative row ids, which no position in the weights stands for; number them")
    last = int(data.row_ids.max())
    if len(found) <= last:
        came = f"weights are of {len(found):,} rows but {data.name} has row ids up to {last:,}"
        raise InputError(f"{came}; weigh these data")
    weights = found[data.row_ids].astype(np.float64)
    bad = int((~(weights >= 0) | ~np.isfinite(weights)).sum())
    if bad or not weights.any():
        problem = f"{bad:,} of {len(weights):,} rows have none, a negative or no finite one" if bad else "all are 0"
        raise InputError(f"weights of {data.name}: {problem}; weigh the rows that are trained on")
    return weights / weights.sum()


def digest(weights: NDArray[np.float64]) -> str:
    """The SHA-256 of the weights' bytes: how a configuration knows them."""
    return hashlib.sha256(np.ascontiguousarray(weights, "<f8").tobytes()).hexdigest()
