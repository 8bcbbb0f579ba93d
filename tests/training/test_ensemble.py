"""Members trained together: each equals its solo run, has its own folder and resume, and diverges alone."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from torch import Tensor

from latentlab.data import Dataset, load
from latentlab.errors import InputError, LatentlabError
from latentlab.runs.run import Run
from latentlab.runs.study import Study
from latentlab.system.files import lock, sha256
from latentlab.system.registry import names
from latentlab.training import ensemble
from latentlab.training.ensemble import Stack, kind
from latentlab.training.plan import members
from latentlab.training.sweep import sweep

OPTIONS: dict[str, Any] = {"latent_dim": 2, "steps": 12, "log_every": 4, "checkpoint_every": 5}
# Between two orders of summation after 12 steps, of a tensor's length. Other noise changes moments by 0.05 to 0.7
# of it, weights by 0.004 to 0.1 and up to 16 steps of Adam, which divides even the least gradient by itself.
APART = 5e-3
STEPS = 3


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load("digits")


def assert_near(name: str, ours: Tensor, theirs: Tensor, learning_rate: float) -> None:
    apart = (ours - theirs).float()
    assert apart.norm() <= APART * theirs.float().norm(), f"{name}: {apart.norm()} of {theirs.float().norm()}"
    if "optimizer." not in name:
        assert apart.abs().max() <= STEPS * learning_rate, f"{name}: {apart.abs().max()}"


def assert_same(one: Study, other: Study) -> None:
    assert [run.name for run in one] == [run.name for run in other]
    for ours, theirs in zip(one, other, strict=True):
        assert (ours.state, ours.step) == (theirs.state, theirs.step) == ("finished", theirs.config.steps)
        assert ours.config == theirs.config
        a, b = (load_file(run.path / "training.safetensors") for run in (ours, theirs))
        assert a.keys() == b.keys()
        for name in a:
            assert_near(name, a[name], b[name], ours.config.learning_rate)
        assert len(ours.history()) == len(theirs.history())
        for line, expected in zip(ours.history(), theirs.history(), strict=True):
            assert line.keys() == expected.keys()
            for key in line:
                assert line[key] == pytest.approx(expected[key], rel=1e-3, abs=1e-3), key


SETTINGS: dict[str, dict[str, Any]] = {
    "ae": {},
    "vae": {},
    "beta-vae": {"beta": [1, 8]},
    "beta-tcvae": {"beta": [1, 8]},
    "annealed-vae": {"gamma": [1, 10], "capacity": [0, 5]},
    "dip-vae-i": {"lambda_od": [1, 10]},
    "dip-vae-ii": {"lambda_d": [1, 10]},
    "info-vae": {"alpha": [0, 0.5], "scale": 10},
    "factor-vae": {"gamma": [1, 10], "width": 8},
}


@pytest.mark.parametrize("objective", [name.replace("_", "-") for name in names("training/objectives")])
def test_a_member_equals_its_solo_run(data: Dataset, tmp_path: Path, objective: str) -> None:
    settings = SETTINGS[objective]  # β-VAEs differ in seed and setting, the others in one of them
    alone = objective != "beta-vae" and any(isinstance(each, list) for each in settings.values())
    options = {**OPTIONS, "objective": objective, "settings": settings, "seeds": 1 if alone else 2}
    together = sweep(data, tmp_path / "together", together=True, **options)
    assert_same(together, sweep(data, tmp_path / "apart", workers=1, **options))


@pytest.mark.parametrize("options", [{"network": "resnet"}, {"likelihood": "gaussian-learned"}, {"precision": "mixed"}])
def test_whatever_the_network(data: Dataset, tmp_path: Path, options: dict[str, Any]) -> None:
    chosen = {**OPTIONS, "beta": [1, 4], "steps": 3, **options}
    together = sweep(data, tmp_path / "together", together=True, **chosen)
    assert_same(together, sweep(data, tmp_path / "apart", workers=1, **chosen))


def test_images_that_do_not_fit_are_read_as_they_come(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sweep(data, tmp_path / "whole", beta=[1, 4], together=True, **OPTIONS)
    monkeypatch.setattr(ensemble, "RESIDENT", 0)
    read = sweep(data, tmp_path / "read", beta=[1, 4], together=True, **OPTIONS)
    assert [sha256(run.model_path) for run in read] == [sha256(run.model_path) for run in whole]


def test_one_that_diverges_leaves_the_others_as_they_are(data: Dataset, tmp_path: Path) -> None:
    options = {**OPTIONS, "objective": "dip-vae-i", "settings": {"lambda_od": [1, 2]}}
    calm = sweep(data, tmp_path / "calm", together=True, **options)
    wild = {**options, "settings": {"lambda_od": [1, 1e6, 2]}, "steps": 12}
    with pytest.MonkeyPatch.context() as patch:
        real = ensemble.Stack.step

        def step(self: Any, done: int) -> Any:
            for number, run in enumerate(self.runs):
                if "1e06" in run.name and done == 2:
                    next(iter(self.parameters.values())).data[number] = float("nan")
            return real(self, done)

        patch.setattr(ensemble.Stack, "step", step)
        with pytest.raises(LatentlabError, match=r"1 of 3 runs failed; .*lambda_od1e06-seed0: .*the loss is nan"):
            sweep(data, tmp_path / "wild", together=True, **wild)
    assert Run(tmp_path / "wild" / "dip-vae-i-lambda_od1e06-seed0").diverged
    for run in calm:
        assert Run(tmp_path / "wild" / run.name).state == "finished"
        a, b = load_file(run.model_path), load_file(tmp_path / "wild" / run.name / "model.safetensors")
        for name in a:
            assert_near(name, a[name], b[name], run.config.learning_rate)


def test_what_was_interrupted_is_continued(data: Dataset, tmp_path: Path) -> None:
    def interrupt(done: Any, total: int) -> None:
        if sum(done.values()) >= 16:
            raise KeyboardInterrupt

    whole = sweep(data, tmp_path / "whole", beta=[1, 4], together=True, **OPTIONS)
    with pytest.raises(KeyboardInterrupt):
        sweep(data, tmp_path / "study", beta=[1, 4], together=True, progress=interrupt, **OPTIONS)
    assert {run.step for run in Study(tmp_path / "study")} == {5}
    again = sweep(data, tmp_path / "study", beta=[1, 4], together=True, **OPTIONS)
    assert [sha256(run.model_path) for run in again] == [sha256(run.model_path) for run in whole]
    alone = sweep(data, tmp_path / "study", beta=[1, 4], workers=1, **OPTIONS)
    assert [sha256(run.model_path) for run in alone] == [sha256(run.model_path) for run in whole], (
        "finished is finished"
    )


def test_a_stop_between_two_lines_of_the_history_changes_none(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped together within a line; one is finished alone, the other in a stack."""
    options = {**OPTIONS, "beta": [1, 4], "log_every": 4, "steps": 10, "together": True}
    whole = sweep(data, tmp_path / "whole", **options)
    real, done = Stack.step, [0]

    def counting(stack: Stack, number: int) -> Any:
        done[0] += 1
        if done[0] == 6:
            os.kill(os.getpid(), signal.SIGTERM)
        return real(stack, number)

    monkeypatch.setattr(Stack, "step", counting)
    with pytest.raises(KeyboardInterrupt):
        sweep(data, tmp_path / "study", **options)
    monkeypatch.undo()
    assert [run.step for run in Study(tmp_path / "study")] == [6, 6]
    again = sweep(data, tmp_path / "study", **options)
    for one, other in zip(whole, again, strict=True):
        assert (one.path / "history.jsonl").read_bytes() == (other.path / "history.jsonl").read_bytes()


