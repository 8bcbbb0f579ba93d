"""Lines that a program and the processes that it started say once between them."""

from __future__ import annotations

import atexit
import hashlib
import tempfile
from functools import cache
from pathlib import Path

_before: set[str] = set()  # what was said while there was no other process
_joined: list[Path] = []


def first(line: str) -> bool:
    """Whether nobody said the line before: where this is one of the processes that `shared` speaks of."""
    if _joined:
        return _claimed(_joined[-1], line)
    _before.add(line)
    if _folder.cache_info().currsize:
        _claimed(Path(_folder().name), line)
    return True


def shared() -> str:
    """The folder in which a process that this one starts sees what was said; see `join`."""
    if _joined:
        return str(_joined[-1])
    folder = Path(_folder().name)
    for line in _before:
        _claimed(folder, line)
    return str(folder)


def join(folder: str) -> None:
    """Say from now on what no other process did that knows of the folder."""
    _joined.append(Path(folder))


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="latentlab-said-")
    atexit.register(folder.cleanup)  # left to the interpreter, it would be removed with a warning
    return folder


def _claimed(folder: Path, line: str) -> bool:
    """Whether this is the first to make the file that stands for the line; true where there is no such folder."""
    try:
        (folder / hashlib.sha256(line.encode()).hexdigest()).open("x").close()
    except FileExistsError:
        return False
    except OSError:  # whoever started this has ended: better twice than never
        return True
    return True
