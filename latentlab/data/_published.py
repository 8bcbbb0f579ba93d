"""The published dSprites file, ``dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz``."""

from __future__ import annotations

import math
import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentlab.data._arrays import BLOCK, DAMAGED, full_grid, open_zip, read_header, read_member
from latentlab.data._fingerprint import Known
from latentlab.data.dataset import Dataset, Factor, Images, Rows
from latentlab.errors import InputError, MissingError
from latentlab.files import sha256
from latentlab.limits import check_unpacked
from latentlab.regular import check_regular


def found(path: Path) -> bool:
    """Whether an ``.npz`` is laid out as the published one."""
    with open_zip(path) as archive:
        return {"imgs.npy", "latents_classes.npy"} <= set(archive.namelist())


def dsprites(path: Path, specs: tuple[Factor, ...]) -> Dataset:
    """The images of that file, 0 or 255, held at one bit a pixel (377 MB instead of 3 GB), with their factors `specs`.

    Reads ``imgs`` and ``latents_classes``; the pickled ``metadata`` is left alone. ``source`` records the SHA-256.
    """
    check_regular(path)
    if not path.is_file():
        raise MissingError(
            f"{path} does not exist; expected the published dSprites .npz (latentlab data fetch dsprites)"
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
    with open_zip(path) as archive:
        missing = {"imgs.npy", "latents_classes.npy"} - set(archive.namelist())
        if missing:
            raise InputError(f"{path} lacks {min(missing)}; expected the published dSprites file")
        packed, shape = _packed(path, archive, math.prod(most))
        classes = read_member(path, archive, "latents_classes")
    if classes.shape != (len(packed), 6) or classes.dtype.kind not in "iu":
        raise InputError(
            f"{path}: latents_classes is {classes.dtype} {classes.shape}; expected ({len(packed)}, 6) integers"
        )
    factors = classes[:, 1:].astype(np.float64)  # column 0 is the constant colour
    if (factors < 0).any() or (factors >= most).any():
        raise InputError(f"{path}: latents_classes leaves the dSprites grid {most}; fetch the file again")
    return packed, factors, shape, sha256(path)


def _packed(path: Path, archive: zipfile.ZipFile, most: int) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """The images at one bit a pixel, (n, ⌈h·w/8⌉), never more than a block of them unpacked."""
    try:
        with archive.open("imgs.npy") as file:
            header = read_header(path, "imgs", file)
            if len(header.shape) != 3 or header.dtype != np.uint8 or header.fortran or 0 in header.shape:
                raise InputError(f"{path}: imgs is {header.dtype} {header.shape}; expected uint8 (n, h, w)")
            n, height, width = header.shape
            pixels = height * width
            if n > most or pixels > 1 << 16:
                raise InputError(f"{path}: imgs has shape {header.shape}; dSprites has at most 737,280 images of 64×64")
            check_unpacked(path, "imgs", header.bytes // 8, archive.getinfo("imgs.npy").compress_size)
            step = max(1, BLOCK // pixels)
            parts = []
            for start in range(0, n, step):
                wanted = min(step, n - start) * pixels
                block = np.frombuffer(file.read(wanted), dtype=np.uint8)
                if len(block) != wanted or block.max() > 1:
                    raise InputError(f"{path}: imgs is cut short or not of zeros and ones; fetch the file again")
                parts.append(np.packbits(block.reshape(-1, pixels), axis=1))
    except DAMAGED as error:
        raise InputError(f"{path}: imgs is damaged; fetch the file again") from error
    return np.concatenate(parts), (height, width)
