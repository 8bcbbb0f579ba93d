"""EMNIST: handwritten letters and digits, 28×28 (Cohen et al., 2017), from its IDX files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from latentlab.data import _idx
from latentlab.data.dataset import Dataset, Images, Rows
from latentlab.errors import InputError, MissingError
from latentlab.system.limits import LIST
from latentlab.system.registry import choose
from latentlab.system.regular import read_bytes

FILES = "a folder of emnist-balanced-train-images-idx3-ubyte and so on, plain or .gz"
PARTS = ("balanced", "byclass", "bymerge", "digits", "letters", "mnist")


def load(path: str, part: str = "balanced") -> Dataset:
    """One of its six parts, with the published training and test split and the characters of its classes.

    The published images lie on their side, rows for columns; they are turned upright. Characters come from
    ``emnist-PART-mapping.txt`` where it is there: a class that both cases share is called by both, ``Cc``.
    """
    choose(str(part), PARTS, what="part of EMNIST")
    folder = Path(path)
    if not folder.is_dir():
        raise MissingError(f"{folder} is not a folder; expected {FILES}")
    stored = _idx.from_parts(folder, {split: f"emnist-{part}-{split}" for split in ("train", "test")})

    def read(rows: Rows) -> Images:
        return np.ascontiguousarray(stored.read(rows).swapaxes(2, 3))

    n, channels, height, width = stored.shape
    return replace(
        stored,
        name=f"emnist-{part}",
        shape=(n, channels, width, height),
        read=read,
        label_names=_characters(folder / f"emnist-{part}-mapping.txt", stored.label_names),
        source={**stored.source, "name": "emnist", "part": part},
    )


def _characters(path: Path, numbers: tuple[str, ...]) -> tuple[str, ...]:
    """The classes' characters: each line has a class and the codes of its characters. Classes without a line keep
    their number."""
    if not path.is_file() or not numbers:
        return numbers
    found = dict(enumerate(numbers))
    for line in read_bytes(path, LIST).decode("ascii", "replace").splitlines():
        words = line.split()
        if not words:
            continue
        if len(words) < 2 or not all(word.isdecimal() and int(word) < 256 for word in words):
            raise InputError(f"{path} has the line {line[:40]!r}; expected a class and the codes of its characters")
        found[int(words[0])] = "".join(dict.fromkeys(chr(int(code)) for code in words[1:]))
    return tuple(found[k] for k in range(len(numbers)))
