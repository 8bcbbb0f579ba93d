"""Whether a run's files belong together: what each was made from, and whether that is what is there now."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.codes.h5ad import read_provenance
from latentlab.errors import LatentlabError, LockedFileError, NewerFormatError
from latentlab.runs.config import FORMAT
from latentlab.runs.data import environment_of
from latentlab.runs.identity import LABELLED, is_foreign
from latentlab.runs.kept import inputs_of
from latentlab.runs.run import Run
from latentlab.runs.stage import Stage, stages
from latentlab.system.files import sha256

if TYPE_CHECKING:
    import pandas as pd

TRAINED = ("config.json", "history.jsonl", "training.safetensors", "model.safetensors", "environment.json")
TRAINED_FORMATS = {"config.json": FORMAT}  # 1 of the others
NOTES = "notes.json"
SPARE = "needed only to resume, and the run is finished"


def health(run: Run) -> pd.DataFrame:
    """One row per file of the run: ``file``, ``bytes``, ``written`` (local time), ``sha256``, ``state`` and ``why``.

    ``state`` is ``current`` (made from the files that are there now), ``stale`` (one of them changed since),
    ``missing``, ``damaged`` (it cannot be read), ``locked`` (it cannot be opened now), ``newer`` (a later version of
    latentlab wrote it), or ``source`` where nothing is recorded to compare with. In a small copy of a run, what was
    made from the full run's weights and codes is current: the copy's codes name their hashes. The training state of a
    finished run is ``not needed``: it serves to resume alone. A question's files have rows where it was asked.
    """
    import pandas as pd

    names = files_of(run)
    hashes = {name: _hash(run.path / name) for name in names if (run.path / name).is_file()}
    full = _full(run)
    return pd.DataFrame(
        [
            _row(run, name, owner, hashes, full) if name in hashes else _missing(run, name, owner)
            for name, owner in names.items()
        ]
    )


def _hash(path: Path) -> str:
    """The SHA-256 of a file; empty where it cannot be opened now."""
    try:
        return sha256(path)
    except LockedFileError:
        return ""


def files_of(run: Run) -> dict[str, Stage | None]:
    """The files that the run has or can have, each with the stage that makes it, None for those of training."""
    found: dict[str, Stage | None] = dict.fromkeys(TRAINED if run.config.has_model else TRAINED[:1])
    for stage in stages().values():
        if stage.needs and not run.config.has_model:
            continue
        asked = stage.place is not None or any((run.path / file).is_file() for file in stage.files)
        found |= dict.fromkeys(stage.files, stage) if asked else {}
    return found | ({NOTES: None} if (run.path / NOTES).is_file() else {})


def _row(run: Run, name: str, stage: Stage | None, hashes: dict[str, str], full: dict[str, str]) -> dict[str, Any]:
    path = run.path / name
    state, why = (
        _state_of_training(path)
        if name in LABELLED
        else _state(path, TRAINED_FORMATS.get(name, 1) if stage is None else stage.format, hashes, full)
    )
    status = path.stat()
    written = datetime.fromtimestamp(status.st_mtime).isoformat(" ", "seconds")
    found = {"file": name, "bytes": status.st_size, "written": written, "sha256": hashes[name]}
    return found | {"state": state, "why": why}


def _missing(run: Run, name: str, stage: Stage | None) -> dict[str, Any]:
    spare = name == "training.safetensors" and run.step >= run.config.steps
    state, why = (
        ("not needed", SPARE) if spare else ("missing", "" if stage is None else stage.lacks(run) or stage.again(run))
    )
    return {"file": name, "bytes": 0, "written": "", "sha256": "", "state": state, "why": why}


def environment(run: Run) -> dict[str, Any]:
    """What the run was trained with, by name: versions, machine, time; empty where it was not recorded."""
    return {key: value for part in environment_of(run).values() for key, value in part.items()}


def _full(run: Run) -> dict[str, str]:
    """The hashes of the full run's files, where this is a small copy of one."""
    try:
        found = read_provenance(run.codes_path) if run.has("encode") else {}
    except LatentlabError:  # damaged codes have a row of their own that says so
        return {}
    return {key: found[f"full_{key}"] for key in ("model", "codes") if isinstance(found.get(f"full_{key}"), str)}


def state_of(error: LatentlabError) -> str:
    """The state of a file that cannot be read for that reason."""
    if isinstance(error, NewerFormatError):
        return "newer"
    return "locked" if isinstance(error, LockedFileError) else "damaged"


def _state_of_training(path: Path) -> tuple[str, str]:
    """The state of a file that training leaves, and why: one of another training is stale."""
    try:
        return ("stale", "it belongs to another training than config.json") if is_foreign(path) else ("source", "")
    except LatentlabError as error:
        return state_of(error), str(error)


def _state(path: Path, newest: int, hashes: dict[str, str], full: dict[str, str]) -> tuple[str, str]:
    try:
        inputs = inputs_of(path, newest)
    except LatentlabError as error:
        return state_of(error), str(error)
    made_from = {"model": "model.safetensors", "codes": "codes.h5ad"}
    for key, name in made_from.items():
        locked = hashes.get(name) == ""
        if not locked and isinstance(inputs.get(key), str) and inputs[key] not in (hashes.get(name), full.get(key)):
            return "stale", f"{name} differs from the file it was made from" if name in hashes else f"{name} is gone"
    return ("current", "") if any(inputs.get(key) for key in made_from) else ("source", "")
