"""A detector's number is what it says, and brightness, scale or a collapsed decoder cannot win it."""

import json
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from latentlab.analysis.outliers.measure import (
    areas,
    at_equal_intensity,
    best_baseline,
    beyond,
    detect,
    mahalanobis,
    matched_pairs,
    model_scores,
    wilson,
)
from latentlab.analysis.outliers.record import load_outliers
from latentlab.codes.codes import Codes
from latentlab.data.kinds.image import constant_images, image_scores
from latentlab.errors import InputError
from latentlab.runs.run import Run


def values(seed: int = 0, n: int = 400, shift: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=n).round(1), rng.normal(shift, size=n).round(1)  # rounded: with ties


def test_areas_agree_with_an_independent_implementation():
    own, foreign = values()
    truth, score = np.r_[np.zeros(len(own)), np.ones(len(foreign))], np.r_[own, foreign]
    assert areas(own, foreign) == pytest.approx((roc_auc_score(truth, score), average_precision_score(truth, score)))


def test_areas_do_not_depend_on_how_many_rows_a_side_has():
    own, foreign = values()
    assert areas(np.tile(own, 5), foreign) == pytest.approx(areas(own, foreign))


def test_what_knows_nothing_is_a_half_and_turned_round_is_one_less():
    own, foreign = values()
    assert areas(own, own)[0] == pytest.approx(0.5)
    assert areas(np.zeros(9), np.zeros(4)) == pytest.approx((0.5, 0.5))
    assert areas(-own, -foreign)[0] == pytest.approx(1 - areas(own, foreign)[0])
    assert areas(np.exp(own), np.exp(foreign)) == pytest.approx(areas(own, foreign))


def test_intervals_hold_the_value_and_narrow_with_rows():
    widths = []
    for n in (100, 1600):
        own, foreign = values(n=n)
        found = detect({"intensity": own, "x": own}, {"intensity": own, "x": foreign})["x"]
        low, high = found.auroc_interval
        assert low < found.auroc < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 2.5


def test_a_score_that_is_brightness_loses_everything_at_equal_brightness():
    rng = np.random.default_rng(0)
    own, foreign = rng.random(4000) * 0.5, 0.3 + rng.random(4000) * 0.5
    found = detect({"intensity": own, "x": 3 * own}, {"intensity": foreign, "x": 3 * foreign})
    assert found["x"].auroc > 0.85
    assert found["x"].matched == pytest.approx(0.5, abs=0.05)
    assert beyond(found) == ()


@given(st.integers(0, 10_000), st.sampled_from([np.exp, np.negative, np.cbrt, np.round]), st.floats(0.6, 1.5))
@settings(max_examples=25, deadline=None)
def test_no_function_of_brightness_wins_at_equal_brightness(seed, function, power):
    """Whatever the densities: where they slope, most pairs lean to one side, and the statistic evens that out."""
    rng = np.random.default_rng(seed)
    own, foreign = rng.random(600) ** power, rng.random(500) ** (1 / power)
    found = detect({"intensity": own, "x": function(own)}, {"intensity": foreign, "x": function(foreign)}, draws=2)
    for name in ("intensity", "x"):
        assert found[name].matched is not None
        low, high = found[name].matched_interval
        assert found[name].matched == pytest.approx(0.5, abs=0.05 if function is np.round else 1e-12)
        assert low < 0.5 < high


def test_the_rows_of_a_pair_are_compared_with_each_other():
    """Foreign rows score a little lower than the own row beside them, in sets whose brightness spreads the scores."""
    rng = np.random.default_rng(0)
    own, foreign = rng.random(1500), rng.random(1500)
    scores = [{"intensity": x, "x": 10 * x - shift} for x, shift in ((own, 0.0), (foreign, 0.5))]
    found = detect(*scores, draws=2)["x"]
    left, right = matched_pairs(own, foreign)
    assert areas(scores[0]["x"][left], scores[1]["x"][right])[0] == pytest.approx(0.45, abs=0.02), "all cross pairs"
    assert found.matched == 0.0
    assert 0.4 < found.brighter < 0.6


def test_pairs_that_lean_to_one_side_are_not_compared():
    own = np.linspace(0, 1, 200)
    found = detect({"intensity": own}, {"intensity": own + 0.001}, draws=2)["intensity"]
    assert (found.matched, found.matched_interval) == (None, None)
    assert (found.pairs, found.brighter) == (200, 1.0)


def test_wilson_is_the_textbooks_interval():
    from scipy.stats import binomtest

    for hits, count in ((0, 50), (13, 60), (400, 400)):
        low, high = binomtest(hits, count).proportion_ci(method="wilson")
        assert wilson(hits / count, count) == pytest.approx((low, high), abs=1e-6)


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.3])
def test_the_interval_at_equal_brightness_covers(shift):
    """The whole procedure, rows drawn, paired and compared, 400 times; the truth is that of a large sample."""
    rng = np.random.default_rng(1)

    def once(n):
        own, foreign = rng.random(n) ** 1.3, rng.random(n) ** 0.8
        left, right = matched_pairs(own, foreign)
        noise = rng.normal(scale=0.1, size=(2, len(left)))
        return at_equal_intensity(
            own[left] + noise[0], foreign[right] + shift + noise[1], np.sign(foreign[right] - own[left])
        )

    truth = once(200_000)[0]
    held = [low <= truth <= high for _, (low, high) in (once(300) for _ in range(400))]
    assert 0.92 <= np.mean(held) <= 0.985


