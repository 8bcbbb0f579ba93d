"""What data are, by content: SHA-256 hashes of images, of factors and of labels, computed in constant memory.

A name and a number of rows say nothing: two folders may both be called ``raw`` and hold 10,000 images. Kept answers
record `Dataset.fingerprint`, and are recomputed where it is another (``docs/decisions/0017-identity-is-content.md``).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 1 << 24  # bytes that are read and hashed at a time
KEY = "fingerprint"


@dataclass(frozen=True, eq=False)
class Known:
    """Reads images whose content is told without reading all of them: from the bytes of files, or from a recipe.

    ``content()`` identifies all images of ``origin``; ``rows`` are those positions of it that are left, or None for
    all. A subset of a subset is a subset of the origin, so it has the same digest however it was taken.
    """

    origin: Callable[[Any], NDArray[np.uint8]]
    content: Callable[[], str]
    rows: NDArray[np.int64] | None = None

    def __call__(self, rows: Any) -> NDArray[np.uint8]:
        return self.origin(rows if self.rows is None else self.rows[rows])

    def take(self, rows: NDArray[np.int64]) -> Known:
        """The reader of those rows alone."""
        return Known(self.origin, self.content, rows if self.rows is None else self.rows[rows])

    def digest(self) -> str:
        """What the images are."""
        return self.content() if self.rows is None else digest(self.content(), self.rows)


def digest(*parts: Any) -> str:
    """The SHA-256 of arrays and texts in that order; each is preceded by its kind and size.

    >>> digest("ab", "c") == digest("a", "bc")
    False
    """
    found = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            found.update(f"array {part.dtype.str} {part.shape} ".encode())
            found.update(np.ascontiguousarray(part).view(np.uint8).data if part.size else b"")
        else:
            text = str(part).encode("utf-8", "surrogatepass")
            found.update(f"text {len(text)} ".encode() + text)
    return found.hexdigest()


def of_rows(read: Callable[[Any], NDArray[np.uint8]], shape: tuple[int, ...]) -> str:
    """The SHA-256 of images (n, c, h, w) as ``read`` gives them, a block at a time."""
    found = hashlib.sha256(str(shape).encode())
    step = max(1, BLOCK // max(1, int(np.prod(shape[1:], dtype=object))))
    for start in range(0, shape[0], step):
        images = read(np.arange(start, min(start + step, shape[0]), dtype=np.int64))
        found.update(np.ascontiguousarray(images).data)
    return found.hexdigest()


def of_stored(path: Path, read: Callable[[Any], NDArray[np.uint8]], shape: tuple[int, ...], recipe: str = "") -> str:
    """`of_rows` of the images in one file, computed again only where the file or its ``recipe`` has changed."""
    key = (path, *stamp(path), shape, recipe)
    if key not in _STORED:
        _STORED[key] = of_rows(read, shape)
    return _STORED[key]


_STORED: dict[tuple[Any, ...], str] = {}


def of_files(files: Iterable[tuple[str, Path]], *recipe: Any) -> str:
    """The SHA-256 of what is in files, in that order, each with its name, and of how they are read."""
    found = hashlib.sha256()
    for name, path in files:
        found.update(f"{os.fsencode(name)!r} {_of_file(path)} ".encode())
    return digest(found.hexdigest(), *recipe)


def _of_file(path: Path) -> str:
    return _hashed(path, stamp(path))


def stamp(path: Path) -> tuple[int, ...]:
    """Inode, size, modification and change time: within a process, a file is hashed again where one is another."""
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


@lru_cache(maxsize=1 << 20)
def _hashed(path: Path, stamp: tuple[int, ...]) -> str:
    """A file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def agree(recorded: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
    """Whether an answer was made from these inputs; one that is older than fingerprints is judged without them.

    >>> agree({"rows": 3}, {"rows": 3, "fingerprint": {"images": "5f…"}})
    True
    """
    known = KEY in recorded
    return dict(recorded) == {key: value for key, value in inputs.items() if known or key != KEY}
