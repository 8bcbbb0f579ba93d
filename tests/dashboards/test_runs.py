"""Runs and β sweep: the scores with all that stands beside them, and where collapse begins."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from shown import rows, words
from toy import write_run

from latentlab.runs.study import Study


def test_the_chosen_runs_scores_stand_with_interval_and_nulls(toy_study: Study, open_page: Any) -> None:
    app = open_page(toy_study.path, run="beta-4-seed-1")
    score = toy_study["beta-4-seed-1"].scores()["mig"]
    line = next(row for row in rows(app) if "MIG" in row and "…" in row)
    low, high = score.interval
    for text in (f"{score.value:.2f}", f"{low:.2f} … {high:.2f}", "0.01", "0.10"):
        assert text in line
    assert any("completeness 0.5, informativeness 0.9" in row for row in rows(app)), "D is never shown alone"


def test_a_run_without_scores_says_how_they_are_made(tmp_path: Path, open_page: Any) -> None:
    write_run(tmp_path / "young", 4.0, 0, analysed=False)
    app = open_page(tmp_path)
    assert "has not been scored" in words(app)
    assert any("--only score" in code.value for code in app.code)


def test_sweep_says_where_collapse_begins(toy_study: Study, open_page: Any) -> None:
    told = words(open_page(toy_study.path, "sweep"))
    assert "no seed collapsed up to β = 16" in told
    assert "2 at β = 16" in told


def test_the_table_of_the_sweep_is_no_wider_than_a_page_however_many_scores(study_of: Any, open_page: Any) -> None:
    path = study_of("beta-4-seed-0", "beta-4-seed-1")
    for name in ("beta-4-seed-0", "beta-4-seed-1"):
        file = path / name / "scores.json"
        kept = json.loads(file.read_text())
        kept["scores"] = {f"score_{k}": kept["scores"]["mig"] for k in range(11)}
        file.write_text(json.dumps(kept))
    told = words(open_page(path, "sweep"))
    heads = [re.findall(r"<th[^>]*>(.*?)</th>", table) for table in re.findall(r"<thead>(.*?)</thead>", told)]
    assert [len(head) for head in heads] == [7, 10, 3]
    assert all(head[0] == "setting" for head in heads), "each table says which setting a row is"
    assert sum(name.startswith("score_") for head in heads for name in head) == 11
