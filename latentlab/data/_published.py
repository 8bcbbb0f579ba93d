"""The published dSprites file, ``dsprites_ndarray_co1sh3sc6or40x32y32_64x64``, as ``.npz`` or ``.hdf5``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data._arrays import BLOCK, DAMAGED, full_grid, open_zip, read_header, read_member
from latentlab.data._fingerprint import Known
from latentlab.data.dataset import Dataset, Factor, Images, Rows
from latentlab.errors import InputError, MissingError
from latentlab.system.files import sha256
from latentlab.system.limits import check_unpacked
from latentlab.system.regular import check_regular

HDF5 = (".h5", ".hdf5")


def found(path: Path) -> bool:
    """Whether an ``.npz`` or ``.hdf5`` is laid out as the published one."""
    if path.suffix.lower() in HDF5:
        from latentlab.system.hdf5 import open_safely

        with open_safely(path) as file:
            return "imgs" in file and "latents/classes" in file
    with open_zip(path) as archive:
        return {"imgs.npy", "latents_classes.npy"} <= set(archive.namelist())


def dsprites(path: Path, specs: tuple[Factor, ...]) -> Dataset:
    """The images of that file, 0 or 255, held at one bit per pixel (377 MB, not 3 GB), with their factors `specs`.

    Reads ``imgs`` and ``latents_classes`` (in HDF5, ``latents/classes``); the pickled ``metadata`` is left alone.
    ``source`` records the SHA-256.
    """
    check_regular(path)
    if not path.is_file():
        raise MissingError(
            f"{path} does not exist; expected the published dSprites file (latentlab data fetch dsprites)"
        )
    stat, most = path.stat(), tuple(spec.levels for spec in specs)
    packed, factors, (height, width), digest = _load(path, stat.st_mtime_ns, stat.st_size, most)

    def read(rows: Rows) -> Images:
        bits = np.unpackbits(packed[rows], axis=1, count=height * width)
        return (bits * np.uint8(255)).reshape(len(rows), 1, height, width)

    grid = full_grid(factors)
    levels = grid or most
    return Dataset(
        name="dsprites",
        shape=(len(packed), 1, height, width),
        read=Known(read, lambda: digest),
        factors=factors,
        specs=tuple(Factor(s.name, s.kind, s.values[:n]) for s, n in zip(specs, levels, strict=True)),
        grid=grid,
        source={"name": "dsprites-published", "file": path.name, "sha256": digest},
    )


@lru_cache(maxsize=1)
def _load(
    path: Path, mtime: int, size: int, most: tuple[int, ...]
) -> tuple[NDArray[np.uint8], NDArray[np.float64], tuple[int, int], str]:
    read = _from_hdf5 if path.suffix.lower() in HDF5 else _from_npz
    packed, shape, classes = read(path, math.prod(most))
    if classes.shape != (len(packed), 6) or classes.dtype.kind not in "iu":
        raise InputError(
            f"{path}: the latents' classes are {classes.dtype} {classes.shape}; expected ({len(packed)}, 6) integers"
        )
    factors = classes[:, 1:].astype(np.float64)  # column 0 is the constant colour
    if (factors < 0).any() or (factors >= most).any():
        raise InputError(f"{path}: the latents' classes leave the dSprites grid {most}; fetch the file again")
    return packed, factors, shape, sha256(path)


def _from_npz(path: Path, most: int) -> tuple[NDArray[np.uint8], tuple[int, int], NDArray[Any]]:
    with open_zip(path) as archive:
        missing = {"imgs.npy", "latents_classes.npy"} - set(archive.namelist())
        if missing:
            raise InputError(f"{path} lacks {min(missing)}; expected the published dSprites file")
        try:
            with archive.open("imgs.npy") as file:
                header = read_header(path, "imgs", file)
                if header.fortran:
                    raise InputError(f"{path}: imgs is stored by columns; fetch the published dSprites file again")
                n, height, width = _checked(path, header.shape, header.dtype, most)
                check_unpacked(path, "imgs", header.bytes // 8, archive.getinfo("imgs.npy").compress_size)
                sizes = (rows * height * width for rows in _steps(n, height * width))
                packed = _packed(path, (np.frombuffer(file.read(size), np.uint8) for size in sizes), height * width)
        except DAMAGED as error:
            raise InputError(f"{path}: imgs is damaged; fetch the file again") from error
        if len(packed) != n:
            raise InputError(f"{path}: imgs is cut short or not of zeros and ones; fetch the file again")
        return packed, (height, width), read_member(path, archive, "latents_classes")


def _from_hdf5(path: Path, most: int) -> tuple[NDArray[np.uint8], tuple[int, int], NDArray[Any]]:
    from latentlab.system.chunks import Checked, read
    from latentlab.system.hdf5 import open_safely

    with open_safely(path) as file:
        if "imgs" not in file or "latents/classes" not in file:
            raise InputError(f"{path} lacks imgs or latents/classes; expected the published dSprites file")
        images = Checked(file["imgs"])
        n, height, width = _checked(path, images.shape, images.dtype, most)
        ends = np.cumsum(list(_steps(n, height * width))).tolist()
        starts = zip([0, *ends[:-1]], ends, strict=True)
        return (
            _packed(path, (images[start:end] for start, end in starts), height * width),
            (height, width),
            read(file["latents/classes"]),
        )


def _checked(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any], most: int) -> tuple[int, int, int]:
    if len(shape) != 3 or dtype != np.uint8 or 0 in shape:
        raise InputError(f"{path}: imgs is {dtype} {shape}; expected uint8 (n, h, w)")
    if shape[0] > most or shape[1] * shape[2] > 1 << 16:
        raise InputError(f"{path}: imgs has shape {shape}; dSprites has at most 737,280 images of 64×64")
    return shape[0], shape[1], shape[2]


def _steps(n: int, pixels: int) -> Iterator[int]:
    """How many images are read at a time."""
    step = max(1, BLOCK // pixels)
    return (min(step, n - start) for start in range(0, n, step))


def _packed(path: Path, blocks: Iterable[NDArray[np.uint8]], pixels: int) -> NDArray[np.uint8]:
    """The images at one bit per pixel, (n, ⌈h·w/8⌉), never more than a block of them unpacked."""
    parts = []
    for block in blocks:
        if block.size % pixels or block.max(initial=0) > 1:
            raise InputError(f"{path}: imgs is cut short or not of zeros and ones; fetch the file again")
        parts.append(np.packbits(block.reshape(-1, pixels), axis=1))
    return np.concatenate(parts)
