"""The commands that a run tells of make the same run again."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
from toy import write_run

from latentlab.cli import run as latentlab
from latentlab.runs.commands import command, commands, study_commands
from latentlab.runs.study import Study


@pytest.mark.parametrize(
    "objective",
    [
        "ae",
        "beta-vae --beta 4.00000123 --set free_bits=0.12345678 --learning-rate 0.00123456789",
        "factor-vae --set gamma=5",
    ],
)
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


def test_one_sweep_makes_a_whole_study_again(tmp_path: Path) -> None:
    line = f"sweep --data digits --out {tmp_path / 'first'} --beta ae,4 --seeds 2 --latent-dim 2 --steps 2"
    assert latentlab([*shlex.split(line), "--batch-size", "8", "--workers", "1", "-q"]) == 0
    told = study_commands(Study(tmp_path / "first"))
    assert [each.split()[1] for each in told] == ["sweep"]
    again = told[0].replace(str(tmp_path / "first"), str(tmp_path / "again"))
    assert latentlab([*shlex.split(again)[1:], "--workers", "1", "-q"]) == 0
    for run, same in zip(Study(tmp_path / "first"), Study(tmp_path / "again"), strict=True):
        assert (same.config, same.model_path.read_bytes()) == (run.config, run.model_path.read_bytes())


def test_runs_that_are_no_sweep_have_lines_of_their_own(toy_study: Study, tmp_path: Path) -> None:
    assert study_commands(toy_study)[0].split()[1] == "sweep"
    names = ("beta-1-seed-0", "beta-4-seed-1")
    for name in names:
        shutil.copytree(toy_study.path / name, tmp_path / "some" / name)
    lines = study_commands(Study(tmp_path / "some"))
    assert [line.split()[1] for line in lines] == ["train", "train", "analyze"]
    (tmp_path / "some" / names[0] / "scores.json").write_text("{")
    assert sum("train" in line for line in study_commands(Study(tmp_path / "some"))) == 1
