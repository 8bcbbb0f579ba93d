"""Intervals, nulls and ceilings: what they must say of codes that are known to be aligned, turned or empty."""

import os

import numpy as np
import pytest
from numpy.random import RandomState
from scipy.stats import ortho_group

from latentlab.analysis.score.nulls import rotated, shuffled
from latentlab.analysis.score.profiles._protocol import draw_rows, levels_of_rows
from latentlab.analysis.score.scorecard import scorecard
from latentlab.analysis.score.scoring import score
from latentlab.errors import InputError
from latentlab.metrics._arrays import scale_of
from latentlab.metrics._information import tables
from latentlab.metrics._many import switch
from latentlab.metrics.mig import mig
from latentlab.results import Score
from latentlab.system.registry import load

SIZES = (4, 5, 6)


@pytest.fixture(scope="module")
def aligned():
    v = np.tile(np.stack(np.unravel_index(np.arange(120), SIZES), axis=1), (17, 1)).astype(float)
    return v + np.random.default_rng(0).normal(scale=0.3, size=v.shape), v


def test_aligned_codes_beat_both_nulls_and_lie_under_the_ceiling(aligned):
    found = score(*aligned, metrics=["mig"], resamples=60).scores["mig"]
    low, high = found.interval
    assert low < found.value < high
    assert found.nulls["permuted"] < 0.1
    assert found.nulls["permuted"] < found.nulls["rotated"] < found.value < found.reference
    assert found.nulls["rotated_mean"] < found.nulls["rotated"]


def test_turned_codes_beat_permutation_and_fail_the_rotated_null(aligned):
    z, v = aligned
    z = (z - z.mean(axis=0)) / z.std(axis=0) @ ortho_group.rvs(3, random_state=4)
    found = score(z, v, metrics=["mig"], resamples=60).scores["mig"]
    assert found.nulls["permuted"] < found.value < found.nulls["rotated"]


def test_dead_dimensions_are_shown_apart(aligned):
    z, v = aligned
    dead = np.column_stack([z, 1e-3 * np.random.default_rng(1).normal(size=(len(z), 3))])
    spread = np.full(dead.shape, 0.1)
    found = score(dead, v, variance=spread, metrics=["modularity"], resamples=10).scores["modularity"]
    assert found.beside["active"] == score(z, v, metrics=["modularity"]).scores["modularity"].value
    assert found.value < found.beside["active"] - 0.05


def test_sampled_codes_are_shown_beside_mean_codes(aligned):
    z, v = aligned
    found = score(z, v, variance=np.full(z.shape, 4.0), metrics=["mig"], resamples=10).scores["mig"]
    assert found.beside["sampled"] < found.value / 2


def test_unsupervised_has_an_interval_on_a_grid_alone_and_no_null(aligned):
    z = aligned[0]
    assert "did not cover" in score(z, metrics=["unsupervised"], resamples=20).scores["unsupervised"].no_interval
    found = score(z[:120], grid=SIZES, metrics=["unsupervised"], resamples=20).scores["unsupervised"]
    assert found.bounds is not None
    assert not found.nulls
    assert found.reference is None


def test_slow_metrics_are_resampled_on_request_only(aligned):
    assert score(*aligned, metrics=["explicitness"], resamples=3).scores["explicitness"].interval is None
    slow = score(*aligned, metrics=["explicitness", "factor_vae"], resamples=3, resample_slow=True).scores
    assert slow["explicitness"].nulls["permuted"] < 0.6 < slow["explicitness"].value
    assert slow["factor_vae"].nulls["permuted"] < slow["factor_vae"].value <= slow["factor_vae"].reference


def test_a_score_that_cannot_be_resampled_stands():
    v = np.repeat([0.0, 1.0], 20)
    found = score(np.ones((40, 2)), v, metrics=["mig"], resamples=5).scores["mig"]
    assert found.value == 0
    assert "constant" in found.missing["rotated"]


def test_same_bits_again(aligned):
    one, two = (score(*aligned, metrics=["mig"], resamples=10).to_json(timings=False) for _ in range(2))
    assert one == two


