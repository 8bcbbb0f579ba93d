import json
import os
import shutil
import time
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from toy import analyse, toy_codes, write_run

from latentlab.analysis.score.stage import write_scores
from latentlab.errors import InputError
from latentlab.reports.caveats import caveats
from latentlab.results import Score
from latentlab.runs import comparison, row
from latentlab.runs.choice import Frontier, choice, frontiers
from latentlab.runs.comparison import compare, csv_of, summarise, told_apart
from latentlab.runs.differences import chance
from latentlab.runs.study import Study, open_path
from latentlab.system import stamps


def test_a_row_a_run_with_cost_and_scores(toy_study):
    table = compare(toy_study)
    assert table["label"].tolist() == ["AE"] * 2 + ["β = 1"] * 2 + ["β = 4"] * 2 + ["β = 16"] * 2
    vae = table[table["beta"] == 4].iloc[0]
    codes = toy_study["beta-4-seed-0"].codes()
    judged = np.isfinite(codes.distortion)
    assert vae["distortion"] == pytest.approx(codes.distortion[judged].mean(), rel=1e-6)
    assert vae["rate"] == pytest.approx(codes.rate[judged].mean(), rel=1e-6)
    assert vae["elbo"] == -(vae["distortion"] + vae["rate"])
    assert vae["active_units"] == 3
    assert vae["normalised_beta"] == 4 * 4 / 256
    assert table.attrs["metrics"] == ["dci", "mig"]
    assert (vae["mig_low"], vae["mig"], vae["mig_high"]) == pytest.approx((0.25, 0.28, 0.31))
    assert vae["mig_null"] == 0.1
    assert vae["dci.completeness"] == 0.5
    assert (table["flags"] == "").all()


def test_runs_are_called_by_what_tells_them_apart(toy_study):
    assert told_apart([toy_study["beta-1-seed-0"], toy_study["beta-4-seed-1"]]) == ["β = 1", "β = 4"]
    assert told_apart([toy_study["beta-1-seed-0"], toy_study["beta-1-seed-1"]]) == ["β = 1, seed 0", "β = 1, seed 1"]


def test_a_setting_names_the_first_option_of_its_objective_and_those_that_differ(tmp_path):
    options = {"name": "annealed-vae", "gamma": 50.0, "capacity": 16.0, "anneal_steps": 20000}
    runs = [
        write_run(tmp_path / f"run{k}", None, k, analysed=False, stochastic=True, objective=options | more)
        for k, more in enumerate(({}, {"capacity": 25.0}))
    ]
    assert comparison.settings_of(runs[:1]) == ["annealed-vae, gamma = 50"]
    told = ["annealed-vae, gamma = 50, capacity = 16", "annealed-vae, gamma = 50, capacity = 25"]
    assert comparison.settings_of(runs) == told


def test_an_option_that_some_runs_do_not_have_tells_them_apart(tmp_path):
    options = {"name": "annealed-vae", "gamma": 50.0}
    runs = [
        write_run(tmp_path / f"run{k}", None, k, analysed=False, stochastic=True, objective=options | more)
        for k, more in enumerate(({}, {}, {"capacity": 25.0}))
    ]
    plain = "annealed-vae, gamma = 50"
    assert comparison.settings_of(runs) == [plain, plain, "annealed-vae, gamma = 50, capacity = 25"]


def test_an_autoencoder_has_no_rate(toy_study):
    ae = compare(toy_study).iloc[0]
    assert ae[["beta", "normalised_beta", "rate", "elbo", "active_units"]].isna().all()
    assert np.isfinite(ae["distortion"])


def test_seeds_become_spread(toy_study):
    table = compare(toy_study)
    summary = summarise(table)
    assert summary["n"].tolist() == [2, 2, 2, 2]
    four = summary[summary["beta"] == 4].iloc[0]
    both = table[table["beta"] == 4]["mig"]
    assert four["mig_mean"] == pytest.approx(both.mean())
    assert four["mig_sd"] == pytest.approx(abs(both.iloc[0] - both.iloc[1]) / 2**0.5)
    assert (four["mig_min"], four["mig_max"]) == (both.min(), both.max())


def test_p_better_is_the_share_of_seed_pairs():
    score = {"a": np.array([1.0, 2.0, 3.0]), "b": np.array([2.0, 2.0, 0.0])}
    pairs = [(x > y) + (x == y) / 2 for x in score["a"] for y in score["b"]]
    assert chance(score["a"], score["b"]) == pytest.approx(np.mean(pairs))
    assert chance(score["a"], score["b"]) + chance(score["b"], score["a"]) == pytest.approx(1)
    rows = [{"setting": key, "state": "finished", "mig": value} for key, values in score.items() for value in values]
    with pytest.raises(InputError, match="do not have the measure 'sap'"):
        choice(pd.DataFrame(rows), "sap")


