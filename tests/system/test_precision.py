"""Masks, large whole numbers and codes of any magnitude: the same scores, or one line."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentlab.analysis.score.scoring import Scores, score
from latentlab.codes.codes import Codes
from latentlab.codes.h5ad import save_codes
from latentlab.data import load
from latentlab.errors import InputError
from latentlab.system.precision import NARROW, WIDE, exact_levels, unmasked
from latentlab.training.row_weights import weights_of

RNG = np.random.default_rng(0)
FACTORS = np.stack(np.unravel_index(np.arange(120), (3, 5, 8)), 1)
CODES = np.column_stack([FACTORS[:, [1, 0]] + 0.3 * RNG.normal(size=(120, 2)), RNG.normal(size=120)])
FREE = (  # of scale and offset
    "mig", "modularity", "infomec", "irs", "unsupervised", "r2", "knn_probe", "dcimig", "smi", "spn", "snc", "t_mex",
    "factorised_support", "infomec_continuous",
)  # fmt: skip
TRAINED = ("dci", "sap", "beta_vae", "factor_vae", "linear_probe")


def scored(codes: Any, factors: Any = FACTORS, metrics: tuple[str, ...] = FREE, **options: Any) -> Scores:
    found = score(codes, factors, metrics=metrics, **options)
    assert not found.skipped
    return found


def values(found: Scores) -> dict[str, float]:
    return {name: each.value for name, each in found.scores.items()}


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("scale", [1e-310, 1e-69, 1e-30, 1e-16, 1e-12, 1e-6, 1e6, 1e13, 1e16, 1e30, 1e68, 1e160, 1e300])
def test_codes_of_any_magnitude_are_scored_or_refused(scale: float, kind: str) -> None:
    """Metrics that compute in 32 bits, or by solvers with absolute tolerances, refuse before the others do."""
    with np.errstate(over="ignore", under="ignore"):
        codes = (CODES * scale).astype(kind)
    if not codes.any() or (kind == "f4" and 0 < scale < 1e-37):  # nothing is left, or a few digits
        return
    if not np.isfinite(codes).all() or not WIDE[1] < scale < WIDE[0] / 10:
        with pytest.raises(InputError, match=r"standardise them|NaN or infinity") as caught:
            scored(codes)
        assert len(str(caught.value)) <= 200
        return
    narrow = NARROW[1] < scale < NARROW[0] / 10
    found = score(codes, FACTORS, metrics=(*FREE, *TRAINED))
    assert found.skipped.keys() == (set() if narrow else {"infomec", "dci", "beta_vae"})
    free = {name: value for name, value in values(found).items() if name in FREE}
    expected = {name: value for name, value in values(scored(CODES)).items() if name in free}
    del free["unsupervised"], expected["unsupervised"]  # of its parts one has the codes' unit
    assert free == pytest.approx(expected, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("offset", [1e6, -1e7, 1e12, -1e14])
def test_codes_far_from_0_are_refused(offset: float) -> None:
    with pytest.raises(InputError, match="subtract its mean"):
        scored(CODES + offset)
    scored(CODES + 1e3)


@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e-30, 0.0])
def test_a_dimension_that_has_collapsed_is_no_trouble(scale: float) -> None:
    codes = np.column_stack([CODES, CODES[:, 2] * scale])
    scored(codes, metrics=("mig", "unsupervised", "dci", "sap", "modularity"), resamples=3)


def test_what_redraws_make_infinite_has_no_interval() -> None:
    found = scored(np.column_stack([CODES, CODES[:, 0]]), metrics=("unsupervised",), resamples=3)
    assert "interval" in found.scores["unsupervised"].missing or found.scores["unsupervised"].interval


def test_whole_numbers_above_2_53_stay_apart() -> None:
    plain = values(scored(CODES, metrics=(*FREE, "sap")))
    moves = (FACTORS + 2**60, FACTORS.astype(np.uint64) + np.uint64(2**63), FACTORS * 2**58)
    for moved in moves:
        assert values(scored(CODES, moved, metrics=(*FREE, "sap"))) == plain
    with pytest.raises(InputError, match="above 2⁵³"):
        scored(np.round(CODES * 100).astype(np.int64) + 2**60)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(2**60, 2**60 + 9), min_size=1, max_size=9))
def test_exact_levels_keep_order_and_differences(numbers: list[int]) -> None:
    levels = exact_levels(np.array(numbers, dtype=np.int64)).astype(np.float64)
    ranks = {number: i for i, number in enumerate(sorted(set(numbers)))}
    assert np.array_equal(np.unique(levels, return_inverse=True)[1], [ranks[number] for number in numbers])


def test_a_mask_means_missing(tmp_path: Path) -> None:
    hidden = np.zeros(FACTORS.shape, dtype=bool)
    hidden[[3, 50], [1, 2]] = True
    missing = np.where(hidden, np.nan, FACTORS)
    assert values(scored(CODES, np.ma.masked_array(FACTORS, hidden))) == values(scored(CODES, missing))
    assert values(scored(np.ma.masked_array(CODES), FACTORS)) == values(scored(CODES))
    with pytest.raises(InputError, match=r"NaN or infinity in 2 of 120 rows \(first in row 3, column 1\)"):
        scored(np.ma.masked_array(CODES, hidden))
    with pytest.raises(InputError, match="masked int64"):
        unmasked(np.ma.masked_array(FACTORS + 2**60, hidden), "factors")
    own = "import numpy as np\ndef f():\n    v = np.ma.masked_equal(np.arange(6).reshape(6, 1) % 3, 2)\n"
    (tmp_path / "own.py").write_text(own + "    return {'images': np.zeros((6, 4, 4), np.uint8), 'factors': v}\n")
    data = load(f"{tmp_path / 'own.py'}:f")
    np.testing.assert_array_equal(data.factors, [[0], [1], [np.nan]] * 2)
    with pytest.raises(InputError, match="1 of 6 rows"):
        weights_of(data, np.ma.masked_array(np.ones(6), [0, 0, 1, 0, 0, 0]))


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (np.array([["a", "b"]] * 3), "<U1"),
        (np.array([[1, None]] * 3), "object"),
        (np.zeros((3, 2), complex), "complex128"),
        (np.zeros((3, 2), "M8[s]"), "datetime64"),
        (np.zeros(3), r"shape \(3,\)"),
        (np.zeros((0, 3)), "0 row"),
        (np.zeros((3, 0)), r"shape \(3, 0\)"),
        (np.zeros((3, 2), [("a", "f8")]), "holds"),
    ],
)
def test_what_is_no_matrix_of_numbers(codes: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        scored(codes, np.arange(len(codes)))


def test_a_class_a_row_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        score(CODES, np.column_stack([np.arange(120), FACTORS]), resamples=2, resample_slow=False)


@pytest.mark.parametrize("wrong", [0.0, np.inf, np.nan])
def test_a_variance_without_a_rate_is_refused(tmp_path: Path, wrong: float) -> None:
    variance = np.ones((5, 2), np.float32)
    variance[3, 1] = wrong
    with pytest.raises(InputError, match=r"row 3 a posterior variance of 0, infinity or NaN") as caught:
        save_codes(tmp_path / "codes.h5ad", Codes(np.zeros((5, 2), np.float32), variance))
    assert len(str(caught.value)) <= 200
    assert not (tmp_path / "codes.h5ad").exists()
    rates = Codes(np.zeros((5, 2), np.float32), np.zeros((5, 2), np.float32)).rate  # as an old file may have it
    assert rates is not None
    assert np.isinf(rates).all()
