"""``latentlab doctor``: what is sound is said to be, and everything that is not is named, with how to mend it."""

import fcntl
import json
import os
from pathlib import Path
from shutil import copytree

import pytest
from toy import write_run

from latentlab import checkup
from latentlab.checkup import examine, versions
from latentlab.cli import run
from latentlab.errors import MissingError
from latentlab.files import TEMPORARY
from latentlab.runs import Study


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
    monkeypatch.setattr(checkup, "requires", lambda name: wanted)
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
    (second / f"{TEMPORARY}9-codes.h5ad").write_bytes(b"half")
    torn = second / "codes.h5ad"
    torn.write_bytes(torn.read_bytes()[:-100])
    (study / "study.json").write_text(json.dumps({"format": 1, "members": {first.name: {}, "never": {}}}))
    write_run(study / "half", 2.0, 0, analysed=False, steps=10**6)
    found = wrong(study)
    said = "\n".join(f"{where}: {what}; {mend}" for where, what, mend in found)
    for expected in (
        f"{first.name}: ",
        "restore its config.json",
        f"{second.name}: 1 files that a killed process left, 4 bytes",
        "codes.h5ad: damaged",
        "1 of 2 members were never begun: never",
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
