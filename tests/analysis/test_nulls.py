"""Codes that scores are held against: which dimensions are turned, on what scale, and how often noise passes."""

import numpy as np
import pytest
from numpy.random import RandomState

from latentlab.analysis.score.calls import Material
from latentlab.analysis.score.nulls import active_dimensions, rotated, standardised
from latentlab.analysis.score.scorecard import scorecard
from latentlab.analysis.score.scoring import score
from latentlab.errors import InputError
from latentlab.results import Score

RNG = np.random.default_rng(0)
FACTORS = np.stack(np.unravel_index(np.arange(400) % 60, (3, 4, 5)), axis=1).astype(float)
CODES = FACTORS + RNG.normal(scale=0.4, size=FACTORS.shape)


def test_active_is_above_a_hundredth_with_a_prior_and_whatever_varies_without() -> None:
    codes = RNG.normal(size=(5000, 4)) * np.sqrt([6.47, 0.028, 0.046, 0.0004])
    assert active_dimensions(Material(codes, variance=np.ones_like(codes))).tolist() == [True, True, True, False]
    constant = np.column_stack([codes, np.full(5000, 3.0)])
    assert active_dimensions(Material(constant)).tolist() == [True, True, True, True, False]
    rounding = np.column_stack([codes, 0.1 + 1e-17 * codes[:, 0], 1e-16 * codes[:, 0]])
    assert active_dimensions(Material(rounding)).tolist() == [True, True, True, True, False, False]


def test_the_rotated_null_turns_every_active_dimension_however_unlike_their_variances() -> None:
    z = CODES * [10.0, 0.5, 0.6]
    found = score(z, FACTORS, variance=np.full(z.shape, 0.1), metrics=["mig"], resamples=20).scores["mig"]
    alone = score(CODES, FACTORS, metrics=["mig"], resamples=20).scores["mig"]
    assert found.nulls["rotated"] == pytest.approx(alone.nulls["rotated"], abs=1e-9)


def test_a_single_active_dimension_has_no_rotated_null_and_says_so() -> None:
    z = CODES * [1.0, 1e-3, 1e-3]
    found = score(z, FACTORS, variance=np.full(z.shape, 0.9), metrics=["mig"], resamples=20).scores["mig"]
    assert "rotated" not in found.nulls
    assert found.missing["rotated"].startswith("undefined: one dimension is active")
    assert found.aligned is None
    assert "permuted" in found.nulls
    assert found.reference is not None


def test_units_change_no_verdict() -> None:
    plain, scaled = (
        score(CODES * factor, FACTORS, metrics=["sap"], resamples=8, resample_slow=True).scores["sap"]
        for factor in (np.ones(3), np.array([10, 1, 0.1]))
    )
    assert plain.value != scaled.value, "SAP depends on the units"
    assert plain.beside["standardised"] == pytest.approx(scaled.beside["standardised"], abs=0.02)
    assert plain.nulls["rotated"] == pytest.approx(scaled.nulls["rotated"], abs=0.02)


def test_what_no_rotation_changes_is_not_judged_by_one() -> None:
    names = ["explicitness", "r2", "linear_probe", "knn_probe"]
    found = score(CODES, FACTORS, metrics=names, resamples=4, resample_slow=True).scores
    for name, each in found.items():
        assert "rotated" not in each.nulls, name
        assert each.missing["rotated"] == "no rotation changes what this metric measures"
    assert scorecard(found)["aligned"].isna().all()
    old = Score(0.5, nulls={"permuted": 0.1, "rotated": 0.6})
    assert scorecard({"r2": old})["aligned"].isna().all(), "of an earlier version"


def test_a_verdict_needs_both_nulls() -> None:
    assert Score(0.5, nulls={"permuted": 0.1, "rotated": 0.4}).aligned is True
    assert Score(0.5, nulls={"permuted": 0.6, "rotated": 0.4}).aligned is False
    assert Score(0.5, nulls={"rotated": 0.6}).aligned is False
    assert Score(0.5, nulls={"rotated": 0.4}).aligned is None
    assert Score(0.5, nulls={"permuted": 0.1, "rotated": 0.4}, beside={"standardised": 0.3}).aligned is False


def test_marginals_stay_where_they_are_asked_to() -> None:
    z = np.random.default_rng(1).exponential(size=(300, 3))
    turned = rotated([z, FACTORS[:300]], RandomState(0), marginals=True)[0]
    np.testing.assert_allclose(np.sort(turned, axis=0), np.sort(standardised([z, FACTORS[:300]])[0], axis=0))
    plain = rotated([z, FACTORS[:300]], RandomState(0))[0]
    assert all(np.corrcoef(np.argsort(np.argsort(plain[:, j])), turned[:, j])[0, 1] > 0.7 for j in range(3))
    with pytest.raises(InputError, match="one dimension is active"):
        rotated([z[:, :1], FACTORS[:300]], RandomState(0))


@pytest.mark.parametrize("name", ["irs", "jemmig"])
def test_noise_of_whatever_shape_is_seldom_called_aligned(name: str) -> None:
    """Forty codes that know nothing; 2.8 are called aligned if 7 % are. `benchmarks/coverage.py` counts 400."""
    draws = (
        lambda rng: rng.standard_t(3, (200, 3)),
        lambda rng: rng.exponential(size=(200, 3)),
        lambda rng: rng.lognormal(size=(200, 3)),
        lambda rng: rng.integers(0, 4, (200, 3)).astype(float),
    )
    called = sum(
        bool(score(draw(np.random.default_rng(seed)), FACTORS[:200], metrics=[name], resamples=39).scores[name].aligned)
        for draw in draws
        for seed in range(10)
    )
    assert called <= 6  # 5 % of 40 are 2; 7 or more happen once in 200