def test_runs_that_differ_in_more_than_beta_are_other_settings(tmp_path):
    for latent_dim in (4, 5):
        write_run(tmp_path / f"size-{latent_dim}", 1.0, 0, analysed=False, latent_dim=latent_dim)
    assert compare(Study(tmp_path))["setting"].tolist() == ["β = 1, latent size 4", "β = 1, latent size 5"]


@pytest.fixture
def spoilt(toy_study, tmp_path):
    shutil.copytree(toy_study.path, tmp_path / "study")
    return tmp_path / "study"


def test_what_is_missing_or_broken_is_said_and_the_others_go_on(spoilt):
    (spoilt / "ae-seed-0/config.json").write_text("{")
    (spoilt / "ae-seed-1/codes.h5ad").unlink()
    (spoilt / "beta-1-seed-0/scores.json").write_text("[1, 2")
    (spoilt / "beta-1-seed-1/codes.h5ad").write_bytes(b"no HDF5")
    with (spoilt / "beta-4-seed-0/history.jsonl").open("a") as history:
        history.write('{"step": 100, "diverged": "loss is nan"}\n')
    table = compare(Study(spoilt)).set_index("run")
    assert len(table) == 8
    assert table.loc["ae-seed-0", "state"] == "broken"
    assert "JSON" in table.loc["ae-seed-0", "error"]
    assert "not encoded" in table.loc["ae-seed-1", "flags"]
    assert "scores.json" in table.loc["beta-1-seed-0", "error"]
    assert np.isfinite(table.loc["beta-1-seed-0", "distortion"])
    assert "codes.h5ad" in table.loc["beta-1-seed-1", "error"]
    assert "diverged" in table.loc["beta-4-seed-0", "flags"]
    summary = summarise(table.reset_index()).set_index("label")
    assert summary.loc["β = 4", ["n", "left_out"]].tolist() == [1, 1]


def test_stale_files_and_collapse_are_flagged(spoilt):
    study = Study(spoilt)
    (spoilt / "beta-1-seed-0/model.safetensors").write_bytes((spoilt / "beta-1-seed-1/model.safetensors").read_bytes())
    shutil.copy(spoilt / "beta-4-seed-1/codes.h5ad", spoilt / "beta-4-seed-0/codes.h5ad")
    codes = toy_codes(16.0, 0)
    analyse(study["beta-16-seed-0"], replace(codes, mean=codes.mean * 0.05), 16.0, 0)
    flags = compare(study).set_index("run")["flags"]
    assert flags["beta-1-seed-0"] == "stale codes"
    assert "stale scores" in flags["beta-4-seed-0"]
    assert "collapsed" in flags["beta-16-seed-0"]


def test_csv_cells_are_no_formulas(toy_study):
    table = compare(toy_study)
    table.loc[0, "run"] = "=1+1"
    table.loc[1, "run"] = "-name"
    found = pd.read_csv(BytesIO(csv_of(table)), float_precision="round_trip")
    assert found["run"].tolist()[:2] == ["'=1+1", "'-name"]
    np.testing.assert_array_equal(found["mig"], table["mig"])


def test_no_runs_are_refused():
    with pytest.raises(InputError, match="no runs"):
        compare([])


def test_metrics_are_chosen_and_an_unknown_one_is_named(toy_study):
    table = compare(toy_study, metrics=["mig"])
    assert table.attrs["metrics"] == ["mig"]
    assert "mig_low" in table.columns
    assert not [column for column in table.columns if column.startswith("dci")]
    with pytest.raises(InputError, match="no score 'sap'; they have: dci, mig"):
        compare(toy_study, metrics=["mig", "sap"])


def test_the_frontier_of_collapse_lies_between_the_last_sound_beta_and_the_first_collapsed(tmp_path):
    for beta in (1.0, 16.0, 64.0):
        write_run(tmp_path / f"b{beta:g}", beta, 0)
    table = compare(Study(tmp_path))
    assert frontiers(table) == [Frontier("beta-vae", 64.0, None, {1.0: 3.0, 16.0: 2.0, 64.0: 2.0})]
    table.loc[table["beta"] == 64, "active_units"] = 0
    found = frontiers(table)[0]
    assert (found.safe, found.collapsed) == (16.0, 64.0)
    table["active_units"] = 0
    assert frontiers(table)[0].safe is None


def test_a_metric_that_is_a_cost_already_leaves_the_table_as_it_is(tmp_path):
    run = write_run(tmp_path / "run", 4.0, 0)
    rate = compare(run)["rate"].tolist()
    write_scores(run, {**run.scores(), "rate": Score(99.0), "active_units": Score(9.0), "beta": Score(1.0)}, {}, {})
    table = compare(run)
    assert table["rate"].tolist() == rate
    assert table["active_units"].tolist() == [3]
    assert table.attrs["metrics"] == ["dci", "mig"]


