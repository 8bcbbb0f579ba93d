"""Data outside the domain of scores are named, and clean data are not."""

import json

import numpy as np
import pytest
from numpy.random import default_rng

from latentlab.analysis.score.calls import gather
from latentlab.analysis.score.domain import CONDITIONS, caveats
from latentlab.analysis.score.scoring import score, scores_from_json
from latentlab.metrics import _worlds as worlds

N, K = 1000, 5


def named(z, v, **known):
    return [each.which for each in caveats(gather(z, v, **known))]


def case(factors, codes, seed, n=N):
    random = default_rng([seed, 5])
    v = worlds.FACTORS[factors](random, n, K)
    return worlds.CODES[codes](random, v), v


def test_a_grid_of_cases_is_named_and_clean_data_are_not():
    """`benchmarks/domain.py` counts 50 data sets a case: 100 % named something, 0 of 400 clean ones anything."""
    missed, named_right, flagged = [], 0, 0
    outside = [(f, c) for f in worlds.FACTORS for c in worlds.CODES if {f, c} & set(worlds.OUTSIDE)]
    for factors, codes in outside:
        for seed in range(2):
            found = named(*case(factors, codes, seed))
            expected = {worlds.OUTSIDE[each] for each in (factors, codes) if each in worlds.OUTSIDE}
            flagged += bool(found)
            named_right += expected <= set(found)
            missed += [(factors, codes, expected - set(found))] if not expected <= set(found) else []
    assert flagged >= 0.95 * 2 * len(outside)
    assert named_right >= 0.95 * 2 * len(outside), missed
    clean = [named(*case("independent", codes, seed)) for codes in ("scaled", "curved") for seed in range(20)]
    assert sum(map(bool, clean)) <= 0.05 * len(clean), clean


def test_every_condition_is_seen_somewhere():
    seen = {which for f in worlds.FACTORS for c in worlds.CODES for which in named(*case(f, c, 0))}
    angle = default_rng(0).uniform(0, 2 * np.pi, N)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    seen |= set(named(circle, angle, kinds=["circular"]))
    seen |= set(named(*case("independent", "scaled", 0, n=100)))
    assert len(seen) == len(CONDITIONS)


@pytest.mark.parametrize("strength", [0.3, 0.8])
def test_correlated_factors_are_named_with_their_strength(strength):
    random = default_rng(1)
    v = random.standard_normal((N, 3))
    v[:, 1] = strength * v[:, 0] + np.sqrt(1 - strength**2) * v[:, 1]
    [caveat] = caveats(gather(2 * v, v, factor_names=["size", "weight", "hue"]))
    assert caveat.which == "correlated factors"
    assert caveat.why.startswith("size and weight depend on each other")
    assert float(caveat.why.partition("correlation of ")[2][:4]) == pytest.approx(strength, abs=0.1)


@pytest.mark.parametrize(
    ("change", "which"),
    [
        (lambda a, b: np.exp(a), "copied factors"),
        (lambda a, b: a**2, "derived factors"),
        (lambda a, b: a + b, "derived factors"),
        (lambda a, b: np.maximum(a, b), "derived factors"),
        (lambda a, b: np.abs(a) * b, "derived factors"),
    ],
)
def test_a_factor_that_follows_from_others_is_named(change, which):
    v = default_rng(2).standard_normal((3000, 4))
    v[:, 3] = change(v[:, 0], v[:, 1])
    assert which in named(v, v)


def test_a_sum_of_many_factors_is_named_as_derived():
    v = default_rng(3).standard_normal((3000, 6))
    v[:, 5] = v[:, :5].sum(axis=1)
    assert "derived factors" in named(v, v)


def test_levels_of_a_full_grid_in_clean_codes_are_clean():
    levels = np.stack(np.unravel_index(np.arange(3 * 6 * 8 * 16), (3, 6, 8, 16)), axis=1).astype(float)
    assert named(-2.0 * levels, levels) == []
    assert named(levels + default_rng(0).normal(scale=0.3, size=levels.shape), levels, grid=(3, 6, 8, 16)) == []


@pytest.mark.parametrize("kinds", [None, ("categorical",) * 3])
def test_categories_that_are_mixed_in_the_codes_are_named_and_clean_ones_are_not(kinds):
    random = default_rng(4)
    v = np.column_stack([random.integers(0, levels, N) for levels in (3, 5, 4)]).astype(float)
    v[random.random(v.shape) < 0.1] = np.nan
    known = np.where(np.isnan(v), 1.0, v)
    names = random.permutation(5)  # of the second factor's levels, so that their order says nothing
    known[:, 1] = names[known[:, 1].astype(int)]
    z = (known - known.mean(axis=0)) / known.std(axis=0) + random.normal(scale=0.2, size=known.shape)
    turn = np.linalg.qr(random.standard_normal((3, 3)))[0]
    assert named(z, v, kinds=kinds) == []
    assert named(np.column_stack([z, random.standard_normal((N, 2))]), v, kinds=kinds) == []
    assert named(z @ turn, v, kinds=kinds) == ["mixed codes"]
    assert named(z @ turn, v[:, 1:2], kinds=kinds and kinds[:1]) == []  # labels alone


def test_missing_labels_hide_nothing_and_alarm_nobody():
    z, v = case("independent", "scaled", 0)
    v[::3, 0] = np.nan
    assert named(z, v) == []
    z, v = case("copied", "scaled", 0)
    v[::3, 0] = np.nan
    assert "copied factors" in named(z, v)


def test_inactive_dimensions_do_not_count():
    z, v = case("independent", "scaled", 0)
    wide = np.column_stack([z, 0.01 * default_rng(0).standard_normal((N, 10))])
    assert named(wide, v, variance=np.full(wide.shape, 0.5)) == []
    assert "many codes" in named(wide, v)


def test_without_factors_there_is_nothing_to_say():
    assert caveats(gather(default_rng(0).standard_normal((50, 3)))) == ()


def test_caveats_stand_with_the_scores_and_survive_json():
    z, v = case("correlated", "circled", 0)
    found = score(z, v, metrics=["mig"])
    assert [each.which for each in found.caveats] == ["correlated factors", "many codes", "sinusoidal codes"]
    assert all(each.why and each.remedy for each in found.caveats)
    assert scores_from_json(json.loads(json.dumps(found.to_json()))).caveats == found.caveats
    assert "sinusoidal codes" in found._repr_html_()
    assert found.only([]).caveats == found.caveats
    assert max(len(each.which) + len(each.why) for each in found.caveats) < 300


def test_a_factor_known_in_few_rows_is_named_and_not_taken_for_a_cosine():
    z, v = case("independent", "scaled", 1)
    holed = v.copy()
    holed[25:, 2] = np.nan
    found = caveats(gather(z, holed, factor_names=[f"f{j}" for j in range(K)]))
    assert [each.which for each in found] == ["few rows"]
    assert "f2 is known in 25 of 1,000 rows" in found[0].why
    holed[:, 2] = np.where(np.arange(N) < 500, v[:, 2], np.nan)
    assert named(z, holed) == []
