"""Scoring by a profile: the three situations, and what is skipped with which reason."""

import json
import shutil

import numpy as np
import pytest
from declared import known_metrics

from latentlab.analysis.score import scoring
from latentlab.analysis.score.profiles import dlib
from latentlab.analysis.score.scoring import score, scores_from_json
from latentlab.analysis.score.stage import score_run
from latentlab.errors import InputError
from latentlab.runs.run import Run
from latentlab.system.registry import names

LEVELS = np.stack(np.unravel_index(np.arange(60), (3, 4, 5)), axis=1).astype(float)
FAST = ["mig", "modularity", "irs", "unsupervised"]


@pytest.fixture
def rows():
    v = np.tile(LEVELS, (6, 1))
    return v + np.random.default_rng(0).normal(scale=0.2, size=v.shape), v


def test_a_grid_is_drawn_by_protocol():
    found = score(LEVELS + 0.1, grid=(3, 4, 5), metrics=["mig", "explicitness"])
    assert "10000 rows drawn from the full grid of 60" in found.scores["mig"].settings["rows_from"]
    assert found.scores["explicitness"].beside["overlap"] == 1.0
    assert list(found.scores["mig"].per_factor) == ["factor_0", "factor_1", "factor_2"]


def test_given_parts_are_scored_as_they_stand(rows):
    z, v = rows
    found = score(
        z[:200], v[:200], test=(z[200:], v[200:]), metrics=["sap", "factor_vae"], factor_names=["a", "b", "c"]
    )
    assert found.scores["sap"].settings["rows"] == [200, 160]
    assert set(found.scores["sap"].per_factor) == {"a", "b", "c"}
    assert "share the factor's value" in found.scores["factor_vae"].settings["rows_from"]


def test_plain_rows_are_split_without_overlap(rows):
    found = score(*rows, metrics=["mig", "sap"])
    assert found.scores["mig"].settings["rows_from"] == "all 360 rows as given"
    assert "240 + 120 of 360 rows, split without overlap" in found.scores["sap"].settings["rows_from"]


def test_some_metrics_do_not_pay_for_the_others(rows, monkeypatch):
    computed = []
    one = scoring.score_one
    monkeypatch.setattr(scoring, "score_one", lambda name, *rest: computed.append(name) or one(name, *rest))
    score(*rows, metrics=["mig", "irs"], resamples=2)
    assert computed == ["mig", "irs"]


def test_without_factors_only_the_unsupervised_go_on(rows):
    found = score(rows[0], metrics=["mig", "unsupervised"])
    assert list(found.scores) == ["unsupervised"]
    assert found.skipped == {"mig": "needs factors; none were given"}


def test_every_metric_of_the_folder_is_scored_or_skipped_with_a_reason(rows):
    quick = [name for name in names("metrics") if name not in ("factor_vae", "beta_vae", "dci_es", "infomec")]
    found = score(*rows, metrics=quick)
    assert set(found.scores) | set(found.skipped) == set(quick)
    needs = {name: known_metrics()[name].needs for name in found.skipped}
    assert set(needs.values()) <= {"posterior", "runs", "projection"}
    assert all(found.skipped.values())


def test_one_value_is_left_out_by_name_and_the_others_go_on(rows):
    z, v = rows
    v = np.column_stack([np.zeros(len(v)), v])
    found = score(z, v, factor_names=["color", "shape", "scale", "x"], metrics=["mig"]).scores["mig"]
    assert found.settings["factors_left_out"] == ["color"]
    assert list(found.per_factor) == ["shape", "scale", "x"]


def test_data_reasons_go_to_skipped(rows):
    found = score(rows[0][:, :1], rows[1][:, :1], metrics=["mig", "dci", "modularity"])
    assert list(found.scores) == ["mig"]
    assert "at least two of each" in found.skipped["dci"]
    assert "one factor was given" in found.skipped["modularity"]
    none = score(rows[0], np.ones(len(rows[0])), metrics=["mig", "unsupervised"])
    assert "needs a factor that varies" in none.skipped["mig"]
    assert "unsupervised" in none.scores


def test_the_posterior_opens_its_metrics(rows):
    found = score(rows[0], rows[1], variance=np.full(rows[0].shape, 0.1), metrics=["rate", "dimension_types"])
    assert set(found.scores) == {"rate", "dimension_types"}


def test_kinds_count_outside_dlib_only(rows):
    z, _ = rows
    angle = np.linspace(0, 6, len(z))
    kinds = ["circular"]
    for profile in ("dlib", "ubisoft"):
        found = score(z, angle, kinds=kinds, metrics=["sap"], profile=profile).scores["sap"]
        assert found.settings["kinds"] == ["circular"]
    whole = score(z, np.tile(np.arange(6.0), 60), kinds=["continuous"], metrics=["sap"]).scores["sap"]
    assert whole.settings["kinds"] == ["categorical"]
    typed = score(z, np.tile(np.arange(6.0), 60), kinds=["continuous"], metrics=["sap"], profile="ubisoft").scores[
        "sap"
    ]
    assert typed.settings["kinds"] == ["continuous"]


def test_a_metric_outside_the_profile_keeps_circular_factors():
    """dlib makes classes of levels for its own metrics; r2 would read such classes as numbers."""
    index = np.tile(np.arange(40.0), 30)
    z = np.stack([np.cos(2 * np.pi * index / 40), np.sin(2 * np.pi * index / 40)], axis=1)
    for profile in ("dlib", "ubisoft"):
        found = score(z, index, kinds=["circular"], metrics=["r2"], profile=profile).scores["r2"]
        assert found.value == pytest.approx(1)
        assert found.settings["version"] == 2


