"""A user's names and notes for what was found in a run, kept in its ``notes.json``."""

from __future__ import annotations

import os

from latentlab.errors import InputError
from latentlab.files import lock, write_json
from latentlab.runs import Run

LONGEST_NAME = 80
LONGEST_NOTE = 2000


def writable(run: Run) -> bool:
    """Whether notes can be kept beside this run: its folder is not read-only."""
    return os.access(run.path, os.W_OK)


def name_dimension(run: Run, index: int, *, name: str, note: str = "") -> None:
    """Keep a name and a note for latent dimension `index`; both empty forgets it.

    Raises `InputError` where there is no such dimension or the text is too long, `LatentlabError` while another process
    writes the run.
    """
    name, note = " ".join(name.split()), note.strip()
    if not 0 <= index < run.config.latent_dim:
        raise InputError(f"{run.name} has no dimension {index}; it has 0 to {run.config.latent_dim - 1}")
    for what, text, longest in (("name", name, LONGEST_NAME), ("note", note, LONGEST_NOTE)):
        if len(text) > longest:
            raise InputError(f"the {what} has {len(text)} characters; expected at most {longest}")
    with lock(run.path):
        notes = run.notes()
        named = dict(notes.get("dimensions", {}))
        named.pop(str(index), None)
        if name or note:
            named[str(index)] = {"name": name, "note": note}
        write_json(run.path / "notes.json", {**notes, "dimensions": named})
