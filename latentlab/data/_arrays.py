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
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from tokenize import TokenError
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentlab.data._axes import layout, ordered
from latentlab.data._called import said_of, stand_ins
from latentlab.data._fingerprint import stamp
from latentlab.data._foreign import told_of
from latentlab.data._names import readable
from latentlab.data._of_kind import dataset_of, is_bytes, kind_of_array
from latentlab.data._pixels import as_bytes, rounded
from latentlab.data._points import axis_among, is_named
from latentlab.data._suspects import said_of_neighbours
from latentlab.data.dataset import Dataset, Factor, FactorKind, Images, Rows
from latentlab.data.kinds import image_form
from latentlab.errors import InputError
from latentlab.system.limits import check_unpacked, rows_at_once
from latentlab.system.precision import as_floats
from latentlab.system.regular import check_regular

if TYPE_CHECKING:
    from latentlab.system.chunks import Checked

IMAGES = ("images", "imgs", "signals", "spectra", "samples", "x", "X", "data")
SIGNALS = ("signals", "spectra")
LABELS = ("labels", "label", "y")
FACTORS = ("factors", "v")
NAMES, KINDS = "factor_names", "factor_kinds"
FORM = ("kind", "feature_names", "axis", "axis_unit", "unit")
KNOWN = {*IMAGES, *LABELS, *FACTORS, NAMES, KINDS, *FORM}  # the names of arrays that are read
BLOCK = 1 << 24
DAMAGED = (  # what opening and unpacking a member of a zip raises where its bytes are not what they should be
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, UnicodeDecodeError,
    EOFError, RuntimeError, OSError, KeyError, OverflowError,
)  # fmt: skip
NAMED = 5  # arrays that are named among what is skipped
FIRST = 1000  # rows checked when a file is opened; the others when they are read


def from_arrays(
    path: Path, arrays: Mapping[str, Any], axes: str = "", kind: str = "", how: Mapping[str, Any] | None = None
) -> Dataset:
    """The data set in arrays that go by the names an ``.npz`` would have; ``axes`` are the letters of its axes.

    ``kind`` is that of the samples; by default what the array ``kind`` says, or what is plain. ``how`` is what its
    ``of_array`` takes besides: ``stored``, ``stretch``, ``colours``.
    """
    standing = stand_ins(arrays, KNOWN)
    arrays = {**arrays, **{role: arrays[name] for role, name in standing.items()}}
    x = _pick(arrays, IMAGES)
    if x is None:
        held = ", ".join(sorted(arrays))[:60] or "nothing"
        raise InputError(f"{path} holds {held}; expected an array called images (or signals, imgs, x, data)")
    kind = kind or (_word(_guarded(path, lambda: arrays["kind"][...])) if "kind" in arrays else "")
    kind = kind or ("signal" if next(name for name in IMAGES if name in arrays) in SIGNALS else "")
    data = _samples(path, x, arrays, kind, {k: v for k, v in ({"axes": axes} | dict(how or {})).items() if v})
    labels, label_names = labels_of(path, _pick(arrays, LABELS), len(data))
    factors, specs = _factors(path, arrays, len(data))
    return replace(
        data,
        remarks=(*said_of(standing), *data.remarks),
        factors=factors,
        specs=specs,
        labels=labels,
        label_names=label_names,
        grid=full_grid(factors) if factors is not None else None,
    )


def _samples(path: Path, x: Any, arrays: Mapping[str, Any], asked: str, how: dict[str, Any]) -> Dataset:
    """The samples alone: images of bytes by index, anything else as the array holds it."""
    source = {"name": path.suffix.lower().lstrip("."), "file": path.name}
    axis = axis_among(arrays, x.shape) if asked in ("", "signal") or "axis" in arrays else ""
    kind, axes = kind_of_array(path, x, asked, axis=bool(axis), axes=how.get("axes", "")), how.pop("axes", "")
    first = _first(path, x)
    if kind == "image" and _in_bytes(first, how):
        data = _pictures(path, x, axes, how)
        return _looked_at(replace(data, source=source, remarks=rounded(first)))
    about = {key: _guarded(path, partial(arrays[key].__getitem__, ...)) for key in FORM[1:] if key in arrays}
    about |= {"axis": _guarded(path, lambda: arrays[axis][...])} if axis else {}
    told = _told(about) | ({"axes": axes} if axes else {}) | how
    data = dataset_of(path, _guarded(path, lambda: x[...]), kind, told)
    named = (f"the axis is {axis}",) if axis not in ("", "axis") else ()
    alike = said_of_neighbours(first) if kind == "table" and not asked and "feature_names" not in about else ()
    return _looked_at(replace(data, source=source, remarks=(*_laid(tuple(x.shape), data), *named, *alike)))


