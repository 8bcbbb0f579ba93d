"""SmallNORB: 48,600 grey photographs of 50 toys, five factors (LeCun, Huang, Bottou, 2004), from its .mat files."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from latentlab.data._fingerprint import Known, of_files
from latentlab.data._grid import check_size
from latentlab.data.dataset import Dataset, Factor, Images, Rows
from latentlab.errors import InputError, MissingError
from latentlab.system.limits import check_unpacked
from latentlab.system.regular import open_regular

FILES = "a folder of smallnorb-…-training-dat.mat, -cat.mat, -info.mat and -testing-…, plain or .gz"
PARTS = {"train": "training", "test": "testing"}
CLASSES = ("animal", "human", "plane", "truck", "car")
SPECS = (
    Factor("category", "categorical", CLASSES),
    Factor("instance", "categorical", tuple(map(float, range(10)))),
    Factor("elevation", "ordinal", tuple(map(float, range(30, 75, 5)))),
    Factor("azimuth", "circular", tuple(map(float, range(0, 360, 20)))),
    Factor("lighting", "categorical", tuple(map(float, range(6)))),
)
TYPES: dict[int, np.dtype[Any]] = {0x1E3D4C55: np.dtype("u1"), 0x1E3D4C54: np.dtype("<i4")}
SIZES = range(8, 97)
LIMIT = 1 << 30


def _pictures(folder: Path, parts: Iterable[str]) -> list[tuple[str, Path]]:
    files = [_file(folder, PARTS[name], "dat") for name in parts]
    return [(file.name, file) for file in files if file is not None]


class _Part(NamedTuple):
    images: NDArray[np.uint8]  # (n, 2, h, w): a picture of each of two cameras
    factors: NDArray[np.float64]


def load(path: str, *, size: int = 64, camera: int = 0) -> Dataset:
    """Both published parts, as the splits ``train`` and ``test`` (other toys), with the category as label.

    The published pictures are 96×96, by two cameras; ``camera`` is 0 or 1, and 64×64 is what the benchmarks use. Rows
    stand as the files have them, so they are no grid in order, although every combination is there once.
    """
    check_size(size, SIZES, "SmallNORB")
    if camera not in (0, 1):
        raise InputError(f"camera is {str(camera)[:40]}; SmallNORB has cameras 0 and 1")
    folder = Path(path)
    parts = {name: part for name, word in PARTS.items() if (part := _part(folder, word))}
    if not parts:
        raise MissingError(f"{folder} holds no SmallNORB files; expected {FILES}")
    factors = np.concatenate([part.factors for part in parts.values()])
    ends = np.cumsum([len(part.images) for part in parts.values()])

    def read(rows: Rows) -> Images:
        images = np.empty((len(rows), 1, size, size), np.uint8)
        for part, end in zip(parts.values(), ends, strict=True):
            here = (rows < end) & (rows >= end - len(part.images))
            images[here, 0] = _resized(part.images[rows[here] - (end - len(part.images)), camera], size)
        return images

    return Dataset(
        name="smallnorb",
        shape=(len(factors), 1, size, size),
        read=Known(read, lambda: of_files(_pictures(folder, parts), size, camera)),
        factors=factors,
        specs=SPECS,
        labels=factors[:, 0].astype(np.int64),
        label_names=CLASSES,
        splits={
            name: range(int(end) - len(part.images), int(end))
            for (name, part), end in zip(parts.items(), ends, strict=True)
        },
        source={"name": "smallnorb-published", "size": size, "camera": camera, "parts": list(parts)},
    )


def _part(folder: Path, word: str) -> _Part | None:
    files = {what: _file(folder, word, what) for what in ("dat", "cat", "info")}
    if not any(files.values()):
        return None
    if missing := [what for what, file in files.items() if file is None]:
        raise MissingError(f"{folder} has no smallnorb-…-{word}-{missing[0]}.mat; expected -dat, -cat and -info")
    images, category, info = (_read(cast(Path, file)) for file in files.values())
    n = len(images)
    if images.ndim != 4 or images.shape[1] != 2 or images.dtype != np.uint8:
        raise InputError(f"{files['dat']} holds {images.dtype} {images.shape}; expected uint8 (n, 2, 96, 96)")
    if category.shape != (n,) or info.shape != (n, 4):
        raise InputError(
            f"{folder}: {word} has {n:,} images, but -cat is {category.shape} and -info {info.shape}; copy them again"
        )
    instance, elevation, azimuth, lighting = info.T
    factors = np.stack([category, instance, elevation, azimuth // 2, lighting], axis=1).astype(np.float64)
    if (factors < 0).any() or (factors >= [spec.levels for spec in SPECS]).any() or (azimuth % 2).any():
        raise InputError(f"{folder}: {word} has factors that SmallNORB does not have; copy -cat and -info again")
    return _Part(images, factors)


def _file(folder: Path, word: str, what: str) -> Path | None:
    found = sorted(folder.glob(f"smallnorb-*-{word}-{what}.mat*"))
    return next((file for file in found if file.suffix in (".mat", ".gz")), None)


def _read(path: Path) -> NDArray[Any]:
    """A matrix of that format: magic number, how many dimensions, at least three sizes, the numbers; little-endian."""
    try:
        with open_regular(path) as raw, cast(BinaryIO, gzip.open(raw) if path.suffix == ".gz" else raw) as file:
            dtype, shape = _header(file, path)
            start, size = file.tell(), int(np.prod(shape)) * dtype.itemsize
            check_unpacked(path, "it", size, path.stat().st_size)
            content = file.read(size) if path.suffix == ".gz" else b""
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise InputError(f"{path} is a damaged gzip file; copy it again") from error
    if path.suffix != ".gz" and path.stat().st_size >= start + size:
        return np.memmap(path, dtype, "r", start, shape)
    if len(content) != size:
        raise InputError(f"{path} is shorter than it declares; copy it again")
    return np.frombuffer(content, dtype).reshape(shape)


def _header(file: BinaryIO, path: Path) -> tuple[np.dtype[Any], tuple[int, ...]]:
    start = file.read(8)
    magic, dimensions = struct.unpack("<Ii", start) if len(start) == 8 else (0, 0)
    if magic not in TYPES or not 1 <= dimensions <= 4:
        raise InputError(f"{path} is not a SmallNORB matrix (it begins with {start[:4].hex() or 'nothing'})")
    sizes = file.read(4 * max(3, dimensions))
    shape = tuple(int(size) for size in np.frombuffer(sizes[: 4 * dimensions], "<i4"))
    total = int(np.prod(shape, dtype=object)) * TYPES[magic].itemsize
    if len(shape) < dimensions or min(shape) < 1 or total > LIMIT:
        raise InputError(f"{path} declares {shape}; expected at most {LIMIT >> 20} MiB of numbers: copy it again")
    return TYPES[magic], shape


def _resized(images: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    from PIL import Image

    if images.shape[1:] == (size, size):
        return images
    scaled = [Image.fromarray(image).resize((size, size), Image.Resampling.LANCZOS) for image in images]
    return np.stack([np.asarray(image) for image in scaled]) if scaled else np.empty((0, size, size), np.uint8)
