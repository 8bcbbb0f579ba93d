"""The number of threads follows what pays, and no bit of a run follows the number of threads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from latentlab.training import pace as pacing
from latentlab.training.pace import EACH, REST, Pace, alike
from latentlab.training.train import train


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


class Machine:
    """A clock on which a step takes as long as the number of threads it was computed with says."""

    def __init__(self, takes: dict[int, float]) -> None:
        self.takes, self.now, self.log = takes, 0.0, list[int]()

    def run(self, pace: Pace, steps: int) -> list[int]:
        self.log = []
        for _ in range(steps):
            with pace.step():
                self.log.append(torch.get_num_threads())
                self.now += self.takes[torch.get_num_threads()]
        return self.log


@pytest.mark.parametrize(
    ("takes", "chosen"),
    [
        ({1: 1.0, 2: 0.6}, 2),
        ({1: 1.0, 2: 0.95}, 1),  # a second thread that brings five per cent does not pay
        ({1: 1.0, 2: 30.0}, 1),
        ({1: 1.0, 2: 0.6, 4: 0.59}, 2),
        ({2: 1.0}, 2),
    ],
)
def test_as_many_threads_as_pay(takes: dict[int, float], chosen: int) -> None:
    machine = Machine(takes)
    pace = Pace(list(takes), lambda: machine.now)
    torch.set_num_threads(max(takes))
    machine.run(pace, EACH * len(takes))
    assert set(machine.run(pace, 20)) == {chosen}


def test_trials_come_again_take_a_small_part_and_follow_the_machine() -> None:
    machine = Machine({1: 1.0, 2: 0.5})
    pace = Pace([1, 2], lambda: machine.now)
    torch.set_num_threads(2)
    quiet = machine.run(pace, 2000)
    assert quiet.count(1) <= 2000 / REST
    machine.takes = {1: 1.0, 2: 8.0}  # somebody else took a core
    machine.run(pace, 400)
    assert machine.run(pace, 400).count(1) >= 360
    machine.takes = {1: 1.0, 2: 0.5}
    machine.run(pace, 2000)
    assert machine.run(pace, 400).count(2) >= 360


def test_numbers_that_give_other_bits_are_left_out() -> None:
    model = torch.nn.Linear(3, 1, bias=False)
    exact = alike(4, lambda: model(torch.ones(2, 3)).sum(), model)
    assert exact == [1, 2, 4]
    other = alike(4, lambda: model(torch.ones(2, 3)).sum() * (1 + 1e-6 * (torch.get_num_threads() == 2)), model)
    assert other == [1, 4]
    assert torch.get_num_threads() == 4
    assert model.weight.grad is None


@pytest.mark.parametrize("network", ["mlp", "burgess"])
def test_trials_do_not_touch_a_run(tmp_path: Path, network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights are those of a training that never leaves the configuration's number of threads."""
    images = np.random.default_rng(0).integers(0, 255, (64, 32, 32), dtype=np.uint8)
    options = {"network": network, "batch_size": 16, "steps": 12, "latent_dim": 2, "threads": 2, "objective": "vae"}
    train(images, tmp_path / "tried", **options)
    with monkeypatch.context() as fixed:
        fixed.setattr(pacing, "EACH", 10**9)
        fixed.setattr("latentlab.training.train.alike", lambda most, loss, model: [most])
        train(images, tmp_path / "fixed", **options)
    for name in ("model.safetensors", "training.safetensors"):
        assert (tmp_path / "tried" / name).read_bytes() == (tmp_path / "fixed" / name).read_bytes()
    assert torch.get_num_threads() <= 2
