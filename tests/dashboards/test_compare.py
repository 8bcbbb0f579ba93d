"""Compare: two to four runs beside one another, their leakage, their pictures under one selection."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from shown import rows, words
from toy import analyse, toy_codes, write_run

from latentlab.analysis.leakage.record import load_leakage
from latentlab.codes.alignment import overlap
from latentlab.runs.study import Study
from latentlab.system.numbers import percent

FIRST = "beta-1-seed-0"


def test_three_runs_stand_beside_one_and_the_link_keeps_them(toy_study: Study, open_page: Any) -> None:
    others = ["beta-4-seed-1", "beta-16-seed-0", "ae-seed-1"]
    app = open_page(toy_study.path, "compare", run=FIRST, beside=",".join(others))
    assert app.session_state["beside"] == others
    assert app.query_params["beside"] == ",".join(others) or app.query_params["beside"] == [",".join(others)]
    told = words(app)
    for name in others:
        assert f", seed {name[-1]}" in told
    assert "every second step" in told, "four columns of whole strips do not fit"
    lines = [row for row in rows(app) if "|ρ|" in row]
    assert len(lines) == 3, "the three active dimensions of the first run"
    assert "no partner" in " ".join(lines), "z2 has fallen out of use at β = 16"


def test_a_click_on_a_compared_run_shows_it_on_every_page_in_place_of_the_other(
    toy_study: Study, open_page: Any
) -> None:
    app = open_page(toy_study.path, "compare", run=FIRST, beside="beta-4-seed-1,ae-seed-0")
    app.button_group(key="instead").set_value("beta-4-seed-1").run()
    assert not app.exception
    assert app.query_params["run"] == "beta-4-seed-1"
    assert app.session_state["beside"] == [FIRST, "ae-seed-0"]


def test_the_next_beta_of_the_same_seed_stands_beside_and_no_broken_run(
    toy_study: Study, study_of: Any, open_page: Any
) -> None:
    for run, partner in (("beta-1-seed-1", "beta-4-seed-1"), ("beta-4-seed-0", "beta-16-seed-0")):
        assert open_page(toy_study.path, "compare", run=run).session_state["beside"] == [partner]
    assert open_page(toy_study.path, "compare", run="ae-seed-1").session_state["beside"] == ["beta-1-seed-1"]
    path = study_of("beta-1-seed-0", "beta-4-seed-0", "beta-16-seed-0")
    (path / "beta-4-seed-0" / "codes.h5ad").write_bytes(b"broken")
    assert open_page(path, "compare", run="beta-1-seed-0").session_state["beside"] == ["beta-16-seed-0"]


def test_only_the_run_without_a_partner_is_greyed(toy_study: Study, open_page: Any) -> None:
    app = open_page(toy_study.path, "compare", run=FIRST, beside="beta-4-seed-1,beta-16-seed-0")
    [line] = [row for row in re.findall(r"<tr[^>]*>.*?</tr>", words(app)) if "no partner" in row and "|ρ|" in row]
    cells = re.findall(r"<td[^>]*>(.*?)</td>", line)
    assert ["opacity" in cell for cell in cells] == [False, False, False, False, True, True]
    assert 'class="off"' not in line


def test_sliders_are_matched_dimensions_and_a_link_restores_them(toy_study: Study, open_page: Any) -> None:
    app = open_page(toy_study.path, "compare", run=FIRST, beside="beta-4-seed-1", moved="z0=1.25")
    [told] = [json.loads(each.proto.json) for each in app.get("bidi_component") if "sliders" in str(each.proto.json)]
    assert [each["label"] for each in told["runs"]] == ["β = 1", "β = 4"]
    assert told["values"] == {"z0": 1.25}
    assert all(each["decoder"]["kind"] == "frames" for each in told["runs"]), "toy runs have no weights that decode"
    assert app.query_params["moved"] in ("z0=1.25", ["z0=1.25"])


def test_what_recurs_over_the_seeds_of_each_setting_is_shown(toy_study: Study, open_page: Any) -> None:
    told = words(open_page(toy_study.path, "compare", run=FIRST, beside="beta-4-seed-1"))
    assert "Dimensions that recur over seeds" in told
    assert "2 of 2 seeds have x" in told


def test_strips_are_turned_where_signs_are_opposite_and_all_start_from_one_row(
    toy_study: Study, open_page: Any
) -> None:
    told = words(open_page(toy_study.path, "compare", run=FIRST, beside="beta-4-seed-1"))
    assert "around row 100" in told
    assert told.count('class="strip') == 6


def test_another_anchor_without_weights_keeps_the_stored_one_and_says_so(toy_study: Study, open_page: Any) -> None:
    told = words(open_page(toy_study.path, "compare", run=FIRST, beside="beta-4-seed-1", anchor="7"))
    assert f"{FIRST} uses its own row 100" in told
    assert "seed 0 · around its own row 100" in told, "the table's head says it, too"
    assert str(toy_study.path) not in told.partition("Dimension by dimension")[2].partition("<table")[0]


def test_leakage_is_shown_with_its_dimensions_or_how_it_is_measured(
    toy_study: Study, study_of: Any, open_page: Any
) -> None:
    app = open_page(toy_study.path, "compare", run=FIRST, beside="beta-16-seed-0")
    score = load_leakage(toy_study[FIRST])
    line = next(row for row in rows(app) if "± 0.02" in row and "seed 0" in row)
    assert f"{score.value:.2f}" in line
    assert re.search(r"2\s+of 4", line)
    path = study_of(FIRST, "beta-4-seed-0")
    for name in (FIRST, "beta-4-seed-0"):
        (path / name / "leakage.json").unlink()
    bare = open_page(path, "compare")
    told = words(bare).partition("Not measured yet")[2].partition("</div>")[0]
    assert "reads factors from decoded images" in told
    assert "`" not in told, "the command stands below, once"
    assert [code.value for code in bare.code if "latentlab leakage" in code.value] == [f"latentlab leakage {path}"]
    (path / FIRST / "leakage.json").write_text("{}")
    assert "Leakage not available" in words(open_page(path, "compare"))


def test_leakage_of_data_without_factors_is_not_asked_for(tmp_path: Path, open_page: Any) -> None:
    for seed in (0, 1):
        run = write_run(tmp_path / f"plain-{seed}", 4.0, seed, analysed=False)
        analyse(run, replace(toy_codes(4.0, seed), factors=None, specs=(), grid=None), 4.0, seed)
    app = open_page(tmp_path, "compare")
    assert "Nothing to measure" in words(app)
    assert not any("latentlab leakage" in code.value for code in app.code)


def test_one_run_alone_is_told_to_get_company_and_not_to_be_encoded_again(study_of: Any, open_page: Any) -> None:
    app = open_page(study_of(FIRST), "compare")
    assert f"{FIRST} is the only run that can be compared" in words(app)
    assert not app.code


def test_pictures_say_how_alike_they_are_and_how_many_neighbours_are_shared(toy_study: Study, open_page: Any) -> None:
    app = open_page(toy_study.path, "compare", run=FIRST, beside="beta-4-seed-0")
    a, b = (toy_study[name] for name in (FIRST, "beta-4-seed-0"))
    ids = a.projections()["pca"].row_ids
    found = overlap(a.codes(), b.codes(), ids)
    assert percent(found.mean) in words(app)
    assert f"chance {percent(found.chance, 1)}" in words(app)
    assert "rotated and reflected onto the first" in words(app)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"rows": "0-9999"}, "500 of 500 rows"),
        ({"lasso": "1:-99,-99;99,-99;99,99;-99,99"}, "500 of 500 rows"),
        ({"lasso": "1:98,98;99,98;99,99"}, "Nothing selected"),
        ({"rows": "nothing"}, "Rows not found"),
        ({"lasso": "9:1,1;2,2;3,1"}, "Projections of the codes"),
        ({"lasso": "<script>"}, "Projections of the codes"),
    ],
)
def test_rows_are_chosen_by_id_or_by_a_lasso_that_the_link_keeps(
    toy_study: Study, open_page: Any, query: dict[str, str], said: str
) -> None:
    app = open_page(toy_study.path, "compare", run=FIRST, beside="beta-4-seed-0", **query)
    assert said in words(app)
    assert "<script>" not in words(app)
