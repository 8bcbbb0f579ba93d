"""What may be read, unpacked and allocated, in one place: bounds that hold before anything of the size is there.

A file may announce far more than it has. What it announces is compared with what it stores, and with this machine's
memory, so that a few megabytes never cost gigabytes.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from latentlab.errors import InputError
from latentlab.system.control_groups import memory_limit

RATIO = 200  # times its packed size that an array may unpack to; deflate reaches 1,032 on nothing but zeros
HARMLESS = 64 << 20  # bytes that anything may unpack to
BLOCK = 64 << 20  # bytes of images that are looked at at a time
JSON = 64 << 20  # bytes of a JSON file
CONTAINERS = 500_000  # lists and objects in it: each costs twenty times what it takes on the disk
HISTORY = 128 << 20  # bytes of a history.jsonl
LINES = 500_000  # steps in it
LINE = 4 << 20  # bytes of one of them
PLAN = 256 << 10  # bytes of a study file
DOTS = 2_000  # in it: a key of many parts costs the square of their number
MEMBERS = 10_000  # runs that a study may have
LIST = 128 << 20  # bytes of a text file that lists names
HEADER = 32 << 20  # bytes of the header of a safetensors file
CHUNK = 1 << 30  # bytes of one chunk of an HDF5 file
ANSWER = 4 << 30  # bytes that a process which reads a stranger's file may send back
SECONDS = 60  # that it may take for one file of a run
LOOKING = 3600  # that it may take to look through a data set


def check_unpacked(path: Path, what: str, announced: int, packed: int) -> None:
    """Raise an `InputError` where `announced` bytes are more than `packed` bytes may unpack to, or than memory holds.

    >>> check_unpacked(Path("faces.npz"), "images", 3 << 30, 4 << 20)
    Traceback (most recent call last):
    ...
    latentlab.errors.InputError: faces.npz: images declares 3,221,225,472 bytes, over 200 times its packed \
4,194,304; if it is valid, save it uncompressed
    """
    if announced > max(HARMLESS, RATIO * packed):
        raise InputError(
            f"{str(path)[-60:]}: {what[:30]} declares {announced:,} bytes, over {RATIO} times its packed "
            f"{packed:,}; if it is valid, save it uncompressed"
        )
    if announced > memory() // 2:
        raise InputError(
            f"{str(path)[-60:]}: {what[:30]} declares {announced:,} bytes, more than half of this machine's memory; "
            "save it as .npy, which is read row by row"
        )


@lru_cache(maxsize=1)
def memory() -> int:
    """The bytes of memory that this process may have: the machine's, or what its control groups give it."""
    whole, limit = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), memory_limit()
    return whole if limit is None else min(whole, limit)


def check_containers(text: str | bytes) -> None:
    """Raise a `ValueError` where JSON has more lists and objects than any file of ours."""
    count = text.count("[") + text.count("{") if isinstance(text, str) else text.count(b"[") + text.count(b"{")
    if count > CONTAINERS:
        raise ValueError(f"{count:,} lists and objects, more than {CONTAINERS:,}")


def rows_at_once(row_bytes: int, most: int) -> int:
    """How many rows of that many bytes are read at a time: `most`, or as many as `BLOCK` holds, one at least.

    >>> rows_at_once(784, 256), rows_at_once(3 * 2000 * 2000, 256)
    (256, 5)
    """
    return max(1, min(most, BLOCK // max(1, row_bytes)))
