"""Folders of IDX files, the format of MNIST and its family: ``train-images-idx3-ubyte`` and so on, plain or ``.gz``.

Four bytes of magic (0, 0, 8 for uint8, the number of dimensions), each dimension as a big-endian uint32, the bytes.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from latentlab.data.dataset import Dataset, Images
from latentlab.errors import InputError, MissingError
from latentlab.system.limits import check_unpacked
from latentlab.system.regular import open_regular

PARTS = {"train": "train", "test": "t10k"}
BLOCK = 1 << 24


def found(folder: Path) -> bool:
    """Whether a folder holds IDX images."""
    return any(_file(folder, prefix, "images") for prefix in PARTS.values())


def load(path: Path) -> Dataset:
    """Both published parts as the splits ``train`` and ``test``, or the one that is there; labels where both have them.

    Raises `InputError` where a file is not an IDX file, holds more or fewer bytes than its header says, or the
    numbers of
    images and labels differ.
    """
    return from_parts(path, PARTS)


def published(path: str, name: str, label_names: tuple[str, ...] = ()) -> Dataset:
    """A folder of a data set whose name and classes are known."""
    folder = Path(path)
    if not folder.is_dir():
        raise MissingError(f"{folder} is not a folder; expected one with the four IDX files of {name}")
    data = from_parts(folder, PARTS)
    if label_names and data.labels is not None and data.labels.max(initial=0) >= len(label_names):
        raise InputError(f"{folder} has label {data.labels.max()}, but {name} has {len(label_names)} classes")
    source = {**data.source, "name": name}
    return replace(data, name=name, label_names=label_names or data.label_names, source=source)


def from_parts(path: Path, prefixes: Mapping[str, str]) -> Dataset:
    """The parts, by name, whose files begin with those prefixes."""
    parts = {name: part for name, prefix in prefixes.items() if (part := _part(path, prefix))}
    if not parts:
        expected = " or ".join(f"{prefix}-images-…" for prefix in prefixes.values())
        raise MissingError(f"{path} holds no IDX images; expected {expected}, plain or .gz")
    shapes = {part.images.shape[1:] for part in parts.values()}
    if len(shapes) > 1:
        raise InputError(f"{path}: train and test images differ in shape: {' and '.join(map(str, sorted(shapes)))}")
    files = [part.images for part in parts.values()]
    images = files[0] if len(files) == 1 else np.concatenate(files)
    known = [part.labels for part in parts.values() if part.labels is not None]
    labels = np.concatenate(known).astype(np.int64) if len(known) == len(parts) else None
    ends = np.cumsum([len(part.images) for part in parts.values()]).tolist()
    return Dataset(
        name=path.resolve().name,
        shape=images.shape,
        read=images.__getitem__,
        labels=labels,
        label_names=() if labels is None else tuple(map(str, range(int(labels.max(initial=-1)) + 1))),
        splits={name: range(b - len(part.images), b) for (name, part), b in zip(parts.items(), ends, strict=True)},
        source={"name": "idx", "files": {name: len(part.images) for name, part in parts.items()}},
    )


class _Part(NamedTuple):
    images: Images
    labels: NDArray[np.uint8] | None


def _part(folder: Path, prefix: str) -> _Part | None:
    images_file, labels_file = _file(folder, prefix, "images"), _file(folder, prefix, "labels")
    if images_file is None:
        return None
    images = _images(_read(images_file), images_file)
    labels = _read(labels_file) if labels_file else None
    if labels is not None and labels.shape != (len(images),):
        what = f"{len(labels):,} labels" if labels.ndim == 1 else f"an array {labels.shape}"
        raise InputError(f"{labels_file} holds {what} but there are {len(images):,} images; fetch both files again")
    return _Part(images, labels)


def _images(array: NDArray[np.uint8], path: Path) -> Images:
    """(n, h, w), (n, c, h, w) or (n, h, w, c) to (n, c, h, w); of no pixels, thirty bytes could announce 10⁹ images."""
    if 0 in array.shape:
        raise InputError(f"{path} holds an array {array.shape} without pixels; expected at least one image")
    if array.ndim == 3:
        return array[:, None]
    if array.ndim == 4 and array.shape[1] in (1, 3):
        return array
    if array.ndim == 4 and array.shape[3] in (1, 3):
        return array.transpose(0, 3, 1, 2)
    raise InputError(f"{path} holds an array {array.shape}; expected images (n, h, w) or with 1 or 3 channels")


def _file(folder: Path, prefix: str, what: str) -> Path | None:
    """``train-images-idx3-ubyte``, or ``train-images.idx3-ubyte`` as some copies call it, with or without ``.gz``.

    It may lie in a folder of its own name, as the archive on Kaggle unpacks.
    """
    names = sorted(folder.glob(f"{prefix}-{what}[-.]idx*-ubyte*"))
    nested = [name / name.name for name in names if (name / name.name).is_file()]
    files = [*(name for name in names if not name.is_dir()), *nested]
    return next((name for name in files if name.suffix in ("", ".gz") or name.suffix.endswith("ubyte")), None)


def _read(path: Path) -> NDArray[np.uint8]:
    stat = path.stat()
    return _read_cached(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=8)
def _read_cached(path: Path, mtime: int, size: int) -> NDArray[np.uint8]:
    """The array of one file; at most one byte more than the header announces is ever unpacked."""
    try:
        with open_regular(path) as raw, cast(BinaryIO, gzip.open(raw) if path.suffix == ".gz" else raw) as file:
            array = _parse(file, path, size)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise InputError(f"{path} is a damaged gzip file; fetch it again") from error
    array.setflags(write=False)  # shared by every data set made of this file
    return array


def _parse(file: BinaryIO, path: Path, size: int) -> NDArray[np.uint8]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:3] != b"\x00\x00\x08" or not 1 <= magic[3] <= 4:
        raise InputError(
            f"{path} is not an IDX file of bytes (it begins with {magic.hex() or 'nothing'}); fetch it again"
        )
    header = file.read(4 * magic[3])
    if len(header) < 4 * magic[3]:
        raise InputError(f"{path} ends within its header; fetch it again")
    shape = tuple(int(n) for n in np.frombuffer(header, dtype=">u4"))
    total = int(np.prod(shape, dtype=object))
    if total > 1100 * size:  # gzip packs at most 1,032 to 1
        raise InputError(f"{path} declares {total:,} bytes but has {size:,}; it is truncated or not a valid IDX file")
    check_unpacked(path, "it", total, size)
    content = bytearray()
    while len(content) <= total and (block := file.read(min(BLOCK, total + 1 - len(content)))):
        content += block
    if len(content) != total:
        has = f"more than {total:,}" if len(content) > total else f"{len(content):,}"
        raise InputError(f"{path} declares {total:,} bytes of shape {shape} but contains {has}; fetch it again")
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)
