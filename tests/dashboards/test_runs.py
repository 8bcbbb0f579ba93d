"""Runs and β sweep: the scores with all that stands beside them, and where collapse begins."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from safetensors.numpy import save
from shown import rows, words
from toy import write_run

from latentlab.runs.study import Study


def test_the_chosen_runs_scores_stand_with_interval_and_nulls(toy_study: Study, open_page: Any) -> None:
    app = open_page(toy_study.path, "runs", run="beta-4-seed-1")
    score = toy_study["beta-4-seed-1"].scores()["mig"]
    line = next(row for row in rows(app) if "MIG" in row and "…" in row)
    low, high = score.interval
    for text in (f"{score.value:.2f}", f"{low:.2f} … {high:.2f}", "0.01", "0.10"):
        assert text in line
    assert any("completeness 0.5, informativeness 0.9" in row for row in rows(app)), "D is never shown alone"


def test_a_run_without_scores_says_how_they_are_made(tmp_path: Path, open_page: Any) -> None:
    write_run(tmp_path / "young", 4.0, 0, analysed=False)
    app = open_page(tmp_path, "runs")
    assert "has not been scored" in words(app)
    assert any("--only score" in code.value for code in app.code)


def test_sweep_says_where_collapse_begins(toy_study: Study, open_page: Any) -> None:
    told = words(open_page(toy_study.path, "sweep"))
    assert "no run collapsed (β ≤ 16, the largest tried)" in told
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


def test_a_beta_whose_runs_cannot_be_read_is_not_said_to_be_safe(study_of: Any, open_page: Any) -> None:
    path = study_of("beta-4-seed-0", "beta-16-seed-0")
    (path / "beta-16-seed-0" / "codes.h5ad").write_bytes(b"cut")
    told = words(open_page(path, "sweep"))
    assert "no run collapsed (β ≤ 4, the largest read)" in told
    assert "nothing is known at β = 16" in told


def test_flags_stand_by_the_name_and_left_out_folders_below_the_table(study_of: Any, open_page: Any) -> None:
    path = study_of("beta-4-seed-0")
    (path / "beta-4-seed-0").rename(path / "beta-4-seed-0-again")
    write_run(path / ("long" * 20), 4.0, 1, analysed=False)
    write_run(path / "young", 4.0, 2, analysed=False)
    told = words(open_page(path, "runs"))
    assert re.search(r"<b>young</b> <span[^>]*>not encoded", told)
    assert "1 folder left out" in told
    assert f"The folder {'long' * 20} is left out" in told
    assert "64 characters" in told


def test_a_score_stands_within_its_interval_and_its_half_is_no_bare_zero(study_of: Any, open_page: Any) -> None:
    path = study_of("beta-4-seed-0")
    file = path / "beta-4-seed-0" / "scores.json"
    kept = json.loads(file.read_text())
    mig = {"value": 0.19, "interval": [0.2496, 0.2512], "beside": {"all_rows": 0.2504}, "settings": {"interval": "x"}}
    file.write_text(json.dumps({**kept, "scores": {"mig": mig}}))
    for page in ("overview", "runs"):
        told = words(open_page(path, page))
        assert "0.2504 <small>± 0.0008</small>" in told
        assert "0.19" in told, "the profile's draw is told on hovering"
    assert "0.25" in words(open_page(path, "sweep")), "means over seeds are those of the same values"


def test_a_heading_sorts_then_turns_then_gives_up(toy_study: Study, open_page: Any) -> None:
    app = open_page(toy_study.path, "runs", sort="mig", order="falling")
    values = [run.scores()["mig"].value for run in toy_study.runs]
    best = toy_study.runs[values.index(max(values))].name
    assert best in rows(app)[1]
    assert 'aria-sort="descending"><button type="button" data-sort="mig">' in words(app)


def test_the_overview_answers_three_questions_and_leads_on(toy_study: Study, open_page: Any) -> None:
    app = open_page(toy_study.path)
    told = words(app)
    for text in (
        "Is one setting clearly best?",
        "with 2 seeds each it cannot be decided",
        "No run collapsed or diverged (β ≤ 16, the largest tried)",
        "has x and y",
        "z0 · x",
    ):
        assert text in told
    assert len(app.get("plotly_chart")) == 1
    looks = [button for button in app.button if str(button.key).startswith("look-")]
    assert len(looks) == 3
    looks[0].click().run()
    assert not app.exception
    assert "Settings side by side" in words(app)
    assert app.session_state["run"] == "beta-1-seed-0"
    assert app.session_state["beside"] == ["beta-16-seed-0"]


def test_a_title_of_two_lines_stays_within_the_chart(study_of: Any, open_page: Any) -> None:
    path = study_of("beta-4-seed-0")
    file = path / "beta-4-seed-0" / "scores.json"
    kept = json.loads(file.read_text())
    file.write_text(json.dumps({**kept, "scores": {"sap": kept["scores"]["mig"]}}))
    layout = json.loads(open_page(path, "sweep").get("plotly_chart")[1].proto.spec)["layout"]
    assert "Separated attribute<br>predictability" in {each["text"] for each in layout["annotations"]}
    assert layout["margin"]["t"] == 2 * 16


def test_a_run_that_can_decode_is_shown_first(toy_study: Study, study_of: Any, open_page: Any) -> None:
    path = study_of("beta-4-seed-0", "beta-4-seed-1")
    first, second = (path / name / "model.safetensors" for name in ("beta-4-seed-0", "beta-4-seed-1"))

    def shown() -> str:
        st.cache_resource.clear()  # a look at the study is at most two seconds old
        return str(open_page(path).session_state["run"])

    for file in (first, second):
        file.write_bytes(save({"weight": np.zeros(2)}, {"step": "4"}))
    assert shown() == "beta-4-seed-0"
    first.write_bytes(save({}, {"step": "4"}))  # as a copy without weights has it
    assert shown() == "beta-4-seed-1"
    first.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    assert shown() == "beta-4-seed-1", "a placeholder for weights costs no page"
    first.unlink()
    assert shown() == "beta-4-seed-1"
