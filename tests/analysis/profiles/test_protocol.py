"""How rows of a full grid are drawn: the reference's stream, and draws that share what they should."""

import numpy as np
import pytest
from numpy.random import RandomState

from latentlab.analysis.score.profiles._protocol import (
    draw_factors,
    draw_fixed,
    draw_rows,
    draw_shared,
    levels_of_rows,
    rows_of,
)
from latentlab.metrics._draws import draw_alike, draw_pairs

SIZES = (3, 4, 5)


def test_rows_are_the_references(shared):
    with np.load(shared / "reference" / "arrays_betaH_dsprites.npz") as arrays:
        random = RandomState(0)
        for part, n in (("v_train", 10_000), ("v_test", 5_000)):
            rows = draw_rows((3, 6, 40, 32, 32), n, random)
            np.testing.assert_array_equal(levels_of_rows(rows, (3, 6, 40, 32, 32)), arrays[part])


def test_levels_and_rows_are_inverse():
    rows = np.arange(60)
    np.testing.assert_array_equal(rows_of(levels_of_rows(rows, SIZES), SIZES), rows)


def test_the_batch_size_is_part_of_the_stream():
    a, b = (draw_rows(SIZES, 100, RandomState(0), batch=batch) for batch in (16, 100))
    assert (a != b).any()


def levels(rows):
    return levels_of_rows(rows.ravel(), SIZES).reshape(*rows.shape, 3)


def test_fixed_draws_share_one_factor_and_vary_in_the_others():
    drawn = draw_fixed(SIZES, 50, 64, RandomState(0))
    for factor, batch in zip(drawn.fixed, levels(drawn.rows), strict=True):
        counts = [len(np.unique(column)) for column in batch.T]
        assert counts[factor] == 1
        assert min(count for j, count in enumerate(counts) if j != factor) > 1


def test_pairs_share_one_factor_pair_by_pair():
    drawn = draw_shared(SIZES, 50, 64, RandomState(0))
    for factor, batch in zip(drawn.fixed, levels(drawn.rows), strict=True):
        assert (batch[:, 0, factor] == batch[:, 1, factor]).all()
        assert len(np.unique(batch[:, 0, factor])) > 1
        assert all((batch[:, 0, j] != batch[:, 1, j]).any() for j in range(3) if j != factor)


def test_draws_from_any_rows_share_a_value_and_skip_missing_labels():
    random = np.random.default_rng(0)
    v = random.integers(0, 3, size=(100, 2)).astype(float)
    v[::5, 0] = np.nan
    alike = draw_alike(v, 200, 16, RandomState(1))
    for factor, rows in zip(alike.fixed, alike.rows, strict=True):
        assert len(np.unique(v[rows, factor])) == 1
        assert not np.isnan(v[rows, factor]).any()
    pairs = draw_pairs(v, 200, 16, RandomState(1))
    for factor, rows in zip(pairs.fixed, pairs.rows, strict=True):
        np.testing.assert_array_equal(v[rows[:, 0], factor], v[rows[:, 1], factor])


@pytest.mark.parametrize("n", [16, 999, 1000, 5000])
def test_a_call_per_column_draws_what_one_call_does(n: int) -> None:
    one, other = RandomState(3), RandomState(3)
    for sizes in ((3, 6, 40, 32, 32), (1, 2), (2**20, 7)):
        levels = draw_factors(sizes, n, one)
        assert (levels == other.randint(np.array(sizes)[:, None], size=(len(sizes), n)).T).all()
    assert one.randint(10**6) == other.randint(10**6)
