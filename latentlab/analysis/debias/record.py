"""The rarest and commonest rows of a run in ``debiasing.h5``, and weights as ``.npy``."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from latentlab.analysis.debias import STAGE
from latentlab.analysis.debias.measure import Commonness
from latentlab.codes.decodings import Decodings, load_decodings
from latentlab.data import Dataset
from latentlab.errors import InputError
from latentlab.runs.data import companion, trained_rows
from latentlab.runs.run import Run
from latentlab.system.files import write_bytes, write_json
from latentlab.system.validation import validate

(FILE,) = STAGE.files


def save_weights(path: Path, found: Commonness, images: Mapping[str, str] | None = None) -> None:
    """Publish the weights as the ``.npy`` that ``train --weights`` reads: entry i is that of the row with id i.

    ``images`` are the fingerprints of the images that were weighed by what they are called; they are published beside
    the weights, in `companion`, so that weights are not taken for those of other data.
    """
    if path.suffix != ".npy":
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}; weights are written as .npy")
    buffer = io.BytesIO()
    np.save(buffer, found.by_row_id())
    write_bytes(path, buffer.getvalue())
    if images is not None:
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()
        write_json(companion(path), {"format": 1, "weights": digest, "images": dict(images)})


def weighed_images(run: Run, data: Dataset | None = None, split: str | None = None) -> dict[str, str]:
    """The fingerprints of the images that `debias` weighs: of the rows themselves, and of all that they are part of."""
    part, whole = trained_rows(run, data, split), trained_rows(run, data, "all")
    return {part.name: part.fingerprint["images"], whole.name: whole.fingerprint["images"]}


def load_extremes(run: Run) -> dict[str, Decodings]:
    """The ``rarest`` and ``commonest`` rows in the run's ``debiasing.h5``, each with its reconstruction and weight."""
    path = STAGE.path(run)
    found = load_decodings(path)
    if set(found) != {"rarest", "commonest"}:
        raise STAGE.damaged(run, f"it holds {', '.join(found)[:40] or 'nothing'}")
    for name, part in found.items():
        told: _Told = validate(_Told, part.settings, f"{path}: {name}")
        if {len(told.rows), len(told.weights), len(told.classes)} != {
            len(part.images)
        } or part.images.ndim != 1 + part.form.ndim:
            raise STAGE.damaged(run, f"{name} does not describe each image")
    if len({part.codes.shape[1] for part in found.values()}) > 1:
        raise STAGE.damaged(run, "the parts differ in latent size")
    return found


class _Summary(BaseModel):
    dimensions: list[str]
    of_dimensions: int
    combine: str
    rows: int
    effective: float


class _Told(BaseModel):
    """What is read of the settings beside the rarest and the commonest rows."""

    rows: list[int]
    weights: list[float]
    classes: list[str]
    summary: _Summary
