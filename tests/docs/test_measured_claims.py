"""Numbers about the metrics that the documentation states are measured here again."""

import numpy as np
import pytest
from conftest import ROOT

from latentlab.analysis.debias.measure import commonness
from latentlab.analysis.score.scoring import score
from latentlab.codes.codes import Codes
from latentlab.metrics import index_code_mi, infomec, irs, jemmig, mig

DSPRITES = (3, 6, 40, 32, 32)


def page(name):
    return " ".join((ROOT / "docs" / name).read_text(encoding="utf-8").split())


def test_the_mig_of_a_perfect_code_of_dsprites():
    v = np.stack(np.unravel_index(np.arange(np.prod(DSPRITES)), DSPRITES), axis=1).astype(np.float32)
    drawn = score(v, grid=DSPRITES, metrics=["mig"]).scores["mig"].value
    assert (round(drawn, 3), round(mig(v, v).value, 3)) == (0.896, 0.902)
    assert "MIG 0.896 on 10,000 sampled rows and 0.902 on the full grid" in page("scores.md")
    assert "a perfect code has 0.90 with 20 bins on dSprites" in page("scores/information.md")


@pytest.mark.parametrize(
    ("noise", "value", "spread"), [("normal", 0.37, 0.02), ("uniform", 0.01, 0.01), ("standard_t", 0.84, 0.08)]
)
def test_the_irs_of_noise(noise, value, spread):
    random = np.random.default_rng(0)
    options = {"df": 3} if noise == "standard_t" else {}
    levels = np.stack([random.integers(size, size=10_000) for size in DSPRITES], axis=1)
    found = irs(getattr(random, noise)(size=(10_000, 10), **options), levels).value
    assert found == pytest.approx(value, abs=spread)
    assert f"{value:.2f} if" in page("scores/interventions.md")


@pytest.mark.parametrize("bins", [5, 10, 40])
def test_jemmig_of_the_factors_themselves_is_one(bins):
    v = np.tile(np.stack(np.unravel_index(np.arange(60), (3, 4, 5)), axis=1), (4, 1))
    assert jemmig(v.astype(float), v, bins=bins).value == pytest.approx(1)


def test_weighted_estimates_are_off_by_whole_logarithms_of_n():
    """Posteriors that do not overlap at all, every row drawn: the exact aggregate posterior is known."""
    n, d = 100, 3
    mean = 1e3 * np.random.default_rng(0).permuted(np.tile(np.arange(n)[:, None], d), axis=0)
    parts = index_code_mi(mean, np.full((n, d), 1e-4), rows=n).parts
    off = {name: parts[f"weighted_{name}"] - parts[name] for name in ("mutual_information", "total_correlation")}
    off["dimension_wise_kl"] = parts["weighted_dimension_wise_kl"] - parts["dimension_wise_kl"]
    expected = {"mutual_information": 1, "total_correlation": d - 1, "dimension_wise_kl": -d}
    assert off == pytest.approx({name: factor * np.log(n) for name, factor in expected.items()}, rel=1e-6)


def test_infoe_is_over_log_k():
    """A code that knows nothing is as good as guessing among K classes, however unequal they are."""
    random = np.random.default_rng(0)
    v = np.column_stack([random.choice(4, 4000, p=[0.85, 0.05, 0.05, 0.05]), random.choice(2, 4000)])
    z = random.normal(size=(4000, 3))
    assert infomec(z, v, z, v, estimator="binned").parts["explicitness"] == pytest.approx(0, abs=0.01)


def test_the_bias_of_mmd_between_equal_distributions():
    random, n, d = np.random.default_rng(0), 64, 10

    def kernel(a, b):
        return np.exp(-((a[:, None] - b[None]) ** 2).sum(axis=2) / (2 * d)).mean()

    found = []
    for _ in range(300):
        x, y = random.normal(size=(2, n, d))
        found.append(kernel(x, x) + kernel(y, y) - 2 * kernel(x, y))
    expected = 2 / n * (1 - (1 + 2 / d) ** (-d / 2))
    assert np.mean(found) == pytest.approx(expected, abs=4 * np.std(found) / np.sqrt(300))
    assert round(expected, 4) == 0.0187
    assert "0.0187 at n = m = 64, d = 10" in page("objectives.md")


@pytest.mark.parametrize("alpha", [0.01, 0.1])
def test_weights_by_the_maximum_lie_within_a_known_factor(alpha):
    """Ten far rows in each dimension among thousands at one place: about as unequal as shares can be."""
    mean = np.zeros((5000, 3), "f4")
    mean[:30] = 10 * np.tile(np.eye(3), (10, 1))
    weights = commonness(Codes(mean), smoothing=alpha, combine="maximum", bins=2).weights
    assert 0.5 * (1 + alpha) / alpha < weights.max() / weights.min() <= (1 + alpha) / alpha * (1 + 1e-9)


def test_averaging_over_pixels_multiplies_beta():
    """d/D + β k has the gradient of d + (β D) k, up to the factor D."""
    d, k, pixels, beta = 120.0, 7.0, 784, 2.0
    assert pixels * (d / pixels + beta * k) == pytest.approx(d + beta * pixels * k)
    assert "multiplies the effective β by D" in page("beta.md")
    assert "*multiplies* the effective β by their number" in page("lecturers.md")
