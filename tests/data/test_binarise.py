"""Bits drawn once: with the grey level's probability, the same in every split, subset and process."""

import subprocess
import sys

import numpy as np
import pytest

from latentlab.data import Dataset, load
from latentlab.data._binarise import binarised
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
