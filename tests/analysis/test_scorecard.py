"""A score and what stands beside it, in one row; what is missing is missing, not zero."""

import math

import numpy as np
from toy import toy_codes, toy_score

from latentlab.analysis.score.scorecard import scorecard
from latentlab.results import Score


def test_everything_that_a_score_holds_stands_beside_it():
    full = Score(
        0.3,
        {"disentanglement": 0.3, "completeness": 0.4},
        interval=(0.2, 0.35),
        nulls={"rotated": 0.31, "permuted": 0.01},
        ceiling=0.9,
        beside={"active": 0.32, "sampled": 0.28, "full_grid": 0.29, "overlap": 0.02},
        settings={"profile": "dlib@1", "bins": 20, "estimator": {"estimator": "LinearSVC", "C": 1}, "rows_from": "x"},
    )
    row = scorecard({"mig": full}).iloc[0]
    found = [
        row[key] for key in ("value", "low", "high", "permuted", "rotated", "ceiling", "active", "sampled", "whole")
    ]
    assert found == [0.3, 0.2, 0.35, 0.01, 0.31, 0.9, 0.32, 0.28, 0.29]
    assert row["aligned"] is False or row["aligned"] == np.False_, "turned codes reach more"
    assert row["settings"] == "dlib@1 · x · bins 20 · LinearSVC"
    assert row["parts"] == "disentanglement 0.3, completeness 0.4"
    assert row["better"] == "higher"


def test_what_was_not_computed_is_missing():
    table = scorecard(toy_score(toy_codes(4.0, 0), 4.0, 0)).set_index("metric")
    assert table.loc["mig", "aligned"]
    assert math.isnan(table.loc["mig", "ceiling"])
    assert math.isnan(table.loc["dci", "rotated"])
    assert table.loc["dci", "aligned"] is None
    assert scorecard({}).empty


def test_a_metric_of_another_version_is_shown_by_its_name():
    row = scorecard({"gone": Score(math.nan, settings={"undefined": "one factor"})}).iloc[0]
    assert row["title"] == "gone"
    assert row["settings"] == "undefined: one factor"
