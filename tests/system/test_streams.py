"""The command line with the standard streams of odd places: closed, full, of few letters, or read by nobody."""

import json
import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from latentlab.errors import Remark
from latentlab.system.streams import remarks, tell
from latentlab.system.surroundings import mend_variables

pytestmark = pytest.mark.reliability

COMMAND = [sys.executable, "-m", "latentlab"]
PLACE = {**os.environ, "OMP_NUM_THREADS": "1"}


def shell(line: str, *words: str, **place: str) -> subprocess.CompletedProcess[str]:
    """Run the command with these words as a shell does whose line ends so."""
    script = f'"$0" -m latentlab "$@" {line}'
    return subprocess.run(
        ["bash", "-c", script, sys.executable, *words], env=PLACE | place, capture_output=True, text=True
    )


def test_a_training_without_standard_streams_is_a_training(tmp_path: Path) -> None:
    options = ["--steps", "3", "--latent-dim", "2", "--network", "mlp", "--log-every", "1"]
    closed = shell(">&- 2>&- <&-", "train", "--data", "digits", "--out", str(tmp_path / "closed"), *options)
    opened = shell("", "train", "--data", "digits", "--out", str(tmp_path / "opened"), *options)
    assert (closed.returncode, opened.returncode) == (0, 0), opened.stderr
    for name in ("config.json", "history.jsonl", "model.safetensors", "training.safetensors"):
        assert (tmp_path / "closed" / name).read_bytes() == (tmp_path / "opened" / name).read_bytes()


def test_letters_that_the_terminal_lacks_are_question_marks() -> None:
    said = shell("", "data", "show", "digits", PYTHONIOENCODING="ascii")
    assert (said.returncode, said.stderr) == (0, "")
    assert "1,797 images 1?8?8" in said.stdout
    found = shell("", "data", "ls", "--json", PYTHONIOENCODING="ascii")
    assert json.loads(found.stdout) == json.loads(shell("", "data", "ls", "--json", PYTHONIOENCODING="utf-8").stdout)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full device")
def test_a_full_disk_under_the_answer_is_one_line() -> None:
    said = shell("> /dev/full", "data", "ls")
    assert said.returncode == 1
    assert said.stderr == "latentlab: No space left on device; no file was left half written\n"
    assert shell("2> /dev/full", "data", "show", "nowhere").returncode == 2


def test_an_answer_that_nobody_reads_ends_without_a_word() -> None:
    read, write = os.pipe()
    os.close(read)
    said = subprocess.run([*COMMAND, "data", "ls"], stdout=write, stderr=subprocess.PIPE, env=PLACE)
    os.close(write)
    assert (said.returncode, said.stderr) == (1, b"")


@pytest.mark.parametrize(
    "place",
    [
        {"HOME": "/dev/null/none"},
        {"HOME": ""},
        {"TERM": ""},
        {"COLUMNS": "4"},
        {"COLUMNS": "many"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_help_and_lists_need_no_home_and_no_terminal(place: dict[str, str]) -> None:
    for words in (["--help"], ["train", "--help"], ["data", "ls"]):
        said = shell("", *words, **place)
        assert (said.returncode, said.stderr) == (0, "")
        assert said.stdout


def test_libraries_keep_their_warnings_to_themselves(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "warnoptions", [])
    with warnings.catch_warnings(), remarks():
        warnings.simplefilter("always")
        warnings.warn("divide by zero", RuntimeWarning, stacklevel=1)
        logging.getLogger("matplotlib").warning("created a cache")
        warnings.warn("two\nlines", Remark, stacklevel=1)
        logging.getLogger("latentlab").warning("latentlab: three files skipped")
    assert capsys.readouterr().err == "latentlab: two lines\nlatentlab: three files skipped\n"


def test_who_asks_for_warnings_sees_them(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "warnoptions", ["default"])
    shown: list[object] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", lambda *what: shown.append(what[0]))
        with remarks():
            warnings.warn("divide by zero", RuntimeWarning, stacklevel=1)
    assert [str(each) for each in shown] == ["divide by zero"]
    assert capsys.readouterr().err == ""


def test_work_goes_on_where_nobody_reads_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as broken:
        monkeypatch.setattr(sys, "stderr", broken)
        tell("lost")
        tell("lost, too")
        os.dup2(os.open(os.devnull, os.O_WRONLY), write)  # for what it holds when it is closed


@pytest.mark.parametrize(("threads", "told"), [("abc", "'abc'"), ("", ""), ("2,1", "")])
def test_variables_that_libraries_cannot_read_are_told_in_a_line_or_not_at_all(
    tmp_path: Path, threads: str, told: str
) -> None:
    options = ["--steps", "1", "--latent-dim", "2", "--network", "mlp", "--quiet"]
    given = {"OMP_NUM_THREADS": threads, "MPLBACKEND": "bogus"}
    trained = shell("", "train", "--data", "digits", "--out", str(tmp_path / "run"), *options, **given)
    analysed = shell("", "analyze", str(tmp_path / "run"), "--only", "encode", "--quiet")
    drawn = shell("", "figure", "kl", str(tmp_path / "run"), "-o", str(tmp_path / "x.pdf"), **given)
    assert drawn.returncode == analysed.returncode == trained.returncode == 0
    lines = [f"latentlab: OMP_NUM_THREADS is {told} and not heeded; expected a number from 1"] if told else []
    assert trained.stderr.splitlines() == lines
    assert (tmp_path / "x.pdf").is_file()


UNREAD = {"OMP_SCHEDULE": "bogus", "NUMBA_NUM_THREADS": "0", "SOURCE_DATE_EPOCH": "x", "TORCH_LOGS": "bogus"}


def test_every_variable_that_a_library_cannot_read_has_its_line(tmp_path: Path) -> None:
    done = shell("", "data", "check", "digits", **UNREAD)
    assert done.returncode == 0
    assert [line.split(" and ")[0] for line in done.stderr.splitlines()] == [
        f"latentlab: {name} is {value!r}" for name, value in UNREAD.items()
    ]


@pytest.mark.parametrize(("name", "value"), [
    ("OMP_SCHEDULE", "nonmonotonic:dynamic,4"), ("OMP_PLACES", "{0:4}"), ("OMP_PROC_BIND", "close, spread"),
    ("OMP_STACKSIZE", "4 M"), ("NUMBA_THREADING_LAYER", "workqueue"), ("OMP_NUM_THREADS", " 4,3"),
])  # fmt: skip
def test_variables_that_libraries_can_read_stay(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setattr("os.environ", {name: value})
    assert mend_variables() == []
    assert os.environ == {name: value}
