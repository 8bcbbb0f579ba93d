"""Arrays on disk: ``.npy`` (samples), ``.npz`` and ``.h5`` (samples, labels, factors, an axis).

Images are (n, h, w), (n, h, w, c) or (n, c, h, w): uint8, bool and floats in [0, 1] as bytes, others as they are.
Signals are (n, t) or (n, c, t). Nothing is unpickled.
"""

from __future__ import annotations

import lzma
import math
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tokenize import TokenError
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentlab.data._axes import layout, ordered
from latentlab.data._names import readable
from latentlab.data._pixels import Typed, as_bytes
from latentlab.data._samples import DESCRIBING, Laid, Wish, in_bytes, kind_for, laid, rounded
from latentlab.data.dataset import Dataset, Factor, FactorKind, Images, Rows, Samples
from latentlab.data.kinds import Form, image_form
from latentlab.errors import InputError
from latentlab.system.limits import check_unpacked, rows_at_once
from latentlab.system.regular import check_regular

if TYPE_CHECKING:
    from latentlab.system.chunks import Checked

IMAGES = ("images", "imgs", "signals", "spectra", "samples", "x", "X", "data")
LABELS = ("labels", "label", "y")
FACTORS = ("factors", "v")
NAMES, KINDS = "factor_names", "factor_kinds"
BLOCK = 1 << 24
DAMAGED = (  # what opening and unpacking a member of a zip raises where its bytes are not what they should be
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, UnicodeDecodeError,
    EOFError, RuntimeError, OSError, KeyError, OverflowError,
)  # fmt: skip
NAMED = 5  # arrays that are named among what is skipped
FIRST = 1000  # rows checked when a file is opened; the others when they are read


def from_arrays(path: Path, arrays: Mapping[str, Any], wish: Wish = Wish()) -> Dataset:  # noqa: B008 - it is frozen
    """The data set in arrays that go by the names an ``.npz`` would have; ``wish`` says how they are to be read."""
    samples = _pick(arrays, IMAGES)
    if samples is None:
        held = ", ".join(sorted(arrays))[:60] or "nothing"
        raise InputError(f"{path} holds {held}; expected an array called images (or signals, imgs, x, data)")
    shape, read, form, remarks = _read_as(path, samples, arrays, wish)
    read(np.arange(rows_at_once(math.prod(shape[1:]), min(FIRST, shape[0])), dtype=np.int64))
    labels, label_names = _labels(path, _pick(arrays, LABELS), shape[0])
    factors, specs = _factors(path, arrays, shape[0])
    return Dataset(
        name=path.stem,
        shape=shape,
        read=read,
        factors=factors,
        specs=specs,
        labels=labels,
        label_names=label_names,
        grid=full_grid(factors) if factors is not None else None,
        source={"name": path.suffix.lower().lstrip("."), "file": path.name},
        form=form,
        remarks=remarks,
    )


def _read_as(
    path: Path, samples: Any, arrays: Mapping[str, Any], wish: Wish
) -> tuple[tuple[int, ...], Callable[[Rows], Samples], Form, tuple[str, ...]]:
    """The shape (n, *shape) of samples, what reads rows of them, their form, and what was assumed."""
    kind = kind_for(path, samples, arrays, wish)
    if kind == "image" and wish.axes:
        samples, axes = ordered(path, samples, wish.axes)
        wish = replace(wish, axes=axes)
    first = _first(path, samples) if kind == "image" else np.empty(0)
    if kind == "image" and in_bytes(samples, wish, first):
        pictured, transpose = layout(path, samples, wish.axes)
        form = image_form(pictured[1:], wish.colours)
        return pictured, reader(path, samples, transpose), form, rounded(first)
    found = laid(path, samples, kind, arrays, wish)
    if isinstance(samples, np.ndarray) and found.order is not None:
        samples, found = samples.transpose(found.order), replace(found, order=None)
    elif found.order is not None and found.order[0] != 0:
        raise InputError(f"{path}: axes with n not first are not read from HDF5; store the samples first")
    shape = (len(samples), *found.form.shape)
    return shape, Typed(_numbers(path, samples, found), str(path), found.form), found.form, found.remarks


def _first(path: Path, samples: Any) -> NDArray[Any]:
    """The rows that are looked at when a file is opened."""
    if not samples.shape or 0 in samples.shape:
        return np.empty(0)
    most = rows_at_once(math.prod(samples.shape[1:]), min(FIRST, len(samples)))
    return np.asarray(_guarded(path, lambda: samples[:most]))


