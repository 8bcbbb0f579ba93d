"""Profile `guard` gives what the suite's definitions give, and what was published of them."""

import numpy as np
import pytest
from numpy.random import default_rng
from scipy.optimize import linear_sum_assignment
from scipy.stats import entropy
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.feature_selection import mutual_info_classif
from sklearn.metrics import mutual_info_score

from latentlab.analysis.score.scoring import score
from latentlab.metrics import _worlds as worlds

NAMES = ("mcc", "r2", "dci", "mig", "infomec")


def guard(z, v, *names):
    found = score(z, v, metrics=names, profile="guard")
    assert not found.skipped
    assert {each.settings["profile"] for each in found.scores.values()} == {"guard@1"}
    return {name: each.value for name, each in found.scores.items()}


def bins(columns):
    return np.stack([np.digitize(each, np.histogram(each, 20)[1][:-1]) for each in columns.T], axis=1)


def by_hand(z, v):
    """The suite's formulas, by loops."""
    k, d = v.shape[1], z.shape[1]
    correlation = np.abs(np.corrcoef(v, z, rowvar=False)[:k, k:])
    weights = np.linalg.lstsq(z, v, rcond=None)[0]
    fit = 1 - ((v - z @ weights) ** 2).mean(axis=0) / v.var(axis=0)
    bz, bv = bins(z), bins(v)
    nats = np.array([[mutual_info_score(bv[:, j], bz[:, i]) for j in range(k)] for i in range(d)])
    spread = np.array([entropy(np.unique(each, return_counts=True)[1]) for each in bv.T])
    best = -np.sort(-nats, axis=0)
    cut = int(0.8 * len(z))
    models = [GradientBoostingRegressor(random_state=0).fit(z[:cut], v[:cut, j]) for j in range(k)]
    importance = np.stack([each.feature_importances_ for each in models], axis=1)
    pure = 1 - entropy(importance.T + 1e-12, base=k, axis=0)
    share = np.stack([mutual_info_classif(z, each, n_neighbors=10, random_state=0) for each in bv.T], axis=1) / spread
    share = share[np.ptp(z, axis=0) > np.ptp(z, axis=0).max() / 20]
    share = share[share.sum(axis=1) > 0]
    return {
        "mcc": correlation[linear_sum_assignment(-correlation)].mean(),
        "r2": np.clip(fit, 0, 1).mean(),
        "dci": (pure * importance.sum(axis=1)).sum() / importance.sum(),
        "mig": ((best[0] - best[1]) / spread).mean(),
        "infomec": ((share.max(axis=1) / share.sum(axis=1)).mean() - 1 / k) / (1 - 1 / k),
    }


@pytest.mark.parametrize(
    ("factors", "codes"),
    [("derived", "mixed"), ("independent", "reduced"), ("correlated", "circled"), ("copied", "uniform")],
)
def test_each_value_is_that_of_the_definitions(factors, codes):
    random = default_rng(4)
    v = worlds.FACTORS[factors](random, 400, 5)
    z = worlds.CODES[codes](random, v) + 0.3
    expected = by_hand(z, v)
    assert guard(z, v, *NAMES) == {name: pytest.approx(expected[name], abs=1e-6) for name in NAMES}


def means(encode, *names, k=5, sets=3):
    values = []
    for seed in range(sets):
        random = default_rng([seed, 6])
        v = worlds.independent(random, 1000, k)
        values.append(guard(encode(random, v), v, *names))
    return {name: float(np.mean([each[name] for each in values])) for name in names}


def test_noise_looks_modular():
    """Published: InfoM of noise 0.56 to 0.70 at any n."""
    assert 0.5 <= means(worlds.gaussian, "infomec", sets=6)["infomec"] <= 0.72


def test_missing_factors_do_not_lower_mcc():
    """Published, one of ten factors kept: MCC 1.00, R² 0.1, InfoM 0.95 (here 0.98)."""
    one = means(lambda random, v: 2 * v[:, -1:], "mcc", "r2", "infomec", k=10)
    assert one == {
        "mcc": pytest.approx(1),
        "r2": pytest.approx(0.1, abs=0.01),
        "infomec": pytest.approx(0.97, abs=0.03),
    }


def test_sine_and_cosine_codes_score_as_published():
    """Published: MIG 0.16, MCC 0.92, DCI-D 0.98 (here 0.96 over three seeds)."""
    found = means(worlds.circled, "mig", "mcc", "dci")
    assert found["mig"] == pytest.approx(0.16, abs=0.04)
    assert found["mcc"] == pytest.approx(0.92, abs=0.02)
    assert found["dci"] == pytest.approx(0.98, abs=0.025)


def test_lossless_mixing_scores_as_published():
    """Published: R² 1.00, MCC 0.69, MIG 0.05; the mixing matrix is random."""
    found = means(worlds.mixed, "r2", "mcc", "mig", sets=8)
    assert found["r2"] == pytest.approx(1, abs=1e-6)
    assert found["mcc"] == pytest.approx(0.69, abs=0.05)
    assert found["mig"] == pytest.approx(0.05, abs=0.03)


def test_no_interval_is_shown_for_rows_as_they_stand():
    random = default_rng(0)
    v = worlds.independent(random, 600, 3)
    found = score(v, v, metrics=["r2", "mcc"], profile="guard", resamples=20, resample_slow=True)
    assert found.scores["r2"].interval is None
    assert "its intervals were not simulated" in found.scores["r2"].missing["interval"]
    assert found.scores["r2"].settings["rows_from"].endswith("600 to train on, 600 to test on")
