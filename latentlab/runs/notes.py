"""A user's names and notes for what was found in a run, kept in its ``notes.json``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import InputError
from latentlab.runs.run import Run
from latentlab.system import quarantine
from latentlab.system.files import check_format, lock, read_json, write_json

READ_ONLY = quarantine.READ_ONLY  # set where a dashboard lets others look: they write no notes and see the study alone
LONGEST_NAME = 80
LONGEST_NOTE = 2000
TEXTS = {"name": LONGEST_NAME, "note": LONGEST_NOTE}
MOST_ROWS = 100_000
PATIENCE = 2.0  # seconds that a note waits for who writes the run; others save notes, too


def read_notes(path: Path) -> dict[str, Any]:
    """What a ``notes.json`` holds, empty without it; an `InputError` where it is not in latentlab's format."""
    found = read_json(path) if path.is_file() else {}
    if isinstance(found, dict):
        check_format(found.get("format", 1), 1, path)
    kinds = [found.get(kind, {}) for kind in ("dimensions", "selections")] if isinstance(found, dict) else [found]
    if not all(_are_notes(kind) for kind in kinds):
        raise InputError(f"{path} does not contain notes in latentlab's format; restore or remove it")
    return found


def _are_notes(found: Any) -> bool:
    """Whether these are entries by key, each with texts that are not too long and perhaps with rows."""
    if not isinstance(found, dict) or not all(isinstance(entry, dict) for entry in found.values()):
        return False
    texts = [(entry.get(key, ""), longest) for entry in found.values() for key, longest in TEXTS.items()]
    return all(isinstance(text, str) and len(text) <= longest for text, longest in texts)


def writable(run: Run) -> bool:
    """Whether notes can be kept beside this run: its folder is not read-only, and others are not only let look."""
    return not unwritable(run)


def unwritable(run: Run) -> str:
    """Why no notes can be kept beside this run; empty where they can."""
    if os.environ.get(READ_ONLY):
        return "this dashboard is open to other machines and writes nothing"
    return "" if os.access(run.path, os.W_OK) else "the run's folder is read-only"


def name_dimension(run: Run, index: int, *, name: str, note: str = "", shown: tuple[str, str] | None = None) -> None:
    """Keep a name and a note for latent dimension `index`; both empty forgets it.

    ``shown`` are the name and the note that the user saw before changing them: what is unchanged stays as others have
    it meanwhile. Raises `InputError` where there is no such dimension, the text is too long or others changed the same
    text, `LatentlabError` while another process writes the run.
    """
    if not 0 <= index < run.config.latent_dim:
        raise InputError(f"{run.name} has no dimension {index}; it has 0 to {run.config.latent_dim - 1}")
    name, note = _checked(run, name, note)
    with lock(run.path, PATIENCE):
        kept = run.notes().get("dimensions", {}).get(str(index), {})
        now = {"name": name, "note": note}
        if shown is not None:
            now = {
                what: _merged(f"{what} of dimension {index}", shown[k], text, kept.get(what, ""))
                for k, (what, text) in enumerate(now.items())
            }
        _keep(run, "dimensions", str(index), now if any(now.values()) else None)


def _merged(what: str, shown: str, ours: str, theirs: str) -> str:
    """The text to keep where ours was made from the one shown, and theirs is there by now."""
    if ours in (shown, theirs):
        return theirs
    if theirs != shown:
        raise InputError(f"the {what} was changed to {theirs[:60]!r} in another window; reload it and save yours again")
    return ours


def name_selection(run: Run, name: str, row_ids: NDArray[np.int64], *, note: str = "", replace: bool = False) -> None:
    """Keep rows under a name, by their ids; no rows forgets the selection of that name.

    Other rows that are kept under this name stay, and an `InputError` says so, but where ``replace`` is True. Raises
    `InputError` where the name is empty, too long or reads as row ids or as a factor's value, or where there are more
    rows than notes should hold, `LatentlabError` while another process writes the run.
    """
    name, note = _checked(run, name, note)
    if not name or "=" in name or name[0].isdigit():
        raise InputError(f"invalid selection name {name!r}; expected a name without = that does not begin with a digit")
    if len(row_ids) > MOST_ROWS:
        raise InputError(f"the selection has {len(row_ids):,} rows; expected at most {MOST_ROWS:,} to be saved")
    found = {"rows": np.unique(row_ids).tolist(), "note": note}
    with lock(run.path, PATIENCE):
        kept = run.notes().get("selections", {}).get(name, found)
        if len(row_ids) and kept.get("rows") != found["rows"] and not replace:
            rows = len(kept.get("rows") or [])
            raise InputError(f"{name!r} keeps {rows:,} other rows already; forget it first, or choose another name")
        _keep(run, "selections", name, found if len(row_ids) else None)


def _checked(run: Run, name: str, note: str) -> tuple[str, str]:
    name, note = " ".join(name.split()), note.strip()
    if why := unwritable(run):
        raise InputError(f"the notes of {run.name} cannot be saved: {why}")
    for what, text, longest in (("name", name, LONGEST_NAME), ("note", note, LONGEST_NOTE)):
        if len(text) > longest:
            raise InputError(f"the {what} has {len(text)} characters; expected at most {longest}")
    return name, note


def _keep(run: Run, kind: str, key: str, found: dict[str, Any] | None) -> None:
    """Put one entry into ``notes.json``, whose folder is locked; none removes it."""
    notes = run.notes()
    kept = {name: each for name, each in notes.get(kind, {}).items() if name != key}
    write_json(run.path / "notes.json", {**notes, kind: kept | ({key: found} if found else {})})
