"""A study that somebody else made: nothing that its files say runs code, and no link in it hands a file on."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latentlab.cli import run as cli
from latentlab.codes.codes import Codes
from latentlab.codes.h5ad import save_codes
from latentlab.data import load
from latentlab.errors import InputError, LatentlabError
from latentlab.runs.data import data_of, same_data
from latentlab.runs.data_for_workers import hand_over, take_over
from latentlab.runs.images import dataset_of
from latentlab.runs.notes import READ_ONLY
from latentlab.runs.run import Run
from latentlab.runs.study import Study
from latentlab.serving.shown import as_study
from latentlab.serving.thumbnails import thumbnail
from latentlab.system.files import write_json
from latentlab.training.plan import read_plan
from latentlab.training.sweep import train_member

CANARY = "import pathlib\npathlib.Path(__file__).with_name('sung').touch()\ndef f(**options):\n    raise ValueError\n"
SPELLINGS = [
    "evil.py:f", "evil.py:f/", "./evil.py:f", "evil.py:f:", "evil.py:f:a=1", "evil.py:f:a=1\n", "evil.py:f\n",
    "\nevil.py:f", "evil.py:f/.", "evil.py:f//", "sub/../evil.py:f/", "{there}/evil.py:f", "{there}/evil.py:f:a=1\n",
    "{there}/evil.py:f/", "evil.py :f", "evil.py: f", "evil.py:f ", "evil.py/:f", "evil.PY:f",
    "mnist:evil.py:f", "mnist:evil.py:f,a=1", "dsprites:evil.py:f", "evil.py:f,a=1", "link.py:f/", "evil.py:ｆ",
]  # fmt: skip
VERBS = """
    doctor {study} | compare {study} | methods {study} | report {study} -o {out}/r.html --quiet
    analyze {run} --only encode --quiet | analyze {run} --only traverse --quiet | score {run} --metric unsupervised
    leakage {run} --quiet | support {run} --samples 100 --quiet | likelihood {run} --quiet | explain {run} | probe {run}
    outliers {run} --against digits --quiet | debias {run} -o {out}/w.npy | export {run} --to huggingface -o {out}/hf
    export {study} --to study -o {out}/copy | figure traversals {run} -o {out}/t.png | figure code {run} -o {out}/c.png
    train --data digits --out {run} --steps 2 --quiet | intervene {run} --quiet
"""


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file that leaves a mark when it is run, and a run that was made of digits."""
    folder = tmp_path_factory.mktemp("stranger")
    (folder / "evil.py").write_text(CANARY)
    (folder / "link.py").symlink_to(folder / "evil.py")
    (folder / "sub").mkdir()
    words = ["--network", "shallow", "--latent-dim", "2", "--steps", "2", "--threads", "1", "--quiet"]
    assert cli(["train", "--data", "digits", "--out", str(folder / "study" / "run"), *words]) == 0
    return folder


def record(there: Path, spec: str) -> Run:
    """The run, whose files all say that its data are those."""
    run, spec = Run(there / "study" / "run"), spec.replace("{there}", str(there))
    write_json(run.path / "config.json", {**json.loads((run.path / "config.json").read_text()), "data": spec})
    write_json(run.path / "environment.json", {"place": {"folder": str(there)}})
    digits = load("digits")
    save_codes(
        run.codes_path,
        Codes(np.zeros((len(digits), 2), np.float32), row_ids=digits.row_ids, provenance={"data": spec, "inputs": {}}),
    )
    return Run(run.path)


