"""Few-label curves: laws of what they must and must not see."""

import numpy as np
import pytest
from pydantic import TypeAdapter

from latentlab.analysis.probe.measure import Curve, few_label_curve, recalls
from latentlab.codes.codes import Codes
from latentlab.data.dataset import Factor
from latentlab.errors import InputError


def coded(n: int = 900, noise: float = 0.5, seed: int = 0) -> Codes:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    mean = np.hstack([np.eye(3)[labels], np.zeros((n, 2))]) + rng.normal(scale=noise, size=(n, 5))
    return Codes(mean.astype("f4"), np.full((n, 5), 0.1, "f4"), labels=labels)


@pytest.mark.parametrize("estimator", ["linear", "knn"])
def test_more_labels_help_and_noise_stays_at_chance(estimator):
    found = few_label_curve(coded(), estimator=estimator, sizes=(2, 20, 100))
    assert found.accuracy[0] < found.accuracy[2]
    assert found.low[0] <= found.accuracy[0] <= found.high[0]
    rng = np.random.default_rng(0)
    noise = Codes(rng.normal(size=(900, 5)).astype("f4"), labels=coded().labels)
    assert few_label_curve(noise, estimator=estimator, sizes=(50,)).accuracy[0] == pytest.approx(1 / 3, abs=0.06)


@pytest.mark.parametrize("estimator", ["linear", "knn"])
def test_a_collapsed_code_is_at_chance_however_many_labels(estimator):
    codes = coded()
    dead = Codes(codes.mean * 1e-3, codes.variance, labels=codes.labels)
    assert few_label_curve(dead, estimator=estimator, sizes=(100,)).accuracy[0] == pytest.approx(1 / 3)
    assert few_label_curve(dead, estimator=estimator, sizes=(100,)).dimensions == 0


@pytest.mark.parametrize("estimator", ["linear", "knn"])
def test_scale_order_and_dead_dimensions_do_not_matter(estimator):
    codes = coded()
    scaled = Codes(codes.mean[:, ::-1] * np.array([8, 1, 4, 2, 0.5], "f4"), codes.variance, labels=codes.labels)
    dead = np.random.default_rng(1).normal(scale=0.01, size=(900, 6)).astype("f4")
    wider = Codes(np.hstack([codes.mean, dead]), np.full((900, 11), 0.1, "f4"), labels=codes.labels)
    base = few_label_curve(codes, estimator=estimator, sizes=(5, 50)).accuracy
    for other in (scaled, wider):
        assert few_label_curve(other, estimator=estimator, sizes=(5, 50)).accuracy == pytest.approx(base, abs=0.01)


def test_a_classifier_of_the_commonest_class_alone_gains_nothing():
    """One class has 90 % of the rows; a code that knows nothing still scores a half."""
    rng = np.random.default_rng(0)
    codes = Codes(rng.normal(size=(2000, 2)).astype("f4"), labels=(rng.random(2000) < 0.1).astype(np.int64))
    assert few_label_curve(codes, sizes=(20,)).accuracy[0] == pytest.approx(0.5, abs=0.07)


def test_equal_seeds_give_equal_rows_to_any_code():
    assert few_label_curve(coded(), seed=3) == few_label_curve(coded(), seed=3)
    assert few_label_curve(coded(), seed=3) != few_label_curve(coded(), seed=4)


def test_classes_are_told_apart_whatever_their_numbers():
    codes = coded()
    other = Codes(codes.mean, codes.variance, labels=codes.labels * 2 - 1)
    assert few_label_curve(other, sizes=(5, 20)) == few_label_curve(codes, sizes=(5, 20))


def test_a_factor_can_take_the_place_of_the_label_and_missing_ones_are_left_out():
    codes = coded()
    factors = codes.labels[:, None].astype(float)
    factors[::10] = np.nan
    found = few_label_curve(Codes(codes.mean, codes.variance, factors, (Factor("shape"),)), sizes=(50,))
    assert found.factor == "shape"
    assert found.accuracy[0] > 0.7
    assert found.tested == 270


def test_sizes_that_the_rarest_class_cannot_fill_are_left_out():
    codes = coded(n=60)
    assert few_label_curve(codes, sizes=(1, 5, 5000)).sizes == (1, 5)
    with pytest.raises(InputError, match="expected more per class"):
        few_label_curve(codes, sizes=(5000,))


def test_a_curve_survives_json():
    found = few_label_curve(coded(), sizes=(1, 5))
    assert TypeAdapter(Curve).validate_python(found.to_json()) == found


def test_recalls():
    assert recalls(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2])) == {0: 1.0, 1: 0.5, 2: 1.0}


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: few_label_curve(Codes(np.zeros((9, 1), "f4"))), "no labels and no categorical or ordinal factor"),
        (lambda: few_label_curve(coded(), factor="shade"), "they have: label"),
        (lambda: few_label_curve(coded(), estimator="forest"), "no estimator is called 'forest'"),
    ],
)
def test_wrong_input_is_one_line(make, match):
    with pytest.raises(InputError, match=match):
        make()
