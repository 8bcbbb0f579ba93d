"""Arrays on disk: layouts, kinds of numbers, factors, and what is refused."""

import pickle
import zipfile
from itertools import permutations
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from latentlab.cli import run
from latentlab.data import check, load
from latentlab.errors import InputError

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (6, 5, 4), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (6, 5, 4, 3), dtype=np.uint8)


def write(path: Path, **arrays: Any) -> Path:
    if path.suffix == ".npy":
        np.save(path, arrays["images"])
    elif path.suffix == ".npz":
        np.savez_compressed(path, **arrays)
    else:
        with h5py.File(path, "w") as file:
            for key, array in arrays.items():
                file[key] = np.asarray(array).astype(object) if np.asarray(array).dtype.kind == "U" else array
    return path


@pytest.fixture(params=["data.npy", "data.npz", "data.h5", "data.hdf5"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / request.param


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (GREY, GREY[:, None]),
        (COLOUR, COLOUR.transpose(0, 3, 1, 2)),
        (COLOUR.transpose(0, 3, 1, 2), COLOUR.transpose(0, 3, 1, 2)),
        (GREY[:, None], GREY[:, None]),
        (GREY[..., None], GREY[:, None]),
        (GREY > 99, 255 * (GREY[:, None] > 99)),
        (GREY / 255, GREY[:, None]),
        (np.float32(GREY) / np.float32(255), GREY[:, None]),
        (np.asfortranarray(GREY), GREY[:, None]),
    ],
)
def test_layouts_and_kinds(path: Path, images: np.ndarray, expected: np.ndarray) -> None:
    data = load(write(path, images=images))
    assert data.shape == expected.shape
    assert data[:].dtype == np.uint8
    assert np.array_equal(data[:], expected)
    rows = [4, 1, 1, 5]
    assert np.array_equal(data[rows], expected[rows])
    assert np.array_equal(data[[]], expected[:0])


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (GREY.astype(np.complex64), "complex64"),
        (np.where(GREY > 9, GREY / 255, np.nan), "NaN"),
        (GREY.reshape(6, -1), "expected \\(n, h, w\\)"),
        (GREY[..., None].repeat(2, -1), "axes=nhwc or axes=nchw says which"),
        (GREY[:0], "there are none"),
        (np.array(7, dtype=np.uint8), "shape \\(\\)"),
    ],
)
def test_wrong_images_are_refused(path: Path, images: np.ndarray, message: str) -> None:
    write(path, images=images)
    with pytest.raises(InputError, match=message) as caught:
        load(path)
    assert len(str(caught.value).replace(str(path.parent), "")) < 200


def test_numbers_are_checked_in_every_row(tmp_path: Path) -> None:
    """The first thousand when the file is opened, the others when they are read."""
    images = np.zeros((1500, 2, 2))
    images[1400] = np.nan
    data = load(write(tmp_path / "x.npy", images=images))
    assert data[:1000].max() == 0
    with pytest.raises(InputError, match="NaN"):
        data[1400]


@pytest.mark.parametrize("name", ["x.npz", "x.h5"])
def test_labels_and_factors(tmp_path: Path, name: str) -> None:
    factors = np.array([[0, 0.5], [1, 0.25], [0, np.nan], [1, 1], [0, 0], [1, 0]])
    arrays = {"imgs": GREY, "y": np.arange(6), "factors": factors, "factor_names": np.array(["side", "height"])}
    data = load(write(tmp_path / name, **arrays))
    assert data.labels is not None
    assert data.labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert data.factors is not None
    assert np.array_equal(data.factors, factors, equal_nan=True)
    assert [(s.name, s.kind) for s in data.specs] == [("side", "categorical"), ("height", "continuous")]
    assert data.grid is None


@pytest.mark.parametrize("name", ["x.npz", "x.h5"])
def test_a_grid_and_kinds_are_seen(tmp_path: Path, name: str) -> None:
    factors = np.indices((2, 3)).reshape(2, -1).T
    kinds = np.array(["ordinal", "circular"])
    data = load(write(tmp_path / name, images=GREY, v=factors, factor_kinds=kinds))
    assert data.grid == (2, 3)
    assert [s.kind for s in data.specs] == ["ordinal", "circular"]
    assert load(write(tmp_path / f"b{name}", images=GREY, v=factors[::-1])).grid is None