@pytest.mark.parametrize("spec", SPELLINGS)
def test_no_record_runs_code(there: Path, spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(there)
    run = record(there, spec)
    row = int(load("digits").row_ids[0])
    asked: list[Any] = [
        lambda: data_of(run), lambda: dataset_of(run), lambda: same_data(run, "digits"), lambda: data_of(run, spec),
        lambda: thumbnail(run.path.parent, "run", row),
    ]  # fmt: skip
    for ask in asked:
        try:
            assert ask() is False  # other data, where the question is whether they are the same
        except InputError:
            continue
    Path("plan.toml").write_text(f"data = {json.dumps(run.config.data)}\nbeta = [1]\nsteps = 2\n")
    assert cli(["sweep", "plan.toml", "--out", "new", "--quiet"]) == 2
    assert not (there / "sung").exists()


def test_no_verb_runs_code_that_a_record_names(there: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for spec in ("{there}/evil.py:f", "evil.py:f/"):
        run = record(there, spec)
        for line in " | ".join(VERBS.strip().splitlines()).split("|"):
            status = cli(line.format(run=run.path, study=run.path.parent, out=tmp_path).split())
            assert status in (0, 1, 2), line
            assert not (there / "sung").exists(), line
    told = capsys.readouterr().err
    assert "are made by code, which is not run automatically; add --data" in told


def test_a_plan_never_names_code(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text('data = "evil.py:f:a=1"\nbeta = [1]\n')
    with pytest.raises(InputError, match="code, which a study file cannot run"):
        read_plan(tmp_path / "plan.toml")


# Data in another process


def test_a_worker_reads_the_file_that_was_named_wherever_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, rows in (("here", 3), ("elsewhere", 5)):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "x.npy", np.arange(rows * 64, dtype=np.uint8).reshape(rows, 8, 8))
    monkeypatch.chdir(tmp_path / "here")
    given = json.loads(json.dumps(hand_over(load("x.npy"))))
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert len(take_over(given)) == 3
    (tmp_path / "here" / "x.npy").unlink()
    with pytest.raises(InputError, match=r"here/x.npy does not exist; expected"):
        train_member(given, "run", {})


def test_a_worker_refuses_other_data_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("import numpy as np\nf = np.zeros((4, 8, 8), np.uint8)\n")
    given = hand_over(load(f"{tmp_path}/own.py:f"))
    assert len(take_over(given)) == 4
    (tmp_path / "own.py").write_text("import numpy as np\nf = np.ones((4, 8, 8), np.uint8)\n")
    with pytest.raises(InputError, match="differs from the data on the first machine"):
        take_over(given)


# Links


@pytest.fixture
def linked(there: Path, tmp_path: Path) -> Study:
    """A study of which one run has a private file as its notes."""
    (tmp_path / "private.json").write_text('{"dimensions": {"0": {"name": "secret"}}}')
    (tmp_path / "study").mkdir()
    record(there, "digits")
    for name in ("a", "b"):
        folder = tmp_path / "study" / name
        folder.mkdir()
        for file in (there / "study" / "run").iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
    (tmp_path / "study" / "b" / "notes.json").symlink_to(tmp_path / "private.json")
    return Study(tmp_path / "study")


def test_a_link_out_of_a_run_is_not_exported(linked: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli(["export", str(linked.path), "--to", "study", "-o", str(tmp_path / "copy")]) == 2
    assert "is a link that leads out of the run" in capsys.readouterr().err
    assert not (tmp_path / "copy").exists()
    notes = linked.path / "b" / "notes.json"
    notes.unlink()
    notes.symlink_to("config.json")  # within the run: a file that is handed on anyway
    assert cli(["export", str(linked.path / "a"), "--to", "h5ad", "-o", str(tmp_path / "a.h5ad")]) == 0


def test_others_are_not_shown_a_run_with_a_link_out_of_it(linked: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [run.name for run in as_study(linked.path)] == ["a", "b"]
    monkeypatch.setenv(READ_ONLY, "1")
    shown = as_study(linked.path)
    assert [run.name for run in shown] == ["a"]
    assert "leads out of the run" in shown.broken["b"]
    row = int(load("digits").row_ids[0])
    assert thumbnail(linked.path, "a", row)
    for ask in (lambda: thumbnail(linked.path, "b", row), lambda: as_study(linked.path / "b")):
        with pytest.raises(LatentlabError, match="leads out of the run"):
            ask()
