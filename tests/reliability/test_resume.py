"""A run that was stopped after any step and is continued ends with the same bytes."""

from __future__ import annotations

import os
import random
import shutil
import signal
from pathlib import Path

import pytest
from victims import many

from latentlab.system.files import sha256
from latentlab.training.train import train

pytestmark = pytest.mark.reliability

OPTIONS = {"network": "shallow", "latent_dim": 3, "batch_size": 16, "steps": 60, "log_every": 1, "threads": 1}
FILES = ("training.safetensors", "model.safetensors", "history.jsonl")


def test_stopped_at_random_steps(ground: Path, tmp_path: Path) -> None:
    data, chance = ground / "data.npz", random.Random("resume")
    whole = train(data, tmp_path / "whole", **OPTIONS)
    for stop in chance.choices(range(1, 60), k=many(50, 3)):

        def interrupt(step: int, steps: int, line: dict, stop: int = stop) -> None:
            if step == stop:
                os.kill(os.getpid(), signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            train(data, tmp_path / "run", progress=interrupt, **OPTIONS)
        again = train(data, tmp_path / "run", resume=True, **OPTIONS)
        assert [sha256(again.path / name) for name in FILES] == [sha256(whole.path / name) for name in FILES], stop
        shutil.rmtree(again.path)