def test_one_that_another_process_writes_is_left_to_it(data: Dataset, tmp_path: Path) -> None:
    with (
        lock(tmp_path / "beta4-seed0"),
        pytest.raises(LatentlabError, match=r"1 of 3 runs failed; the first, beta4-seed0: .*being written"),
    ):
        sweep(data, tmp_path, beta=[1, 4, 8], together=True, **OPTIONS)
    assert [run.state for run in Study(tmp_path)] == ["finished", "finished"]


def test_members_of_one_kind_differ_in_seed_and_weights_alone(data: Dataset) -> None:
    plan = members(data, ["ae", 1, 4], 2, settings={"warmup_steps": [0, 5]}, steps=5)
    kinds = {name: kind(config) for name, config in plan.items()}
    assert len(set(kinds.values())) == 3
    assert kinds["beta1-warmup_steps5-seed0"] == kinds["beta4-warmup_steps5-seed1"]
    assert kinds["beta1-warmup_steps5-seed0"] != kinds["beta1-warmup_steps0-seed0"]
    assert kind(next(iter(members(data, objective="factor-vae").values()))) is None


def test_together_is_one_process(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="together runs in one process"):
        sweep("digits", tmp_path / "study", together=True, workers=2, **OPTIONS)
    assert not (tmp_path / "study").exists()
