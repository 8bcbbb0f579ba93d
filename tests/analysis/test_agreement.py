import numpy as np
import pytest
from toy import toy_codes, write_run

from latentlab.analysis.score.agreement import across, by_setting
from latentlab.cli import run
from latentlab.codes.h5ad import save_codes
from latentlab.errors import InputError
from latentlab.metrics import cka, procrustes, udr
from latentlab.runs.comparison import compare


def test_every_metric_across_runs_is_that_of_the_codes(toy_study):
    runs = [run for run in toy_study.runs if run.config.beta == 4]
    found = across(runs)
    codes = [run.codes() for run in runs]
    means = [each.mean for each in codes]
    kl = [0.5 * (each.mean**2 + each.variance - 1 - np.log(each.variance)).mean(axis=0) for each in codes]
    assert set(found) == {"udr", "cka", "procrustes"}
    assert found["udr"].value == pytest.approx(udr(means, kl).value, abs=1e-9)
    assert found["udr"].settings["active"] == [3, 3]
    assert found["cka"].value == pytest.approx(cka(means).value, abs=1e-9)
    assert found["procrustes"].value == pytest.approx(procrustes(means).value, abs=1e-9)


def test_rows_are_drawn_where_there_are_many(toy_study):
    runs = toy_study.runs[:2]
    few, again = (across(runs, rows=300)["cka"] for _ in range(2))
    assert few.settings["rows"] == 300
    assert few.settings["rows_from"] == "of 768 rows"
    assert few.value == again.value
    assert few.value == pytest.approx(across(runs)["cka"].value, abs=0.02)


def test_an_autoencoder_keeps_all_dimensions(toy_study):
    ae = [run for run in toy_study.runs if not run.config.stochastic]
    assert across(ae)["udr"].settings["pruning"] == "none (no KL given)"


def test_each_setting_has_its_own(toy_study, tmp_path):
    found = by_setting(compare(toy_study))
    assert list(found) == ["AE", "β = 1", "β = 4", "β = 16"]
    assert all(0 < value <= 1 for each in found.values() for value in each.values())
    assert by_setting(compare([toy_study.runs[0]])) == {"AE": {}}


def test_of_a_large_study_it_is_left_out_and_that_is_said(toy_study, monkeypatch, capsys):
    monkeypatch.setattr("latentlab.analysis.score.agreement.MOST_RUNS", 3)
    monkeypatch.setattr("latentlab.runs.recurring.MOST_RUNS", 3)
    assert by_setting(compare(toy_study)) == {name: {} for name in ("AE", "β = 1", "β = 4", "β = 16")}
    assert run(["compare", str(toy_study.path)]) == 0
    assert "cka, procrustes and udr are left out, as there are over 3 runs" in capsys.readouterr().out


def test_different_rows_are_refused(toy_study, tmp_path):
    run = write_run(tmp_path / "few", 4.0, 7)
    save_codes(run.codes_path, toy_codes(4.0, 7).take(np.arange(100)))
    with pytest.raises(InputError, match="encoded different rows"):
        across([toy_study.runs[0], run])
    with pytest.raises(InputError, match="1 run was given"):
        across([run])


def test_settings_too_many_for_columns_are_rows(toy_study, monkeypatch, capsys):
    monkeypatch.setattr("latentlab.cli.compare.ABREAST", 3)
    assert run(["compare", str(toy_study.path)]) == 0
    assert "Mean per setting over seeds, of 4 settings" in capsys.readouterr().out
