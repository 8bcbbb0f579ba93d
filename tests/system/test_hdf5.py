"""What `open_safely` lets through, and everything it does not; what `publishing` writes, and what when it cannot."""

import os
import resource
import struct
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from latentlab.errors import InputError, MissingError
from latentlab.system import hdf5
from latentlab.system.hdf5 import _Disk, open_safely, publishing, reading


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.h5"


def refused(path: Path, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        open_safely(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value).replace(str(path.parent), "")) < 200


def test_ordinary_files_open(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["raw"] = np.arange(10)
        file.create_dataset("a/b/gzip", data=np.arange(1000), compression="gzip", shuffle=True)
        file.create_dataset("lzf", data=np.arange(1000), compression="lzf")
        file.create_dataset("empty", shape=(0, 5), maxshape=(None, 5), dtype="f4")
        file["null"] = h5py.Empty("f")
        file["text"] = np.array(["ä", "b"], dtype=object)
        file["scalar"] = 3.0
        file["inside"] = h5py.SoftLink("/a/b/gzip")
        file["again"] = file["raw"]
        file["a/cycle"] = file["/"]
    with open_safely(path) as file:
        assert file["a/b/gzip"][5] == 5
        assert file["inside"][5] == 5
        assert file.mode == "r"


def test_constant_data_may_compress_beyond_any_ratio(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("nan", data=np.full(737_280, np.nan, dtype=np.float32), compression="gzip", chunks=(65536,))
        file.create_dataset("unwritten", shape=(1000, 10), dtype="f4")
    open_safely(path).close()


def test_missing_and_foreign_files(path: Path) -> None:
    with pytest.raises(MissingError):
        open_safely(path)
    path.write_bytes(b"no HDF5")
    refused(path, "not a readable HDF5 file")
    path.write_bytes(b"")
    refused(path, "not a readable HDF5 file")


def test_external_links(path: Path) -> None:
    with h5py.File(path.with_name("other.h5"), "w") as file:
        file["secret"] = np.arange(3)
    with h5py.File(path, "w") as file:
        file["group/secret"] = h5py.ExternalLink("other.h5", "/secret")
    refused(path, "links to another file")


def test_soft_links_through_external_links(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["a"] = h5py.SoftLink("/z/secret")
        file["z"] = h5py.ExternalLink("other.h5", "/")
    refused(path, "broken soft link|another file")


def test_nothing_is_opened_through_a_soft_link(path: Path) -> None:
    """A pipe where the other file should be: opening it would wait for ever."""
    os.mkfifo(path.with_name("pipe.h5"))
    with h5py.File(path, "w") as file:
        file["a"] = h5py.SoftLink("/z/secret")
        file["z"] = h5py.ExternalLink("pipe.h5", "/")
    code = "import sys; from latentlab.system.hdf5 import open_safely; open_safely(sys.argv[1])"
    opened = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, timeout=60)
    assert "links to another file" in opened.stderr


def test_soft_links_to_nowhere(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["a"] = h5py.SoftLink("/nothing")
    refused(path, "broken soft link")


def test_external_storage(path: Path) -> None:
    path.with_name("secret.bin").write_bytes(bytes(400))
    with h5py.File(path, "w") as file:
        file.create_dataset("x", shape=(100,), dtype="i4", external=[("secret.bin", 0, 400)])
    refused(path, "stored in another file")


def test_virtual_datasets(path: Path) -> None:
    layout = h5py.VirtualLayout(shape=(10,), dtype="i8")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape=(10,))
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("x", layout)
    refused(path, "virtual dataset")


@pytest.mark.parametrize("options", [{"fletcher32": True}, {"scaleoffset": 2}])
def test_other_filters(path: Path, options: dict) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=np.arange(1000), chunks=(100,), **options)
    refused(path, "uses filter")


def test_filters_of_plugins(path: Path) -> None:
    """An optional filter that is not installed: nothing is looked for, nothing is loaded."""
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_chunk((10,))
    plan.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))
    with h5py.File(path, "w") as file:
        space = h5py.h5s.create_simple((100,))
        h5py.h5d.create(file.id, b"x", h5py.h5t.NATIVE_INT32, space, plan)
    refused(path, "uses filter 32015")


