"""Intervals, nulls and ceilings: what they must say of codes that are known to be aligned, turned or empty."""

import numpy as np
import pytest
from numpy.random import RandomState
from scipy.stats import ortho_group

from latentlab.analysis.score.profiles._protocol import draw_rows, levels_of_rows
from latentlab.analysis.score.scoring import score
from latentlab.analysis.score.uncertainty import rotated, shuffled
from latentlab.metrics._arrays import scale_of
from latentlab.metrics._information import _compiled, tables
from latentlab.metrics.mig import mig

SIZES = (4, 5, 6)


@pytest.fixture(scope="module")
def aligned():
    v = np.tile(np.stack(np.unravel_index(np.arange(120), SIZES), axis=1), (5, 1)).astype(float)
    return v + np.random.default_rng(0).normal(scale=0.3, size=v.shape), v


def test_aligned_codes_beat_both_nulls_and_lie_under_the_ceiling(aligned):
    found = score(*aligned, metrics=["mig"], resamples=60).scores["mig"]
    low, high = found.interval
    assert low < found.value < high
    assert found.nulls["permuted"] < 0.1
    assert found.nulls["permuted"] < found.nulls["rotated"] < found.value < found.ceiling
    assert found.nulls["rotated_mean"] < found.nulls["rotated"]


def test_turned_codes_beat_permutation_and_fail_the_rotated_null(aligned):
    z, v = aligned
    z = (z - z.mean(axis=0)) / z.std(axis=0) @ ortho_group.rvs(3, random_state=4)
    found = score(z, v, metrics=["mig"], resamples=60).scores["mig"]
    assert found.nulls["permuted"] < found.value < found.nulls["rotated"]


def test_dead_dimensions_are_shown_apart(aligned):
    z, v = aligned
    dead = np.column_stack([z, 1e-3 * np.random.default_rng(1).normal(size=(len(z), 3))])
    found = score(dead, v, metrics=["modularity"], resamples=10).scores["modularity"]
    assert found.beside["active"] == score(z, v, metrics=["modularity"]).scores["modularity"].value
    assert found.value < found.beside["active"] - 0.05


def test_sampled_codes_are_shown_beside_mean_codes(aligned):
    z, v = aligned
    found = score(z, v, variance=np.full(z.shape, 4.0), metrics=["mig"], resamples=10).scores["mig"]
    assert found.beside["sampled"] < found.value / 2


def test_unsupervised_has_an_interval_and_no_null(aligned):
    found = score(aligned[0], metrics=["unsupervised"], resamples=20).scores["unsupervised"]
    assert found.interval is not None
    assert not found.nulls
    assert found.ceiling is None


def test_slow_metrics_are_resampled_on_request_only(aligned):
    assert score(*aligned, metrics=["explicitness"], resamples=3).scores["explicitness"].interval is None
    slow = score(*aligned, metrics=["explicitness", "factor_vae"], resamples=3, resample_slow=True).scores
    assert slow["explicitness"].nulls["permuted"] < 0.6 < slow["explicitness"].value
    assert slow["factor_vae"].nulls["permuted"] < slow["factor_vae"].value <= slow["factor_vae"].ceiling


def test_a_score_that_cannot_be_resampled_stands():
    v = np.repeat([0.0, 1.0], 20)
    found = score(np.ones((40, 2)), v, metrics=["mig"], resamples=5).scores["mig"]
    assert found.value == 0
    assert "constant" in found.settings["not_resampled"]


def test_same_bits_again(aligned):
    one, two = (score(*aligned, metrics=["mig"], resamples=10).to_json(timings=False) for _ in range(2))
    assert one == two


def test_the_interval_covers_the_full_grid(reference_grid):
    """Of 100 independent draws, 90 to 99 of the 95 % intervals hold the full grid's value."""
    codes, sizes = reference_grid
    full = score(codes, grid=sizes, metrics=["mig"], resamples=200).scores["mig"]
    margin = np.array([full.value - full.interval[1], full.value - full.interval[0]])
    held = 0
    for seed in range(100):
        rows = draw_rows(sizes, 10_000, RandomState(500_000 + seed), batch=10_000)
        value = mig(codes[rows], levels_of_rows(rows, sizes)).value
        held += value - margin[1] <= full.beside["full_grid"] <= value - margin[0]
    assert 90 <= held <= 99
    assert full.beside["full_grid"] == pytest.approx(0.129, abs=5e-4)
    assert full.beside["redraw_deviation"] == pytest.approx(0.012, abs=0.003)


@pytest.fixture(scope="module")
def reference_grid(shared):
    return np.load(shared / "reference" / "grid_codes_betaH_dsprites.npy"), (3, 6, 40, 32, 32)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_compiled_counts_are_the_same(dtype):
    random = np.random.default_rng(0)
    codes = random.normal(size=(5000, 4)).astype(dtype)
    codes[:, 3] = 2.5
    codes[:, 2] = np.round(codes[:, 2], 1)
    factors = np.stack([random.integers(0, 3, 5000), random.integers(0, 7, 5000)], axis=1).astype(float)
    factors[::5, 0] = np.nan
    scales = [scale_of(column) for column in factors.T]
    before = _compiled.wanted
    try:
        plain, compiled = (tables(codes, factors, scales, 20) for _compiled.wanted in (False, True))
    finally:
        _compiled.wanted = before
    for a, b in zip(plain, compiled, strict=True):
        assert (a == b).all()
    assert [table[0].sum() for table in plain] == [4000, 5000]


def test_a_rotation_of_float32_codes_far_from_0_is_that_of_float64():
    codes = (np.random.default_rng(0).normal(size=(10_000, 3)) * [1, 1, 0.5] + 1e5).astype(np.float32)
    narrow, wide = (rotated([z, codes], RandomState(0))[0] for z in (codes, codes.astype(np.float64)))
    np.testing.assert_allclose(narrow, wide, atol=1e-4)


def test_a_rotation_keeps_lengths_and_a_shuffle_keeps_rows(aligned):
    z, v = aligned
    turned = rotated([z, v], RandomState(0))[0]
    standard = (z - z.mean(axis=0)) / z.std(axis=0)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), np.linalg.norm(standard, axis=1))
    mixed = shuffled([z, v], RandomState(0))[0]
    np.testing.assert_array_equal(np.sort(mixed, axis=0), np.sort(z, axis=0))
    assert (mixed != z).any()
