"""Whether a run's files belong together: what each was made from, and whether that is what is there now."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.codes import read_provenance
from latentlab.errors import LatentlabError
from latentlab.files import read_json, sha256
from latentlab.hdf5 import open_safely
from latentlab.runs import STAGES, Run

if TYPE_CHECKING:
    import pandas as pd

TRAINED = ("config.json", "history.jsonl", "training.safetensors", "model.safetensors", "environment.json")


def health(run: Run) -> pd.DataFrame:
    """One row a file of the run: ``file``, ``bytes``, ``written`` (local time), ``sha256``, ``state`` and ``why``.

    ``state`` is ``current`` (made from the files that are there now), ``stale`` (one of them changed since),
    ``missing``, ``damaged`` (it cannot be read), or ``source`` where nothing is recorded to compare with.
    """
    import pandas as pd

    hashes = {name: sha256(run.path / name) for name in _all(run) if (run.path / name).is_file()}
    rows = []
    for name in _all(run):
        path = run.path / name
        if name not in hashes:
            why = "" if name in TRAINED else f"latentlab analyze {run.path} --only {_stage(name)}"
            rows.append({"file": name, "bytes": 0, "written": "", "sha256": "", "state": "missing", "why": why})
            continue
        state, why = _state(path, hashes)
        written = datetime.fromtimestamp(path.stat().st_mtime).isoformat(" ", "seconds")
        size = path.stat().st_size
        rows.append(
            {"file": name, "bytes": size, "written": written, "sha256": hashes[name], "state": state, "why": why}
        )
    return pd.DataFrame(rows)


def environment(run: Run) -> dict[str, Any]:
    """What the run was trained with, by name: versions, machine, time; empty where it was not recorded."""
    path = run.path / "environment.json"
    found = read_json(path) if path.is_file() else {}
    flat: dict[str, Any] = {}
    for part in found.values() if isinstance(found, dict) else ():
        flat |= part if isinstance(part, dict) else {}
    return flat


def _all(run: Run) -> list[str]:
    optional = ["notes.json"] if (run.path / "notes.json").is_file() else []
    return [*TRAINED, *STAGES.values(), *optional]


def _stage(name: str) -> str:
    return next(stage for stage, file in STAGES.items() if file == name)


def _state(path: Path, hashes: dict[str, str]) -> tuple[str, str]:
    try:
        inputs = _inputs(path)
    except LatentlabError as error:
        return "damaged", str(error)
    made_from = {"model": "model.safetensors", "codes": STAGES["encode"]}
    for key, name in made_from.items():
        if isinstance(inputs.get(key), str) and inputs[key] != hashes.get(name):
            return "stale", f"{name} is another than it was made from" if name in hashes else f"{name} is gone"
    return ("current", "") if set(made_from) & set(inputs) else ("source", "")


def _inputs(path: Path) -> dict[str, Any]:
    """What a file says that it was made from; nothing for files that come first."""
    if path.name == STAGES["encode"]:
        return dict(read_provenance(path).get("inputs", {}))
    if path.name == STAGES["score"]:
        found = read_json(path)
        return dict(found.get("inputs") or {}) if isinstance(found, dict) else {}
    if path.suffix == ".h5":
        with open_safely(path) as file:
            return dict(json.loads(file.attrs.get("inputs", "{}")))
    if path.suffix == ".json":
        read_json(path)
    return {}
