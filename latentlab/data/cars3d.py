"""Cars3D: 17,568 views of 183 car models in colour, three factors (Reed et al., 2015), from its .mat files."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from latentlab.data._fingerprint import Known, of_files
from latentlab.data._grid import check_size
from latentlab.data.dataset import Dataset, Factor, Images, Rows
from latentlab.errors import InputError, MissingError
from latentlab.system.regular import open_regular

FILES = "the folder data/cars of nips2015-analogy-data.tar.gz, one .mat file per car"
ELEVATIONS, AZIMUTHS = 4, 24
SIZES = range(8, 129)


def load(path: str, *, size: int = 64) -> Dataset:
    """The views, by elevation (4), azimuth (24, circular) and car, a full grid in row-major order.

    The published images are 128×128; the benchmarks use them at 64×64, to which they are brought by averaging
    (Lanczos). They are unpacked when the first is read, and kept: 216 MB for all cars at 64×64.
    """
    check_size(size, SIZES, "Cars3D")
    folder = Path(path)
    files = tuple(sorted(folder.glob("*.mat"))) if folder.is_dir() else ()
    if not files:
        raise MissingError(f"{folder} holds no .mat files; expected {FILES}")
    for file in files:
        _announced(file)
    grid = (ELEVATIONS, AZIMUTHS, len(files))

    def read(rows: Rows) -> Images:
        elevation, azimuth, car = np.unravel_index(rows, grid)
        return _views(files, size)[car, azimuth, elevation]

    return Dataset(
        name="cars3d",
        shape=(int(np.prod(grid)), 3, size, size),
        read=Known(read, lambda: of_files([(file.name, file) for file in files], size)),
        factors=np.indices(grid).reshape(3, -1).T.astype(np.float64),
        specs=(
            Factor("elevation", "ordinal", tuple(map(float, range(ELEVATIONS)))),
            Factor("azimuth", "circular", tuple((np.arange(AZIMUTHS) * 360 / AZIMUTHS).tolist())),
            Factor("car", "categorical", tuple(file.stem for file in files)),
        ),
        grid=grid,
        source={"name": "cars3d-published", "files": len(files), "size": size},
    )


@lru_cache(maxsize=1)
def _views(files: tuple[Path, ...], size: int) -> Images:
    """All images (car, azimuth, elevation, 3, size, size)."""
    from PIL import Image

    found = np.empty((len(files), AZIMUTHS, ELEVATIONS, 3, size, size), np.uint8)
    for views, file in zip(found, files, strict=True):
        images = _matlab(file, "loadmat")["im"]
        for azimuth, elevation in np.ndindex(AZIMUTHS, ELEVATIONS):
            image = Image.fromarray(np.ascontiguousarray(images[..., azimuth, elevation]))
            pixels = image if image.size == (size, size) else image.resize((size, size), Image.Resampling.LANCZOS)
            views[azimuth, elevation] = np.asarray(pixels).transpose(2, 0, 1)
    return found


def _announced(file: Path) -> None:
    """Check what a file says it holds, before any of it is unpacked."""
    announced = {name: (shape, kind) for name, shape, kind in _matlab(file, "whosmat")}
    shape, kind = announced.get("im", ((), "nothing"))
    square = len(shape) == 5 and shape[0] == shape[1] in SIZES and shape[2:] == (3, AZIMUTHS, ELEVATIONS)
    if kind != "uint8" or not square:
        raise InputError(f"{file}: im is {kind} {shape}; expected uint8 (128, 128, 3, {AZIMUTHS}, {ELEVATIONS})")


def _matlab(file: Path, function: str) -> Any:
    """What `scipy.io` reads from a file of MATLAB 5; it builds arrays and runs nothing."""
    import scipy.io

    try:
        with open_regular(file) as opened:
            return getattr(scipy.io, function)(opened, **({"variable_names": ["im"]} if function == "loadmat" else {}))
    except (MemoryError, InputError):
        raise
    except Exception as error:  # a damaged file raises all kinds, one of MATLAB 7.3 a NotImplementedError
        raise InputError(f"{file} is not a complete MATLAB 5 file ({type(error).__name__}); copy it again") from error
