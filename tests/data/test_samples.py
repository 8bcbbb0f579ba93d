"""Signals, and images of other numbers than bytes: how arrays are read, and that nothing is rounded on the way."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentlab.data import Dataset, Form, check, from_arrays, load
from latentlab.data.kinds import kind_of
from latentlab.errors import InputError

RNG = np.random.default_rng(0)
SERIES = RNG.normal(size=(12, 40))
STEREO = RNG.normal(size=(12, 2, 40)).astype(np.float32)
DEEP = RNG.integers(0, 65536, (9, 6, 5), dtype=np.uint16)
Write = Any


@pytest.fixture(params=["data.npz", "data.h5"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / request.param


def write(path: Path, **arrays: Any) -> Path:
    if path.suffix == ".npz":
        np.savez(path, **arrays)
        return path
    with h5py.File(path, "w") as file:
        for key, value in arrays.items():
            array = np.asarray(value)
            file[key] = array.astype(object) if array.dtype.kind == "U" else array
    return path


@pytest.mark.parametrize(
    ("array", "options", "expected"),
    [
        (SERIES, "kind=signal", SERIES[:, None]),
        (STEREO, "kind=signal", STEREO),
        (STEREO.transpose(0, 2, 1), "kind=signal", STEREO),
        (STEREO, "kind=signal,axes=ntc", STEREO.transpose(0, 2, 1)),
        (SERIES.astype(np.float16), "kind=signal", SERIES.astype(np.float16)[:, None]),
        ((SERIES * 1000).astype(np.int32), "kind=signal", (SERIES * 1000).astype(np.int32)[:, None]),
        (DEEP, "", DEEP[:, None]),
        (DEEP.astype(np.float32), "", DEEP[:, None]),
        (DEEP / 65535, "stored=float64", DEEP[:, None] / 65535),
        (SERIES.reshape(12, 5, 8) / 9, "kind=image", SERIES.reshape(12, 1, 5, 8) / 9),
    ],
)
def test_every_number_is_kept_as_it_is(path: Path, array: np.ndarray, options: str, expected: np.ndarray) -> None:
    write(path, data=array)
    data = load(f"{path}:{options}" if options else path)
    assert np.array_equal(data[:], expected)
    assert np.array_equal(data[[5, 1, 1]], expected[[5, 1, 1]])
    assert data.form.kind == ("signal" if "signal" in options else "image")


def test_axes_may_lie_in_any_order_in_memory(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", STEREO.transpose(2, 1, 0))
    assert np.array_equal(load(f"{tmp_path / 'x.npy'}:kind=signal,axes=tcn")[:], STEREO)


def test_an_axis_makes_a_signal_and_names_its_points(path: Path) -> None:
    axis = np.linspace(1100, 2500, 40)
    arrays = {"signals": STEREO, "axis": axis, "axis_unit": "nm", "unit": "absorbance", "feature_names": ["a", "b"]}
    form = load(write(path, **arrays)).form
    assert (form.kind, form.shape, form.axis_unit, form.unit, form.names) == (
        "signal",
        (2, 40),
        "nm",
        "absorbance",
        ("a", "b"),
    )
    assert form.axis == tuple(axis)
    assert {"what": "axis", "found": "1100 to 2500 nm", "problem": "", "usable": True} in check(str(path))


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        ({"data": STEREO}, "", "kind=signal or kind=image"),
        ({"data": STEREO[:, :, :2]}, "kind=signal", "axes=nct or axes=ntc"),
        ({"data": SERIES, "axis": np.arange(12)}, "", "an axis of 12 points"),
        ({"data": SERIES, "axis": np.full(40, np.nan)}, "", "finite"),
        ({"data": SERIES}, "kind=signal,axes=hw", "n, t"),
        ({"data": SERIES}, "kind=film", "counts, image, signal, table"),
        ({"data": DEEP}, "stretch=sqrt", "linear, log1p, asinh"),
        ({"data": DEEP}, "stored=int8", "float32 or float64"),
        ({"data": DEEP}, "colours=4x2x1", "channels from 1 to 1"),
        ({"data": np.where(SERIES > 0, SERIES, np.nan)}, "kind=signal", "NaN"),
        ({"data": SERIES.astype("U9")}, "kind=signal", "expected numbers"),
    ],
)
def test_what_is_not_plain_is_asked_for_in_one_line(path: Path, arrays: dict, options: str, message: str) -> None:
    write(path, **arrays)
    with pytest.raises(InputError, match=message) as caught:
        load(f"{path}:{options}" if options else path)[:]
    assert len(str(caught.value).replace(str(path.parent), "")) < 200


@pytest.mark.parametrize(("channels", "axes"), [(5, "nchw"), (2, "nchw"), (64, "nhwc"), (4, "nhwc")])
def test_images_of_many_channels_are_read_where_height_and_width_are_equal(
    path: Path, channels: int, axes: str
) -> None:
    shape = {"n": 2, "c": channels, "h": 12, "w": 12}
    images = RNG.integers(0, 256, [shape[letter] for letter in axes], dtype=np.uint8)
    data = load(write(path, images=images))
    assert data.form.bytes
    assert data.shape == (2, channels, 12, 12)
    assert np.array_equal(data[:], images.transpose([axes.index(letter) for letter in "nchw"]))


def test_floats_that_lose_something_as_bytes_are_said_and_kept_where_asked(path: Path) -> None:
    write(path, images=np.linspace(0, 1, 3 * 36).reshape(3, 6, 6))
    told = {finding["what"]: str(finding["found"]) for finding in check(path)}
    assert "rounded to 256 levels, by up to 0.00" in told["remark"]
    data = load(f"{path}:stored=float64")
    assert data.remarks == ()
    assert data[:].dtype == np.float64


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["float32", "float64"]),
    st.floats(-1e6, 1e6),
    st.floats(1e-3, 1e3),
    st.sampled_from(["signal", "image"]),
    st.sampled_from(["linear", "asinh"]),
)
def test_the_way_to_the_model_and_back_loses_less_than_a_millionth_of_the_range(
    seed: int, stored: str, offset: float, spread: float, kind: str, stretch: str
) -> None:
    rng = np.random.default_rng(seed)
    shape = (2, 33) if kind == "signal" else (2, 5, 7)
    values = offset + spread * rng.standard_t(3, (16, *shape)) * np.arange(1, 3).reshape(2, *[1] * (len(shape) - 1))
    values = values.astype(stored)
    data = Dataset("x", values.shape, lambda rows: values[rows], form=Form(kind, shape, stored, stretch=stretch))  # type: ignore[arg-type]
    form = kind_of(data.form).fitted(data.form, data)
    back = form.from_model(form.to_model(data[:])).astype(np.float64)
    for channel in range(2):
        known = values[:, channel].astype(np.float64)
        error = np.sqrt(np.mean((back[:, channel] - known) ** 2))
        assert error <= 1e-6 * np.ptp(known)


def test_a_few_bright_pixels_leave_the_rest_its_contrast() -> None:
    values = RNG.normal(100, 10, (50, 1, 20, 20))
    values[3, 0, 4, 5] = 1e6
    data = Dataset("sky", values.shape, lambda rows: values[rows], form=Form("image", (1, 20, 20), "float64"))
    form = kind_of(data.form).fitted(data.form, data)
    pictures = form.picture(data[:])
    assert 40 < np.std(pictures[:3].astype(float)) < 60
    assert pictures[3, 0, 4, 5] == 255
    assert form.from_model(form.to_model(data[:])).max() == pytest.approx(1e6)


def test_asinh_is_linear_within_the_noise_and_logarithmic_far_above_it() -> None:
    values = RNG.normal(0, 5, (50, 2, 20, 20)) * np.array([1, 10]).reshape(1, 2, 1, 1)
    form = Form("image", (2, 20, 20), "float64", stretch="asinh")
    data = Dataset("sky", values.shape, lambda rows: values[rows], form=form)
    found = kind_of(form).fitted(form, data)
    assert found.soft == pytest.approx((5, 50), rel=0.05)


@pytest.mark.parametrize("value", [0.0, 7.5, -1e9])
def test_constant_samples_are_read_and_drawn(value: float) -> None:
    for kind, shape in (("image", (1, 6, 5)), ("signal", (1, 40))):
        data = Dataset(
            "flat",
            (4, *shape),
            lambda rows, shape=shape: np.full((len(rows), *shape), value),
            form=Form(kind, shape, "float64"),
        )
        form = kind_of(data.form).fitted(data.form, data)
        assert np.array_equal(form.from_model(form.to_model(data[:])), data[:])
        assert form.picture(data[:]).dtype == np.uint8


def test_a_picture_shows_the_channels_that_were_chosen() -> None:
    images = RNG.integers(0, 256, (3, 5, 4, 6), dtype=np.uint8)
    form = lambda *colours: Form("image", (5, 4, 6), "uint8", scale=(255.0,), colours=colours)  # noqa: E731
    assert np.array_equal(form(4, 2, 1).picture(images), images[:, [3, 1, 0]])
    assert np.array_equal(form(5).picture(images), images[:, 4:])
    side_by_side = form(1, 5).picture(images)
    assert np.array_equal(side_by_side, np.concatenate([images[:, :1], images[:, 4:]], axis=-1))
    assert form(4, 2, 1).shown == "channel 4 in red, channel 2 in green, channel 1 in blue"


@pytest.mark.parametrize(("ending", "dtype"), [("png", np.uint16), ("tif", np.uint16), ("tif", np.float32)])
def test_deep_images_of_a_folder_are_kept_as_numbers(tmp_path: Path, ending: str, dtype: type) -> None:
    from PIL import Image

    pixels = RNG.integers(0, 65536, (4, 12, 9)).astype(dtype)
    for k, image in enumerate(pixels):
        Image.fromarray(image).save(tmp_path / f"{k}.{ending}")
    data = load(tmp_path)
    assert data.form.stored == "float32"
    assert np.array_equal(data[:][:, 0], pixels)
    assert load(f"{tmp_path}:size=6").shape == (4, 1, 6, 6)
    assert abs(load(f"{tmp_path}:size=6")[:].mean() / pixels.mean() - 1) < 0.1
    Image.fromarray(np.zeros((12, 9), np.uint8)).save(tmp_path / "z.png")
    with pytest.raises(InputError, match="of 8 bits, or of more"):
        load(tmp_path)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_frames_of_a_tiff_are_images(tmp_path: Path, dtype: type) -> None:
    from PIL import Image

    pixels = RNG.integers(0, 256, (5, 12, 9)).astype(dtype) * dtype(1 if dtype is np.uint8 else 3)
    first, *others = (Image.fromarray(frame) for frame in pixels)
    first.save(tmp_path / "stack.tif", save_all=True, append_images=others)
    data = load(tmp_path / "stack.tif")
    assert data.shape == (5, 1, 12, 9)
    assert data.form.bytes == (dtype is np.uint8)
    assert np.array_equal(data[[4, 0, 2]][:, 0], pixels[[4, 0, 2]])


def test_a_check_names_channels_and_the_unit_of_images() -> None:
    data = from_arrays(RNG.normal(1000, 9, (6, 3, 8, 8)), feature_names=["u", "g", "r"], unit="nJy")
    found = {each["what"]: each["found"] for each in check(data)}
    assert found["channels"] == "u, g, r"
    assert re.fullmatch(r"[\d.]+ to [\d.]+ nJy in 6 rows", str(found["pixels"]))
