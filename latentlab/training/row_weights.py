"""How often each row is drawn in training: weights by row id, from a file or an array, or of two correlated factors."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.data._arrays import read_npy
from latentlab.data.dataset import Dataset
from latentlab.errors import InputError, MissingError, Remark
from latentlab.runs.config import RunConfig
from latentlab.runs.data import companion
from latentlab.system.files import read_json, sha256
from latentlab.system.precision import unmasked
from latentlab.training.correlated import correlated, read_correlation


def drawn_with(
    config: RunConfig, part: Dataset, data: Dataset, given: str | Path | ArrayLike | None
) -> NDArray[np.float64] | None:
    """The probability of each row of `part`, from weights given or from the correlation that a configuration names.

    None where neither is. ``data`` are what `part` was taken of: weights may have been made for them as a whole.
    """
    if config.correlate and given is not None:
        raise InputError("weights and correlate both determine how rows are sampled; leave one out")
    if config.correlate:
        drawn = correlated(part, read_correlation(config.correlate))
        if digest(drawn) != config.weights:
            raise InputError(f"{part.name[-60:]} has other factors now than when {config.correlate[:60]} was set up")
        return drawn
    weights = None if given is None else weights_of(part, given)
    if isinstance(given, str | Path):
        check_made_for(Path(given), part, data)
    return weights


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
        raise InputError(f"{data.name} has negative row ids, which cannot index the weights; use ids from 0")
    last = int(data.row_ids.max())
    if len(found) <= last:
        came = f"weights are of {len(found):,} rows but {data.name} has row ids up to {last:,}"
        raise InputError(f"{came}; recompute the weights for these data")
    weights = found[data.row_ids].astype(np.float64)
    bad = int((~(weights >= 0) | ~np.isfinite(weights)).sum())
    if bad or not weights.any():
        problem = (
            f"{bad:,} of {len(weights):,} rows have a missing, negative or infinite weight" if bad else "all are 0"
        )
        raise InputError(f"weights of {data.name}: {problem}; recompute the weights for the training rows")
    return weights / weights.sum()


def check_made_for(weights: Path, *data: Dataset) -> None:
    """Raise an `InputError` where weights from a file were made for other images than any of `data`.

    What they were made for stands in the file's `companion`. A `Remark` tells where that is missing, or is of other
    weights; nothing is checked then.
    """
    path = companion(weights)
    found = read_json(path) if path.is_file() else {}
    if not isinstance(found, dict) or found.get("weights") != sha256(weights):
        told = (
            f"{str(weights)[-60:]} does not record its images ({path.name[-60:]} is missing); entry i is used for row i"
        )
        warnings.warn(Remark(told), stacklevel=2)
        return
    images = found.get("images")
    if not isinstance(images, dict) or not {part.fingerprint["images"] for part in data} & set(images.values()):
        made = ", ".join(map(str, images))[:50] if isinstance(images, dict) else "unknown"
        came = f"{str(weights)[-50:]} was made for different images ({made}) than those of {data[0].name[-50:]}"
        raise InputError(f"{came}; compute weights for these with latentlab debias")


def digest(weights: NDArray[np.float64]) -> str:
    """The SHA-256 of the weights' bytes: how a configuration knows them."""
    return hashlib.sha256(np.ascontiguousarray(weights, "<f8").tobytes()).hexdigest()
