"""Panels collected for a report: kept in the study in their order, once each, and drawn again by the report."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from latentlab.errors import InputError
from latentlab.figures import rendered
from latentlab.reports.html import report
from latentlab.runs.collected import FILE, MOST, Collected, collect, give_up, read_collected
from latentlab.runs.study import Study
from latentlab.system.files import write_json

KL = Collected("KL of <b>one</b>", "four dimensions", "latentlab figure kl RUN", "kl", ("beta-4-seed-0",))
TABLE = Collected("A table", command="latentlab compare STUDY")


@pytest.fixture
def study(toy_study: Study, tmp_path: Path) -> Study:
    """A study of one's own with two runs."""
    for name in ("beta-4-seed-0", "beta-1-seed-0"):
        shutil.copytree(toy_study.path / name, tmp_path / "study" / name)
    return Study(tmp_path / "study")


def test_panels_come_back_in_their_order_once_each(study: Study) -> None:
    assert read_collected(study) == ()
    for panel in (KL, TABLE, KL):
        collect(study, panel)
    assert read_collected(study) == (TABLE, KL)
    give_up(study, TABLE.key)
    assert read_collected(study) == (KL,)
    give_up(study)
    assert read_collected(study) == ()


def test_what_others_are_only_let_look_at_is_not_written(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENTLAB_READ_ONLY", "1")
    with pytest.raises(InputError, match="cannot be written here"):
        collect(study, KL)
    assert not (study.path / FILE).exists()


@pytest.mark.parametrize(
    "panels",
    [
        [1],
        [{"title": 3}],
        [{"title": "x", "runs": [4]}],
        {},
        [{"title": "x", "options": {"model": "x"}}],
        [{"command": "no title"}],
    ],
)
def test_other_content_is_refused_by_the_files_name(study: Study, panels: object) -> None:
    write_json(study.path / FILE, {"panels": panels} if panels else {})
    with pytest.raises(InputError, match=FILE):
        read_collected(study)


def test_there_is_an_end_to_what_is_kept(study: Study) -> None:
    panel = {"title": "x", "command": "y"}
    write_json(study.path / FILE, {"panels": [{**panel, "command": str(k)} for k in range(MOST)]})
    with pytest.raises(InputError, match=f"{MOST} panels"):
        collect(study, KL)


def test_the_report_draws_what_was_collected_and_says_what_it_cannot(study: Study, tmp_path: Path) -> None:
    for panel in (KL, TABLE, Collected("Gone", kind="kl", runs=("never-there",))):
        collect(study, panel)
    page = report(study, tmp_path / "report.html").read_text()
    part = page[page.index('id="collected"') : page.index('id="beware"')]
    assert "KL of &lt;b&gt;one&lt;/b&gt;" in part
    assert part.count("<svg") == 1
    assert "has no run &#39;never-there&#39;" in part
    assert "latentlab compare STUDY" in part


@pytest.mark.parametrize(
    ("kind", "options", "why"),
    [
        ("kl", {"top": "many"}, "kl: top is a str"),
        ("kl", {"top": [1]}, "kl: top is a list"),
        ("kl", {"top": -3}, "top is -3; expected 1 or more"),
        ("correlation", {"seed": -1}, "seed is -1; expected 0 or more"),
        ("../../evil", {}, "is called"),
    ],
)
def test_options_that_a_stranger_wrote_are_refused_in_words(
    study: Study, kind: str, options: dict[str, object], why: str
) -> None:
    panels = [{"title": "odd", "kind": kind, "runs": list(KL.runs), "options": options}]
    write_json(study.path / FILE, {"panels": panels})
    with pytest.raises(InputError, match=re.escape(why)):
        rendered(kind, read_collected(study)[0].runs_of(study), "csv", **options)


def test_more_panels_than_are_kept_are_not_read(study: Study) -> None:
    write_json(study.path / FILE, {"panels": [{"title": "x"}] * (MOST + 1)})
    with pytest.raises(InputError, match=f"at most {MOST}"):
        read_collected(study)


def test_a_damaged_list_is_said_in_the_report(study: Study, tmp_path: Path) -> None:
    (study.path / FILE).write_text("{")
    assert f"{FILE} is not valid JSON" in report(study, tmp_path / "report.html").read_text()
