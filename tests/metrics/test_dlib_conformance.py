"""Every metric of profile dlib against the reference library: fixed arrays as they stand, and draws from the grid."""

import pytest

from latentlab.analysis.score.scoring import score

# metric → (its entry in the reference's scores, our number → the reference's name, relative or absolute tolerance)
FIXED = {
    "mig": ("mig", {"value": "discrete_mig"}, {"rel": 1e-9}),
    "modularity": ("modularity_explicitness", {"value": "modularity_score"}, {"rel": 1e-9}),
    "irs": ("irs", {"value": "IRS"}, {"rel": 1e-9}),
    "sap": ("sap", {"value": "SAP_score"}, {"abs": 2e-4}),
    "explicitness": (
        "modularity_explicitness",
        {"value": "explicitness_score_test", "train": "explicitness_score_train"},
        {"abs": 1e-3},
    ),
    "unsupervised": (
        "unsupervised",
        {
            "value": "gaussian_total_correlation",
            "gaussian_total_correlation": "gaussian_total_correlation",
            "gaussian_wasserstein_correlation": "gaussian_wasserstein_correlation",
            "gaussian_wasserstein_correlation_norm": "gaussian_wasserstein_correlation_norm",
            "mutual_info_score": "mutual_info_score",
        },
        {"rel": 1e-9},
    ),
}
DRAWN = FIXED | {
    "factor_vae": ("factor_vae", {"value": "eval_accuracy", "train": "train_accuracy"}, {"abs": 0.0}),
    "beta_vae": ("beta_vae", {"value": "eval_accuracy", "train": "train_accuracy"}, {"abs": 1e-3}),
}


def agree(found, entry, numbers, tolerance):
    for ours, theirs in numbers.items():
        value = found.value if ours == "value" else found.parts[ours]
        assert value == pytest.approx(entry[theirs], **tolerance), theirs


@pytest.mark.parametrize("metric", FIXED)
def test_fixed_arrays_as_they_stand(reference, metric):
    theirs, numbers, tolerance = FIXED[metric]
    found = score(*reference.rows, test=reference.test, metrics=[metric]).scores[metric]
    agree(found, reference.scores[theirs], numbers, tolerance)


@pytest.mark.parametrize("metric", DRAWN)
def test_drawn_from_the_grid_by_protocol(reference, metric):
    theirs, numbers, tolerance = DRAWN[metric]
    found = score(reference.codes, grid=reference.grid, metrics=[metric]).scores[metric]
    agree(found, reference.scores[theirs], numbers, tolerance)


@pytest.mark.parametrize("metric", ["factor_vae", "beta_vae"])
def test_without_a_grid_the_draws_share_a_value_and_land_near(reference, metric):
    theirs, _, _ = DRAWN[metric]
    found = score(*reference.rows, test=reference.test, metrics=[metric]).scores[metric]
    assert found.value == pytest.approx(reference.scores[theirs]["eval_accuracy"], abs=0.03)
    assert "no grid" in found.settings["rows_from"]
