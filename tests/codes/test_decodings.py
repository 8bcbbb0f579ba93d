"""Decoded images and the codes they came from, on disk and back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from latentlab.codes.decodings import Decodings, changed, load_decodings, save_decodings
from latentlab.data.kinds import image_form
from latentlab.errors import InputError
from latentlab.runs.kept import inputs_of
from latentlab.system.files import sha256, unless_damaged

INPUTS = {"model": "abc", "seed": 0}


def made(seed: int = 0) -> dict[str, Decodings]:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (3, 5, 1, 4, 6)).astype(np.uint8)
    codes = rng.normal(size=(3, 5, 3)).astype(np.float32)
    return {
        "traversals-prior": Decodings(images, codes, images[0, :1], {"kind": "traversal", "values": [1.5]}),
        "samples": Decodings(images[0], codes[0], None, {"β": "ü"}),
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save_decodings(tmp_path / "decodings.h5", made(), INPUTS)
    return tmp_path / "decodings.h5"


def test_roundtrip(path: Path) -> None:
    found, expected = load_decodings(path), made()
    assert found.keys() == expected.keys()
    for name, part in expected.items():
        np.testing.assert_array_equal(found[name].images, part.images)
        np.testing.assert_array_equal(found[name].codes, part.codes)
        assert found[name].images.dtype == np.uint8
        assert found[name].codes.dtype == np.float32
        assert found[name].settings == part.settings
    np.testing.assert_array_equal(found["traversals-prior"].originals, expected["traversals-prior"].originals)
    assert found["samples"].originals is None
    assert inputs_of(path) == INPUTS


def test_equal_parts_are_equal_bytes(path: Path, tmp_path: Path) -> None:
    save_decodings(tmp_path / "again.h5", made(), INPUTS)
    assert sha256(tmp_path / "again.h5") == sha256(path)


def test_images_and_codes_must_belong_together() -> None:
    with pytest.raises(InputError, match=r"images are \(3, 5\) but codes are \(3, 4\); decode each code once"):
        Decodings(np.zeros((3, 5, 1, 4, 4), np.uint8), np.zeros((3, 4, 2), np.float32))


def newer(file: Any) -> None:
    file.attrs["format"] = 2


def no_codes(file: Any) -> None:
    del file["samples/codes"]


def no_settings(file: Any) -> None:
    del file["samples"].attrs["settings"]


def bad_settings(file: Any) -> None:
    file["samples"].attrs["settings"] = "{"


def other_codes(file: Any) -> None:
    del file["samples/codes"]
    file["samples/codes"] = np.zeros((4, 3))


def no_group(file: Any) -> None:
    file["loose"] = np.zeros(3)


@pytest.mark.parametrize("change", [newer, no_codes, no_settings, bad_settings, other_codes, no_group])
def test_malformed_files_are_one_line(path: Path, change: Callable[[Any], None]) -> None:
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(InputError) as caught:
        load_decodings(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value).replace(str(path), "")) <= 200


def test_a_truncated_file_is_refused_and_says_nothing_of_its_making(path: Path) -> None:
    content = path.read_bytes()
    for length in range(0, len(content), 499):
        path.write_bytes(content[:length])
        with pytest.raises(InputError):
            load_decodings(path)
        assert unless_damaged(lambda: inputs_of(path)) is None


def test_a_dimension_that_changes_nothing_has_no_changed_pixels_and_direction_does_not_count() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (3, 5, 2, 4, 6), dtype=np.uint8)
    images[1] = images[1, :1]
    found = changed(images, image_form(images.shape[-3:]))
    assert found.shape == (3, 4, 6)
    assert not found[1].any()
    assert found[[0, 2]].min() > 0
    assert found.max() <= 1
    np.testing.assert_allclose(changed(images[:, ::-1], image_form(images.shape[-3:])), found)
    np.testing.assert_allclose(changed(255 - images, image_form(images.shape[-3:])), found)


def test_changed_pixels_are_where_the_change_is_and_as_large() -> None:
    images = np.zeros((4, 1, 8, 8), np.uint8)
    images[1:, 0, 2, 3] = 255
    found = changed(images, image_form(images.shape[-3:]))
    assert found[2, 3] == pytest.approx(1 / 3)
    assert np.count_nonzero(found) == 1
    with pytest.raises(InputError, match="two steps"):
        changed(images[:1], image_form(images.shape[-3:]))
