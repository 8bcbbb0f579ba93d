"""The folders of runs and studies: their names, what a path must be, and links that lead out of them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.errors import InputError, MissingError

if TYPE_CHECKING:
    from latentlab.runs.run import Run

NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")  # of a run


def path_of(given: Any, what: str) -> Path:
    """The path that was given as the folder of a run or a study; an `InputError` where it is none."""
    if not isinstance(given, str | Path) or given == "" or "\0" in str(given):
        raise InputError(f"{given!r:.60} is not a path; expected the folder of {what}")
    return Path(given)


def no_folder(path: Path, expected: str) -> MissingError:
    """The error for a path at which there is no folder."""
    return MissingError(f"{path} {'is a file' if path.exists() else 'does not exist'}; expected {expected}")


def refuse_links(run: Run) -> None:
    """Raise an `InputError` where a file of the run is a link that leads out of it: whoever made it chose what is read.

    For what is shown or handed to others. Whoever opens their own run may keep its files elsewhere.
    """
    home = run.path.resolve()
    for file in sorted(run.path.iterdir()):
        if file.is_symlink() and not Path(os.path.realpath(file)).is_relative_to(home):
            raise InputError(
                f"{file} is a link that leads out of the run, which is not exported; copy the file into the run"
            )