def _looked_at(data: Dataset) -> Dataset:
    """The data set, whose first rows can be read."""
    data.read(np.arange(rows_at_once(math.prod(data.form.shape), min(FIRST, len(data))), dtype=np.int64))
    return data


def _pictures(path: Path, x: Any, axes: str, how: Mapping[str, Any]) -> Dataset:
    """Images of bytes, read by index."""
    if axes:
        x, axes = ordered(path, x, axes)
    shape, transpose = layout(path, x, axes)
    return Dataset(path.stem, shape, reader(path, x, transpose), form=image_form(shape[1:], how.get("colours", ())))


def _first(path: Path, x: Any) -> NDArray[Any]:
    """The rows that are looked at when a file is opened."""
    if not x.shape or 0 in x.shape:
        return np.empty(0, x.dtype)
    most = rows_at_once(math.prod(x.shape[1:]), min(FIRST, len(x)))
    return _guarded(path, lambda: x[:most])


def _in_bytes(first: NDArray[Any], how: Mapping[str, Any]) -> bool:
    """Whether pictures are kept as 8 bits: because of what they are, unless something else was asked for."""
    if how.get("stretch") or how.get("stored"):
        return how.get("stored") == "uint8"
    return not first.size or is_bytes(first)


def _laid(shape: tuple[int, ...], data: Dataset) -> tuple[str, ...]:
    """A sentence on how axes were read that may lie otherwise: of signals with channels."""
    plain = data.form.kind != "signal" or len(shape) < 3
    return () if plain else (f"shape {shape} was read as {data.form.described(len(data))}",)


