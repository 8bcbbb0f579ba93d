"""Every verb on small data: exit status, one JSON object, silence where it was asked for."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pandas as pd
import pytest
from toy import write_run

from latentlab.cli import run
from latentlab.errors import LatentlabError, Remark
from latentlab.runs.run import Run
from latentlab.runs.study import Study
from latentlab.system.files import lock, sha256, write_json
from latentlab.system.registry import names
from latentlab.system.streams import remarks

SMALL = ["--latent-dim", "2", "--steps", "20", "--quiet"]


class Said:
    """What a verb said and how it ended."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    @property
    def json(self) -> Any:
        assert self.status == 0, self.err
        assert self.out.endswith("\n")
        assert self.out.count("\n") == 1, "one line on standard output, nothing else"
        found = json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
        assert isinstance(found, dict)
        return found


Say = Callable[..., Said]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    def call(*argv: object) -> Said:
        status = run([str(word) for word in argv])
        return Said(status, *capsys.readouterr())

    return call


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AE and β = 4 on the digits, encoded and scored by mig; tests leave it as it is."""
    path = tmp_path_factory.mktemp("cli") / "study"
    assert run(["sweep", "--data", "digits", "--out", str(path), "--beta", "ae,4", "--workers", "1", *SMALL]) == 0
    words = ["--only", "encode,traverse,score", "--metric", "mig", "--workers", "1", "--quiet"]
    assert run(["analyze", str(path), *words]) == 0
    return path


def test_train(say: Say, tmp_path: Path) -> None:
    words = ["train", "--data", "digits", "--out", tmp_path / "run", "--beta", 2, *SMALL]
    found = say(*words, "--json").json
    expected = {"run", "steps", "seconds", "images_per_second", "distortion", "rate", "elbo", "normalised_beta"}
    assert expected - {"normalised_beta"} <= set(found) <= expected
    assert found["steps"] == 20
    assert found["elbo"] == pytest.approx(-found["distortion"] - found["rate"])
    again = say(*words)
    assert (again.status, again.err) == (0, "")
    assert "was finished already" in again.out
    assert say(*words, "--json").json["steps"] == 20


def test_train_says_what_an_autoencoder_has_not(say: Say, tmp_path: Path) -> None:
    words = ["train", "--data", "digits", "--out", tmp_path / "run", "--objective", "ae", "--latent-dim", 2]
    found = say(*words, "--steps", 5, "--json").json
    assert (found["rate"], found["elbo"]) == (None, None)


def test_train_speaks_plain_lines_in_a_log(say: Say, tmp_path: Path) -> None:
    said = say("train", "--data", "digits", "--out", tmp_path / "run", "--latent-dim", 2, "--steps", 5)
    assert said.err.startswith("train ")
    assert "5 of 5" in said.err
    assert "\x1b" not in said.err + said.out
    assert said.out.count("\n") == 1


def test_sweep(say: Say, study: Path, tmp_path: Path) -> None:
    words = ["sweep", "--data", "digits", "--beta", "ae,4", "--workers", 1, *SMALL]
    found = say(*words, "--out", tmp_path / "study", "--json").json
    assert [(row["run"], row["setting"], row["seed"], row["state"]) for row in found["runs"]] == [
        ("ae-seed0", "AE", 0, "finished"),
        ("beta4-seed0", "β = 4", 0, "finished"),
    ]
    assert sha256(tmp_path / "study" / "ae-seed0" / "model.safetensors") == sha256(
        study / "ae-seed0" / "model.safetensors"
    )
    said = say(*words, "--out", study)
    assert said.status == 0
    assert said.out.count("finished") == 2


def test_sweep_by_a_study_file(say: Say, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('data = "digits"\nbeta = [1]\nlatent_dim = 2\nsteps = 5\n')
    found = say("sweep", tmp_path / "s.toml", "--out", tmp_path / "study", "--json").json
    assert [row["run"] for row in found["runs"]] == ["beta1-seed0"]


def test_a_member_that_fails_is_status_1(say: Say, tmp_path: Path) -> None:
    with lock(tmp_path / "study" / "ae-seed0"):
        said = say("sweep", "--data", "digits", "--out", tmp_path / "study", "--beta", "ae,4", "--workers", 1, *SMALL)
    assert said.status == 1
    assert "1 of 2 runs failed" in said.err
    assert said.err.count("\n") == 1
    assert Run(tmp_path / "study" / "beta4-seed0").state == "finished"


def test_analyze(say: Say, study: Path) -> None:
    before = {f: f.stat().st_mtime_ns for f in study.rglob("*") if f.is_file() and f.name != ".lock"}
    found = say("analyze", study, "--only", "score,encode", "--metric", "mig", "--workers", 1, "--json").json
    assert [Path(row["run"]).name for row in found["runs"]] == ["ae-seed0", "beta4-seed0"]
    assert found["runs"][0]["stages"] == ["encode", "score"]
    said = say("analyze", study, "--only", "encode,traverse,score", "--metric", "mig", "--workers", 1, "--quiet")
    assert (said.status, said.err) == (0, "")
    assert {f: f.stat().st_mtime_ns for f in before} == before, "what is up to date is left alone"
    assert [set(run.scores()) for run in Study(study)] == [{"mig"}, {"mig"}]


def test_score_of_a_run(say: Say, study: Path) -> None:
    found = say("score", study / "beta4-seed0", "--metric", "mig", "--json").json
    assert found["profile"] == "dlib"
    assert set(found["scores"]) == {"mig"}
    assert found["scores"]["mig"]["value"] == Study(study)["beta4-seed0"].scores()["mig"].value
    codes = say("score", study / "beta4-seed0" / "codes.h5ad", "--metric", "mig", "--json").json
    assert codes["scores"]["mig"]["value"] == found["scores"]["mig"]["value"]
    assert "mig" in say("score", study / "beta4-seed0", "--metric", "mig").out


def test_score_of_plain_arrays(say: Say, tmp_path: Path) -> None:
    factors = np.indices((4, 4, 4)).reshape(3, -1).T
    np.save(tmp_path / "z.npy", factors.astype(float))
    np.save(tmp_path / "v.npy", factors)
    words = ["score", "--codes", tmp_path / "z.npy", "--metric", "mig", "--json"]
    assert say(*words, "--grid", "4,4,4").json["scores"]["mig"]["value"] == pytest.approx(1, abs=0.01)
    assert say(*words, "--factors", tmp_path / "v.npy").json["scores"]["mig"]["value"] == pytest.approx(1, abs=0.01)
    both = say(*words, "--factors", tmp_path / "v.npy", "--grid", "4,4,4").json
    assert both["scores"]["mig"]["value"] == pytest.approx(1, abs=0.01)
    without = say(*words).json
    assert without["scores"] == {}
    assert "needs factors" in without["skipped"]["mig"]


def test_score_of_tables_says_what_was_read(say: Say, tmp_path: Path) -> None:
    factors = pd.DataFrame(np.indices((4, 4, 4)).reshape(3, -1).T)
    factors.to_csv(tmp_path / "V.CSV")
    factors.astype(float).add(0.5).to_csv(tmp_path / "z.tsv.gz", sep="\t", index=False)
    words = ["score", "--codes", tmp_path / "z.tsv.gz", "--factors", tmp_path / "V.CSV", "--metric", "mig"]
    said = say(*words, "--resamples", "0")
    told = ["z.tsv.gz: separated by tabs, header, 64 rows × 3 columns"]
    told.append("V.CSV: header, index column left out, 64 rows × 3 columns")
    assert said.err.splitlines() == told
    found = say(*words, "--resamples", "0", "--json").json
    assert found["read"] == told
    assert found["scores"]["mig"]["per_factor"].keys() == {"0", "1", "2"}
    assert say(*words, "--resamples", "0", "--quiet").err == ""
    (tmp_path / "z.csv").write_text("0,1\n1,0\n0,1\n")
    asked = say("score", "--codes", tmp_path / "z.csv")
    assert asked.status == 2
    assert "pass --header or --no-header" in asked.err
    assert say("score", "--codes", tmp_path / "z.csv", "--no-header", "--metric", "unsupervised").status == 0


def test_compare(say: Say, study: Path, tmp_path: Path) -> None:
    found = say("compare", study, "--json").json
    assert [row["setting"] for row in found["runs"]] == ["AE", "β = 4"]
    assert found["runs"][0]["rate"] is None
    assert set(found["recurring"]["without"]) == {"AE", "β = 4"}
    said = say("compare", study, "-o", tmp_path / "table.csv")
    assert said.status == 0
    assert "β = 4: 1 seed encoded; recurring dimensions need at least two." in said.out
    assert "β = 4" in said.out
    assert (tmp_path / "table.csv").read_text(encoding="utf-8").count("\n") == 3


def test_compare_shows_a_broken_member(say: Say, study: Path, tmp_path: Path) -> None:
    copytree(study, tmp_path / "study")
    (tmp_path / "study" / "ae-seed0" / "config.json").write_text("{")
    said = say("compare", tmp_path / "study", "--json")
    found = json.loads(said.out)
    assert [row["state"] for row in found["runs"]] == ["finished", "broken"]
    assert [failed["run"] for failed in found["failed"]] == ["ae-seed0"]
    assert (said.status, said.err.count("\n")) == (1, 1)


def test_metrics(say: Say) -> None:
    said = say("metrics")
    assert (said.status, said.err) == (0, "")
    assert [line.split()[0] for line in said.out.splitlines()[1 : 1 + len(names("metrics"))]] == list(names("metrics"))
    one = say("metrics", "mcc")
    for entry in ("assumes", "misleadingly high", "smallest reliable difference", "sine and cosine codes", "source"):
        assert entry in one.out
    assert say("metrics", "mcc", "--json").json["unchanged_by"] == ["order", "sign", "scale", "scales", "shift"]
    assert len(say("metrics", "--json").json["metrics"]) == len(names("metrics"))
    wrong = say("metrics", "mc")
    assert (wrong.status, wrong.err.count("\n")) == (2, 1)


def test_score_and_compare_warn_of_data_outside_the_domain(say: Say, tmp_path: Path, study: Path) -> None:
    v = np.random.default_rng(0).standard_normal((1000, 3))
    v[:, 1] = v[:, 0] ** 3
    for name, array in (("v", v), ("z", v + 5)):
        np.save(tmp_path / f"{name}.npy", array)
    words = ["score", "--codes", tmp_path / "z.npy", "--factors", tmp_path / "v.npy", "--metric", "mig"]
    said = say(*words, "--resamples", 0)
    assert "warning: copied factors: factor_0 and factor_1 are the same up to relabelling" in said.out
    assert "warning" not in say(*words, "--resamples", 0, "--quiet").out
    found = say(*words, "--resamples", 0, "--json").json["caveats"]
    assert {each["which"] for each in found} == {"copied factors", "repeated codes"}
    copytree(study, tmp_path / "study")
    for path in (tmp_path / "study").glob("*/scores.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "caveats": found}))
    said = say("compare", tmp_path / "study").out
    assert "warning, 2 runs: copied factors: factor_0 and factor_1" in said
    compared = say("compare", tmp_path / "study", "--json").json["caveats"]
    assert [(each["which"], len(each["runs"])) for each in compared[:2]] == [
        ("copied factors", 2),
        ("repeated codes", 2),
    ]


def test_methods(say: Say, study: Path) -> None:
    found = say("methods", study, "--json").json
    assert set(found) == {"text", "keys", "bibtex"}
    said = say("methods", study / "beta4-seed0")
    assert (said.status, said.err) == (0, "")
    assert "\\cite{" in said.out
    assert "@inproceedings{higgins2017," in said.out


def test_figure(say: Say, study: Path, tmp_path: Path) -> None:
    out = tmp_path / "kl.svg"
    found = say("figure", "kl", study / "beta4-seed0", "-o", out, "--json").json
    assert (found["figure"], found["kind"]) == (str(out), "kl")
    assert [Path(each["run"]).name for each in found["runs"]] == ["beta4-seed0"]
    assert found["failed"] == []
    assert out.read_bytes().startswith(b"<?xml")


def test_data(say: Say) -> None:
    assert {row["name"] for row in say("data", "ls", "--json").json["datasets"]} >= {"digits", "dsprites", "shapes3d"}
    assert say("data", "show", "digits", "--json").json["images"] == 1797
    assert say("data", "check", "digits", "--json").json["findings"]
    for words in (("ls",), ("show", "digits"), ("check", "digits")):
        said = say("data", *words)
        assert (said.status, said.err) == (0, "")
        assert said.out


def test_export(say: Say, study: Path, tmp_path: Path) -> None:
    found = say("export", study / "beta4-seed0", "--to", "h5ad", "-o", tmp_path / "codes.h5ad", "--json").json
    assert found["to"] == "h5ad"
    assert (tmp_path / "codes.h5ad").stat().st_size > 1000
    assert say("export", study, "--to", "study", "-o", tmp_path / "small", "--rows", 50, "--json").status == 0
    assert [len(run.codes()) for run in Study(tmp_path / "small")] == [50, 50]


@pytest.mark.parametrize(
    "words",
    [(), ("train",), ("sweep",), ("analyze",), ("score",), ("compare",), ("methods",), ("figure",), ("data",),
     ("data", "show"), ("dashboard",), ("demo",), ("export",)],
    ids=" ".join,
)  # fmt: skip
def test_help_has_an_example(say: Say, words: tuple[str, ...]) -> None:
    said = say(*words, "--help")
    assert (said.status, said.err) == (0, "")
    assert "xample" in said.out or words in ((), ("data",))
    assert "Traceback" not in said.out


def test_memory_that_is_not_there_is_one_line(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to …")):
        monkeypatch.setattr("latentlab.data.names", _raising(error))
        said = say("data", "ls")
        assert (said.status, said.err.count("\n")) == (1, 1)
        assert "out of memory" in said.err
    monkeypatch.setattr("latentlab.data.names", _raising(RuntimeError("a bug")))
    with pytest.raises(RuntimeError, match="a bug"):
        run(["data", "ls"])


def test_long_messages_and_control_characters_are_cut(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentlab.data.names", _raising(LatentlabError("\x1b[31mred\n" + "x" * 500)))
    said = say("data", "ls")
    assert said.err.count("\n") == 1
    assert len(said.err) <= 201
    assert "\x1b" not in said.err


def test_an_interrupt_is_130(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentlab.data.names", _raising(KeyboardInterrupt()))
    said = say("data", "ls")
    assert (said.status, said.out, said.err) == (130, "", "")


def _raising(error: BaseException) -> Callable[[], None]:
    def call() -> None:
        raise error

    return call


def test_labels_are_shown_as_they_are_and_command_no_terminal(tmp_path: Path, say: Say) -> None:
    run = write_run(tmp_path / "study" / "one", 4.0, 0)
    config = json.loads((run.path / "config.json").read_text())
    write_json(run.path / "config.json", config | {"objective": {"name": "[/b][red]\x1b]0;x\x07"}})
    for verb in ("doctor", "compare", "methods"):
        said = say(verb, run.path.parent)
        assert said.status == 0, said.err
        assert "[/b][red]?]0;x?" in said.out
        assert "\x1b" not in said.out


def test_what_is_no_text_is_one_line(tmp_path: Path, say: Say) -> None:
    run = write_run(tmp_path / "study" / "one", 4.0, 0)
    said = say("report", run.path, "-o", tmp_path / "r.html", "--title", "\udcff", "-q")
    assert (said.status, said.err.count("\n")) == (2, 1)
    assert "is not valid text" in said.err


def test_a_remark_is_one_line_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings(), remarks():
        warnings.simplefilter("always")
        warnings.warn("no font has these letters:\n猫", Remark, stacklevel=1)
    assert capsys.readouterr().err == "latentlab: no font has these letters: 猫\n"


@pytest.mark.parametrize(
    "words",
    [
        "analyze STUDY --only encode,project --projection-rows 50 --workers 1",
        "analyze STUDY --only probe,explain",
        "probe STUDY --sizes 1 --draws 2",
        "explain STUDY --rows 2 --steps 3",
        "likelihood STUDY --data digits:binarised=0 --rows 2 --samples 5",
        "figure scores STUDY -o OUT",
        "compare STUDY",
        "report STUDY -o REPORT",
    ],
)
def test_one_broken_run_costs_no_other(say: Say, study: Path, tmp_path: Path, words: str) -> None:
    there = copytree(study, tmp_path / "study")
    copytree(there / "beta4-seed0", there / "beta4-seed1")
    (there / "beta4-seed1" / "config.json").write_text("{")
    places = {"STUDY": there, "OUT": tmp_path / "x.csv", "REPORT": tmp_path / "r.html"}
    said = say(*(places.get(word, word) for word in words.split()), "--json")
    found = json.loads(said.out)
    assert said.status == 1
    failed = {Path(each["run"]).name: each["why"] for each in found["failed"]}
    assert "is not valid JSON" in failed.pop("beta4-seed1")
    assert "beta4-seed0" in {Path(each["run"]).name for each in found["runs"]}
    assert failed.keys() <= {"ae-seed0"}, "an autoencoder has no likelihood"
    assert all(line.startswith("latentlab: ") for line in said.err.splitlines()), said.err


def test_a_question_that_must_be_given_more_says_which_verb_takes_it(say: Say, study: Path) -> None:
    said = say("analyze", study / "beta4-seed0", "--only", "outliers")
    assert (said.status, said.err.count("\n")) == (2, 1)
    assert "outliers needs --against DATA; use its own command: `latentlab outliers" in said.err


def test_a_copy_says_what_it_leaves_out(say: Say, study: Path, tmp_path: Path) -> None:
    said = say("export", study, "--to", "study", "-o", tmp_path / "small", "--rows", 50)
    assert "left out: training.safetensors" in said.out
    assert "left out: all but 50 rows" in said.out