def test_the_interval_covers_the_full_grid(reference_grid):
    """The interval lies around the full grid's value, and 90 to 99 of 100 further draws, freed of bias, within it."""
    codes, sizes = reference_grid
    full = score(codes, grid=sizes, metrics=["mig"], resamples=200).scores["mig"]
    low, high = full.interval
    bias = full.beside["redraw_mean"] - full.beside["full_grid"]
    assert low < full.beside["full_grid"] < high
    held = 0
    for seed in range(100):
        rows = draw_rows(sizes, 10_000, RandomState(500_000 + seed), batch=10_000)
        value = mig(codes[rows], levels_of_rows(rows, sizes)).value
        held += low <= value - bias <= high
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
    before = switch.many
    try:
        plain, compiled = (tables(codes, factors, scales, 20) for switch.many in (False, True))
    finally:
        switch.many = before
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


def test_one_failed_redraw_takes_nothing_with_it(aligned, monkeypatch):
    calls = iter(range(10_000))
    module = load("metrics", "mig")

    def brittle(*args, **options):
        if next(calls) % 40 == 13:
            raise InputError("this redraw fails")
        return mig(*args, **options)

    monkeypatch.setattr(module, "mig", brittle)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    found = score(*aligned, metrics=["mig"], resamples=40).scores["mig"]
    assert found.bounds is not None
    assert {"permuted", "rotated"} <= found.nulls.keys()
    assert found.reference is not None
    assert found.settings["failed_redraws"] == {"interval": 1, "permuted": 1, "rotated": 1}


def test_where_every_redraw_fails_the_reason_stands_and_the_rest_is_kept(aligned):
    z, v = aligned
    found = score(np.column_stack([z[:, 0], np.full(len(z), 3.0)]), v, metrics=["mig"], resamples=20).scores["mig"]
    assert "one dimension is active" in found.missing["rotated"]
    assert "no rotated: undefined" in scorecard({"mig": found})["missing"][0]
    assert found.nulls["permuted"] < found.value


def test_the_value_always_lies_within_the_interval_beside_it(aligned):
    z, v = aligned
    names = ["mig", "mcc", "modularity", "r2", "irs"]
    for arguments in ({"codes": z, "factors": v}, {"codes": z[:120], "grid": SIZES}):
        for each in score(**arguments, metrics=names, resamples=20, resample_slow=True).scores.values():
            assert (each.bounds is None) == bool(each.no_interval)
            assert each.bounds is None or each.bounds[0] <= each.shown <= each.bounds[1]


def test_heavy_tails_and_metrics_that_do_not_cover_have_no_interval_and_say_why(aligned):
    z, v = aligned
    heavy = v + np.random.default_rng(0).standard_t(3, size=v.shape)
    assert "heavy tails" in score(heavy, v, metrics=["mcc"], resamples=5).scores["mcc"].no_interval
    assert "did not cover" in score(z, v, metrics=["irs"], resamples=5).scores["irs"].no_interval
    assert "--resample-slow" in score(z, v, metrics=["sap"], resamples=5).scores["sap"].no_interval


@pytest.mark.parametrize("name", ["mcc", "r2"])
def test_intervals_of_fresh_rows_cover(name):
    """Sixty data sets of 600 rows; of 95 % intervals 51 or fewer would cover once in 200."""
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        v = np.column_stack([rng.integers(0, levels, 600) for levels in SIZES]).astype(float)
        z = v + rng.normal(size=v.shape)
        found.append(score(z, v, metrics=[name], resamples=25, resample_slow=True).scores[name])
    truth = np.mean([each.value for each in found])
    assert sum(each.bounds[0] <= truth <= each.bounds[1] for each in found) >= 52
    widths = [each.bounds[1] - each.bounds[0] for each in found]
    assert np.mean(widths) < 6 * np.std([each.value for each in found]), "and they are no wider than they need be"


def test_intervals_of_earlier_versions_stand_where_they_hold_the_value_over_all_rows():
    settings = {"resamples": 200}
    kept = Score(0.40, interval=(0.41, 0.43), beside={"full_grid": 0.42}, settings=settings)
    assert (kept.shown, kept.bounds) == (0.42, (0.41, 0.43))
    elsewhere = Score(0.40, interval=(0.41, 0.43), beside={"full_grid": 0.39}, settings=settings)
    trained = Score(0.40, interval=(0.38, 0.43), settings=settings)
    for each in (elsewhere, trained):
        assert each.bounds is None
        assert "earlier version" in each.no_interval