def _pick(arrays: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((arrays[name] for name in names if name in arrays), None)


def passed_over(names: Iterable[str]) -> tuple[str, ...]:
    """A sentence on the arrays and groups of a file that nothing is read from; none where there are none.

    >>> passed_over(["images", "x", "latents", "factor_names"])
    ('2 of 4 arrays and groups skipped: latents, x',)
    """
    held = set(names)
    used = {next((name for name in each if name in held), "") for each in (IMAGES, LABELS, FACTORS)}
    used |= {NAMES, KINDS, *DESCRIBING}
    left = sorted(held - used)
    named = ", ".join(name[:24] for name in left[:NAMED]) + (", …" if len(left) > NAMED else "")
    return (f"{len(left):,} of {len(held):,} arrays and groups skipped: {named}",) if left else ()


def reader(path: Path, images: Any, transpose: tuple[int, ...] | None) -> Callable[[Rows], Images]:
    """What reads rows of an array in memory, on disk or in HDF5 as images (k, c, h, w) uint8."""
    rows_of = _rows_of(path, images)

    def read(rows: Rows) -> Images:
        pixels = as_bytes(path, rows_of(rows))
        return pixels[:, None] if transpose is None else pixels.transpose(transpose)

    return read


def _numbers(path: Path, samples: Any, how: Laid) -> Callable[[Rows], Samples]:
    """What reads rows of an array as samples (k, *shape) of numbers."""
    rows_of = _rows_of(path, samples)

    def read(rows: Rows) -> Samples:
        found = rows_of(rows)
        moved = found if how.order is None else found.transpose(how.order)
        return moved.reshape(len(found), *how.form.shape)

    return read


def _rows_of(path: Path, array: Any) -> Callable[[Rows], NDArray[Any]]:
    """What reads rows of an array by index, wherever it lies."""
    sorted_only = not isinstance(array, np.ndarray)  # HDF5 reads rows in ascending order, each once

    def read(rows: Rows) -> NDArray[Any]:
        if sorted_only and len(rows):
            unique, inverse = np.unique(rows, return_inverse=True)
            found: NDArray[Any] = _guarded(path, lambda: array[_slice(unique)])[inverse]
            return found
        return np.asarray(array[rows])

    return read


def _slice(rows: Rows) -> Rows | slice:
    """Ascending rows as a slice where they have no gaps: HDF5 reads that hundreds of times faster."""
    return slice(int(rows[0]), int(rows[-1]) + 1) if rows[-1] - rows[0] + 1 == len(rows) else rows


def _labels(path: Path, labels: Any, n: int) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    if labels is None:
        return None, ()
    labels = _guarded(path, lambda: labels[...])
    if labels.shape != (n,):
        raise InputError(f"{path}: labels have shape {labels.shape} but there are {n:,} images; expected ({n},)")
    if labels.dtype.kind in "USO":
        names, numbers = np.unique(_text(labels), return_inverse=True)
        return numbers.astype(np.int64), tuple(names.tolist())
    if labels.dtype.kind not in "iub":
        raise InputError(f"{path}: labels are {labels.dtype}; expected whole numbers or names: convert them first")
    numbers = labels.astype(np.int64)
    few = numbers.min(initial=0) >= 0 and numbers.max(initial=-1) < 10_000
    return numbers, tuple(map(str, range(int(numbers.max(initial=-1)) + 1))) if few else ()


def _factors(path: Path, arrays: Mapping[str, Any], n: int) -> tuple[NDArray[np.float64] | None, tuple[Factor, ...]]:
    values = _pick(arrays, FACTORS)
    if values is None:
        return None, ()
    values = _guarded(path, lambda: values[...])
    if values.ndim != 2 or len(values) != n or values.dtype.kind not in "iubf":
        raise InputError(
            f"{path}: factors are {values.dtype} {values.shape}; expected numbers ({n}, k), one row per image"
        )
    k = values.shape[1]
    factors = values.astype(np.float64)
    names = _words(path, arrays, NAMES, k) or [f"factor {i + 1}" for i in range(k)]
    if len(set(names)) < k:
        raise InputError(f"{path}: {NAMES} contains a duplicate name; expected {k} different names")
    kinds = _words(path, arrays, KINDS, k) or [_kind(column) for column in factors.T]
    allowed = ("categorical", "ordinal", "continuous", "circular")
    if wrong := set(kinds) - set(allowed):
        raise InputError(f"{path}: {KINDS} has {min(wrong)[:40]!r}; expected {', '.join(allowed)}")
    return factors, tuple(Factor(name, kind) for name, kind in zip(names, kinds, strict=True))  # type: ignore[arg-type]


def _kind(column: NDArray[np.float64]) -> FactorKind:
    known = column[np.isfinite(column)]
    return "categorical" if (known == np.round(known)).all() else "continuous"


def _words(path: Path, arrays: Mapping[str, Any], key: str, k: int) -> list[str] | None:
    if key not in arrays:
        return None
    words = _text(_guarded(path, lambda: arrays[key][...]))
    if words.shape != (k,):
        raise InputError(f"{path}: {key} has shape {words.shape} but there are {k} factors; expected ({k},)")
    return [str(word) for word in words]


def _text(words: NDArray[Any]) -> NDArray[Any]:
    return np.array(readable(words.ravel().tolist())).reshape(words.shape)


def full_grid(factors: NDArray[np.float64]) -> tuple[int, ...] | None:
    """The levels per factor where the rows (n, k) are all combinations of level indices in row-major order."""
    if not len(factors) or not factors.shape[1] or not np.isfinite(factors).all() or factors.min() < 0:
        return None
    shape = tuple(int(top) + 1 for top in factors.max(axis=0))
    if int(np.prod(shape, dtype=object)) != len(factors):
        return None
    rows = np.indices(shape).reshape(len(shape), -1).T
    return shape if (rows == factors).all() else None


def _guarded(path: Path, read: Callable[[], Any]) -> Any:
    """The array that ``read`` gives; a damaged chunk names the file."""
    try:
        return np.asarray(read())
    except InputError:
        raise
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(f"{path} is damaged (part of it cannot be read); recreate or copy it again") from error


def read_npy(path: Path) -> NDArray[Any]:
    """An ``.npy`` file, mapped; nothing is unpickled."""
    check_regular(path)
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except (ValueError, OSError, EOFError, OverflowError, SyntaxError, TypeError, TokenError) as error:
        pickled = "allow_pickle" in str(error) or "Python objects" in str(error)
        why = "holds pickled objects, which are never read" if pickled else "is not a complete .npy file"
        raise InputError(f"{path} {why}; save plain numbers with numpy.save") from error


def read_h5(path: Path) -> dict[str, Checked]:
    """The arrays at the top of an HDF5 file, to be read by index."""
    import h5py

    from latentlab.system.chunks import Checked
    from latentlab.system.hdf5 import check_texts, open_safely

    file = open_safely(path)  # stays open: images are read by index
    arrays = {key: file[key] for key in file if isinstance(file[key], h5py.Dataset)}
    held = {key: Checked(array) for key, array in arrays.items() if array.shape is not None}
    for array in held.values():
        if array.dtype.hasobject:
            check_texts(array.dataset)
    return held


class Header(NamedTuple):
    """What an ``.npy`` file announces."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]

    @property
    def bytes(self) -> int:
        """How many bytes of data must follow."""
        return int(np.prod(self.shape, dtype=object)) * self.dtype.itemsize


def read_header(path: Path, key: str, file: IO[bytes]) -> Header:
    """The header of one member of an ``.npz``; leaves the file at the first byte of data."""
    try:
        version = np.lib.format.read_magic(file)
        parse = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # headers that Python 2 wrote are read as well
            header = Header(*parse(file))
    except (ValueError, SyntaxError, TypeError, EOFError, TokenError) as error:
        raise InputError(f"{path}: {key} is not a complete array; recreate or copy the file") from error
    if header.dtype.hasobject:
        raise InputError(f"{path}: {key} holds pickled objects, which are never read; save plain numbers or text")
    return header


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays that are asked for by name; bytes are counted while unpacking, other members are left alone."""
    stat = path.stat()
    return _unpacked(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=2)
def _unpacked(path: Path, mtime: int, size: int) -> dict[str, NDArray[Any]]:
    wanted = {*IMAGES, *LABELS, *FACTORS, NAMES, KINDS, *DESCRIBING}
    with open_zip(path) as archive:
        keys = [name.removesuffix(".npy") for name in archive.namelist()]
        held = {key: read_member(path, archive, key) for key in keys if key in wanted}
        return held or {key: np.empty(0) for key in keys}


def read_member(path: Path, archive: zipfile.ZipFile, key: str) -> NDArray[Any]:
    """One array of an ``.npz``, in memory; never more bytes than it announces, nor than
    `check_unpacked` allows."""
    try:
        with archive.open(f"{key}.npy") as file:
            header = read_header(path, key, file)
            check_unpacked(path, key, header.bytes, archive.getinfo(f"{key}.npy").compress_size)
            content = bytearray()
            while len(content) <= header.bytes and (block := file.read(min(BLOCK, header.bytes + 1 - len(content)))):
                content += block
    except DAMAGED as error:
        raise InputError(f"{path}: {key} is damaged; recreate or copy the file") from error
    if len(content) != header.bytes:
        raise InputError(
            f"{path}: {key} declares {header.bytes:,} bytes but contains a different number; recreate the file"
        )
    array = np.frombuffer(content, dtype=header.dtype).reshape(header.shape, order="F" if header.fortran else "C")
    array.setflags(write=False)  # shared by every data set made of this file
    return array


def open_zip(path: Path) -> zipfile.ZipFile:
    """An archive: a zip of images, an ``.npz``."""
    check_regular(path)
    try:
        return zipfile.ZipFile(path)
    except (*DAMAGED, ValueError) as error:
        raise InputError(f"{path} is not a complete {path.suffix} file; recreate or copy it again") from error