def test_declared_sizes_far_beyond_what_is_stored(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("x", shape=(1 << 40,), dtype="f8", chunks=(1024,))
    refused(path, "declares 8,796,093,022,208 bytes")


def test_many_small_declarations(path: Path) -> None:
    """Each below the bound, together far beyond it."""
    with h5py.File(path, "w") as file:
        for i in range(40):
            file.create_dataset(f"x{i}", shape=(2_000_000,), dtype="f8", chunks=(1024,))
    refused(path, "bomb")


def test_every_truncation_is_refused(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=np.random.default_rng(0).normal(size=500), compression="gzip")
        file["group/y"] = np.arange(100)
    content = path.read_bytes()
    for length in range(0, len(content), 97):
        path.write_bytes(content[:length])
        with pytest.raises(InputError):
            open_safely(path)


def test_flipped_bytes_raise_nothing_else(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=np.arange(500), compression="gzip")
        file["group/y"] = np.arange(100)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(content)
        for at in rng.integers(0, len(content), 3):
            damaged[at] ^= int(rng.integers(1, 256))
        path.write_bytes(damaged)
        try:
            open_safely(path).close()
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize("room", range(0, 80_000, 10_000))
def test_a_file_that_may_grow_no_further_is_the_error_it_is_and_leaves_the_old_one(path: Path, room: int) -> None:
    with publishing(path) as file:
        file["X"] = np.arange(10)
    before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"), publishing(path) as file:
            file["X"] = np.arange(10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_a_copy_is_filled_further(path: Path) -> None:
    with publishing(path) as file:
        file["X"] = np.arange(10)
    with publishing(path.with_name("more.h5"), source=path) as file:
        file["Y"] = np.arange(5)
    with open_safely(path.with_name("more.h5")) as file:
        assert set(file) == {"X", "Y"}


def test_what_was_lost_reads_as_zeros(path: Path) -> None:
    """HDF5 follows what it reads: whatever its buffer held before crashed the process (variable-length strings)."""
    with path.open("w+b", buffering=0) as raw:
        disk, buffer = _Disk(raw), bytearray(b"\xff" * 8)
        disk.write(b"abc")
        disk.seek(0)
        assert disk.readinto(buffer) == 8
    assert buffer == b"abc" + bytes(5)


def test_a_heap_without_an_end(path: Path) -> None:
    """The HDF5 library itself reads such a file for ever, so it is not asked to."""
    with h5py.File(path, "w") as file:
        file.create_dataset("names", data=["a", "bc"], dtype=h5py.string_dtype())
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL\x01\x00\x00\x00")
    after = heap + 16 + 2 * (16 + 8)  # two texts of up to eight bytes, then what is free
    assert content[after : after + 2] == b"\x00\x00"
    for size in (0, (1 << 64) - 16):
        content[after : after + 2] = (size > 0).to_bytes(2, "little")
        content[after + 8 : after + 16] = size.to_bytes(8, "little")
        path.write_bytes(content)
        with pytest.raises(InputError, match="does not end"):
            open_safely(path)


def test_a_heap_larger_than_any(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("names", data=["a", "bc"], dtype=h5py.string_dtype())
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL\x01\x00\x00\x00")
    content[heap + 8 : heap + 16] = (1 << 40).to_bytes(8, "little")
    path.write_bytes(content)
    with pytest.raises(InputError, match="does not end"):
        open_safely(path)


def test_a_list_of_free_blocks_that_is_a_circle(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["X"] = [1.0]
    content = bytearray(path.read_bytes())
    heap = content.index(b"HEAP\x00\x00\x00\x00")
    size, free, address = struct.unpack_from("<QQQ", content, heap + 8)
    assert struct.unpack_from("<QQ", content, address + free) == (1, size - free)  # 1: there is no other
    struct.pack_into("<Q", content, address + free, free)
    path.write_bytes(content)
    with pytest.raises(InputError, match="does not end"):
        open_safely(path)
    struct.pack_into("<Q", content, heap + 8, 1 << 40)
    path.write_bytes(content)
    with pytest.raises(InputError, match="does not end"):
        open_safely(path)


def test_heaps_are_found_wherever_they_lie(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also across the ends of the blocks in which a file is searched."""
    with h5py.File(path, "w") as file:
        file.create_dataset("names", data=["a", "bc"], dtype=h5py.string_dtype())
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL\x01\x00\x00\x00")
    content[heap + 16 + 48 + 8 : heap + 16 + 48 + 16] = bytes(8)
    path.write_bytes(content)
    for block in range(heap - 2, heap + 10):
        monkeypatch.setattr(hdf5, "BLOCK", block)
        with pytest.raises(InputError, match="does not end"):
            open_safely(path)


def test_one_text_a_thousand_times(path: Path) -> None:
    """Entries that all name one long text declare sixteen bytes each."""
    from latentlab.data import load

    with h5py.File(path, "w") as file:
        file["images"] = np.zeros((3000, 2, 2), np.uint8)
        file.create_dataset("labels", data=["x" * 100_000] + ["y"] * 2999, dtype=h5py.string_dtype())
    content = bytearray(path.read_bytes())
    with h5py.File(path) as file:
        at = file["labels"].id.get_offset()
    content[at : at + 16 * 3000] = content[at : at + 16] * 3000
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"bytes of text in a file of"):
        load(str(path))


@pytest.mark.parametrize("kind", [h5py.vlen_dtype(np.uint8), h5py.ref_dtype])
def test_what_is_neither_numbers_nor_texts(path: Path, kind: np.dtype) -> None:
    """The library crashes when it reads a text that a flipped bit has made a sequence of bytes."""
    from latentlab.data import load

    with h5py.File(path, "w") as file:
        file["images"] = np.zeros((3, 4, 4), np.uint8)
        file.create_dataset("labels", (3,), dtype=kind)
    with pytest.raises(InputError, match="neither numbers nor texts"):
        load(str(path))
    with h5py.File(path, "w") as file:
        file["X"] = [1.0]
        stored = h5py.h5t.py_create(np.dtype(kind), logical=True)
        h5py.h5a.create(file["X"].id, b"odd", stored, h5py.h5s.create_simple((2,)))
    with pytest.raises(InputError, match="neither numbers nor texts"), reading(path, "numbers"):
        pass


def test_sequences_are_refused_in_a_file_of_ours_and_tables_left_alone(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["table"] = np.zeros(2, [("a", "f4"), ("b", "i4")])
    with reading(path, "numbers") as file:
        assert len(file["table"]) == 2
    with h5py.File(path, "a") as file:
        file.create_dataset("odd", (2,), dtype=h5py.vlen_dtype(np.uint8))
    with pytest.raises(InputError, match="neither numbers nor texts"), reading(path, "numbers"):
        pass
