"""How a file that somebody named is opened: only where it is a regular file, and without waiting.

A pipe that nobody writes to keeps whoever opens it for ever; a device has no end. Both may stand under any name, and be
put there between a look and the opening, so the look is at what has been opened.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from functools import cache
from io import BufferedReader
from pathlib import Path
from typing import IO

from latentlab.errors import InputError, LockedFileError, MissingError

PLACEHOLDERS = (b"version https://git-lfs", b"/annex/objects/")
PLACEHOLDER = 4096  # bytes that one may have
ABSENT = "is a placeholder for a file that was not downloaded; fetch it: git lfs pull, git annex get"
KERNEL = ("/proc", "/sys", "/sys/kernel/debug", "/sys/kernel/tracing")
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def open_regular(path: str | Path) -> BufferedReader:
    """A regular file, open for reading bytes.

    Raises `MissingError` where nothing is there, `InputError` where it is a folder, a pipe, a socket or a device, where
    this user may not read it, or where Git-LFS or git-annex put a few words in its place.

    >>> open_regular("/dev/zero")
    Traceback (most recent call last):
    ...
    latentlab.errors.InputError: /dev/zero is a device; expected a regular file: copy the data into one
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except FileNotFoundError as error:
        raise MissingError(f"{path} does not exist; expected a file") from error
    except OSError as error:  # a socket cannot be opened at all
        _size(path)
        raise LockedFileError(
            f"{path} cannot be read ({error.strerror}); check its permissions or restore it"
        ) from error
    found = os.fstat(handle)
    try:
        _check(path, found)
    except InputError:
        os.close(handle)
        raise
    file = os.fdopen(handle, "rb")
    if 0 < found.st_size <= PLACEHOLDER:
        if is_placeholder(file):
            file.close()
            raise InputError(f"{str(path)[-60:]} {ABSENT}")
        file.seek(0)
    return file


def check_regular(path: str | Path) -> None:
    """Raise an `InputError` where a pipe, a socket or a device stands there; for readers that open by name.

    So they do where Git-LFS or git-annex put a few words in the place of a file. Of what is missing, or a folder,
    readers say themselves what they expected.
    """
    if 0 < _size(path) <= PLACEHOLDER:
        open_regular(path).close()


def _size(path: str | Path) -> int:
    """The bytes of a regular file, 0 of a folder and of what is missing; an `InputError` where it is anything else."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return 0
    if stat.S_ISDIR(found.st_mode):
        return 0
    _check(path, found)
    return found.st_size


def is_placeholder(file: IO[bytes]) -> bool:
    """Whether Git-LFS or git-annex put a few words in the place of the file."""
    return file.read(max(map(len, PLACEHOLDERS))).startswith(PLACEHOLDERS)


def read_bytes(path: str | Path, limit: int) -> bytes:
    """The content of a regular file of at most `limit` bytes."""
    with open_regular(path) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise InputError(f"{path} has more than the {limit:,} bytes that such a file may have")
    return content


def _check(path: str | Path, found: os.stat_result) -> None:
    kind = "" if stat.S_ISREG(found.st_mode) else KINDS.get(stat.S_IFMT(found.st_mode), "no file")
    if not kind and not found.st_size and found.st_dev in _made_by_kernel():
        kind = "made by the kernel"  # and passes for regular; reading /proc/kmsg waits for the next message
    if kind:
        raise InputError(f"{path} is {kind}; expected a regular file: copy the data into one")


@cache
def _made_by_kernel() -> frozenset[int]:
    """The devices of the file systems in which reading a file asks the kernel."""
    found = set()
    for folder in KERNEL:
        with suppress(OSError):
            if (device := os.stat(folder).st_dev) != os.stat("/").st_dev:  # noqa: PTH116 - a stat of a text
                found.add(device)
    return frozenset(found)
