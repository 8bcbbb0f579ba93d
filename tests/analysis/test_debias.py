"""Weights follow what is rare in the code, not its scale, order or dead dimensions."""

import numpy as np
import pytest

from latentlab.analysis.debias.measure import commonness, effective_size
from latentlab.analysis.debias.record import save_weights
from latentlab.codes.codes import Codes
from latentlab.errors import InputError


def lopsided(n: int = 2000, share: float = 0.02, d: int = 3, seed: int = 0) -> tuple[Codes, np.ndarray]:
    """Codes in which a share of the rows lies apart in one dimension; which rows those are."""
    rng = np.random.default_rng(seed)
    mean = rng.normal(size=(n, d)).astype("f4")
    rare = rng.random(n) < share
    mean[rare, 0] += 6
    return Codes(mean, np.full_like(mean, 0.1)), rare


@pytest.mark.parametrize("combine", ["product", "maximum"])
def test_a_rare_group_is_weighed_up(combine):
    codes, rare = lopsided()
    found = commonness(codes, combine=combine)
    assert found.weights.mean() == pytest.approx(1)
    assert found.weights[rare].mean() > 2 * found.weights[~rare].mean()
    assert found.weights[rare].sum() / len(rare) > 2 * rare.mean()


@pytest.mark.parametrize("combine", ["product", "maximum"])
def test_scale_sign_and_order_of_dimensions_do_not_matter(combine):
    codes, _ = lopsided()
    turned = Codes((codes.mean * np.array([4, -8, 16]))[:, [2, 0, 1]], codes.variance)
    np.testing.assert_allclose(
        commonness(turned, combine=combine).weights, commonness(codes, combine=combine).weights, rtol=1e-9
    )


def test_dead_dimensions_do_not_count_but_an_autoencoders_do():
    codes, _ = lopsided()
    dead = np.random.default_rng(1).normal(scale=0.01, size=(len(codes), 4)).astype("f4")
    wider = Codes(np.hstack([codes.mean, dead]), np.full((len(codes), 7), 0.1, "f4"))
    np.testing.assert_array_equal(commonness(wider).weights, commonness(codes).weights)
    assert commonness(wider).dimensions == (0, 1, 2)
    assert len(commonness(Codes(wider.mean)).dimensions) == 7


@pytest.mark.parametrize("combine", ["product", "maximum"])
def test_a_collapsed_code_weighs_every_row_alike(combine):
    found = commonness(Codes(np.zeros((50, 2), "f4"), np.ones((50, 2), "f4")), combine=combine)
    np.testing.assert_array_equal(found.weights, np.ones(50))
    assert found.effective == pytest.approx(50)


def test_the_formula_on_a_case_done_by_hand():
    """Nine rows in one bin, one in another: w ∝ 1 / (share + α)."""
    codes = Codes(np.r_[np.zeros(9), 1.0].astype("f4")[:, None], np.full((10, 1), 0.1, "f4"))
    weights = commonness(codes, bins=2, smoothing=0.1).weights
    assert weights[-1] / weights[0] == pytest.approx((0.9 + 0.1) / (0.1 + 0.1))


def test_smoothing_evens_weights_and_one_stray_code_does_not_squeeze_the_rest():
    codes, rare = lopsided()
    sizes = [commonness(codes, smoothing=alpha).effective for alpha in (0.001, 0.01, 0.1, 1.0)]
    assert sizes == sorted(sizes)
    stray = codes.mean.copy()
    stray[0, 0] = 1e6
    found = commonness(Codes(stray, codes.variance)).weights
    assert found[rare][1:].mean() > 2 * found[~rare].mean()


def test_effective_size_is_n_for_equal_weights_and_one_for_one_row():
    assert effective_size(np.full(7, 3.0)) == pytest.approx(7)
    assert effective_size(np.eye(7)[0]) == pytest.approx(1)


def test_weights_lie_by_row_id(tmp_path):
    codes, _ = lopsided(n=100)
    part = Codes(codes.mean[:3], codes.variance[:3], row_ids=np.array([4, 1, 2]))
    found = commonness(part)
    save_weights(tmp_path / "w.npy", found)
    read = np.load(tmp_path / "w.npy", allow_pickle=False)
    np.testing.assert_array_equal(read[[4, 1, 2]], found.weights)
    assert np.isnan(read[[0, 3]]).all()


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: commonness(Codes(np.zeros((1, 2), "f4"))), "at least two"),
        (lambda: commonness(lopsided()[0], bins=1), "2 to 1,000 bins"),
        (lambda: commonness(lopsided()[0], smoothing=0.0), "0 < smoothing"),
    ],
)
def test_wrong_input_is_one_line(make, match):
    with pytest.raises(InputError, match=match) as error:
        make()
    assert len(str(error.value)) < 200