def _told(about: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """What an array says of the form of samples, as texts and numbers."""
    if dated := next((key for key, value in about.items() if value.dtype.kind in "mM"), ""):
        raise InputError(f"{dated} holds {about[dated].dtype}; expected numbers, such as seconds from the first point")
    return {key: _word(value) if value.ndim == 0 else _plain_of(value) for key, value in about.items()}


def _plain_of(value: NDArray[Any]) -> tuple[Any, ...]:
    return tuple((_text(value) if value.dtype.kind in "USO" else value).ravel().tolist())


def _word(value: Any) -> str:
    return str(_text(np.atleast_1d(np.asarray(value)))[0])


def _pick(arrays: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((arrays[name] for name in names if name in arrays), None)


def passed_over(names: Iterable[str], remarks: Sequence[str] = ()) -> tuple[str, ...]:
    """A sentence on the arrays and groups of a file that nothing is read from; none where there are none.

    ``remarks`` say what was read besides, as an axis of another name. Of several arrays of one name the last is read,
    as in unpacking. The name of a group ends in ``/``.

    >>> passed_over(["images", "x", "latents", "factor_names", "labels/"])
    ('3 of 5 arrays and groups skipped: labels/, latents, x',)
    >>> passed_over(["images", "images"])
    ('1 of 2 arrays and groups skipped: images (an earlier one of that name)',)
    """
    every = list(names)
    held = set(every)
    used = {next((name for name in each if name in held), "") for each in (IMAGES, LABELS, FACTORS)}
    used |= {NAMES, KINDS, *FORM, *stand_ins(held, KNOWN).values()}
    left = sorted(name for name in held - used if f"the axis is {name}" not in remarks)
    twice = sorted(name for name, times in Counter(every).items() for _ in range(times - 1))
    left += [f"{name[:24]} (an earlier one of that name)" for name in twice]
    named = ", ".join(name if name not in held else name[:24] for name in left[:NAMED])
    more = ", …" if len(left) > NAMED else ""
    return (f"{len(left):,} of {len(every):,} arrays and groups skipped: {named}{more}",) if left else ()


def reader(path: Path, images: Any, transpose: tuple[int, ...] | None) -> Callable[[Rows], Images]:
    """What reads rows of an array in memory, on disk or in HDF5 as images (k, c, h, w) uint8."""
    sorted_only = not isinstance(images, np.ndarray)  # HDF5 reads rows in ascending order, each once

    def read(rows: Rows) -> Images:
        if sorted_only and len(rows):
            unique, inverse = np.unique(rows, return_inverse=True)
            block = _guarded(path, lambda: images[_slice(unique)])[inverse]
        else:
            block = np.asarray(images[rows])
        block = as_bytes(path, block)
        return block[:, None] if transpose is None else block.transpose(transpose)

    return read


def _slice(rows: Rows) -> Rows | slice:
    """Ascending rows as a slice where they have no gaps: HDF5 reads that hundreds of times faster."""
    return slice(int(rows[0]), int(rows[-1]) + 1) if rows[-1] - rows[0] + 1 == len(rows) else rows


def labels_of(path: Path, labels: Any, n: int) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """An array of labels as numbers (n,), and the classes' names; words are numbered in alphabetical order."""
    if labels is None:
        return None, ()
    labels = _guarded(path, lambda: labels[...])
    labels = labels[:, 0] if labels.shape == (n, 1) else labels
    if labels.shape != (n,):
        raise InputError(f"{path}: labels have shape {labels.shape} but there are {n:,} samples; expected ({n},)")
    if labels.dtype.kind in "USO":
        names, numbers = np.unique(_text(labels), return_inverse=True)
        return numbers.astype(np.int64), tuple(names.tolist())
    if labels.dtype.kind not in "iub":
        way = "save what was measured as factors (n, k)" if labels.dtype.kind == "f" else "convert them first"
        raise InputError(f"{path}: labels are {labels.dtype}; expected whole numbers or names: {way}")
    if labels.dtype.kind == "u" and labels.max(initial=0) > np.iinfo(np.int64).max:
        raise InputError(f"{path}: labels go up to {labels.max():,}; expected at most 2^63 − 1: number the classes")
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
            f"{path}: factors are {values.dtype} {values.shape}; expected numbers ({n}, k), one row for each sample"
        )
    k = values.shape[1]
    factors = as_floats(values)
    if (endless := np.isinf(factors).any(axis=1)).any():
        raise InputError(f"{path}: factors hold infinity in row {int(endless.argmax()) + 1}; NaN marks what is unknown")
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
    """An ``.npy`` file, mapped; nothing is unpickled, and nothing may lie behind the array: `numpy.save` appends."""
    check_regular(path)
    try:
        array = np.lib.format.open_memmap(path, mode="r")
        beyond = path.stat().st_size - array.offset - array.nbytes
    except (ValueError, OSError, EOFError, OverflowError, SyntaxError, TypeError, TokenError) as error:
        pickled = "allow_pickle" in str(error) or "Python objects" in str(error)
        why = "holds pickled objects, which are never read" if pickled else "is not a complete .npy file"
        what = "" if pickled or (told := told_of(path)).startswith("an array") else told
        found = f"is not .npy but {what}" if what else f"{why}; save plain numbers with numpy.save"
        raise InputError(f"{str(path)[-60:]} {found}") from error
    if beyond:
        raise InputError(f"{path} has {beyond:,} bytes behind its array; save one array in one file, or all as .npz")
    return array


def read_h5(path: Path) -> dict[str, Checked]:
    """The arrays at the top of an HDF5 file, to be read by index."""
    import h5py

    from latentlab.system.chunks import Checked
    from latentlab.system.hdf5 import check_texts, open_safely

    file = open_safely(path)  # stays open: images are read by index
    arrays = {key: file[key] for key in file if isinstance(file[key], h5py.Dataset)}
    held = {key: Checked(array) for key, array in arrays.items() if array.shape is not None}
    if not held and len(file):
        groups = ", ".join(sorted(file))[:60]
        raise InputError(f"{path} holds no array at its top, but {groups}; save the images there, as images")
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
    return _unpacked(path, stamp(path))


@lru_cache(maxsize=2)
def _unpacked(path: Path, at: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    with open_zip(path) as archive:
        keys = [name.removesuffix(".npy") for name in archive.namelist()]
        wanted = {*KNOWN, *stand_ins(keys, KNOWN).values()}
        held = {key: read_member(path, archive, key) for key in keys if key in wanted or is_named(key)}
        found = held.keys() & {*IMAGES, *stand_ins(keys, KNOWN).values()}
        return held if found else {key: np.empty(0) for key in keys}


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
        what = told_of(path)
        if what and not what.startswith("a ZIP"):
            raise InputError(f"{str(path)[-60:]} is not {path.suffix} but {what}") from error
        raise InputError(f"{path} is not a complete {path.suffix} file; recreate or copy it again") from error
