"""The panels of debias, outliers, probe and explain: what is there is shown, what is not has its command."""

import re
from typing import Any

from toy import write_run

from latentlab.runs.study import Study


def words(app: Any) -> str:
    return "\n".join(str(element.proto.body) for element in app.get("html"))


def test_dimensions_says_where_each_acts_and_how_straight(toy_study: Study, open_page: Any) -> None:
    told = words(open_page(toy_study.path, "dimensions"))
    assert "Where each dimension acts" in told
    assert "straightness" in told
    assert len(re.findall(r"<b>z\d</b>", told.split("Where each dimension acts")[1])) == 4


def test_support_shows_outliers_rare_rows_and_few_labels(toy_study: Study, open_page: Any) -> None:
    app = open_page(toy_study.path, "support")
    told = words(app)
    for title in ("Out-of-distribution detection", "Rare and common rows", "Accuracy with few labels"):
        assert title in told
    assert "intensity (AUROC 0.800)" in told
    assert "effective sample size 99 of 768 rows" in told


def test_what_was_not_measured_names_its_command(tmp_path: Any, open_page: Any) -> None:
    run = write_run(tmp_path / "beta-4-seed-0", 4.0, 0)
    for file in ("effects.h5", "outliers.json", "debiasing.h5", "probes.json"):
        (run.path / file).unlink()
    app = open_page(tmp_path, "dimensions")
    assert "has not been measured" in words(app)
    assert any("latentlab explain" in code.value for code in app.get("code"))
    fixes = "\n".join(code.value for code in open_page(tmp_path, "support").get("code"))
    for verb in ("outliers", "debias", "probe"):
        assert f"latentlab {verb}" in fixes
