"""The rarest and commonest rows of a run in ``debiasing.h5``, and weights as ``.npy``."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from latentlab.analysis.debias import STAGE
from latentlab.analysis.debias.measure import Commonness
from latentlab.codes.decodings import Decodings, load_decodings
from latentlab.errors import InputError
from latentlab.runs.run import Run
from latentlab.system.files import write_bytes
from latentlab.system.validation import validate

(FILE,) = STAGE.files


def save_weights(path: Path, found: Commonness) -> None:
    """Publish the weights as the ``.npy`` that ``train --weights`` reads: entry i is that of the row with id i."""
    if path.suffix != ".npy":
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}; weights are written as .npy")
    buffer = io.BytesIO()
    np.save(buffer, found.by_row_id())
    write_bytes(path, buffer.getvalue())


def load_extremes(run: Run) -> dict[str, Decodings]:
    """The ``rarest`` and ``commonest`` rows in the run's ``debiasing.h5``, each with its reconstruction and weight."""
    path = STAGE.path(run)
    found = load_decodings(path)
    if set(found) != {"rarest", "commonest"}:
        raise STAGE.damaged(run, f"it holds {', '.join(found)[:40] or 'nothing'}")
    for name, part in found.items():
        told: _Told = validate(_Told, part.settings, f"{path}: {name}")
        if {len(told.rows), len(told.weights), len(told.classes)} != {len(part.images)} or part.images.ndim != 4:
            raise STAGE.damaged(run, f"{name} does not tell of each image")
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