@pytest.mark.parametrize("name", ["x.npz", "x.h5"])
def test_labels_may_be_names(tmp_path: Path, name: str) -> None:
    data = load(write(tmp_path / name, images=GREY, labels=np.array(["b", "a", "b", "c", "a", "a"])))
    assert data.labels is not None
    assert data.labels.tolist() == [1, 0, 1, 2, 0, 0]
    assert data.label_names == ("a", "b", "c")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"pictures": GREY, "more": GREY}, "more, pictures; expected an array called images"),
        ({"images": GREY, "labels": np.arange(5)}, "labels have shape"),
        ({"images": GREY, "labels": np.arange(6) / 2}, "float64"),
        ({"images": GREY, "factors": np.zeros((5, 2))}, "factors are"),
        ({"images": GREY, "factors": np.zeros(6)}, "factors are"),
        ({"images": GREY, "factors": np.zeros((6, 2)), "factor_names": np.array(["a"])}, "factor_names has shape"),
        ({"images": GREY, "factors": np.zeros((6, 2)), "factor_names": np.array(["a", "a"])}, "duplicate name"),
        ({"images": GREY, "factors": np.zeros((6, 1)), "factor_kinds": np.array(["round"])}, "'round'"),
    ],
)
@pytest.mark.parametrize("name", ["x.npz", "x.h5"])
def test_wrong_companions_are_refused(tmp_path: Path, name: str, arrays: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(write(tmp_path / name, **arrays))


class Canary:
    """Its pickle writes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
def test_object_arrays_are_never_unpickled(tmp_path: Path, name: str) -> None:
    canary = tmp_path / "canary"
    write(tmp_path / name, images=np.array([Canary(canary)] * 3, dtype=object))
    with pytest.raises(InputError, match="pickled"):
        load(tmp_path / name)
    assert not canary.exists()


def test_a_bare_pickle_is_no_array(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    (tmp_path / "x.npy").write_bytes(pickle.dumps(Canary(canary)))
    with pytest.raises(InputError):
        load(tmp_path / "x.npy")
    assert not canary.exists()


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.h5"])
def test_every_truncation_is_refused_or_whole(tmp_path: Path, name: str) -> None:
    content = write(tmp_path / name, images=GREY).read_bytes()
    for length in range(0, len(content), max(1, len(content) // 60)):
        (tmp_path / name).write_bytes(content[:length])
        with pytest.raises(InputError) as caught:
            load(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_an_npz_that_lies_about_its_size(tmp_path: Path) -> None:
    """A header that announces 2^60 bytes, and one that announces fewer than follow."""
    for shape in ((1 << 50, 32, 32), (3, 5, 4), (7, 5, 4)):
        header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
        member = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + GREY.tobytes()
        with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
            archive.writestr("images.npy", member)
        with pytest.raises(InputError, match="declares"):
            load(tmp_path / "x.npz")


@pytest.mark.shared
def test_real_faces(shared: Path) -> None:
    data = load(shared / "data" / "olivetti_faces.npz")
    assert data.shape == (400, 1, 64, 64)
    assert data.labels is not None
    assert np.bincount(data.labels).tolist() == [10] * 40


def test_axes_in_any_order(path: Path) -> None:
    images = RNG.integers(0, 256, (9, 8, 7, 3), dtype=np.uint8)
    wanted = images.transpose(0, 3, 1, 2)
    first = path.suffix in (".h5", ".hdf5")  # what is read by index has n first
    for axes in ("nhwc", "nchw") if first else map("".join, permutations("nhwc")):
        write(path, images=images.transpose(["nhwc".index(axis) for axis in axes]))
        assert np.array_equal(load(f"{path}:axes={axes}")[:], wanted)
    for axes in ("nhw",) if first else map("".join, permutations("nhw")):
        write(path, images=images[..., 0].transpose(["nhw".index(axis) for axis in axes]))
        assert np.array_equal(load(f"{path}:axes={axes}")[:], wanted[:, :1])
    if first:
        write(path, images=images.transpose(1, 2, 3, 0))
        with pytest.raises(InputError, match=r"axes=hwcn in HDF5 is not read; store n first"):
            load(f"{path}:axes=hwcn")


def test_one_picture_is_one_row(tmp_path: Path) -> None:
    picture = RNG.integers(0, 256, (16, 12, 3), dtype=np.uint8)
    np.save(tmp_path / "x.npy", picture)
    assert np.array_equal(load(f"{tmp_path / 'x.npy'}:axes=hwc")[:], picture.transpose(2, 0, 1)[None])


@pytest.mark.parametrize(
    ("shape", "example"),
    [
        ((64, 48, 3), "axes=hwc or axes=nhw"),
        ((64, 48, 4), "axes=hwc or axes=nhw"),
        ((28, 28, 200), "axes=hwn or axes=nhw"),
        ((28, 28, 10), "axes=hwn or axes=nhw"),
        ((20, 18, 100), "axes=hwn or axes=nhw"),
        ((32, 32, 3, 1), "axes=hwcn or axes=nhwc"),
        ((32, 32, 3, 50), "axes=hwcn or axes=nhwc"),
    ],
)
def test_a_shape_that_may_mean_two_things_is_asked_about(path: Path, shape: tuple[int, ...], example: str) -> None:
    write(path, images=np.arange(np.prod(shape), dtype=np.uint8).reshape(shape))
    with pytest.raises(InputError, match=f"which axis is which.*{example}") as caught:
        load(path)
    assert len(str(caught.value).replace(str(path.parent), "")) < 200


@pytest.mark.parametrize("shape", [(200, 28, 28), (28, 28, 28), (200, 16, 40), (50, 32, 32, 3), (50, 3, 32, 32)])
def test_an_ordinary_shape_is_not(path: Path, shape: tuple[int, ...]) -> None:
    assert len(load(write(path, images=np.zeros(shape, np.uint8)))) == shape[0]


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ("hhn", "axes=hhn is not valid; expected the order"),
        ("xyz", "is not valid"),
        ("nhwc", "names 4 axes, but images have shape"),
    ],
)
def test_wrong_axes(tmp_path: Path, axes: str, message: str) -> None:
    np.save(tmp_path / "x.npy", GREY)
    with pytest.raises(InputError, match=message):
        load(f"{tmp_path / 'x.npy'}:axes={axes}")


def test_the_same_file_by_other_axes_is_other_data(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", RNG.integers(0, 256, (8, 8, 8), dtype=np.uint8))
    plain, turned = (load(f"{tmp_path / 'x.npy'}{axes}") for axes in ("", ":axes=hwn"))
    assert plain.shape == turned.shape
    assert plain.fingerprint != turned.fingerprint


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_a_round_off_outside_the_unit_interval_is_no_fault(path: Path, dtype: str) -> None:
    images = np.full((2, 4, 4), 0.5, dtype)
    images[0, 0, 0], images[0, 0, 1] = (1, 0) if dtype == "f2" else (1 + 5e-7, -5e-7)
    assert load(write(path, images=images))[0][0, 0, 0, :3].tolist() == [255, 0, 128]
    images[0, 0, 0] = 1.01
    kept = load(write(path, images=images))
    assert kept.form.stored == ("float64" if dtype == "f8" else "float32")
    assert np.array_equal(kept[:][:, 0], images), "beyond [0, 1] floats are numbers of their own, not grey levels"


@pytest.mark.parametrize("name", ["x.npz", "x.h5"])
def test_arrays_that_are_passed_over_are_said(tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    arrays = {"images": GREY, "labels": np.arange(6)}
    assert load(write(tmp_path / name, **arrays)).remarks == ()
    write(tmp_path / f"more {name}", **arrays, X=GREY, **{"latents/classes": np.arange(6)})
    load(tmp_path / f"more {name}")
    latents = "latents" if name == "x.h5" else "latents/classes"
    assert f"2 of 4 arrays and groups skipped: X, {latents}" in caplog.text


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.uint64(2**60) + np.arange(48, dtype=np.uint64).reshape(3, 4, 4)}, "beyond 2\\^53"),
        ({"images": GREY, "labels": np.full(len(GREY), 2**64 - 1, np.uint64)}, "labels go up to 18,446,744"),
        ({"images": GREY, "factors": np.full((len(GREY), 1), np.inf)}, "factors hold infinity in row 1"),
        ({"images": np.zeros((3, 9, 9, 20), np.uint8)}, "which axis is which.*axes=chwn"),
    ],
)
@pytest.mark.parametrize("ending", ["npz", "h5"])
def test_numbers_that_would_merge_or_wrap_are_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray], message: str, ending: str
) -> None:
    with pytest.raises(InputError, match=message):
        load(write(tmp_path / f"d.{ending}", **arrays))


def test_arrays_in_groups_are_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["train/images"] = GREY
    with pytest.raises(InputError, match="holds no array at its top, but train"):
        load(tmp_path / "d.h5")


def test_what_lies_behind_an_array_is_not_lost(tmp_path: Path) -> None:
    with (tmp_path / "x.npy").open("wb") as file:
        np.save(file, GREY)
        np.save(file, GREY[::-1])
    with pytest.raises(InputError, match=r"has 248 bytes behind its array; save one array in one file"):
        load(tmp_path / "x.npy")


def test_a_group_called_labels_and_an_array_that_is_there_twice_are_said(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["images"] = GREY
        file["labels/fine"] = np.arange(6)
    assert load(tmp_path / "x.h5").remarks == ("1 of 2 arrays and groups skipped: labels/",)
    np.savez(tmp_path / "x.npz", images=GREY)
    np.save(tmp_path / "y.npy", GREY[::-1])
    with zipfile.ZipFile(tmp_path / "x.npz", "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.write(tmp_path / "y.npy", "images.npy")
    data = load(tmp_path / "x.npz")
    np.testing.assert_array_equal(data[:][:, 0], GREY[::-1])
    assert data.remarks == ("1 of 2 arrays and groups skipped: images (an earlier one of that name)",)


@pytest.mark.parametrize(("labels", "told"), [([-1, 0, 1] * 2, "2 classes of 2"), ([-1, 1, 1] * 2, "2 classes of 2")])
def test_rows_without_a_label_are_no_class(tmp_path: Path, labels: list[int], told: str) -> None:
    found = {each["what"]: each["found"] for each in check(write(tmp_path / "x.npz", images=GREY, labels=labels))}
    assert str(found["labels"]).startswith(told)
    assert ("2 of 6 rows have no label" in str(found["labels"])) == (0 in labels)


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
def test_the_training_part_of_keras_and_medmnist_is_read_with_its_labels(tmp_path: Path, suffix: str) -> None:
    for samples, labels, rest in (
        ("x_train", "y_train", {"x_test": GREY[::-1], "y_test": np.zeros(6, int)}),
        ("train_images", "train_labels", {"test_images": GREY[::-1], "test_labels": np.zeros((6, 1), int)}),
    ):
        column = np.arange(6)[:, None] % 3 if samples == "train_images" else np.arange(6) % 3
        data = load(write(tmp_path / f"{samples}{suffix}", **{samples: GREY, labels: column}, **rest))
        assert np.array_equal(data[:], GREY[:, None])
        assert data.labels is not None
        assert data.labels.tolist() == [0, 1, 2, 0, 1, 2]
        assert data.remarks[0] == f"read {samples} as the samples and {labels} as the labels"
        assert data.remarks[1] == f"2 of 4 arrays and groups skipped: {', '.join(sorted(rest))}"


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
def test_the_only_array_of_a_file_is_its_samples_by_whatever_name(tmp_path: Path, suffix: str) -> None:
    data = load(write(tmp_path / f"one{suffix}", arr_0=GREY))
    assert np.array_equal(data[:], GREY[:, None])
    assert data.remarks == ("read arr_0 as the samples",)
    with pytest.raises(InputError, match="holds arr_0, arr_1; expected an array called images"):
        load(write(tmp_path / f"two{suffix}", arr_0=GREY, arr_1=GREY))
    with pytest.raises(InputError, match="holds labels; expected an array called images"):
        load(write(tmp_path / f"labels{suffix}", labels=np.arange(6)))


def test_rows_whose_columns_follow_one_another_are_asked_about(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=(20, 200))
    smooth, said = noise.cumsum(axis=1), "neighbouring columns are alike"
    for rows, told in ((noise, False), (smooth, True), ((noise * 3000).astype(np.int16), True)):
        np.save(tmp_path / "x.npy", rows)
        assert any(said in each for each in load(tmp_path / "x.npy").remarks) == told
        assert not any(said in each for each in load(tmp_path / "x.npy", kind="table").remarks)
    np.savetxt(tmp_path / "x.csv", smooth, delimiter=",")
    assert any(said in each for each in load(tmp_path / "x.csv").remarks)
    np.savez(tmp_path / "x.npz", signals=noise)
    assert load(tmp_path / "x.npz").form.kind == "signal"


def test_every_array_of_a_file_without_samples_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", recordings=np.zeros((4, 9)), labels=np.arange(4))
    with pytest.raises(InputError, match="holds labels, recordings; expected an array called images"):
        load(tmp_path / "x.npz")


def test_a_wide_table_is_checked_in_few_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = np.random.default_rng(0).normal(size=(20, 500))
    rows[:, 400] = 3
    np.save(tmp_path / "x.npy", rows)
    assert run(["data", "check", str(tmp_path / "x.npy")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 40
    assert "475 more" in lines[-1]
    assert any(line.startswith("column 401") and "never varies" in line for line in lines)
