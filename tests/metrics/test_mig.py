"""MIG against the reference library's value, and against scikit-learn's mutual information."""

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from latentlab.analysis.score.scoring import score
from latentlab.metrics.mig import mig


def test_conforms_on_the_arrays_as_they_stand(reference):
    assert mig(*reference.rows).value == pytest.approx(reference.scores["mig"]["discrete_mig"], rel=1e-9)


def test_conforms_when_drawn_from_the_grid_by_protocol(reference):
    found = score(reference.codes, grid=reference.grid, metrics=["mig"]).scores["mig"]
    assert found.value == pytest.approx(reference.scores["mig"]["discrete_mig"], rel=1e-9)
    assert found.settings["profile"] == "dlib@1"


def test_information_is_scikit_learns_on_digitised_codes():
    random = np.random.default_rng(3)
    codes, factors = random.normal(size=(500, 3)), random.integers(0, 5, size=(500, 2))
    codes[:, 0] += factors[:, 0]
    bins = [np.digitize(z, np.histogram(z, 20)[1][:-1]) for z in codes.T]
    expected = [[mutual_info_score(v, z) for v in factors.T] for z in bins]
    np.testing.assert_allclose(mig(codes, factors).matrix, expected, rtol=1e-10)


def test_missing_labels_leave_rows_out_of_that_factor_only():
    random = np.random.default_rng(0)
    factors = random.integers(0, 4, size=(400, 2)).astype(float)
    codes = factors + random.normal(scale=0.3, size=(400, 2))
    whole = mig(codes, factors)
    factors[::3, 0] = np.nan
    part = mig(codes, factors)
    assert part.per_factor["1"] == whole.per_factor["1"]
    assert part.per_factor["0"] != whole.per_factor["0"]


def test_more_rows_than_a_block_count_alike():
    random = np.random.default_rng(1)
    factors = random.integers(0, 3, size=(70_000, 1))
    codes = random.normal(size=(70_000, 2)) + factors
    bins = [np.digitize(z, np.histogram(z, 20)[1][:-1]) for z in codes.T]
    np.testing.assert_allclose(
        mig(codes, factors).matrix[:, 0], [mutual_info_score(factors[:, 0], z) for z in bins], rtol=1e-10
    )
