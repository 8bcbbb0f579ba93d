import json
import re

import numpy as np
import pytest
from declared import known_metrics
from toy import SPECS, toy_codes, write_run
from toy_support import write_evidence, write_survey

from latentlab.analysis.score.stage import score_run
from latentlab.codes.h5ad import save_codes
from latentlab.errors import InputError
from latentlab.reports.latex import escape
from latentlab.reports.methods import SOURCES, methods
from latentlab.reports.references import bibtex, cited, cited_in, entries
from latentlab.runs.run import Run
from latentlab.runs.stage import stages
from latentlab.runs.study import Study
from latentlab.system import registry
from latentlab.system.files import read_json, write_json

METRICS = ["mig", "irs", "modularity", "explicitness", "factor_vae", "rate", "udr", "unsupervised"]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """An AE and a β-VAE of the same seed, and a second VAE that was not scored."""
    path = tmp_path_factory.mktemp("methods") / "study"
    source = {"name": "dsprites-rendered", "size": 16, "grid": [3, 8, 8, 4]}
    for name, beta, seed in (("ae", None, 0), ("beta4", 4.0, 0), ("beta4b", 4.0, 3)):
        write_run(path / name, beta, seed, source=source, decay=0.2).scores_path.unlink()
    for run in Study(path).runs[:2]:
        score_run(run, metrics=METRICS, resamples=3)
    return Study(path)


def leaves(value):
    """Every number and word in nested settings, as text writes it."""
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in leaves(each)]
    if isinstance(value, list):
        return [leaf for each in value for leaf in leaves(each)]
    return [] if value is None else [f"{value:g}" if isinstance(value, float) else str(value)]


def test_the_paragraph_says_what_the_scores_say(study):
    text = methods(study).text
    for run in study.runs[:2]:
        found = json.loads(run.scores_path.read_text())
        for name, why in found["skipped"].items():
            assert escape(f"{name} ({why})") in text
        for name, entry in found["scores"].items():
            assert escape(f"({name})") in text
            said = {
                key: value for key, value in entry["settings"].items() if key not in ("split", "types", "assignment")
            }
            assert [leaf for leaf in leaves(said) if escape(leaf) not in text] == [], name
    assert "dlib@1" in text
    assert "100 \\% were also drawn for training" in text
    assert "3 redraws" in text
    assert "Without an interval: explicitness, factor\\_vae (it takes minutes for a metric that trains a model" in text


def test_the_paragraph_says_what_was_trained_on_what(study):
    text = methods(study).text
    for part in (
        "AE; $\\beta$ = 4",
        "latent size 4",
        "network mlp",
        "100 steps",
        "batch size 64",
        "Adam",
        "seeds 0 and 3",
    ):
        assert part in text
    assert "rendered by latentlab and not the published file" in text
    assert "last part 0.2 of the steps" in text
    assert "standardised codes for AE" in text
    assert "Not scored: beta4b." in text
    alone = methods(study["beta4b"]).text
    assert "Scores are" not in alone
    assert "Not scored: beta4b." in alone


def test_the_paragraph_says_how_rows_were_sampled(tmp_path):
    assert "sampled" not in methods(write_run(tmp_path / "a", 4.0, 0, analysed=False)).text
    config = {"weights": "ab" * 32, "correlate": "shape:scale=0.2"}
    found = methods(write_run(tmp_path / "b", 4.0, 0, analysed=False, **config))
    assert "In 1 of 1 runs training rows were sampled so that two factors are correlated, shape:scale=0.2" in found.text
    assert "trauble2021" in found.keys
    by_hand = write_run(tmp_path / "c", 4.0, 0, analysed=False, weights="ab" * 32)
    assert "training rows were sampled by weights of rows." in methods(by_hand).text


def test_bibtex_has_an_entry_for_every_citation(study):
    found = methods(study)
    in_text = {key for part in found.text.split("\\cite{")[1:] for key in part.split("}")[0].split(",")}
    assert in_text == set(found.keys)
    assert {"chen2018", "higgins2017", "matthey2017", "locatello2019", "latentlab"} <= in_text
    assert [key for key in found.keys if f"{{{key}," not in found.bibtex] == []
    assert found.bibtex.count("@") == len(found.keys)


