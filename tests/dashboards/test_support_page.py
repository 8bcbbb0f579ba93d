"""The page Support: settings beside one another, the chosen run's pictures, and what is missing with its remedy."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from toy import write_run
from toy_support import write_evidence, write_survey, write_surveys

from latentlab.analysis.support.record import support_table, verdict
from latentlab.runs.study import Study


def words(app: Any) -> str:
    return "\n".join(str(element.proto.body) for element in app.get("html"))


@pytest.fixture(scope="module")
def study(toy_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("support") / "study"
    shutil.copytree(toy_study.path, folder)
    write_surveys(Study(folder))
    return Study(folder)


def test_settings_stand_beside_one_another_with_a_verdict(study: Study, open_page: Any) -> None:
    app = open_page(study.path, "support", run="beta-1-seed-0")
    told = words(app)
    rows = [re.sub(r"<[^>]+>", " ", row) for row in re.findall(r"<tr[^>]*>(.*?)</tr>", told, re.DOTALL)]
    assert [row.split()[0] for row in rows if row.strip()][1:5] == ["AE", "β", "β", "β"]
    ae = next(row for row in rows if row.strip().startswith("AE"))
    assert ae.count("–") >= 4, "an AE has no rate, no active units, no holes and no σ"
    assert "Samples from N(0, I) reach the coverage threshold with β = 1" in told
    assert "11 % (AE)" in told
    assert "Read them together with rate and probe" in told
    assert "Samples and their nearest training data" in told
    assert "most and least distinct" in told
    assert "How certain are these numbers?" in told
    assert next(row for row in rows if row.split()[:1] == ["gap"]).split() == ["gap", "1.500", "1.000", "2.000"]
    assert len(app.get("plotly_chart")) == 6


def test_an_autoencoder_has_no_widths_and_the_page_says_why(study: Study, open_page: Any) -> None:
    told = words(open_page(study.path, "support", run="ae-seed-0"))
    assert "A deterministic encoder has no posterior." in told


def test_where_nothing_was_measured_the_command_stands(toy_study: Study, open_page: Any) -> None:
    app = open_page(toy_study.path, "support")
    assert "Not measured yet" in words(app)
    assert any("latentlab support" in block.value for block in app.code)


def test_a_run_that_was_not_measured_is_told_from_those_that_were(study_of: Any, open_page: Any) -> None:
    place = study_of("beta-1-seed-0", "ae-seed-0")
    write_survey(Study(place)["ae-seed-0"])
    told = words(open_page(place, "support", run="beta-1-seed-0"))
    assert "The selected run was not measured" in told
    assert "No setting reaches the coverage threshold" in told


def test_two_dimensions_show_what_the_bound_leaves_out(tmp_path: Path, open_page: Any) -> None:
    run = write_run(tmp_path / "study" / "two", 1.0, 0, analysed=False, latent_dim=2)
    write_evidence(run)
    assert "The exact posterior, and q" in words(open_page(tmp_path / "study", "support", run="two"))


def test_the_verdict_passes_what_reaches_half_of_the_real_images(study: Study) -> None:
    head, why = verdict(support_table(study.runs))
    assert head == "Samples from N(0, I) reach the coverage threshold with β = 1 and β = 4."
    assert "β = 16" in why
