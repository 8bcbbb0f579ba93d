"""What a file says of itself without being read, so that its content is not read twice within a process.

A file is taken for the one that was read before while its path, device, inode, size and times of change are the same,
and only once its last change lies more than two seconds back. Times on disk move in ticks (a few milliseconds on ext4
and XFS, two seconds on FAT): a file that is rewritten within a tick, with as many bytes, has the stamp that it had
before. Of one that changed longer ago, any later change has another time. The time of change of status (ctime) counts,
which no program can set back. A file whose times lie in the future, as another machine's clock may have it, is read
each time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from copy import deepcopy
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

QUIET = 2_000_000_000  # nanoseconds, the coarsest tick of a file system in use
REMEMBERED = 1 << 14  # answers of one function: those of some thousand runs
P = ParamSpec("P")
T = TypeVar("T")


class Stamp(NamedTuple):
    """What a file says of itself: equal stamps stand for equal bytes."""

    path: str
    device: int
    inode: int
    size: int
    modified: int
    changed: int


def stamp(path: Path) -> Stamp | None:
    """The stamp of a file; None where there is none, or where it changed too lately for its stamp to be believed."""
    try:
        return _stamp(str(path), path.stat())
    except (OSError, ValueError):
        return None


def _stamp(path: str, found: os.stat_result) -> Stamp | None:
    if time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) <= QUIET:
        return None
    return Stamp(path, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def stamps(folder: Path, names: Collection[str] | None = None) -> tuple[Stamp, ...] | None:
    """The stamps of a folder's files, or of those with these names; None where one is not to be believed, or none is
    listed.

    The folder is listed once: a page of hundreds of runs asks for thousands of files.
    """
    try:
        with os.scandir(folder) as entries:
            wanted = [entry for entry in entries if (names is None or entry.name in names) and entry.is_file()]
            found = [_stamp(entry.path, entry.stat()) for entry in wanted]
    except OSError:
        return None
    known = tuple(sorted(each for each in found if each is not None))
    return known if len(known) == len(found) else None


def remembered(read: Callable[Concatenate[Path, P], T]) -> Callable[Concatenate[Path, P], T]:
    """Make a function of a file's content, and of hashable options, read each file once while it is the same one.

    What it returned is handed out as a copy. What it raises is raised each time.
    """

    @lru_cache(maxsize=REMEMBERED)
    def known(path: Path, found: Stamp, *more: Any, **options: Any) -> T:
        return read(path, *more, **options)

    @wraps(read)
    def reading(path: Path, *more: P.args, **options: P.kwargs) -> T:
        found = stamp(path)
        if found is None:
            return read(path, *more, **options)
        return deepcopy(known(path, found, *more, **options))  # type: ignore[arg-type]

    return reading
