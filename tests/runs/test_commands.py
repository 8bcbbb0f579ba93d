"""The commands that a run tells of make the same run again."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from toy import write_run

from latentlab.cli import run as latentlab
from latentlab.runs.commands import command, commands
from latentlab.runs.study import Study


@pytest.mark.parametrize("objective", ["ae", "beta-vae --beta 4 --set free_bits=0.1", "factor-vae --set gamma=5"])
def test_the_command_told_trains_the_same_weights(tmp_path: Path, objective: str) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    line = f"train --data digits --out {first} --objective {objective} --latent-dim 3 --steps 3 --batch-size 8 -q"
    assert latentlab(shlex.split(line)) == 0
    told = commands(Study(tmp_path)["first"])
    assert len(told) == 1
    assert latentlab([str(again) if part == str(first) else part for part in shlex.split(told[0])[1:]] + ["-q"]) == 0
    for name in ("config.json", "model.safetensors"):
        assert (first / name).read_bytes() == (again / name).read_bytes()


def test_what_was_analysed_says_how(toy_study: Study) -> None:
    train, analyze = commands(toy_study["beta-4-seed-0"])
    assert shlex.split(train)[:4] == ["latentlab", "train", "--data", "toy"]
    assert shlex.split(analyze)[-2:] == ["--metric", "mig,dci"]


def test_what_a_run_does_not_know_is_in_capitals(tmp_path: Path) -> None:
    own = {"file": "mine.py", "sha256": "0", "name": "model"}
    run = write_run(tmp_path / "own", 4.0, 0, analysed=False, adapter=own, network="own", likelihood="own")
    assert "--adapter mine.py:model --weights WEIGHTS" in commands(run)[0]
    foreign = write_run(tmp_path / "foreign", 4.0, 0, analysed=False, imported={"format": "disvae", "file": "model.pt"})
    assert commands(foreign)[0].startswith("latentlab import disvae model.pt --data toy")


def test_what_a_shell_would_take_apart_is_quoted() -> None:
    assert shlex.split(command("compare", "a b; rm -rf x", "$(y)")) == ["latentlab", "compare", "a b; rm -rf x", "$(y)"]
