"""Whether a run's files belong together: what each was made from, and whether that is what is there now."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.codes.h5ad import read_provenance
from latentlab.errors import InputError, LatentlabError
from latentlab.runs.data import environment_of
from latentlab.runs.run import Run
from latentlab.runs.stage import STAGES
from latentlab.system.files import read_json, sha256
from latentlab.system.hdf5 import reading
from latentlab.system.quarantine import apart

if TYPE_CHECKING:
    import pandas as pd

TRAINED = ("config.json", "history.jsonl", "training.safetensors", "model.safetensors", "environment.json")


def health(run: Run, also: Iterable[str] = ()) -> pd.DataFrame:
    """One row a file of the run: ``file``, ``bytes``, ``written`` (local time), ``sha256``, ``state`` and ``why``.

    ``state`` is ``current`` (made from the files that are there now), ``stale`` (one of them changed since),
    ``missing``, ``damaged`` (it cannot be read), or ``source`` where nothing is recorded to compare with. In a small
    copy of a run, what was made from the full run's weights and codes is current: the copy's codes name their hashes.
    The training state of a finished run is ``not needed``: it serves to resume alone. ``also`` names further files,
    of which those that are there have a row.
    """
    import pandas as pd

    names = list(dict.fromkeys([*_all(run), *(name for name in also if (run.path / name).is_file())]))
    hashes = {name: sha256(run.path / name) for name in names if (run.path / name).is_file()}
    full = _full(run)
    rows = []
    for name in names:
        path = run.path / name
        if name not in hashes:
            why = "" if name in TRAINED else f"latentlab analyze {run.path} --only {_stage(name)}"
            spare = name == "training.safetensors" and run.step >= run.config.steps
            state, why = (
                ("not needed", "only a resume reads it, and the run is finished") if spare else ("missing", why)
            )
            rows.append({"file": name, "bytes": 0, "written": "", "sha256": "", "state": state, "why": why})
            continue
        state, why = _state(path, hashes, full)
        written = datetime.fromtimestamp(path.stat().st_mtime).isoformat(" ", "seconds")
        size = path.stat().st_size
        rows.append(
            {"file": name, "bytes": size, "written": written, "sha256": hashes[name], "state": state, "why": why}
        )
    return pd.DataFrame(rows)


def environment(run: Run) -> dict[str, Any]:
    """What the run was trained with, by name: versions, machine, time; empty where it was not recorded."""
    return {key: value for part in environment_of(run).values() for key, value in part.items()}


def _all(run: Run) -> list[str]:
    optional = ["notes.json"] if (run.path / "notes.json").is_file() else []
    return [*TRAINED, *STAGES.values(), *optional]


def _stage(name: str) -> str:
    return next(stage for stage, file in STAGES.items() if file == name)


def _full(run: Run) -> dict[str, str]:
    """The hashes of the full run's files, where this is a small copy of one."""
    try:
        found = read_provenance(run.codes_path) if run.has("encode") else {}
    except LatentlabError:  # damaged codes have a row of their own that says so
        return {}
    return {key: found[f"full_{key}"] for key in ("model", "codes") if isinstance(found.get(f"full_{key}"), str)}


def _state(path: Path, hashes: dict[str, str], full: dict[str, str]) -> tuple[str, str]:
    try:
        inputs = _inputs(path)
    except LatentlabError as error:
        return "damaged", str(error)
    made_from = {"model": "model.safetensors", "codes": STAGES["encode"]}
    for key, name in made_from.items():
        if isinstance(inputs.get(key), str) and inputs[key] not in (hashes.get(name), full.get(key)):
            return "stale", f"{name} is another than it was made from" if name in hashes else f"{name} is gone"
    return ("current", "") if any(inputs.get(key) for key in made_from) else ("source", "")


@apart()
def _inputs(path: Path) -> dict[str, Any]:
    """What a file says that it was made from; nothing for files that come first."""
    try:
        if path.name == STAGES["encode"]:
            return dict(read_provenance(path).get("inputs", {}))
        if path.suffix == ".h5":
            with reading(path, "what it was made from") as file:
                return dict(json.loads(file.attrs.get("inputs", "{}")))
        if path.suffix == ".json":
            found = dict(read_json(path))
            return {"model": found.get("model"), **dict(found.get("inputs") or {})}
    except LatentlabError:
        raise
    except Exception as error:  # h5py and a malformed structure raise all kinds
        raise InputError(f"{path} does not say what it was made from; restore it or make it anew") from error
    return {}
