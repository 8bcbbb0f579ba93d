"""A report is one file that asks nobody for anything, and says what there is and what there is not."""

from __future__ import annotations

import html
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from toy import analyse, toy_codes, write_run

from latentlab.cli import run as latentlab
from latentlab.errors import InputError
from latentlab.reports.html import report
from latentlab.reports.tables import trained
from latentlab.runs.comparison import compare
from latentlab.runs.study import Study
from latentlab.system.files import write_json


def written(what: object, folder: Path) -> str:
    return report(what, folder / "report.html").read_text(encoding="utf-8")  # type: ignore[arg-type]


def words(page: str) -> str:
    """A page's text as it is read."""
    return html.unescape(re.sub(r"<[^>]+>", " ", page.split("</style>", 1)[1]))


@pytest.fixture(scope="module")
def page(toy_study: Study, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The toy study's report."""
    return written(toy_study, tmp_path_factory.mktemp("report"))


def test_it_opens_with_the_three_answers_and_the_curve(page: str) -> None:
    opening = page[page.index("<h1>") : page.index('id="beware"')]
    said = html.unescape(opening)
    for sentence in ("No setting is clearly best", "No run collapsed or diverged", "has x and y"):
        assert sentence in said
    assert opening.count("<svg") == 1
    assert "Scatter plot of distortion against rate" in opening


def test_runs_that_differ_in_their_seed_alone_are_one_row(toy_study: Study) -> None:
    table = trained(compare(toy_study))
    assert [row[:2] for row in table.rows] == [[name, "0, 1"] for name in ("AE", "β = 1", "β = 4", "β = 16")]
    odd = compare(toy_study)
    odd.loc[odd["run"] == "beta-4-seed-1", "flags"] = "stale codes"
    assert [row[1] for row in trained(odd).rows if row[0] == "β = 4"] == ["0", "1"]


def test_it_tells_the_whole_story(page: str, toy_study: Study) -> None:
    told = words(page)
    for heading in ("Caveats", "Training", "Rate and distortion", "Scores", "What each dimension does"):
        assert heading in told
    for run in toy_study:
        assert f"seed {run.config.seed} ({run.name})" in told
    lines = [line for line in told.splitlines() if line.strip().startswith("latentlab ")]
    assert [line.split()[1] for line in lines] == ["sweep", "analyze", "report"]
    assert f"--out {toy_study.path}" in lines[0]
    assert "--beta ae,1,4,16 --seeds 2" in lines[0]
    score = toy_study["beta-4-seed-0"].scores()["mig"]
    assert f"{(score.value + toy_study['beta-4-seed-1'].scores()['mig'].value) / 2:.3f}" in told
    assert "± 0.030" in told, "the interval"
    assert "0.100" in told, "the null"
    assert f"latentlab report {toy_study.path} -o report.html" in told


def test_what_recurs_over_seeds_is_counted_and_what_does_not_is_said(page: str, toy_study: Study) -> None:
    section = words(page).split("Dimensions that recur over seeds")[1].split("What each dimension does")[0]
    assert re.search(r"β = 4\s+2 of 2 seeds have x\s", section)
    assert "Strength: mean |Spearman correlation|" in section


def test_every_dimension_that_can_be_decoded_has_its_strip(page: str, toy_study: Study) -> None:
    assert len(re.findall(r'<img alt="z\d varied', page)) == 4 * len(toy_study)
    assert page.count("<svg") == 3
    labels = re.findall(r'<svg role="img" aria-label="([^"]+)"', page)
    assert all(len(label) > 40 for label in labels)


def test_it_asks_nobody_for_anything_and_runs_nothing(page: str) -> None:
    assert "<script" not in page
    assert "default-src 'none'" in page
    fetched = re.findall(r'(?:src|href|poster|srcset)="([^"]{0,40})', page) + re.findall(r"url\(([^)]{0,20})", page)
    assert [where for where in fetched if not where.startswith(("data:image/png", "#"))] == []


def test_ids_are_those_of_one_figure_alone(page: str) -> None:
    found = re.findall(r'\bid="([^"]+)"', page)
    assert len(found) == len(set(found))
    for used in re.findall(r'(?:href="|url\()#([^")]+)', page):
        assert used in found


def test_the_same_study_gives_the_same_bytes_and_no_litter(page: str, toy_study: Study, tmp_path: Path) -> None:
    assert written(toy_study, tmp_path) == page
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_every_string_is_escaped(toy_study: Study, tmp_path: Path) -> None:
    run = tmp_path / "study" / "beta-4-seed-0"
    shutil.copytree(toy_study.path / "beta-4-seed-0", run)
    evil = "<img src=x onerror=alert(1)>\"'&{{ 7*7 }}"
    config = json.loads((run / "config.json").read_text())
    write_json(run / "config.json", {**config, "data": evil, "objective": {"name": evil}})
    write_json(run / "notes.json", {"dimensions": {"0": {"name": evil, "note": "</table><b>"}}})
    write_json(run / "environment.json", {"versions": {evil: evil}})
    text = report(Study(tmp_path / "study"), tmp_path / "r.html", title=evil).read_text()
    assert "<img src=x" not in text
    assert "</table><b>" not in text
    assert "49" not in re.findall(r"<title>.*</title>", text)[0]
    assert "onerror=alert(1)" in words(text), "it is shown as what it is"


def test_one_run_alone(toy_study: Study, tmp_path: Path) -> None:
    told = words(written(toy_study["beta-4-seed-0"], tmp_path))
    assert "1 run · 1 setting · 1 seed" in told
    assert "There is one seed per setting" in told


def test_autoencoders_alone_have_no_kl(toy_study: Study, tmp_path: Path) -> None:
    told = words(written([toy_study["ae-seed-0"], toy_study["ae-seed-1"]], tmp_path))
    assert "KL, nats" not in told
    assert "share of variance" in told
    assert "no inactive dimension" in told


def test_data_without_factors(tmp_path: Path) -> None:
    run = write_run(tmp_path / "study" / "plain", 4.0, 0, analysed=False)
    analyse(run, replace(toy_codes(4.0, 0), factors=None, specs=(), grid=None), 4.0, 0)
    told = words(written(Study(tmp_path / "study"), tmp_path))
    assert "without known factors" in told
    assert "No run has scores" in told
    assert "KL, nats" in told


def test_broken_damaged_and_young_runs_among_good_ones(
    toy_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("latentlab.reports.html.PAGE", 2)
    study = tmp_path / "study"
    for name in ("beta-4-seed-0", "beta-1-seed-0", "beta-16-seed-0", "ae-seed-0"):
        shutil.copytree(toy_study.path / name, study / name)
    (study / "beta-1-seed-0" / "config.json").write_text("{")
    (study / "beta-16-seed-0" / "codes.h5ad").write_bytes(b"cut")
    (study / "ae-seed-0" / "decodings.h5").write_bytes(b"cut")
    write_run(study / "young", 2.0, 0, analysed=False)
    page = written(Study(study), tmp_path)
    told = words(page)
    assert "config.json is not valid JSON" in told
    files = page[page.index('id="versions"') :]
    assert "<details><summary>beta-4-seed-0 to beta-16-seed-0 (2 more)</summary>" in files
    assert all(f"<td>{name}</td>" in files for name in ("beta-4-seed-0", "beta-16-seed-0", "ae-seed-0", "young"))
    assert "codes.h5ad" in told
    assert "β = 4, seed 0 (beta-4-seed-0)" in told
    assert "not encoded" in told


def test_a_model_of_ones_own_that_only_encodes(toy_study: Study, tmp_path: Path) -> None:
    run = tmp_path / "study" / "mine"
    shutil.copytree(toy_study.path / "beta-4-seed-0", run)
    config = json.loads((run / "config.json").read_text())
    adapter = {"file": "mine.py", "sha256": "0" * 64, "name": "model", "encodes": True, "decodes": False}
    write_json(run / "config.json", {**config, "adapter": adapter, "network": "own", "likelihood": "own", "steps": 0})
    (run / "decodings.h5").unlink()
    told = words(written(Study(tmp_path / "study"), tmp_path))
    assert "--adapter mine.py:model" in told
    assert "has no decoder" in told


def test_nothing_but_html_is_written(toy_study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert latentlab(["report", str(toy_study.path), "-o", str(tmp_path / "r.pdf")]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert "expected .html or .htm" in told[0]
    with pytest.raises(InputError, match="no runs"):
        report([], tmp_path / "r.html")
    assert list(tmp_path.iterdir()) == []


def test_the_verb_writes_it(toy_study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = toy_study["beta-4-seed-0"].path
    assert latentlab(["report", str(run), "-o", str(tmp_path / "r.html"), "--title", "Mine", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bytes"] == (tmp_path / "r.html").stat().st_size
    assert "<title>Mine · latentlab report</title>" in (tmp_path / "r.html").read_text()
