"""Data are known by their content: equal content has equal fingerprints, and any other content has others."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from latentlab.data import Dataset, Factor, load
from latentlab.data._fingerprint import agree, digest
from latentlab.data._names import readable
from latentlab.data.dataset import is_grid

ROWS, PIXELS = 6, (1, 4, 4)
images = arrays.arrays(np.uint8, (ROWS, *PIXELS))
floats = arrays.arrays(np.float64, (ROWS, 2), elements=st.integers(0, 3).map(float))
labels = arrays.arrays(np.int64, ROWS, elements=st.integers(0, 2))


def in_memory(pixels: np.ndarray, factors: np.ndarray | None = None, numbers: np.ndarray | None = None) -> Dataset:
    specs = (Factor("a"), Factor("b")) if factors is not None else ()
    names = ("x", "y", "z") if numbers is not None else ()
    source = {"name": "npz", "file": "data.npz"}
    return Dataset("data", pixels.shape, pixels.__getitem__, factors, specs, numbers, names, source=source)


def as_npz(folder: Path, pixels: np.ndarray) -> Dataset:
    np.savez(folder / "data.npz", images=pixels[:, 0])
    return load(folder / "data.npz")


def as_npy(folder: Path, pixels: np.ndarray) -> Dataset:
    np.save(folder / "data.npy", pixels[:, 0])
    return load(folder / "data.npy")


def as_h5(folder: Path, pixels: np.ndarray) -> Dataset:
    import h5py

    with h5py.File(folder / "data.h5", "w") as file:
        file["images"] = pixels[:, 0]
    return load(folder / "data.h5")


def as_idx(folder: Path, pixels: np.ndarray) -> Dataset:
    (folder / "raw").mkdir()
    header = b"\x00\x00\x08\x03" + np.array(pixels[:, 0].shape, ">u4").tobytes()
    (folder / "raw" / "train-images-idx3-ubyte").write_bytes(header + pixels.tobytes())
    return load(folder / "raw")


def as_folder(folder: Path, pixels: np.ndarray) -> Dataset:
    (folder / "pictures").mkdir()
    for k, image in enumerate(pixels[:, 0]):
        Image.fromarray(image).save(folder / "pictures" / f"{k}.png")
    return load(folder / "pictures")


def as_own(folder: Path, pixels: np.ndarray) -> Dataset:
    np.save(folder / "pixels.npy", pixels[:, 0])
    code = (
        "import numpy as np, pathlib\ndef make():\n    return np.load(pathlib.Path(__file__).with_name('pixels.npy'))\n"
    )
    (folder / "own.py").write_text(code)
    return load(f"{folder / 'own.py'}:make")


EVERY = [as_npz, as_npy, as_h5, as_idx, as_folder, as_own]


@pytest.mark.parametrize("write", EVERY, ids=lambda write: write.__name__)
def test_sets_of_one_name_and_count_differ_where_one_pixel_does(
    write: Callable[[Path, np.ndarray], Dataset], tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (ROWS, *PIXELS), dtype=np.uint8)
    other = pixels.copy()
    other[-1, 0, -1, -1] ^= 1
    found = []
    for k, each in enumerate((pixels, pixels, other)):
        (tmp_path / str(k)).mkdir()
        found.append(write(tmp_path / str(k), each))
    same, again, changed = (each.fingerprint for each in found)
    assert {each.name for each in found} == {found[0].name}
    assert found[0].source == found[2].source
    assert same == again
    assert same["images"] != changed["images"]
    assert found[0].take([1, 3]).fingerprint["images"] != found[0].take([3, 1]).fingerprint["images"]
    assert found[0].take([1, 3]).fingerprint == found[1].take([False, True, False, True, False, False]).fingerprint


def test_a_picture_replaced_in_place_is_seen_although_its_size_and_time_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "pictures" / "3.bmp"
    as_folder(tmp_path, np.zeros((ROWS, *PIXELS), np.uint8))
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(file)
    before, stat = load(tmp_path / "pictures").fingerprint["images"], file.stat()
    Image.fromarray(np.ones((4, 4), np.uint8)).save(file)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert file.stat().st_size == stat.st_size
    assert load(tmp_path / "pictures").fingerprint["images"] != before


@given(images, images, floats, floats, labels, labels)
@settings(max_examples=60, deadline=None)
def test_images_factors_and_labels_are_told_apart(a, b, v, w, y, t) -> None:  # type: ignore[no-untyped-def]
    one, other = in_memory(a, v, y).fingerprint, in_memory(b, w, t).fingerprint
    for what, (left, right) in {"images": (a, b), "factors": (v, w), "labels": (y, t)}.items():
        assert (one[what] == other[what]) == np.array_equal(left, right), what


@given(images, st.permutations(range(ROWS)), st.integers(1, ROWS))
@settings(max_examples=60, deadline=None)
def test_a_subset_is_the_same_however_it_was_taken(pixels, order, count) -> None:  # type: ignore[no-untyped-def]
    chosen = np.array(order)
    for data in (in_memory(pixels), replace(load("dsprites:size=8,grid=3x1x2x1x1"))):
        direct, in_two = data.take(chosen[:count]), data.take(chosen).take(np.arange(count))
        assert direct.fingerprint == in_two.fingerprint
        assert (direct.fingerprint == data.fingerprint) == np.array_equal(chosen[:count], np.arange(ROWS))


def test_names_of_factors_and_classes_and_row_ids_count() -> None:
    pixels, v, y = np.zeros((ROWS, *PIXELS), np.uint8), np.zeros((ROWS, 2)), np.zeros(ROWS, np.int64)
    data = in_memory(pixels, v, y)
    renamed = replace(data, specs=(Factor("a"), Factor("c")), label_names=("x", "y", "w"))
    assert renamed.fingerprint["images"] == data.fingerprint["images"]
    assert renamed.fingerprint["factors"] != data.fingerprint["factors"]
    assert renamed.fingerprint["labels"] != data.fingerprint["labels"]
    assert replace(data, row_ids=np.arange(ROWS) + 1).fingerprint["images"] != data.fingerprint["images"]


def test_what_is_done_to_images_is_part_of_what_they_are() -> None:
    drawn = ("dsprites:size=8,grid=3x1x1x2x2", "dsprites:size=9,grid=3x1x1x2x2", "dsprites:size=8,grid=3x1x1x2x3")
    specs = ("digits", "digits:inverted=1", "digits:binarised=0", "digits:binarised=1", *drawn)
    found = [load(spec).fingerprint["images"] for spec in specs]
    assert len(set(found)) == len(specs)
    assert [load(spec).fingerprint["images"] for spec in specs] == found
    strokes, plain = load("digits:factors=strokes").fingerprint, load("digits").fingerprint
    assert strokes["images"] == plain["images"]
    assert strokes["factors"] != plain["factors"]


def test_drawn_sets_are_known_without_drawing_them() -> None:
    data = load("scenes")
    refused = replace(data, read=replace(data.read, origin=lambda rows: pytest.fail("drawn")))  # type: ignore[type-var]
    assert refused.fingerprint == data.fingerprint


@given(st.lists(st.binary(max_size=6), min_size=1, max_size=6, unique=True))
def test_different_bytes_are_different_names(words: list[bytes]) -> None:
    assert len(set(readable(words))) == len(words)


@given(st.lists(st.text(max_size=6), min_size=1, max_size=6, unique=True))
def test_text_in_utf8_is_read_as_it_was_written(words: list[str]) -> None:
    assert readable([word.encode() for word in words]) == words
    assert readable(words) == words


def test_latin_1_labels_stay_two_classes(tmp_path: Path) -> None:
    words = np.array(["Müller".encode("latin-1"), "Möller".encode("latin-1")])[np.arange(ROWS) % 2]
    np.savez(tmp_path / "d.npz", images=np.zeros((ROWS, 4, 4), np.uint8), labels=words)
    data = load(tmp_path / "d.npz")
    assert sorted(data.label_names) == ["Möller", "Müller"]
    assert [data.label_names[k] for k in data.labels[:2]] == ["Müller", "Möller"]  # type: ignore[index]


def test_folders_whose_names_are_not_utf8_stay_two_classes(tmp_path: Path) -> None:
    for name in (b"M\xfcller", b"M\xf6ller"):
        folder = tmp_path / "pictures" / os.fsdecode(name)
        folder.mkdir(parents=True)
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(folder / "1.png")
    assert sorted(load(tmp_path / "pictures").label_names) == ["Möller", "Müller"]


# Grids


@given(st.lists(st.integers(1, 3), min_size=1, max_size=3).filter(lambda grid: np.prod(grid) > 1), st.data())
@settings(max_examples=60, deadline=None)
def test_a_grid_is_believed_only_in_its_order(grid: list[int], data: st.DataObject) -> None:
    n = int(np.prod(grid))
    factors = np.indices(grid).reshape(len(grid), n).T.astype(float)
    pixels = np.zeros((n, *PIXELS), np.uint8)
    whole = Dataset("grid", pixels.shape, pixels.__getitem__, factors, tuple(map(Factor, "abc"[: len(grid)])),
                    grid=tuple(grid))  # fmt: skip
    order = np.array(data.draw(st.permutations(range(n))))
    shuffled = replace(whole, factors=factors[order])
    assert whole.grid == tuple(grid)
    assert shuffled.grid == (tuple(grid) if is_grid(grid, n, factors[order]) else None)
    assert np.array_equal(order, np.arange(n)) <= (shuffled.grid is not None)
    altered = factors.copy()
    altered[0, 0] = np.nan
    assert replace(whole, factors=altered).grid is None


def test_a_list_of_parts_is_not_another_list_of_the_same_letters() -> None:
    assert digest("ab", "c") != digest("a", "bc") != digest("abc")
    assert digest(np.zeros(2)) != digest(np.zeros(2, np.float32)) != digest(np.zeros(4, np.float32))


def test_records_without_a_fingerprint_are_judged_without_one() -> None:
    now = {"rows": 3, "fingerprint": {"images": "a"}}
    assert agree({"rows": 3}, now)
    assert agree(now, now)
    assert not agree({"rows": 3, "fingerprint": {"images": "b"}}, now)
    assert not agree({"rows": 4}, now)
