"""Bits drawn once: with the grey level's probability, the same in every split, subset and process."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from latentlab.data import Dataset, load
from latentlab.data._binarise import binarised
from latentlab.data._draws import drawn
from latentlab.errors import InputError


def grey(level: int, n: int = 50) -> Dataset:
    return Dataset("grey", (n, 1, 20, 20), lambda rows: np.full((len(rows), 1, 20, 20), level, np.uint8))


@pytest.mark.parametrize("level", [0, 1, 64, 128, 254, 255])
def test_a_pixel_is_white_as_often_as_it_is_bright(level: int) -> None:
    share = (binarised(grey(level), 0)[:] == 255).mean()
    p = level / 255
    assert abs(share - p) <= 4 * np.sqrt(p * (1 - p) / 20_000)


def test_rows_differ_and_so_do_seeds() -> None:
    first, other = binarised(grey(128), 0)[:], binarised(grey(128), 1)[:]
    assert len(np.unique(first.reshape(50, -1), axis=0)) == 50
    assert 0.4 < (first != other).mean() < 0.6
    pixels = first.reshape(50, -1) / 255.0 - 0.5
    assert np.abs(np.corrcoef(pixels) - np.eye(50)).max() < 0.25


def test_a_row_keeps_its_bits_in_every_subset_order_and_process() -> None:
    data = load("digits:binarised=3")
    whole = data[:40]
    np.testing.assert_array_equal(data[[7, 3, 7]], whole[[7, 3, 7]])
    np.testing.assert_array_equal(data.take(slice(5, 20))[2:4], whole[7:9])
    code = "from latentlab.data import load; print(load('digits:binarised=3')[:40].tobytes().hex())"
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert again.stdout.strip() == whole.tobytes().hex()


def test_it_is_written_into_spec_and_source() -> None:
    data = load("digits:binarised=3")
    assert data.spec == "digits:binarised=3"
    assert data.source["binarised"] == 3
    assert "binarised" not in load("digits").source
    assert load("dsprites:size=16,grid=1x1x1x2x2,binarised=1").source["binarised"] == 1


@pytest.mark.parametrize("spec", ["digits:binarised=yes", "digits:binarised=2x3"])
def test_a_seed_is_a_number(spec: str) -> None:
    with pytest.raises(InputError, match="expected the seed of the draw"):
        load(spec)


def test_bits_stay_what_they_are() -> None:
    """The draw is a promise: runs name it by its seed alone."""
    assert np.packbits(binarised(grey(128, 2), 0)[:][:, 0, 0, :16] > 0).tobytes().hex() == "de127096"


def parted(n: int = 30) -> Dataset:
    """Grey images: 5 of one part, 20 to train on, 5 to test on."""
    parts = {"valid": range(5), "train": range(5, 25), "test": range(25, 30)}
    return replace(grey(128, n), labels=np.arange(n) % 3, label_names=("a", "b", "c"), splits=parts)


def test_training_rows_are_drawn_anew_each_time_and_other_parts_once() -> None:
    once, often = binarised(parted(), 0), binarised(drawn(parted(), 4), 0)
    assert len(often.split("train")) == 80
    assert len(np.unique(often.split("train")[:].reshape(80, -1), axis=0)) == 80
    np.testing.assert_array_equal(often.split("train")[:20], once.split("train")[:])
    for part in ("valid", "test"):
        np.testing.assert_array_equal(often.split(part)[:], once.split(part)[:])
        np.testing.assert_array_equal(often.split(part).row_ids, once.split(part).row_ids)
        assert often.split(part).fingerprint["labels"] == once.split(part).fingerprint["labels"]


def test_draws_keep_grey_levels_labels_and_ids_apart() -> None:
    levels = np.arange(30, dtype=np.uint8)
    data = replace(
        parted(), read=lambda rows: np.broadcast_to(levels[rows][:, None, None, None], (len(rows), 1, 20, 20))
    )
    often = drawn(data, 3)
    assert len(set(often.row_ids.tolist())) == len(often) == 70
    assert often.labels is not None
    np.testing.assert_array_equal(often[:][:, 0, 0, 0] % 3, often.labels)
    np.testing.assert_array_equal(often.split("train")[:][:, 0, 0, 0], np.tile(levels[5:25], 3))
    assert often.fingerprint["images"] != drawn(data, 2).fingerprint["images"]


@pytest.mark.parametrize("spec", ["digits:draws=3", "digits:binarised=0,draws=0", "digits:binarised=0,draws=2x3"])
def test_draws_are_a_number_and_need_bits(spec: str) -> None:
    with pytest.raises(InputError, match="draws"):
        load(spec)


def test_a_whole_data_set_is_drawn_where_there_is_no_part_to_train_on() -> None:
    data = load("digits:binarised=1,draws=2")
    np.testing.assert_array_equal(data[: len(data) // 2], load("digits:binarised=1")[:])
    assert (data.spec, data.source["draws"]) == ("digits:binarised=1,draws=2", 2)
