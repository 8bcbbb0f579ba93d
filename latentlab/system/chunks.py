"""Chunks of an HDF5 file, unpacked here before the HDF5 library does: each must come to the size it was declared with.

The library trusts a filter for the size of what it gives. Of a deflate stream that ends early it hands on the rest of
its buffer, which is whatever lay in this process's memory; of one that goes on, it unpacks all there is.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from latentlab.errors import InputError
from latentlab.system.limits import CHUNK, HARMLESS, RATIO, check_unpacked

COMPRESSORS = {h5py.h5z.FILTER_DEFLATE: "deflate", h5py.h5z.FILTER_LZF: "lzf"}
PIECE = 1 << 20
TEXT = 16  # bytes by which a text of any length stands in a chunk: its length, and where in a heap it lies
Offset = tuple[int, ...]


class Checked:
    """A dataset whose chunks are unpacked and measured before they are read for the first time.

    It has the ``shape`` and ``dtype`` of the dataset and is read by index, as that is: the first time that rows are
    read costs about twice as much, every further time nothing more.
    """

    def __init__(self, dataset: h5py.Dataset) -> None:
        self.dataset = dataset
        self.shape, self.dtype = dataset.shape, dataset.dtype
        self.stored = _stored(dataset)
        self.sound: set[Offset] = set()

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, index: Any) -> NDArray[Any]:
        """What the dataset has there; an `InputError` where a chunk does not unpack to its size, or all is too much."""
        if not isinstance(index, slice | np.ndarray):
            size, name = self.dataset.size * self.dtype.itemsize, self.dataset.name
            check_unpacked(Path(self.dataset.file.filename), name, size, self.dataset.id.get_storage_size())
        if self.stored:
            for offset in self._touched(index):
                if offset in self.stored and offset not in self.sound:
                    _check(self.dataset, offset, self.stored[offset])
                    self.sound.add(offset)
        return np.asarray(self.dataset[index])

    def _touched(self, index: Any) -> Iterator[Offset]:
        """Where the chunks begin that an index along the first axis reads; all of them for any other index."""
        rows = np.arange(len(self))[index] if isinstance(index, slice | np.ndarray) else None
        if rows is None:
            yield from self.stored
            return
        first = self.dataset.chunks[0]
        starts = [range(0, size, step) for size, step in zip(self.shape[1:], self.dataset.chunks[1:], strict=True)]
        yield from product((np.unique(rows // first) * first).tolist(), *starts)


def read(dataset: h5py.Dataset) -> NDArray[Any]:
    """All of a dataset, its chunks checked."""
    return Checked(dataset)[()]


def problem(dataset: h5py.Dataset) -> str:
    """What is wrong with how a dataset is packed, as far as that shows without reading it; nothing where all is well.

    One compressor at most, and one shuffle in front of it: a stream within a stream unpacks to a million times its
    size. A chunk is at most a gigabyte.
    """
    filters = _filters(dataset)
    if sum(each in COMPRESSORS for each in filters) > 1 or len(set(filters)) < len(filters):
        return "is compressed more than once"
    if filters and filters[-1] not in COMPRESSORS and set(filters) & COMPRESSORS.keys():
        return "is shuffled after compression"
    if dataset.chunks is None:
        return ""
    size, stored = _chunk_bytes(dataset), dataset.id.get_storage_size()
    return f"has chunks of {size:,} bytes" if size > min(CHUNK, max(HARMLESS, RATIO * 5 * stored)) else ""


class _Chunk(NamedTuple):
    size: int  # bytes in the file
    skipped: int  # a bit a filter that was not applied


def _filters(dataset: h5py.Dataset) -> list[int]:
    plan = dataset.id.get_create_plist()
    return [plan.get_filter(i)[0] for i in range(plan.get_nfilters())]


def _chunk_bytes(dataset: h5py.Dataset) -> int:
    each = TEXT if dataset.dtype.hasobject else dataset.id.get_type().get_size()
    return int(np.prod(dataset.chunks, dtype=object)) * each


def _stored(dataset: h5py.Dataset) -> dict[Offset, _Chunk]:
    """The chunks that a dataset has in the file, by where they begin; none where it is stored in one piece."""
    found: dict[Offset, _Chunk] = {}
    if dataset.chunks is not None:
        dataset.id.chunk_iter(lambda info: found.update({info.chunk_offset: _Chunk(info.size, info.filter_mask)}))
    return found


def _check(dataset: h5py.Dataset, offset: Offset, chunk: _Chunk) -> None:
    expected, filters = _chunk_bytes(dataset), _filters(dataset)
    used = [each for i, each in enumerate(filters) if not chunk.skipped >> i & 1 and each in COMPRESSORS]
    size = chunk.size
    if used:
        if chunk.size > dataset.file.id.get_filesize():
            raise _unsound(dataset, offset, f"says it stores {chunk.size:,} bytes")
        _, packed = dataset.id.read_direct_chunk(offset)
        size = {"deflate": _inflated, "lzf": _unpacked_lzf}[COMPRESSORS[used[0]]](packed, expected)
    if size != expected:
        raise _unsound(dataset, offset, f"does not unpack to its {expected:,} bytes")


def _unsound(dataset: h5py.Dataset, offset: Offset, why: str) -> InputError:
    return InputError(f"{dataset.file.filename}: a chunk of {dataset.name[:40]} at {offset} {why}; copy or recreate it")


def _inflated(packed: bytes, expected: int) -> int:
    """How many bytes a deflate stream comes to, held a piece at a time and counted no further than one too many."""
    stream, total = zlib.decompressobj(), 0
    try:
        while not stream.eof and total <= expected and (piece := stream.decompress(packed, PIECE)):
            packed, total = stream.unconsumed_tail, total + len(piece)
    except zlib.error:
        return -1
    return total if stream.eof else -1


def _unpacked_lzf(packed: bytes, expected: int) -> int:
    """How many bytes an lzf stream comes to: runs of literals, and references back into what was unpacked."""
    at, total, end = 0, 0, len(packed)
    while at < end and total <= expected:
        control = packed[at]
        if control < 32:
            at, total = at + control + 2, total + control + 1
            continue
        long = control >> 5 == 7
        if at + 1 + long >= end:
            return -1
        length = (packed[at + 1] if long else 0) + (control >> 5) + 2
        back = (control & 31) << 8 | packed[at + 1 + long]
        if back >= total:
            return -1
        at, total = at + 2 + long, total + length
    return total if at == end else -1