def test_scores_of_a_metric_before_its_correction_are_computed_again(toy_study, tmp_path):
    run = Run(shutil.copytree(toy_study["beta-4-seed-0"].path, tmp_path / "run"))
    fresh = score_run(run, metrics=["mig", "rmig"], resamples=0).scores
    kept = json.loads(run.scores_path.read_text())
    assert kept["scores"]["rmig"]["settings"]["version"] == 2
    del kept["scores"]["rmig"]["settings"]["version"]
    for each in kept["scores"].values():
        each["value"] = 0.123
    run.scores_path.write_text(json.dumps(kept))
    again = score_run(run, metrics=["mig", "rmig"], resamples=0).scores
    assert again["rmig"].value == fresh["rmig"].value, "of version 1: computed again"
    assert again["mig"].value == 0.123, "as it was: kept"


def test_names_are_forgiving_of_hyphens_and_not_of_typos(rows):
    assert "factor_vae" in score(*rows, metrics=["factor-vae"]).scores
    with pytest.raises(InputError, match="did you mean 'mig'"):
        score(*rows, metrics=["migg"])
    with pytest.raises(InputError, match="no profile is called 'dlab'; did you mean 'dlib'"):
        score(*rows, profile="dlab")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"grid": (3, 4, 6)}, "grid 3×4×6 has 72 cells but codes has 360 rows"),
        ({"factors": LEVELS}, "codes has 360 rows but factors has 60; were both made from the same split"),
        ({"factors": np.ones((360, 2)), "factor_names": ["a"]}, "2 columns but 1 names"),
        ({"variance": np.ones((360, 2))}, "variance has shape"),
        ({"grid": (360,), "test": (LEVELS, LEVELS)}, "grid and test were both given"),
    ],
)
def test_arrays_that_do_not_belong_together(rows, arguments, message):
    with pytest.raises(InputError, match=message):
        score(rows[0], **arguments)


def test_json_has_the_shape_of_the_specification_and_reads_back(rows):
    found = score(*rows, metrics=FAST, resamples=5)
    text = json.dumps(found.to_json(), allow_nan=False)
    entry = json.loads(text)["scores"]["mig"]
    assert {"value", "missing", "null", "settings", "seconds"} <= set(entry)
    assert entry["missing"]["interval"] == "360 rows; its intervals cover from 2000 rows on"
    assert set(entry["null"]) == {"permuted", "permuted_mean", "rotated", "rotated_mean"}
    assert set(json.loads(text)["scores"]["unsupervised"]["parts"]) == {
        "gaussian_total_correlation",
        "gaussian_wasserstein_correlation",
        "gaussian_wasserstein_correlation_norm",
        "mutual_info_score",
    }
    again = scores_from_json(json.loads(text))
    assert again.to_json(timings=False) == found.to_json(timings=False)


def test_the_profile_is_the_published_one():
    assert dlib.VERSION == 1
    assert list(dlib.PROTOCOLS)[:3] == ["mig", "sap", "dci"]
    assert {protocol.train for protocol in dlib.PROTOCOLS.values()} == {10_000}


def test_rmig_gets_the_posterior_variance(rows):
    z, v = rows
    spread = np.full(z.shape, 0.3)
    alone, given = (score(z, v, variance=each, metrics=["rmig"], profile="ubisoft") for each in (None, spread))
    assert alone.scores["rmig"].settings["posterior"] == "mean alone"
    assert given.scores["rmig"].settings["posterior"] == "mean and variance"
    assert given.scores["rmig"].value < alone.scores["rmig"].value
    drawn = score(LEVELS + 0.1, grid=(3, 4, 5), variance=np.full(LEVELS.shape, 0.05), metrics=["rmig"], resamples=8)
    found = drawn.scores["rmig"]
    assert found.settings["posterior"] == "mean and variance"
    assert {"full_grid", "active", "sampled"} <= found.beside.keys()
    assert found.beside["full_grid"] == pytest.approx(found.value, abs=0.02)
    assert found.nulls["permuted"] < 0.2 < found.value
    assert found.nulls["rotated"] < found.value < found.reference


def test_given_rows_with_variance_are_redrawn_together(rows):
    z, v = (np.tile(each, (6, 1)) for each in rows)
    found = score(z, v, variance=np.full(z.shape, 0.05), metrics=["rmig"], resamples=6).scores["rmig"]
    assert found.interval[0] < found.value < found.interval[1]
    assert "interval" not in found.missing


def test_metrics_computed_meanwhile_are_the_same(monkeypatch):
    """DCI grows its trees on threads of its own while the others are computed; values and order are as one by one."""
    random = np.random.default_rng(0)
    factors = random.integers(0, 3, size=(300, 2))
    codes = factors + random.normal(scale=0.2, size=(300, 2))
    found = {}
    for threads in (1, 2):
        monkeypatch.setattr(scoring, "process_threads", lambda threads=threads: threads)
        found[threads] = score(codes, factors, metrics=["sap", "dci", "mig"])
    assert list(found[2].scores) == list(found[2].seconds) == ["sap", "dci", "mig"]
    assert found[1].to_json(timings=False) == found[2].to_json(timings=False)
