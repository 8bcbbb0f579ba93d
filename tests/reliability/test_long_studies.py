"""A study of many members, some of which diverge, killed and continued over and over: the table stays right."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from victims import Victims, many, readable

from latentlab.runs.comparison import compare
from latentlab.runs.study import Study

pytestmark = pytest.mark.reliability

PLAN = """
data = {data}
beta = ["ae", 1]
seeds = {seeds}
network = "shallow"
latent_dim = 2
batch_size = 16
steps = 20
learning_rate = 1  # an autoencoder survives it, a VAE does not
log_every = 5
checkpoint_every = 10
"""
FILES = {"config.json", "environment.json", "history.jsonl", "model.safetensors", "training.safetensors", ".lock"}


def test_resumed_again_and_again(ground: Path, victims: Victims, tmp_path: Path) -> None:
    seeds, study = many(100, 2), tmp_path / "study"
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN.format(data=json.dumps(str(ground / "data.npz")), seeds=seeds))
    sweep = ["sweep", plan, "--out", study, "--workers", "1", "--quiet"]
    first = ["train", "--data", ground / "data.npz", "--out", ground / "first", "--network", "shallow", "--steps", "1"]
    victims.warm(*first, "--quiet")
    moments, finished = random.Random("long study"), dict[Path, int]()
    for _ in range(many(40, 2)):
        victims.kill_after(moments.uniform(0, many(4, 1)), *sweep)
        for run in Study(study) if study.is_dir() else ():
            readable(run.path)
            if run.state == "finished":
                finished.setdefault(run.path, (run.path / "training.safetensors").stat().st_mtime_ns)
    for _ in range(2):  # what diverged diverges again, and nothing else is touched
        end = victims.run(*sweep)
        assert end.status == 1, end.errors
        assert f"{seeds} of {2 * seeds} runs failed" in end.errors
    for path, at in finished.items():
        assert (path / "training.safetensors").stat().st_mtime_ns == at, f"{path.name} was trained twice"
    table = compare(Study(study))
    assert len(table) == 2 * seeds
    assert set(table.loc[table["beta"] == 1, "state"]) == {"diverged"}
    assert set(table.loc[table["beta"] != 1, "state"]) == {"finished"}
    for run in Study(study):
        assert {path.name for path in run.path.iterdir()} <= FILES, "something is left over"
        lines = [json.loads(line) for line in (run.path / "history.jsonl").read_text().splitlines()]
        assert [line["step"] for line in lines] == ([5, 10, 15, 20] if run.state == "finished" else [5])
    print(f"{len(table)} members, {len(finished)} of them finished between kills")
