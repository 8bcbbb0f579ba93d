"""Ctrl-C to a real process: status 130, no traceback, and a run that continues to the same bytes."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from latentlab.cli import run
from latentlab.runs.run import Run
from latentlab.system.files import sha256

pytestmark = pytest.mark.reliability

TRAIN = ["train", "--data", "digits", "--latent-dim", "2", "--steps", "600", "--log-every", "5", "--threads", "1"]


def start(*words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "latentlab", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out + err


def test_an_interrupted_run_is_resumed_to_the_same_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    process, history = start(*TRAIN, "--out", tmp_path / "run"), tmp_path / "run" / "history.jsonl"
    deadline = time.monotonic() + 60
    while not (history.is_file() and history.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    status, said = ended(process)
    assert (status, "Traceback" in said, "--resume" in said) == (130, False, True), said
    left = Run(tmp_path / "run")
    assert left.state == "unfinished"
    assert 0 < left.step < 600
    assert run([*TRAIN, "--out", str(left.path)]) == 2
    assert "continue it with --resume" in capsys.readouterr().err
    assert run([*TRAIN, "--out", str(left.path), "--resume", "--quiet"]) == 0
    assert run([*TRAIN, "--out", str(tmp_path / "whole"), "--quiet"]) == 0
    for name in ("model.safetensors", "training.safetensors"):
        assert sha256(left.path / name) == sha256(tmp_path / "whole" / name)


@pytest.mark.parametrize("seconds", [0.5, 1.2])
def test_an_interrupt_while_it_starts_leaves_nothing_to_read(tmp_path: Path, seconds: float) -> None:
    process = start(*TRAIN, "--out", tmp_path / "run")
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    status, said = ended(process)
    assert "Traceback" not in said
    assert status in (130, -signal.SIGINT), "a shell calls both 130; the second is Python that had not begun to listen"


@pytest.mark.parametrize(("times", "said"), [(1, "imported\n"), (2, "")])
def test_an_interrupt_waits_for_the_end_of_an_import_and_a_second_one_does_not(
    tmp_path: Path, times: int, said: str
) -> None:
    # As torch does, which aborts in C++ where an exception comes out of what it imports.
    slow = f"""
import os, signal, time
try:
    for _ in range({times}):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)
    print("imported", flush=True)
except BaseException:
    os.abort()
"""
    (tmp_path / "slow.py").write_text(slow)
    command = """
import time
from latentlab import cli
from latentlab.__main__ import main

def run():
    import slow
    time.sleep(30)

cli.run = run
main()
"""
    ended = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, cwd=tmp_path, timeout=20, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, said, "")


def test_the_installed_command_speaks_json_and_fails_in_one_line(tmp_path: Path) -> None:
    good = subprocess.run(
        [sys.executable, "-m", "latentlab", "data", "show", "digits", "--json"], capture_output=True, text=True
    )
    assert (good.returncode, good.stderr) == (0, "")
    assert json.loads(good.stdout)["images"] == 1797
    bad = subprocess.run(
        [sys.executable, "-m", "latentlab", "train", "--data", str(tmp_path / "none"), "--out", str(tmp_path / "run")],
        capture_output=True,
        text=True,
    )
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.startswith("latentlab: ")
    assert bad.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()
