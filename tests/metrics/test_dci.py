"""DCI: our booster against scikit-learn's, and against the reference library's recorded scores."""

import json
from pathlib import Path

import numpy as np
import pytest

from latentlab.analysis.score.scoring import score
from latentlab.metrics._boosting import boost
from latentlab.metrics.dci import SCIKIT_LEARN, concentration, dci

PARTS = {
    "disentanglement": "disentanglement",
    "completeness": "completeness",
    "informativeness": "informativeness_test",
    "informativeness_train": "informativeness_train",
}


BOOSTED = json.loads(Path(__file__).with_name("boosted.json").read_text(encoding="utf-8"))["factors"]


# 11,300 trees on 10,000 rows of the first set take most of a minute: the next test has a part of them.
@pytest.mark.parametrize(
    "reference", [pytest.param("betaH_dsprites", marks=pytest.mark.slow), "synthetic"], indirect=True
)
def test_conforms_on_the_arrays_as_they_stand(reference):
    found = score(*reference.rows, test=reference.test, metrics=["dci"]).scores["dci"]
    for ours, theirs in PARTS.items():
        assert found.parts[ours] == pytest.approx(reference.scores["dci"][theirs], abs=1e-3), ours
    assert found.value == found.parts["disentanglement"]


@pytest.mark.parametrize("reference", ["betaH_dsprites"], indirect=True)
@pytest.mark.parametrize("factor", BOOSTED)
def test_booster_is_scikit_learns_on_real_codes(reference, factor):
    """As `make_boosted.py` found it: many rows of few classes, and few of as many as 40."""
    wanted, column = BOOSTED[factor], int(factor)
    z, v = (each[: wanted["rows"]] for each in reference.rows)
    classes, y = np.unique(v[:, column], return_inverse=True)
    [ours] = boost(z, [y], reference.test[0])
    np.testing.assert_allclose(ours.importances, wanted["importances"], atol=1e-6)
    assert (ours.train == y).mean() == pytest.approx(wanted["train"], abs=1e-9)
    assert (classes[ours.test] == reference.test[1][:, column]).mean() == pytest.approx(wanted["test"], abs=1e-9)


@pytest.mark.parametrize("classes", [2, 5])
def test_booster_is_scikit_learns(classes):
    from sklearn.ensemble import GradientBoostingClassifier

    random = np.random.default_rng(classes)
    z = random.normal(size=(1500, 4)).astype(np.float32)
    signal = z[:, 0] + 0.5 * z[:, 1] ** 2 + random.normal(scale=0.3, size=1500)
    y = np.digitize(signal, np.quantile(signal, np.arange(1, classes) / classes))
    model = GradientBoostingClassifier(**SCIKIT_LEARN, random_state=0).fit(z[:1000], y[:1000])
    [ours] = boost(z[:1000], [y[:1000]], z[1000:])
    np.testing.assert_allclose(ours.importances, model.feature_importances_, atol=1e-6)
    assert (ours.train == model.predict(z[:1000])).all()
    assert (ours.test == model.predict(z[1000:])).all()


def test_same_bits_on_any_number_of_threads():
    random = np.random.default_rng(0)
    z = random.normal(size=(300, 3))
    targets = [random.integers(0, 3, 300), (z[:, 1] > 0).astype(int), random.integers(0, 7, 300), z[:, 0].round() % 2]
    targets = [np.unique(each, return_inverse=True)[1] for each in targets]
    alone = [boost(z, [target], z, threads=1)[0] for target in targets]
    for threads in (1, 2, 3):
        for a, b in zip(boost(z, targets, z, threads=threads), alone, strict=True):
            assert a.importances.tobytes() == b.importances.tobytes()
            assert (a.train == b.train).all()
            assert (a.test == b.test).all()


def test_constant_codes_have_no_importance_and_guess_the_commonest_class():
    y = np.array([0, 0, 1, 2] * 10)
    [found] = boost(np.ones((40, 2)), [y], np.ones((4, 2)))
    assert found.importances.tolist() == [0, 0]
    assert found.test.tolist() == [0, 0, 0, 0]


def test_entropy_bounds():
    np.testing.assert_allclose(concentration(np.array([[1.0, 0, 0], [1, 1, 1]])), [1, 0], atol=1e-9)


def test_estimators_agree_and_missing_labels_are_left_out():
    random = np.random.default_rng(1)
    v = random.integers(0, 4, size=(900, 2)).astype(float)
    z = v + random.normal(scale=0.4, size=v.shape)
    v[::7, 0] = np.nan
    ours, theirs = (dci(z[:600], v[:600], z[600:], v[600:], estimator=e) for e in ("compiled", "sklearn"))
    for part, value in theirs.parts.items():
        assert ours.parts[part] == pytest.approx(value, abs=1e-6), part
