"""``latentlab doctor``: what is sound is said to be, and everything that is not is named, with how to mend it."""

import fcntl
import json
import os
import shlex
from pathlib import Path
from shutil import copyfile, copytree

import pytest
from toy import write_run
from toy_support import write_evidence, write_survey

from latentlab.cli import run
from latentlab.errors import MissingError
from latentlab.runs import doctor
from latentlab.runs.doctor import examine, readers, versions
from latentlab.runs.run import Run
from latentlab.runs.study import BARE, LINK, NAMED, Study
from latentlab.system.files import TEMPORARY, write_json


@pytest.fixture
def study(toy_study: Study, tmp_path: Path) -> Path:
    """A copy to do harm to."""
    return copytree(toy_study.path, tmp_path / "study")


def wrong(path: Path) -> list[tuple[str, str, str]]:
    found = [(Path(f.where).name, f.found, f.mend) for f in examine(path) if f.wrong]
    assert all(mend for _, _, mend in found)
    return found


def test_sound_versions_and_a_sound_study(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [f for f in versions() if f.wrong] == []
    assert {"torch", "streamlit", "h5py", "protobuf", "starlette", "python-multipart"} <= {f.where for f in versions()}
    assert [found for found in wrong(study) if "damaged" in found[1]] == []
    assert run(["doctor"]) == 0
    assert "nothing is wrong" in capsys.readouterr().out


def test_an_old_and_a_missing_package(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = ["torch>=999", "no-such-package>=1", 'no-such-extra>=1; extra == "cluster"']
    monkeypatch.setattr(doctor, "requires", lambda name: wanted)
    torch, absent = versions()
    assert torch.wrong
    assert torch.mend == "pip install 'torch>=999'"
    assert (absent.found, absent.wrong) == ("not installed", True)
    assert run(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["wrong"] == 2


def test_every_kind_of_harm_is_found(study: Path) -> None:
    first = sorted(study.glob("beta*"))[0]
    (first / "config.json").write_text("{")
    second = sorted(study.glob("beta*"))[1]
    (second / f"{TEMPORARY}{os.uname().nodename}-999999999-0-codes.h5ad").write_bytes(b"half")
    torn = second / "codes.h5ad"
    torn.write_bytes(torn.read_bytes()[:-100])
    (study / "study.json").write_text(json.dumps({"format": 1, "members": {first.name: {}, "never": {}}}))
    write_run(study / "half", 2.0, 0, analysed=False, steps=10**6)
    found = wrong(study)
    said = "\n".join(f"{where}: {what}; {mend}" for where, what, mend in found)
    for expected in (
        f"{first.name}: ",
        "restore its config.json",
        f"{second.name}: 1 file left by a killed process, 4 bytes",
        "codes.h5ad: damaged",
        "1 of 2 runs were never started: never",
        "half: ",
        "of 1,000,000; latentlab train --resume",
    ):
        assert expected in said, said
    assert run(["doctor", str(study), "--quiet"]) == 1


def test_a_run_that_is_being_written(study: Path) -> None:
    member = sorted(study.glob("beta*"))[0]
    handle = os.open(member / ".lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        assert "another process writes it now" in [f.found for f in examine(member)]
    finally:
        os.close(handle)
    assert "another process writes it now" not in [f.found for f in examine(member)]


def test_what_is_no_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MissingError):
        examine(tmp_path / "nothing")
    assert run(["doctor", str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def examined(path: Path) -> Run:
    """A run in which every verb left its file."""
    run = write_run(path, 4.0, 0)
    write_survey(run)
    write_evidence(run)
    write_json(run.path / "environment.json", {"versions": {"torch": "2"}})
    write_json(run.path / "notes.json", {"dimensions": {"0": {"name": "size"}}})
    copyfile(run.model_path, run.path / "training.safetensors")
    return run


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of such a run, with which nothing is wrong; tests copy it."""
    run = examined(tmp_path_factory.mktemp("sound") / "run")
    assert wrong(run.path) == []
    return run.path


@pytest.mark.parametrize("file", sorted(readers()))
@pytest.mark.parametrize("harm", ["half", "empty", "another"])
def test_every_file_of_a_run_is_read(sound: Path, tmp_path: Path, file: str, harm: str) -> None:
    run = Run(copytree(sound, tmp_path / "it's here"))
    path = run.path / file
    whole = path.read_bytes()
    if harm == "another" and path.suffix == ".h5":
        path.write_bytes((run.path / ("effects.h5" if file != "effects.h5" else "decodings.h5")).read_bytes())
    else:
        path.write_bytes({"half": whole[: len(whole) // 2], "empty": b"", "another": b"[1]"}[harm])
    found = [(where, mend) for where, what, mend in wrong(run.path)]
    assert len(found) == 1
    [(where, mend)] = found
    assert where in (file, run.path.name)  # weights that do not say their step are the run's own trouble
    parts = shlex.split(mend)
    assert "rm" not in parts or f"{path};" in parts or str(path) in parts
    assert "latentlab" not in parts or str(run.path) in parts


@pytest.mark.parametrize("file", [".lock", "codes.h5ad", "leakage.json", "model.safetensors"])
def test_what_is_no_file(tmp_path: Path, file: str) -> None:
    run = examined(tmp_path / "run")
    path = run.path / file
    path.unlink(missing_ok=True)
    for make in (path.mkdir, lambda: os.mkfifo(path), lambda: path.symlink_to(path)):
        make()
        assert (file, "damaged: it is not a file", f"rm -r {path}; then doctor again") in wrong(run.path)
        assert [where for where, what, _ in wrong(run.path) if "damaged" in what] == [file]
        path.rmdir() if path.is_dir() else path.unlink()


def test_what_was_made_from_other_weights_is_stale_unless_the_weights_are_damaged(tmp_path: Path) -> None:
    run = examined(tmp_path / "run")
    found = json.loads((run.path / "leakage.json").read_text())
    write_json(run.path / "leakage.json", {**found, "inputs": {"model": "x"}})
    [(where, what, mend)] = wrong(run.path)
    assert (where, what[:6], mend) == ("leakage.json", "stale:", f"latentlab leakage {run.path}")
    run.model_path.write_bytes(run.model_path.read_bytes()[:-1])
    assert [where for where, _, _ in wrong(run.path)] == ["model.safetensors"]


@pytest.mark.parametrize("content", ["", '{"step": 50}\n', None])
def test_a_history_that_does_not_reach_the_end(tmp_path: Path, content: str | None) -> None:
    run = examined(tmp_path / "run")
    path = run.path / "history.jsonl"
    path.unlink() if content is None else path.write_text(content)
    [(where, what, _)] = wrong(run.path)
    assert (where, what) == ("history.jsonl", f"damaged: it ends at step {50 if content else 0} of 100")


def test_what_a_study_passes_over_is_said(study: Path, tmp_path: Path) -> None:
    write_run(tmp_path / "elsewhere", 2.0, 0)
    (study / "linked").symlink_to(tmp_path / "elsewhere")
    write_run(study / "odd name", 2.0, 0)
    (write_run(study / "bare", 2.0, 0).path / "config.json").unlink()
    (study / "study.json").write_text('{"members": [[1]]}')
    (study / "figures").mkdir()
    said = {where: what for where, what, _ in wrong(study)}
    assert said == {
        "linked": LINK,
        "odd name": NAMED,
        "bare": BARE,
        "study.json": "it is not a plan (ValueError)",
    }


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "scores.json", "history.jsonl"])
def test_what_may_not_be_read_hides_no_other_run(study: Path, monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    first, *others = sorted(study.iterdir())
    closed, opened, read_bytes, low = first / file, Path.open, Path.read_bytes, os.open

    def refuse(path: object) -> None:
        if path == closed:
            raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", lambda path, *a, **k: refuse(path) or low(path, *a, **k))
    monkeypatch.setattr(Path, "open", lambda path, *a, **k: refuse(path) or opened(path, *a, **k))
    monkeypatch.setattr(Path, "read_bytes", lambda path: refuse(path) or read_bytes(path))
    found = examine(study)
    [(where, what, _)] = wrong(study)
    assert where in (file, first.name)
    assert "Permission denied" in what
    assert {str(other) for other in others} <= {f.where for f in found}
