"""Out-of-distribution detection of a run in ``outliers.json``, one entry per pair of data sets."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from latentlab.analysis.outliers.measure import Detection
from latentlab.errors import MissingError
from latentlab.runs.run import Run
from latentlab.system.files import read_json
from latentlab.system.validation import validate

FILE = "outliers.json"


class _Entry(BaseModel):
    """What is read of one entry of an ``outliers.json``; the rest is handed on."""

    model_config = ConfigDict(extra="allow")
    own: str
    against: str
    best_baseline: tuple[str, float]
    beyond_baselines: tuple[str, ...] = ()
    scores: dict[str, Detection]


class _Kept(BaseModel):
    entries: dict[str, _Entry]


def load_outliers(run: Run) -> dict[str, dict[str, Any]]:
    """What ``outliers.json`` of a run keeps: one entry per pair of data sets."""
    path = run.path / FILE
    if not path.is_file():
        raise MissingError(f"{path} does not exist; make it with `latentlab outliers {run.path} --against DATA`")
    mend = "remove it and run `latentlab outliers` anew"
    found: _Kept = validate(_Kept, read_json(path), str(path), mend)
    return {key: entry.model_dump() for key, entry in found.entries.items()}
