"""A chunk of an HDF5 file that does not unpack to its size is refused, whichever way it is packed and asked for."""

import resource
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentlab.codes.h5ad import load_codes, read_summary
from latentlab.data import check, load
from latentlab.errors import InputError
from latentlab.system import chunks
from latentlab.system.chunks import Checked
from latentlab.system.hdf5 import open_safely


def packed(path: Path, chunk: bytes, rows: int = 64, deflates: int = 1) -> Path:
    """Images (rows, 8, 8) in one chunk whose stored bytes are `chunk`."""
    with h5py.File(path, "w") as file:
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk((rows, 8, 8))
        for _ in range(deflates):
            plan.set_deflate(9)
        space = h5py.h5s.create_simple((rows, 8, 8))
        made = h5py.h5d.create(file.id, b"images", h5py.h5t.NATIVE_UINT8, space, plan)
        made.write_direct_chunk((0, 0, 0), chunk)
    return path


WHOLE = zlib.compress(bytes(range(256)) * 16)


def test_a_whole_chunk_is_read(tmp_path: Path) -> None:
    data = load(packed(tmp_path / "x.h5", WHOLE))
    assert data[:].tobytes() == bytes(range(256)) * 16
    assert load(packed(tmp_path / "y.h5", WHOLE + b"behind it"))[5].tobytes() == (bytes(range(256)) * 16)[320:384]


@pytest.mark.parametrize(
    "chunk",
    [zlib.compress(b"\x07" * 16, 0), WHOLE[:-20], zlib.compress(bytes(64 * 64 + 1)), zlib.compress(b""), b"no"],
    ids=["ends early", "cut", "too long", "of nothing", "no stream"],
)
def test_memory_of_the_process_is_never_data(tmp_path: Path, chunk: bytes) -> None:
    path = packed(tmp_path / "x.h5", chunk)
    with pytest.raises(InputError, match=r"x\.h5") as caught:
        load(path)[:]
    assert len(str(caught.value).replace(str(tmp_path), "")) <= 200
    assert not check(path)[-1]["usable"]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 6000), st.integers(0, 9), st.binary(max_size=40))
def test_other_sizes_are_refused(tmp_path_factory: pytest.TempPathFactory, size: int, level: int, start: bytes) -> None:
    path = packed(tmp_path_factory.mktemp("x") / "x.h5", zlib.compress(start.ljust(size, b"\x01")[:size], level))
    if size == 64 * 64:
        assert load(path)[:].tobytes() == start.ljust(size, b"\x01")[:size]
    else:
        with pytest.raises(InputError):
            load(path)[:]


def test_a_stream_within_a_stream_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = packed(tmp_path / "x.h5", zlib.compress(zlib.compress(bytes(64 * 64))), deflates=2)
    with pytest.raises(InputError, match="compressed more than once"):
        open_safely(path)


def test_a_long_stream_costs_no_memory(tmp_path: Path) -> None:
    packer = zlib.compressobj(9)
    stream = b"".join(packer.compress(bytes(1 << 22)) for _ in range(64)) + packer.flush()  # 256 MiB in one megabyte
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match="does not unpack to its"):
        load(packed(tmp_path / "x.h5", stream))[:]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10


def filled(file: h5py.File, **options: object) -> np.ndarray:
    values = np.random.default_rng(0).integers(0, 4, (300, 7, 5)).astype(np.int32)
    file.create_dataset("x", data=values, chunks=(64, 4, 5), **options)
    return values


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize(
    "options",
    [{}, {"compression": "gzip"}, {"compression": "gzip", "shuffle": True}, {"compression": "lzf", "shuffle": True}],
    ids=["plain", "gzip", "shuffled", "lzf"],
)
def test_what_common_tools_write_is_read_the_same(tmp_path: Path, options: dict, libver: str) -> None:
    with h5py.File(tmp_path / "x.h5", "w", libver=libver) as file:
        values = filled(file, **options)
        words = np.array([f"word {i}" for i in range(300)], object)
        file.create_dataset("words", data=words, dtype=h5py.string_dtype(), chunks=(64,), **options)
        file.create_dataset("unwritten", (500, 3), "f4", chunks=(100, 3), fillvalue=2.0, **options)
    with open_safely(tmp_path / "x.h5") as file:
        array = Checked(file["x"])
        for index in (slice(3, 80), np.array([1, 64, 299]), (), ..., np.arange(300) % 2 == 0):
            np.testing.assert_array_equal(array[index], values[index])
        assert [word.decode() for word in chunks.read(file["words"])] == words.tolist()
        assert (chunks.read(file["unwritten"]) == 2).all()


def test_only_the_chunks_that_are_read_are_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        filled(file, compression="gzip")
    seen: list[tuple[int, ...]] = []
    check_one = chunks._check
    monkeypatch.setattr(
        chunks, "_check", lambda d, offset, chunk: (seen.append(offset), check_one(d, offset, chunk))[1]
    )
    with open_safely(tmp_path / "x.h5") as file:
        array = Checked(file["x"])
        for _ in range(2):
            _ = array[70:80]
        assert seen == [(64, 0, 0), (64, 4, 0)]


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=300), st.integers(1, 40))
def test_the_length_of_an_lzf_stream(tmp_path_factory: pytest.TempPathFactory, text: bytes, times: int) -> None:
    content = np.frombuffer(text * times, np.uint8)
    with h5py.File(tmp_path_factory.mktemp("x") / "x.h5", "w") as file:
        made = file.create_dataset("x", data=content, chunks=content.shape, compression="lzf")
        mask, stream = made.id.read_direct_chunk((0,))
    if not mask:  # else it would have become longer
        assert chunks._unpacked_lzf(stream, len(content)) == len(content)
        assert chunks._unpacked_lzf(stream[:-1], len(content)) != len(content)


def test_all_of_an_array_is_not_read_where_it_unpacks_to_far_more_than_it_has(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        made = file.create_dataset("x", (1 << 27,), "u1", chunks=(1 << 22,), compression="gzip")
        made[:] = 0
        made[:200_000] = np.random.default_rng(0).integers(0, 256, 200_000)
    with open_safely(tmp_path / "x.h5") as file:
        with pytest.raises(InputError, match="over 200 times"):
            chunks.read(file["x"])
        assert len(Checked(file["x"])[:9]) == 9


def test_codes_of_a_run_are_checked_as_well(tmp_path: Path) -> None:
    from latentlab.codes.codes import Codes
    from latentlab.codes.h5ad import save_codes

    path = tmp_path / "codes.h5ad"
    save_codes(path, Codes(np.ones((64, 2), np.float32)))
    with h5py.File(path, "r+") as file:
        for name in ("X", "obs/row"):
            shape, dtype, attributes = file[name].shape, file[name].dtype, dict(file[name].attrs)
            del file[name]
            made = file.create_dataset(name, shape, dtype, chunks=shape, compression="gzip")
            made.id.write_direct_chunk((0,) * len(shape), zlib.compress(b"\x01" * 16))
            made.attrs.update(attributes)
    for read in (load_codes, lambda path: chunks.read(h5py.File(path)["X"])):
        with pytest.raises(InputError, match="does not unpack"):
            read(path)
    assert read_summary(path)["rows"] == 64  # of what it reads, nothing is packed
