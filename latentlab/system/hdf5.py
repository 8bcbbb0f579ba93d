"""The one way an HDF5 file that someone else may have made is opened, and the one way in which ours are written.

HDF5 can name other files, load filters, and declare arrays far larger than what is stored. `open_safely` reads the
structure, never the data, and refuses all of that, so what it returns can be read like any array. A write that fails
leaves the HDF5 library in a state in which it crashes the process; `publishing` keeps such failures from it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from shutil import copyfile
from typing import IO, Any

import h5py
from numpy.typing import NDArray

from latentlab.errors import InputError, LatentlabError, LockedFileError, MissingError
from latentlab.system import chunks
from latentlab.system.files import publish
from latentlab.system.regular import check_regular, open_regular
from latentlab.system.stamps import Stamp, remembered, stamp

FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_LZF}
PLAIN = {h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.STRING, h5py.h5t.ENUM}
RATIO = 1000
HARMLESS = 16 << 20  # constant data compress beyond any ratio; below this many bytes they may
OBJECTS = 100_000
TEXTS = b"GCOL\x01\x00\x00\x00"  # how a global heap begins: where texts of any length lie
OBJECT = struct.Struct("<HHIQ")  # an object in it: index, references, nothing, size
NAMES = b"HEAP\x00\x00\x00\x00"  # how a local heap begins: where a group's names lie
FREE = struct.Struct("<QQ")  # a free block in it: where the next one is, size
LAST = 1  # where the next one is, if there is none
BLOCK = 16 << 20
_SOUND: dict[tuple[str, str], Stamp] = {}  # which check each file has passed, as it then was
LARGEST_HEAP = 64 << 20  # bytes; h5py begins another one after some thousands, but for one text longer than that


def open_safely(path: str | Path) -> h5py.File:
    """An HDF5 file, open for reading, that holds plain datasets and nothing else.

    Refused, each with a one-line `InputError`: links and storage in other files, soft links that lead nowhere,
    virtual datasets, filters other than gzip, lzf and shuffle, a declared size of more than 1,000 times what is
    stored, more bytes stored than the file has, a heap that the HDF5 library would read for ever. A missing
    file is a `MissingError`.

    >>> with h5py.File("/tmp/latentlab-doctest.h5", "w") as file:
    ...     file["X"] = [1.0, 2.0]
    >>> with open_safely("/tmp/latentlab-doctest.h5") as file:
    ...     file["X"][:1].tolist()
    [1.0]
    """
    path = Path(path)
    check_regular(path)
    if not path.is_file():
        raise MissingError(f"{path} does not exist; expected an HDF5 file")
    open_regular(path).close()
    _longest_heap(path)
    try:
        file = h5py.File(path, "r", driver="sec2")
    except BlockingIOError as error:  # HDF5 locks what a program writes
        raise LockedFileError(f"{path} is open in another program, which writes it; close it there") from error
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(
            f"{path} is not a readable HDF5 file; it may be cut short: recreate or copy it again"
        ) from error
    try:
        _once(_check, file, path)
    except InputError:
        file.close()
        raise
    except Exception as error:  # h5py raises all kinds on damaged structures
        file.close()
        raise InputError(
            f"{path} is a damaged HDF5 file ({type(error).__name__}); recreate or copy it again"
        ) from error
    return file


@contextmanager
def publishing(path: Path, source: Path | None = None, **options: Any) -> Iterator[h5py.File]:
    """An HDF5 file to fill, empty or a copy of `source`; it becomes `path` when the block ends without an exception.

    A full disk, or whatever else keeps its bytes from being written, is raised as the `OSError` that it was.
    """
    with publish(path) as temporary:
        if source is not None:
            copyfile(source, temporary)
        with temporary.open("r+b", buffering=0) as raw:
            disk = _Disk(raw)
            try:
                with h5py.File(disk, "w" if source is None else "r+", **options) as file:
                    yield file
            finally:
                if disk.error is not None:
                    raise disk.error


class _Disk:
    """A file that remembers its first failure and says nothing of it: what is written after it is lost anyhow.

    What was lost reads as zeros, which HDF5 knows for nothing or refuses; whatever its buffer held, it would follow.
    """

    def __init__(self, raw: FileIO) -> None:
        self.raw = raw
        self.error: OSError | None = None
        self.read, self.seek, self.tell = raw.read, raw.seek, raw.tell

    def readinto(self, content: Any) -> int:
        view = memoryview(content).cast("B")
        done = 0
        while done < len(view) and (found := self._try(self.raw.readinto, view[done:])):
            done += found
        view[done:] = bytes(len(view) - done)
        return len(view)

    def write(self, content: Any) -> int:
        view = memoryview(content).cast("B")
        done = 0
        while done < len(view) and self.error is None:
            done += self._try(self.raw.write, view[done:])
        return len(view)

    def truncate(self, size: int) -> int:
        self._try(self.raw.truncate, size)
        return size

    def flush(self) -> None:
        """Nothing is buffered here."""

    def _try(self, call: Callable[[Any], int | None], what: Any) -> int:
        try:
            return call(what) or 0
        except OSError as error:
            self.error = error
            return 0


@contextmanager
def reading(path: Path, what: str) -> Iterator[h5py.File]:
    """A file of ours, opened as `open_safely` does; whatever is missing or malformed in it becomes an `InputError`."""
    with open_safely(path) as file:
        try:
            _once(_check_types, file, path)
            yield file
        except (LatentlabError, MemoryError):
            raise
        except Exception as error:  # h5py and a malformed structure raise all kinds
            why = " ".join(str(error).split())[:60] or type(error).__name__
            raise InputError(f"{path} is not a complete file of {what} ({why}); recreate it"[:200]) from error


def numbers(item: Any, kinds: str = "biuf") -> NDArray[Any]:
    """A dataset in memory; an `InputError` where it is a group, or holds other than numbers of those dtype kinds."""
    if not isinstance(item, h5py.Dataset) or item.dtype.kind not in kinds or item.shape is None:
        raise InputError(f"{item.file.filename}: {item.name[:60]} does not contain numbers; recreate it")
    return chunks.read(item)


def _once(check: Callable[[h5py.File, Path], None], file: h5py.File, path: Path) -> None:
    """Check an open file, unless this process has checked the very same one before."""
    found, key = stamp(path), (check.__name__, str(path))
    same = found is not None and os.path.samestat(path.stat(), os.fstat(file.id.get_vfd_handle()))
    if same and _SOUND.get(key) == found:
        return
    check(file, path)
    if found is not None and same and stamp(path) == found:
        _SOUND[key] = found


def _check(file: h5py.File, path: Path) -> None:
    size, declared = path.stat().st_size, 0
    if file.id.get_create_plist().get_sizes() != (8, 8):  # `_longest_heap` reads no other
        raise InputError(f"{path} uses HDF5 offsets other than 8 bytes, which is not supported; rewrite it with h5py")
    for name, dataset in _datasets(file, path):
        problem = _problem(dataset, size)
        if problem:
            raise InputError(f"{path}: {name[:60]} {problem}; only plain gzip, lzf or raw datasets are read")
        declared += dataset.size * dataset.dtype.itemsize if dataset.shape is not None else 0
        if declared > max(HARMLESS, RATIO * size):
            raise InputError(f"{path} declares {declared:,} bytes but has {size:,}; it looks like a decompression bomb")


def _check_types(file: h5py.File, path: Path) -> None:
    """Refuse attributes that are neither numbers nor texts, and arrays of sequences.

    The HDF5 library crashes as it reads a text that a flipped bit has made a sequence of bytes.
    """
    names = [b"/"]
    h5py.h5o.visit(file.id, names.append)
    for name in names:
        item = h5py.h5o.open(file.id, name)
        count = h5py.h5a.get_num_attrs(item)
        kinds = {h5py.h5a.open(item, index=each).get_type().get_class() for each in range(count)}
        sequences = isinstance(item, h5py.h5d.DatasetID) and item.get_type().get_class() == h5py.h5t.VLEN
        if sequences or kinds - PLAIN:
            where = f"/{name.decode(errors='replace').strip('/')[:60]}"
            raise InputError(f"{path}: {where} holds neither numbers nor texts; recreate it")


def check_texts(dataset: h5py.Dataset) -> None:
    """Refuse what is not a text, or may be far more than the file has: a thousand entries can be one and the same."""
    path = Path(dataset.file.filename)
    if dataset.id.get_type().get_class() != h5py.h5t.STRING:
        raise InputError(f"{path}: {dataset.name[:60]} holds neither numbers nor texts; save plain arrays")
    size, most = path.stat().st_size, dataset.size * _longest_heap(path)
    if most > max(HARMLESS, RATIO * size):
        raise InputError(f"{path}: {dataset.name[:60]} may be {most:,} bytes of text in a file of {size:,}")


def read_texts(dataset: h5py.Dataset) -> list[Any]:
    """A column of texts (n,), read in parts that cannot be far more than the file has, and counted.

    It takes what `check_texts` must refuse unread: many short texts in a small file.
    """
    path, size = Path(dataset.file.filename), Path(dataset.file.filename).stat().st_size
    if dataset.id.get_type().get_class() != h5py.h5t.STRING or dataset.ndim != 1:
        raise InputError(f"{path}: {dataset.name[:60]} holds no column of texts; save plain arrays")
    step, held = max(1, HARMLESS // max(1, _longest_heap(path))), chunks.Checked(dataset)
    words: list[Any] = []
    total = 0
    for start in range(0, len(dataset), step):
        part = held[start : start + step].tolist()
        total += sum(map(len, part))
        if total > max(HARMLESS, RATIO * size):
            raise InputError(f"{path}: {dataset.name[:60]} has over {total:,} bytes of text in a file of {size:,}")
        words += part
    return words


@remembered
def _longest_heap(path: Path) -> int:
    """The bytes of the longest heap of texts, 0 where there is none; an `InputError` where a heap has no end.

    Every heap is walked: in one that has no end, or whose list goes round in a circle, the HDF5 library stays for ever.
    Known upstream for the heaps of texts (github.com/HDFGroup/hdf5/issues/1707), found by fuzzing for those of names.
    """
    longest, size = 0, path.stat().st_size
    with path.open("rb") as file:
        for start in range(0, size, BLOCK):
            file.seek(start)
            block = file.read(BLOCK + len(TEXTS) - 1)
            for mark, walk in ((TEXTS, _walk_texts), (NAMES, _walk_names)):
                at = block.find(mark)
                while at >= 0:
                    file.seek(start + at + len(mark))
                    length = walk(file)
                    if length is None:
                        raise InputError(
                            f"{path} is a damaged HDF5 file (a heap does not end); recreate or copy it again"
                        )
                    longest = max(longest, length)
                    at = block.find(mark, at + 1)
    return longest


def _walk_texts(file: IO[bytes]) -> int | None:
    """The length of a global heap; None where one of its objects takes no bytes at all."""
    length = int.from_bytes(file.read(8), "little")
    if length > LARGEST_HEAP:
        return None
    heap = file.read(length - 16) if length > 16 else b""
    if bytes(8) not in heap and b"\xff" * 7 not in heap:  # no size of 0, none that overflows: nothing to walk for
        return length
    place = 0
    while place + OBJECT.size <= len(heap):
        index, _, _, size = OBJECT.unpack_from(heap, place)
        step = (size if index == 0 else OBJECT.size + -(-size // 8) * 8) % (1 << 64)
        if step == 0:
            return None
        place += step
    return length


def _walk_names(file: IO[bytes]) -> int | None:
    """0 for a local heap, which holds no texts; None where a free block comes twice in the list of them."""
    length, place, address = struct.unpack("<QQQ", file.read(24).ljust(24, b"\0"))
    if length > LARGEST_HEAP:
        return None
    heap, passed = b"", 0
    if address < os.fstat(file.fileno()).st_size:  # else the library says so
        file.seek(address)
        heap = file.read(length)
    while place != LAST and place + FREE.size <= len(heap):
        place, _ = FREE.unpack_from(heap, place)
        passed += 1
        if passed * FREE.size > len(heap):
            return None
    return 0


def _datasets(file: h5py.File, path: Path) -> Iterator[tuple[str, h5py.Dataset]]:
    """Every dataset, once, along hard links (which may form cycles)."""
    root = h5py.h5g.open(file.id, b"/")
    groups, seen, count = [(root, "")], {h5py.h5o.get_info(root).addr}, 0
    soft: list[tuple[Any, bytes, str]] = []
    while groups:
        group, place = groups.pop()
        for key in group:
            count += 1
            if count > OBJECTS:
                raise InputError(f"{path} holds more than {OBJECTS:,} objects; expected a few arrays")
            kind, name = group.links.get_info(key).type, f"{place}/{key.decode(errors='replace')}"
            if kind == h5py.h5l.TYPE_EXTERNAL:
                raise InputError(f"{path}: {name[:60]} links to another file; copy the data into this one")
            if kind == h5py.h5l.TYPE_SOFT:
                soft.append((group, key, name))
                continue
            child = h5py.h5o.open(group, key)
            address = h5py.h5o.get_info(child).addr
            if address in seen:
                continue
            seen.add(address)
            if isinstance(child, h5py.h5g.GroupID):
                groups.append((child, name))
            elif isinstance(child, h5py.h5d.DatasetID):
                yield name, h5py.Dataset(child)
    # Followed last: a link to another file was refused wherever it stands, so none of these leaves this one.
    for group, key, name in soft:
        try:
            h5py.h5o.open(group, key)
        except KeyError as error:
            raise InputError(f"{path}: {name[:60]} is a broken soft link; remove it") from error


def _problem(dataset: h5py.Dataset, file_size: int) -> str:
    """What is wrong with a dataset, or nothing."""
    plan = dataset.id.get_create_plist()
    if plan.get_layout() == h5py.h5d.VIRTUAL:
        return "is a virtual dataset"
    if plan.get_external_count():
        return "is stored in another file"
    filters = {plan.get_filter(i)[0] for i in range(plan.get_nfilters())}
    if filters - FILTERS:
        return f"uses filter {min(filters - FILTERS)}"
    if dataset.shape is None:
        return ""
    if packed := chunks.problem(dataset):
        return packed
    declared, stored = dataset.size * dataset.dtype.itemsize, dataset.id.get_storage_size()
    if stored > file_size:
        return f"says it stores {stored:,} bytes in a file of {file_size:,}"
    if declared > max(HARMLESS, RATIO * stored):
        return f"declares {declared:,} bytes but stores {stored:,}"
    return ""
