"""CelebA: 202,599 photographs of faces, aligned, with 40 attributes (Liu et al., 2015), from its folder."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentlab.data._fingerprint import Known, of_files
from latentlab.data._folder import open_image
from latentlab.data._grid import check_size
from latentlab.data._names import readable
from latentlab.data.dataset import Dataset, Factor, Images, Rows
from latentlab.errors import InputError, MissingError
from latentlab.system.limits import LIST
from latentlab.system.regular import open_regular, read_bytes

FILES = "a folder with img_align_celeba/, list_attr_celeba.txt and list_eval_partition.txt (or .csv)"
PICTURES, ATTRIBUTES, PARTITION = "img_align_celeba", "list_attr_celeba", "list_eval_partition"
PARTS = ("train", "valid", "test")
SIZES = range(8, 219)
LINES = 1_000_000


def load(path: str, *, size: int = 64, crop: int = 148) -> Dataset:
    """The aligned photographs, read by index: the middle ``crop`` × ``crop`` pixels, brought to ``size`` × ``size``.

    Each attribute is a factor of two levels, no and yes; the published partition gives the splits ``train``, ``valid``
    and ``test``. Rows stand in the order of the partition, and within it of the list; a row's id is the number in its
    file's name, as far as all have one. The lists may be ``.csv`` and the photographs lie one folder deeper, as in the
    copy on Kaggle.
    """
    check_size(size, SIZES, "CelebA")
    check_size(crop, SIZES, "crops of CelebA")
    folder = Path(path)
    pictures = folder / PICTURES
    if not pictures.is_dir():
        raise MissingError(f"{folder} has no {PICTURES}/; expected {FILES}")
    if (pictures / PICTURES).is_dir():
        pictures = pictures / PICTURES
    names, files, values = _attributes(_list_file(folder, ATTRIBUTES))
    part = _partition(_list_file(folder, PARTITION))
    numbers = np.array([part.get(file, -1) for file in files])
    if part and (numbers < 0).any():
        missing = files[int(np.argmax(numbers < 0))]
        raise InputError(
            f"{_list_file(folder, PARTITION)} does not say which split {missing} belongs to; copy the file again"
        )
    order = np.argsort(numbers, kind="stable")
    files, numbers, values = [files[k] for k in order], numbers[order], values[order]
    for file in (files[0], files[-1]):
        if not (pictures / file).is_file():
            raise MissingError(f"{pictures} has no {file}; unpack img_align_celeba.zip there")
    ends = np.searchsorted(numbers, range(len(PARTS)), side="right").tolist()
    splits = {name: range(a, b) for name, a, b in zip(PARTS, [0, *ends[:-1]], ends, strict=True) if b > a}

    def read(rows: Rows) -> Images:
        images = np.empty((len(rows), 3, size, size), np.uint8)
        for image, row in zip(images, rows.tolist(), strict=True):
            image[...] = _photograph(pictures, files[row], size, crop)
        return images

    return Dataset(
        name="celeba",
        shape=(len(files), 3, size, size),
        read=Known(read, lambda: of_files([(file, pictures / file) for file in files], size, crop)),
        factors=values,
        specs=tuple(Factor(name.replace("_", " ").lower(), "categorical", ("no", "yes")) for name in names),
        row_ids=_ids([Path(file).stem for file in files]),
        splits=splits if part else {},
        source={"name": "celeba-published", "files": len(files), "size": size, "crop": crop},
    )


def _ids(stems: list[str]) -> Rows:
    """The numbers in the files' names, where all have one and no two the same; positions elsewhere."""
    if all(stem.isdecimal() and len(stem) < 19 for stem in stems):
        numbers = np.array([int(stem) for stem in stems], dtype=np.int64)
        if len(np.unique(numbers)) == len(stems):
            return numbers
    return np.arange(len(stems), dtype=np.int64)


def _photograph(folder: Path, name: str, size: int, crop: int) -> Images:
    from PIL import Image

    with open_image(folder, name, lambda file: open_regular(folder / file)) as image:
        width, height = image.size
        if crop > min(width, height):
            raise InputError(f"{folder / name} is {width}×{height}; expected 178×218, or a smaller crop=")
        left, top = (width - crop) // 2, (height - crop) // 2
        middle = image.convert("RGB").crop((left, top, left + crop, top + crop))
        return np.asarray(middle.resize((size, size), Image.Resampling.BILINEAR)).transpose(2, 0, 1)


def _list_file(folder: Path, name: str) -> Path:
    """The published list, or else its copy as CSV."""
    text, table = folder / f"{name}.txt", folder / f"{name}.csv"
    return table if table.is_file() and not text.exists() else text


def _attributes(path: Path) -> tuple[list[str], list[str], NDArray[np.float64]]:
    """Names of the attributes, files, and values (n, k) of 0 and 1: how many, the names, then a line per file.

    A CSV does not say how many, and its line of names begins with that of the files' column.
    """
    names, rows = _table(path) if path.suffix == ".csv" else _counted(path)
    for row in rows:
        if len(row) != len(names) + 1 or not set(row[1:]) <= {"1", "-1"} or "/" in row[0]:
            raise InputError(
                f"{path} has the line {' '.join(row)[:40]!r}; expected a file and {len(names)} of 1 and -1"
            )
    values = np.array([row[1:] for row in rows], dtype="U2") == "1"
    return names, [row[0] for row in rows], values.astype(np.float64)


def _counted(path: Path) -> tuple[list[str], list[list[str]]]:
    lines = _lines(path)
    names, rows = lines[1].split() if len(lines) > 2 else [], [line.split() for line in lines[2:]]
    if not names or not lines[0].strip().isdecimal() or int(lines[0]) != len(rows):
        raise InputError(
            f"{path} has {len(rows):,} files; expected their number, the attributes' names, one line per file"
        )
    return names, rows


def _table(path: Path) -> tuple[list[str], list[list[str]]]:
    """The names after the first, and the rows, of a CSV."""
    try:
        header, *rows = [[word.strip() for word in row] for row in csv.reader(_lines(path))] or [[]]
    except csv.Error as error:
        raise InputError(f"{path} is not a CSV file ({error}); copy the file again") from error
    if len(header) < 2 or not rows:
        raise InputError(
            f"{path} has {len(rows):,} files; expected a line of names, image_id first, and one line per file"
        )
    return header[1:], rows


def _partition(path: Path) -> Mapping[str, int]:
    """Which part each file is of; nothing where there is no such file."""
    if not path.is_file():
        return {}
    rows = _table(path)[1] if path.suffix == ".csv" else [line.split() for line in _lines(path)]
    for row in rows:
        if len(row) != 2 or row[1] not in ("0", "1", "2"):
            raise InputError(f"{path} has the line {' '.join(row)[:40]!r}; expected a file and its part, 0, 1 or 2")
    return {file: int(part) for file, part in rows}


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise MissingError(f"{path} does not exist; expected {FILES}")
    lines = [line for line in readable([read_bytes(path, LIST)])[0].splitlines() if line.strip()]
    if len(lines) > LINES:
        raise InputError(f"{path} has {len(lines):,} lines; expected at most {LINES:,}")
    return lines