def test_entries_from_before_pairs_were_compared_keep_everything_else(toy_study, tmp_path):
    """In an older file ``matched`` compared all rows of both sets; it is not shown as what it is today."""
    run = toy_study["beta-4-seed-0"]
    kept = json.loads((run.path / "outliers.json").read_text())
    for entry in kept["entries"].values():
        for each in entry["scores"].values():
            del each["brighter"]
            each["matched"], each["matched_interval"] = 0.9, (0.8, 0.95)
    copied = tmp_path / "run"
    shutil.copytree(run.path, copied)
    (copied / "outliers.json").write_text(json.dumps(kept))
    [entry] = load_outliers(Run(copied)).values()
    assert {each["matched"] for each in entry["scores"].values()} == {None}
    assert all(0 <= each["auroc"] <= 1 for each in entry["scores"].values())


def test_pairs_are_used_once_and_lie_within_the_caliper():
    rng = np.random.default_rng(0)
    own, foreign = rng.random(300), rng.random(200) * 2
    left, right = matched_pairs(own, foreign, 0.01)
    assert len(set(left)) == len(left) == len(set(right)) > 50
    assert np.abs(own[left] - foreign[right]).max() <= 0.01


def pictures(n: int, level: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, level, (n, 1, 8, 8)).astype(np.uint8)


def test_a_collapsed_decoder_cannot_beat_the_baselines():
    """Its distortion is the cross-entropy against one picture: the baseline called mean image, to the letter."""
    own, foreign = pictures(300, 120, 0), pictures(300, 255, 1)
    mean = own.mean(axis=0) / 255
    sides = {}
    for name, images in (("own", own), ("foreign", foreign)):
        x, p = images.reshape(len(images), -1) / 255, mean.ravel()
        distortion = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1)
        codes = Codes(np.zeros((300, 2), "f4"), np.ones((300, 2), "f4"), distortion=distortion.astype("f4"))
        sides[name] = (codes, image_scores(images, mean))
    scores = {name: {**model_scores(codes, sides["own"][0]), **images} for name, (codes, images) in sides.items()}
    found = detect(scores["own"], scores["foreign"])
    assert found["distortion"].auroc > 0.99
    assert found["distortion"].auroc == pytest.approx(found["mean image"].auroc, abs=1e-6)
    assert found["rate"].auroc == found["Mahalanobis"].auroc == 0.5
    assert beyond(found) == ()


def test_a_baseline_that_is_turned_round_knows_as_much():
    own, foreign = values(shift=-3)
    found = detect({"intensity": own, "x": own}, {"intensity": foreign, "x": foreign})
    name, value, bar = best_baseline(found)
    assert name == "intensity"
    assert value == pytest.approx(1 - found["intensity"].auroc)
    assert bar > value


def test_mahalanobis_does_not_change_with_rotation_or_scale():
    rng = np.random.default_rng(0)
    mean = (rng.normal(size=(500, 3)) @ rng.normal(size=(3, 3))).astype("f4")
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    base = mahalanobis(Codes(mean[:50]), Codes(mean))
    for change in (turn, np.diag([1e3, 1e-3, 5.0]), turn @ np.diag([100, 0.1, 3.0])):
        other = (mean @ change).astype("f4")
        np.testing.assert_allclose(mahalanobis(Codes(other[:50]), Codes(other)), base, rtol=2e-3)
    assert (base**2).mean() == pytest.approx(3, rel=0.5)


def test_mahalanobis_of_a_collapsed_code_is_zero_and_dead_dimensions_do_not_count():
    rng = np.random.default_rng(0)
    mean = rng.normal(size=(200, 2)).astype("f4")
    narrow = np.hstack([mean, rng.normal(scale=1e-3, size=(200, 1)).astype("f4")])
    ones = np.ones_like(narrow)
    np.testing.assert_allclose(
        mahalanobis(Codes(narrow, ones), Codes(narrow, ones)), mahalanobis(Codes(mean), Codes(mean))
    )
    assert (mahalanobis(Codes(mean * 0, ones[:, :2]), Codes(mean * 0, ones[:, :2])) == 0).all()


def test_typicality_calls_too_easy_foreign_and_an_autoencoder_has_no_rate():
    reference = Codes(np.zeros((4, 1), "f4"), distortion=np.array([9, 10, 11, 10], "f4"))
    easy = Codes(np.zeros((2, 1), "f4"), distortion=np.array([1, 10], "f4"))
    found = model_scores(easy, reference)
    assert found.keys() == {"distortion", "typicality", "Mahalanobis"}
    assert found["typicality"].tolist() == [9, 0]
    assert found["distortion"][0] < found["distortion"][1]


def test_image_scores_say_what_they_say():
    images = constant_images((1, 28, 28))
    found = image_scores(images, np.full((1, 28, 28), 0.25))
    np.testing.assert_allclose(found["intensity"], np.arange(256) / 255)
    noise = image_scores(pictures(1, 255, 0).repeat(4, 2).repeat(4, 3), np.full((1, 32, 32), 0.25))
    assert noise["complexity"][0] > found["complexity"].max()
    assert found["mean image"][0] == pytest.approx(-784 * np.log(0.75))


def test_rows_without_a_distortion_and_unequal_scores_are_refused():
    codes = Codes(np.zeros((2, 1), "f4"))
    with pytest.raises(InputError, match="have no distortion"):
        model_scores(codes, codes)
    with pytest.raises(InputError, match="expected equal names"):
        detect({"intensity": np.zeros(2)}, {"x": np.zeros(2)})
