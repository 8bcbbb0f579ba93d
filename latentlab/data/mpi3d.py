"""MPI3D: a robot arm with an object, rendered or real, 64×64, seven factors (Gondal et al., 2019), from its .npz."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data import _arrays
from latentlab.data._axes import layout
from latentlab.data._fingerprint import Known, of_stored
from latentlab.data.dataset import Dataset, Factor
from latentlab.errors import InputError, MissingError

FILES = "mpi3d_toy.npz, mpi3d_realistic.npz, mpi3d_real.npz or mpi3d_real_complex.npz"
SIMPLE = (
    ("white", "green", "red", "blue", "brown", "olive"),
    ("cone", "cube", "cylinder", "hexagonal", "pyramid", "sphere"),
)
COMPLEX = (("yellow", "green", "olive", "red"), ("coffee cup", "tennis ball", "croissant", "beer cup"))
FEW = (("0", "1", "2", "3"),) * 2  # an early release has four of each as well, and others
REST = (
    Factor("object size", "categorical", ("small", "large")),
    Factor("camera height", "ordinal", ("top", "centre", "bottom")),
    Factor("background colour", "categorical", ("purple", "sea green", "salmon")),
    Factor("horizontal axis", "continuous", tuple(np.arange(40.0).tolist())),
    Factor("vertical axis", "continuous", tuple(np.arange(40.0).tolist())),
)
LOCAL_HEADER = struct.Struct("<4s22xHH")


def load(path: str) -> Dataset:
    """The images of one of its files, which are the full grid in row-major order, with their factors.

    Six colours and six shapes make 1,036,800 images, four of each 460,800. The arms' two angles do not go around, so
    they are continuous. A file that is stored as it is, without compression, is read from the disk by index.
    """
    file = Path(path)
    if not file.is_file():
        raise MissingError(f"{file} is not a file; expected {FILES}")
    images = _images(file)
    first = {1_036_800: SIMPLE, 460_800: COMPLEX if "complex" in file.name else FEW}.get(len(images))
    if first is None:
        raise InputError(f"{file} has {len(images):,} images; expected 1,036,800 or 460,800, a whole grid")
    colours, shapes = first
    specs = (Factor("object colour", "categorical", colours), Factor("object shape", "categorical", shapes), *REST)
    grid = tuple(spec.levels for spec in specs)
    shape, transpose = layout(file, images)
    read = _arrays.reader(file, images, transpose)
    return Dataset(
        name=file.stem,
        shape=shape,
        read=Known(read, lambda: of_stored(file, read, shape)),
        factors=np.indices(grid, np.uint8).reshape(len(grid), -1).T.astype(np.float64),
        specs=specs,
        grid=grid,
        source={"name": "mpi3d-published", "file": file.name},
    )


def _images(path: Path) -> NDArray[Any]:
    """The array ``images``: mapped where its bytes lie in the file as they are, unpacked into memory otherwise."""
    with _arrays.open_zip(path) as archive:
        try:
            info = archive.getinfo("images.npy")
        except KeyError as error:
            raise InputError(f"{path} holds no images; expected {FILES}") from error
        if info.compress_type != zipfile.ZIP_STORED:
            return _arrays.read_member(path, archive, "images")
    with path.open("rb") as file:
        file.seek(info.header_offset)
        start = file.read(LOCAL_HEADER.size)
        if len(start) < LOCAL_HEADER.size or start[:4] != b"PK\x03\x04":
            raise InputError(f"{path}: images is damaged; copy the file again")
        _, name, extra = LOCAL_HEADER.unpack(start)
        file.seek(name + extra, 1)
        header = _arrays.read_header(path, "images", file)
        offset = file.tell()
    if header.fortran or offset + header.bytes > path.stat().st_size:
        raise InputError(f"{path}: images declares {header.bytes:,} bytes but the file is shorter; copy it again")
    return np.memmap(path, header.dtype, "r", offset, header.shape)
