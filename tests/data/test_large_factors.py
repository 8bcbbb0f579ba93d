"""Whole numbers above 2⁵³, as times in nanoseconds are, stay different levels of a factor on every way in."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import latentlab as ll
from latentlab.data import Dataset

ROWS = 40
TIMES = 2**60 + np.arange(ROWS, dtype=np.int64)  # float64 has one number for 256 of them
IMAGES = np.random.default_rng(0).integers(0, 256, (ROWS, 8, 8), dtype=np.uint8)
TABLE = pd.DataFrame({"a": np.linspace(0, 1, ROWS), "b": np.linspace(0, 1, ROWS) ** 2, "time": TIMES})


def of_npz(folder: Path) -> Dataset:
    np.savez(folder / "x.npz", images=IMAGES, factors=TIMES[:, None])
    return ll.data.load(folder / "x.npz")


def of_csv(folder: Path) -> Dataset:
    TABLE.to_csv(folder / "x.csv", index=False)
    return ll.data.load(f"{folder / 'x.csv'}:factors=time")


WAYS = {
    "npz": of_npz,
    "csv": of_csv,
    "arrays": lambda folder: ll.data.from_arrays(IMAGES, factors=TIMES[:, None]),
    "frame": lambda folder: ll.data.from_arrays(IMAGES, factors=TABLE[["time"]]),
    "codes": lambda folder: ll.from_codes(TABLE[["a", "b"]].to_numpy(), factors=TABLE[["time"]]).codes(),
}


@pytest.mark.parametrize("way", WAYS)
def test_no_two_levels_become_one(tmp_path: Path, way: str) -> None:
    factors = WAYS[way](tmp_path).factors
    assert np.unique(factors).tolist() == list(range(ROWS))
    assert (np.diff(factors[:, 0]) == 1).all()
