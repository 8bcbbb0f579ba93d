"""A file of weights that says an impossible step: one line for its run, and the rest of the study is as it was."""

from pathlib import Path
from shutil import copytree

import pytest
from safetensors.numpy import load_file, save_file

from latentlab.cli import run as cli
from latentlab.errors import InputError
from latentlab.runs.comparison import compare
from latentlab.runs.run import Run
from latentlab.runs.study import Study
from latentlab.system.resources import shipped_study

STEPS = ["9" * 5000, "-5", "", "1e3", " 7", "٣", "12345678901"]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return Path(copytree(shipped_study(), tmp_path / "study"))


def say(run: Path, step: str) -> None:
    path = run / "model.safetensors"
    weights = load_file(path)
    path.unlink()
    save_file(weights, path, metadata={"step": step})


@pytest.mark.parametrize("step", STEPS)
def test_it_is_one_line(study: Path, step: str) -> None:
    run = Study(study)[0]
    say(run.path, step)
    with pytest.raises(InputError, match="does not record its step") as caught:
        _ = Run(run.path).step
    assert len(str(caught.value)) < 100 + len(str(run.path))


@pytest.mark.parametrize("verb", ["compare", "doctor", "report", "export", "analyze", "train"])
def test_no_verb_ends_in_a_traceback(
    study: Path, verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Study(study)[0].path
    say(run, "9" * 5000)
    words = {
        "compare": [str(study)], "doctor": [str(study)], "report": [str(study), "-o", str(tmp_path / "r.html")],
        "export": [str(run), "--to", "huggingface", "-o", str(tmp_path / "hf")],
        "analyze": [str(run), "--only", "encode", "-q"],
        "train": ["--data", "digits", "--out", str(run), "--resume", "-q"],
    }[verb]  # fmt: skip
    assert cli([verb, *words]) in (0, 1, 2)
    assert "Traceback" not in capsys.readouterr().err


def test_the_table_of_the_study_has_the_other_runs(study: Path) -> None:
    before = compare(Study(study)).set_index("run")
    broken = Study(study)[0]
    say(broken.path, "9" * 5000)
    after = compare(Study(study)).set_index("run")
    assert len(after) == len(before)
    assert "does not record its step" in after.loc[broken.name, "error"]
    others = [name for name in before.index if name != broken.name]
    assert after.loc[others, "state"].tolist() == before.loc[others, "state"].tolist()
