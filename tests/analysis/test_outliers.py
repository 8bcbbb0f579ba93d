"""A detector's number is what it says, and brightness, scale or a collapsed decoder cannot win it."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from latentlab.analysis.outliers.measure import (
    areas,
    best_baseline,
    beyond,
    constant_images,
    detect,
    image_scores,
    mahalanobis,
    matched_pairs,
    model_scores,
)
from latentlab.codes.codes import Codes
from latentlab.errors import InputError


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
