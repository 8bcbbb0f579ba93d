"""One model in two processes under torchrun is the model of one process, but for the order of floating sums."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from latentlab.data import load
from latentlab.errors import InputError
from latentlab.runs.config import RunConfig
from latentlab.runs.run import Run
from latentlab.training.configure import configure
from latentlab.training.parallel import joined
from latentlab.training.train import train

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "latentlab"]
LINE = "train --data digits --beta 4 --latent-dim 2 --steps 12 --log-every 4 --checkpoint-every 5 --threads 1"


def test_two_processes_train_the_model_of_one(tmp_path: Path) -> None:
    command = [*TORCHRUN, *LINE.split(), "--out", str(tmp_path / "two")]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("is trained") == 1, "the first process speaks for both"
    options = {"latent_dim": 2, "steps": 12, "log_every": 4, "checkpoint_every": 5, "threads": 1}
    one = train("digits", tmp_path / "one", settings={"beta": 4}, **options)
    two = Run(tmp_path / "two")
    assert two.config == one.config
    assert two.state == "finished"
    a, b = (load_file(run.path / "training.safetensors") for run in (one, two))
    assert a.keys() == b.keys()
    for name in a:
        torch.testing.assert_close(a[name], b[name], rtol=1e-3, atol=1e-4)  # a tenth of one step of Adam
    for line, expected in zip(two.history(), one.history(), strict=True):
        assert {key: pytest.approx(value, rel=1e-3, abs=1e-3) for key, value in expected.items()} == line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 65}, "a batch has 65 images; expected a multiple of 2"),
        ({"objective": "beta-tcvae"}, "beta-tcvae couples the images of a batch"),
        ({"objective": "factor-vae"}, "factor-vae couples"),
        ({"settings": {"free_bits": 0.1}}, "beta-vae couples"),
    ],
)
def test_what_a_part_of_a_batch_cannot_tell_is_refused(
    options: dict[str, object], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    config: RunConfig = configure(load("digits"), **options)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=message), joined(config):
        pass


@pytest.mark.parametrize("variable", ["WORLD_SIZE", "RANK"])
def test_a_variable_that_torchrun_did_not_set_is_named(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "abc")
    config = configure(load("digits"), latent_dim=2, steps=1, threads=1)
    with pytest.raises(InputError, match=f"{variable} is 'abc'; expected a number"), joined(config):
        pass
