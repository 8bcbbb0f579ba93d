"""Scores by counting go over rows in blocks: the same from files as from memory, and no copy of all rows is made."""

import tracemalloc

import numpy as np
import pytest
from numpy.random import RandomState

from latentlab.metrics import dcimig, jemmig, med, mig, mig_sup, modularity
from latentlab.metrics._arrays import levels_of, survey

COUNTED = (dcimig, jemmig, med, mig, mig_sup, modularity)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Memory-mapped codes (n, 4) float32 and factors (n, 3) uint8."""
    folder, random = tmp_path_factory.mktemp("rows"), RandomState(0)
    factors = random.randint(5, size=(400_000, 3)).astype(np.uint8)
    codes = (factors[:, [0, 1, 2, 0]] + random.normal(size=(400_000, 4))).astype(np.float32)
    np.save(folder / "z.npy", codes)
    np.save(folder / "v.npy", factors)
    return np.load(folder / "z.npy", mmap_mode="r"), np.load(folder / "v.npy", mmap_mode="r")


@pytest.mark.parametrize("metric", COUNTED, ids=lambda each: each.__name__)
def test_files_and_memory_are_the_same(files, metric):
    z, v = files
    assert metric(z, v).to_json() == metric(np.array(z), v.astype(float)).to_json()


def test_memory_does_not_grow_with_rows(files):
    peaks = []
    for n in (150_000, 400_000):
        z, v = (each[:n] for each in files)
        mig(z, v)
        tracemalloc.start()
        mig(z, v)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


@pytest.mark.parametrize("kind", ["categorical", "continuous"])
def test_levels_are_those_of_numpy(kind):
    column = RandomState(0).normal(size=70_000).round(3)
    column[::9] = np.nan
    known = ~np.isnan(column)
    found, size = levels_of(column, kind)
    assert (found[~known] == -1).all()
    if kind == "categorical":
        values, expected = np.unique(column[known], return_inverse=True)
        assert size == len(values)
    else:
        expected = np.digitize(column[known], np.histogram(column[known], 20)[1][:-1]) - 1
        assert size == 20
    assert (found[known] == expected).all()


def test_a_survey_tells_what_a_column_holds():
    wide = np.array([[3.0, np.nan, 0.5], [70_000.0, np.nan, 2.0], [np.nan, np.nan, 1.0]])
    first, second, third = survey(np.tile(wide, (20_000, 1)))
    assert first == (3.0, 70_000.0, True, 40_000)
    assert second.known == 0
    assert (third.low, third.high, third.whole) == (0.5, 2.0, False)
    levels, size = levels_of(np.array([3, 70_000, 3, 10]))
    assert (levels.tolist(), size) == ([0, 2, 0, 1], 3)
