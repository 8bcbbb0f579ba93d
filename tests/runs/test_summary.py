"""What codes come to is kept beside the scores, and believed for those very codes alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy import analyse, toy_codes, write_run

import latentlab as ll
from latentlab.analysis.score.stage import score_run
from latentlab.codes.h5ad import read_summary, save_codes
from latentlab.errors import InputError
from latentlab.runs import summary
from latentlab.runs.comparison import compare
from latentlab.runs.run import Run
from latentlab.runs.study import Study
from latentlab.runs.summary import KEY, OF, summary_of
from latentlab.system.files import sha256, write_json


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return write_run(tmp_path / "study" / "vae", 4.0, 0)


def _unopened(path: Path) -> Any:
    raise AssertionError(f"{path} was opened")


def _with(run: Run, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change the summary that the run's scores keep."""
    record = json.loads(run.scores_path.read_text())
    change(record[KEY])
    write_json(run.scores_path, record)


def test_runs_are_compared_without_opening_their_codes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    ae = write_run(run.path.parent / "ae", None, 0)
    read = [read_summary(each.codes_path) for each in (ae, run)]
    monkeypatch.setattr(summary, "read_summary", _unopened)
    table = compare(Study(run.path.parent))
    for key in ("distortion", "rate", "rows", "judged_rows"):  # a rate that is not there is not there
        np.testing.assert_array_equal(table[key].astype(float), [each[key] for each in read])
    assert table["active_units"].isna().tolist() == [True, False]


def test_other_codes_are_read_however_much_their_scores_keep(run: Run) -> None:
    """The codes of another encoding, of as many rows, beside scores that nobody computed again."""
    before = summary_of(run)
    save_codes(run.codes_path, replace(toy_codes(16.0, 1), provenance={"inputs": {}}))
    found = summary_of(run)
    assert found.rate == read_summary(run.codes_path)["rate"] != before.rate
    row = compare(Study(run.path.parent)).iloc[0]
    assert row["rate"] == found.rate
    assert "stale scores" in row["flags"]


def test_scores_of_new_codes_keep_what_these_come_to(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    analyse(run, toy_codes(16.0, 1), 16.0, 1)
    read = read_summary(run.codes_path)
    monkeypatch.setattr(summary, "read_summary", _unopened)
    assert summary_of(run).rate == read["rate"]


def test_a_shared_copy_keeps_what_its_own_rows_come_to(run: Run, tmp_path: Path) -> None:
    """Its scores are those of the full codes; the hash of the codes that they are checked by is the copy's."""
    copy = Study(ll.export(Study(run.path.parent), tmp_path / "copy", "study", rows=50))["vae"]
    kept = json.loads(copy.scores_path.read_text())[KEY]
    assert kept[OF] == sha256(copy.codes_path)
    assert summary_of(copy).rows == 50
    assert summary_of(copy).rate == read_summary(copy.codes_path)["rate"] != summary_of(run).rate


def test_runs_scored_by_an_older_version_are_read_and_keep_it_once_they_are_scored_again(run: Run) -> None:
    score_run(run, metrics=["mig"], resamples=0)
    record = json.loads(run.scores_path.read_text())
    kept = record.pop(KEY)
    write_json(run.scores_path, record)
    assert summary_of(run).rows == kept["rows"]
    score_run(run, metrics=["mig"], resamples=0)
    assert json.loads(run.scores_path.read_text()) == {**record, KEY: kept}


@pytest.mark.parametrize(
    ("key", "value"),
    [("rows", "many"), ("rate", []), ("provenance", 5), ("provenance", {"inputs": [1]}), ("more", 1)],
)
def test_a_summary_that_is_none_is_damage_of_the_scores_and_hides_no_codes(run: Run, key: str, value: object) -> None:
    rate = summary_of(run).rate
    _with(run, lambda kept: kept.update({key: value}))
    with pytest.raises(InputError, match=r"scores\.json"):
        run.scores()
    row = compare(Study(run.path.parent)).iloc[0]
    assert row["rate"] == rate
    assert "scores.json" in row["error"]


def test_codes_that_do_not_say_properly_what_they_were_made_from_are_an_error_in_one_line(run: Run) -> None:
    run.scores_path.unlink()
    save_codes(run.codes_path, replace(toy_codes(4.0, 0), provenance={"inputs": 5}))
    assert "what the codes were made from" in compare(Study(run.path.parent)).iloc[0]["error"]