def test_scores_of_two_versions_of_a_metric_are_not_mixed_silently(tmp_path):
    runs = [write_run(tmp_path / str(seed), 4.0, seed) for seed in range(2)]
    assert (compare(runs)["flags"] == "").all()
    scores = runs[1].scores()
    write_scores(runs[1], {**scores, "dci": scores["dci"].replace(settings={"version": 2})}, {}, {})
    table = compare(runs)
    assert table["flags"].tolist() == ["older scores", ""]
    assert [told for told in caveats(table) if "a metric has changed since" in told]
    assert (compare(runs, metrics=["mig"])["flags"] == "").all()


def test_a_heading_is_no_formula_either():
    found = csv_of(pd.DataFrame({"=1+1": ["-a", "b"], "x": pd.Categorical(["@x", "y"])})).decode()
    assert found.splitlines() == ["'=1+1,x", "'-a,'@x", "b,y"]


@pytest.mark.parametrize("cell", ["\t=1", "\r=1", "\n=1", " =1", "＝1", "\u3000＋1", "－1", "＠a", "\tx"])
def test_no_spelling_of_a_formula_gets_by(cell: str) -> None:
    import csv
    import io

    found = list(csv.reader(io.StringIO(csv_of(pd.DataFrame({"a": [cell, " plain"]})).decode(), newline="")))
    assert [row[0] for row in found] == ["a", "'" + cell.replace("\r", "\n"), " plain"]


def test_a_file_that_may_not_be_read_hides_no_other_run(tmp_path, monkeypatch):
    study = write_run(tmp_path / "study" / "a", 4.0, 0).path.parent
    write_run(study / "b", 4.0, 1)
    opened = os.open

    def refuse(path, *args, **options):
        if str(path).endswith("a/model.safetensors"):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *args, **options)

    monkeypatch.setattr(os, "open", refuse)
    table = compare(Study(study)).set_index("run")
    assert "Permission denied" in table.loc["a", "error"]
    assert table.loc["b", "error"] == ""
    assert np.isfinite(table.loc["b", "elbo"])


def test_a_folder_that_may_not_be_entered_hides_no_other_run(tmp_path, monkeypatch):
    """The system's refusal is made here: root, who runs tests in containers, may enter every folder."""
    study = write_run(tmp_path / "study" / "a", 4.0, 0).path.parent
    write_run(study / "b", 4.0, 1)
    allowed, seen = os.access, Path.stat

    def refuse(path, *args, **options):
        if path.parent == study / "a":
            raise PermissionError(13, "Permission denied", str(path))
        return seen(path, *args, **options)

    monkeypatch.setattr(os, "access", lambda path, *a, **k: Path(path) != study / "a" and allowed(path, *a, **k))
    monkeypatch.setattr(Path, "stat", refuse)
    found = Study(study)
    assert [run.name for run in found.runs] == ["b"]
    assert "a may not be read by this user; check its permissions" in found.broken["a"]
    table = compare(found).set_index("run")
    assert "may not be read by this user" in table.loc["a", "error"]
    assert np.isfinite(table.loc["b", "elbo"])
    with pytest.raises(InputError, match="may not be read by this user"):
        open_path(study / "a")


def test_a_run_is_read_again_only_where_a_file_of_it_changed_or_could_not_be_read(spoilt, monkeypatch):
    """Within a process: the dashboard compares the same runs for each of its tables and figures."""
    now, read = time.time_ns, []
    monkeypatch.setattr(stamps.time, "time_ns", lambda: now() + 3_600_000_000_000)
    monkeypatch.setattr(row, "_read", lambda run, of=row._read: read.append(run.name) or of(run))
    (spoilt / "ae-seed-1/scores.json").write_text("[1, 2")
    compare(Study(spoilt))
    assert len(read) == 8
    time.sleep(0.02)  # more than a tick
    scores = json.loads((spoilt / "beta-1-seed-0/scores.json").read_text())
    scores["scores"]["mig"]["value"] = 0.123
    (spoilt / "beta-1-seed-0/scores.json").write_text(json.dumps(scores))
    again = compare(Study(spoilt)).set_index("run")
    assert read[8:] == ["ae-seed-1", "beta-1-seed-0"]
    assert again.loc["beta-1-seed-0", "mig"] == 0.123
    assert "scores.json" in again.loc["ae-seed-1", "error"]


def test_a_class_that_is_a_number_with_a_sign_is_no_formula() -> None:
    cells = ["-1", "+2,5", "-1+1", "-A1", "−1", "-1\n"]
    found = pd.read_csv(BytesIO(csv_of(pd.DataFrame({"-1": cells}))), dtype=str)
    assert list(found.columns) == ["-1"]
    assert found["-1"].tolist() == ["-1", "+2,5", "'-1+1", "'-A1", "−1", "'-1\n"]