def test_settings_that_were_used_bring_their_paper(tmp_path):
    plain = methods(write_run(tmp_path / "a", 4.0, 0, analysed=False)).keys
    warm = {"name": "beta-vae", "beta": 4.0, "free_bits": 0.5}
    freed = methods(write_run(tmp_path / "b", 4.0, 0, analysed=False, objective=warm)).keys
    assert set(freed) - set(plain) == {"kingma2016"}
    assert cited_in("training/objectives", "beta_vae", ["warmup_steps"])[-2:] == ("bowman2016", "sonderby2016")
    assert cited_in("models/networks", "burgess") == ("burgess2018",)


@pytest.mark.parametrize("name", known_metrics())
def test_every_source_of_a_metric_is_an_entry(name):
    assert cited(known_metrics()[name].source)


@pytest.mark.parametrize("name", [n for n in registry.names("training/objectives") if n != "ae"])
def test_every_objective_cites_its_paper(name):
    assert cited_in("training/objectives", name)


@pytest.mark.parametrize("name", registry.names("analysis/score/profiles"))
def test_every_profile_cites_its_paper(name):
    assert cited_in("analysis/score/profiles", name)


def test_entries_are_well_formed_and_ordered():
    found = entries()
    assert {key for _, keys in SOURCES.values() for key in keys} <= set(found)
    for key, text in found.items():
        assert text.count("{") == text.count("}")
        fields = {line.split(" = ")[0].strip() for line in text.splitlines()[1:-1]}
        assert {"author", "title", "year"} <= fields, key
        assert all(line.endswith("},") for line in text.splitlines()[1:-1]), key
        assert key == "latentlab" or key[-4:] in text
    from latentlab.reports.references import PATH

    assert PATH.read_text(encoding="utf-8").count("\n@") + 1 == len(found), "every entry is found, no key twice"


def test_unknown_keys_and_no_runs_are_errors():
    with pytest.raises(InputError, match=r"references\.bib has no nobody1900"):
        bibtex(["nobody1900"])
    with pytest.raises(InputError, match="no runs to describe"):
        methods([])


def test_factors_of_one_value_are_named(tmp_path):
    codes = toy_codes(4.0, 0)
    codes.factors[:, 3] = 0
    run = write_run(tmp_path / "run", 4.0, 0)
    save_codes(run.codes_path, codes)
    score_run(run, metrics=["mig"], resamples=0)
    text = methods(run).text
    assert escape(SPECS[3].name) in text
    assert np.isfinite(run.scores()["mig"].value)


def test_nothing_that_a_run_recorded_is_a_command(tmp_path):
    run = write_run(tmp_path / "a", 4.0, 0, analysed=False)
    found = read_json(run.path / "config.json")
    write_json(run.path / "config.json", {**found, "data": r"x\input{/etc/passwd}\write18{rm}\cite{me}"})
    text = methods(Run(run.path)).text
    assert set(re.findall(r"\\[a-z]+\b", text)) == {r"\cdot", r"\cite", r"\textbackslash", r"\beta", r"\times"}
    assert r"\textbackslash{}cite\{me\}" in text


def test_every_stage_that_was_run_is_described_and_cited(tmp_path):
    run = write_run(tmp_path / "run", 4.0, 0)
    write_survey(run)
    write_evidence(run)
    found = methods(run)
    for name, stage in stages().items():
        assert stage.about in found.text, name
        assert "image" not in stage.about.lower(), "samples may be of any kind"
        keys = cited(stage.source)
        assert len(keys) == stage.source.count(";") + 1 if stage.source else not keys, name
        assert set(keys) <= set(found.keys), name
    assert {"naeem2020", "kynkaanniemi2019", "nalisnick2019", "amini2019", "burda2016"} <= set(found.keys)
    assert "of toy against other" in found.text
    bare = methods(write_run(tmp_path / "bare", 4.0, 0, analysed=False))
    assert not any(stage.about in bare.text for stage in stages().values() if stage.about)


@pytest.mark.parametrize("name", ["50%_of a#1 & b", "$x^2$~", "a\nb\tc", "{\\end{document}"])
def test_a_name_is_written_as_latex_shows_it(tmp_path, name):
    run = write_run(tmp_path / "a", 4.0, 0, analysed=False, source={"name": name})
    text = methods(run).text
    assert f"source: {escape(name)}" in text
    assert not re.search(r"(?<!\\)[%#&_]|\n", re.sub(r"\\cite\{[^}]*\}", "", text))
