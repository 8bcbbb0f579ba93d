"""Folders (or a ``.zip``) of images: flat, or one folder per label. Pixels are read by index, headers at first."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np

from latentlab.data._arrays import open_zip
from latentlab.data._fingerprint import Known, of_files
from latentlab.data._names import readable
from latentlab.data.dataset import Dataset, Images, Rows
from latentlab.errors import InputError, MissingError
from latentlab.limits import check_unpacked
from latentlab.regular import open_regular

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".pbm"})
GREY, COLOUR = frozenset({"1", "L", "LA"}), frozenset({"RGB", "RGBA", "P", "CMYK", "YCbCr"})
STACKS = frozenset({"GIF", "TIFF", "WEBP"})  # the further pictures of a JPEG are previews
SIZES = range(1, 4097)
MEMBER = 1 << 28  # bytes that one image file may have


def load(path: Path, *, size: int | None = None) -> Dataset:
    """Grey (1 channel) or colour (3 channels) images of one size, in the order of their names.

    Images in subfolders get the subfolder as their label. ``size`` resizes each to ``size`` × ``size`` (bilinear,
    area-averaging when smaller). Raises `InputError` where sizes differ without ``size=``, where grey and colour are
    mixed, and, when a row is read, where an image cannot be decoded.
    """
    if size is not None and size not in SIZES:
        raise InputError(f"{path}: size={size} is not between {SIZES.start} and {SIZES.stop - 1}")
    stat = path.stat()
    files = _files(path, stat.st_mtime_ns, stat.st_size)
    if not files:
        raise MissingError(
            f"{path} holds no images; expected {', '.join(sorted(SUFFIXES))}, flat or a folder per label"
        )
    colour, (width, height) = _layout(path, files, resized=size is not None)
    shape = (3 if colour else 1, size or height, size or width)
    listed = tuple(file.name for file in files)
    folders = [str(PurePosixPath(file.name).parent) for file in files]
    names = sorted(set(folders), key=natural)
    numbers = {name: number for number, name in enumerate(names)}
    return Dataset(
        name=path.resolve().stem,
        shape=(len(files), *shape),
        read=Known(partial(_read, path, listed, shape, size), lambda: _content(path, listed, shape)),
        labels=np.array([numbers[folder] for folder in folders], dtype=np.int64) if len(names) > 1 else None,
        label_names=tuple(readable(_without_common(names))) if len(names) > 1 else (),
        source={"name": "images", "files": len(files)} | ({"size": size} if size else {}),
    )


def _content(path: Path, names: tuple[str, ...], shape: tuple[int, int, int]) -> str:
    """What the images are: names, order and bytes of their files, and to what they are brought."""
    files = [(name, path / name) for name in names] if path.is_dir() else [(path.suffix, path)]
    return of_files(files, *names, shape)


def natural(name: str) -> list[tuple[int, str]]:
    """A key by which ``image2`` sorts before ``image10``."""
    return [(int(word), "") if word.isdecimal() else (-1, word) for word in re.split(r"([0-9]+)", name)]


class _File(NamedTuple):
    name: str
    mode: str
    size: tuple[int, int]


@lru_cache(maxsize=4)
def _files(path: Path, mtime: int, length: int) -> tuple[_File, ...]:
    """Name, mode and size of every image, from its header alone."""
    with _opener(path) as (names, open_file):
        files = []
        for name in sorted((n for n in names if _is_image(n)), key=natural):
            with open_image(path, name, open_file) as image:
                frames = getattr(image, "n_frames", 1) if image.format in STACKS else 1
                if frames > 1:
                    raise InputError(f"{path}: {name[-60:]} has {frames} frames; expected one image a file")
                files.append(_File(name, image.mode, image.size))
    return tuple(files)


def _is_image(name: str) -> bool:
    pure = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in pure.parts)
    return pure.suffix.lower() in SUFFIXES and not hidden


@contextmanager
def _opener(path: Path) -> Iterator[tuple[Iterable[str], Callable[[str], IO[bytes]]]]:
    """The file names under a folder or in a zip, and how to open one of them."""
    if path.is_dir():
        names = (file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
        yield names, lambda name: open_regular(path / name)
        return
    with open_zip(path) as archive:
        yield archive.namelist(), partial(_member, path, archive)


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    import io

    info = archive.getinfo(name)
    check_unpacked(path, name[-30:], info.file_size, info.compress_size)
    with archive.open(name) as file:
        content = file.read(MEMBER + 1)
    if len(content) > MEMBER:
        raise InputError(f"{path}: {name[-60:]} unpacks to more than {MEMBER >> 20} MiB; that is no ordinary image")
    return io.BytesIO(content)


@contextmanager
def open_image(path: Path, name: str, open_file: Callable[[str], IO[bytes]]) -> Iterator[Image.Image]:
    """An image opened by one of the known decoders; whatever goes wrong with it names the file."""
    from PIL import Image

    try:
        with warnings.catch_warnings(), open_file(name) as file:
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=FORMATS) as image:
                yield image
    except InputError:
        raise
    except Exception as error:  # decoders raise all kinds on damaged files
        why = str(error).splitlines()[0][:60] if str(error) else type(error).__name__
        raise InputError(f"{path}: cannot read image {name[-60:]} ({why}); repair or remove it") from error


def _layout(path: Path, files: tuple[_File, ...], resized: bool) -> tuple[bool, tuple[int, int]]:
    """Whether the images are in colour, and their common (width, height)."""
    first = files[0]
    for file in files:
        if file.mode not in GREY | COLOUR:
            raise InputError(f"{path}: {file.name[-60:]} has mode {file.mode}; save images as 8-bit grey or RGB")
        if (file.mode in COLOUR) != (first.mode in COLOUR):
            raise InputError(
                f"{path}: {first.name[-40:]} is {first.mode}, {file.name[-40:]} {file.mode}; make all grey or all RGB"
            )
        if file.size != first.size and not resized:
            raise InputError(
                f"{str(path)[-50:]}: {first.name[-24:]} is {_by(first.size)}, {file.name[-24:]} {_by(file.size)}; "
                f"expected one size: {path.name[-24:]}:size=64 resizes"
            )
    return first.mode in COLOUR, first.size


def _read(path: Path, names: tuple[str, ...], shape: tuple[int, int, int], size: int | None, rows: Rows) -> Images:
    from PIL import Image

    images = np.empty((len(rows), *shape), dtype=np.uint8)
    with _opener(path) as (_, open_file):
        for k, row in enumerate(rows):
            with open_image(path, names[row], open_file) as image:
                pixels = image.convert("RGB" if shape[0] == 3 else "L")
                if size is not None:
                    pixels = pixels.resize((size, size), Image.Resampling.BILINEAR)
                array = np.asarray(pixels)
            if array.shape[:2] != shape[1:]:
                raise InputError(f"{path}: {names[row][-60:]} has changed its size since it was listed; load it again")
            images[k] = array.transpose(2, 0, 1) if shape[0] == 3 else array[None]
    return images


def _without_common(names: list[str]) -> tuple[str, ...]:
    """Label names without the folders that all of them lie in."""
    parts = [PurePosixPath(name).parts for name in names]
    depth = 0
    while all(len(p) > depth + 1 for p in parts) and len({p[depth] for p in parts}) == 1:
        depth += 1
    return tuple("/".join(p[depth:]) for p in parts)


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"
