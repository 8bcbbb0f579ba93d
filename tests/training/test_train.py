"""Training: what a run holds, exact resumption, interruption, divergence, and what is refused."""

import json
import os
import shutil
import signal
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from latentlab.data.dataset import Dataset
from latentlab.errors import InputError, LatentlabError
from latentlab.runs.run import Run
from latentlab.system.files import lock, read_json, sha256, write_json
from latentlab.system.registry import names
from latentlab.training import train as training
from latentlab.training.configure import configure
from latentlab.training.train import begin_noise, train

OPTIONS = {"latent_dim": 3, "steps": 30, "log_every": 5, "checkpoint_every": 10, "threads": 1}


@pytest.fixture(scope="module")
def data() -> Dataset:
    images = np.random.default_rng(0).integers(0, 256, (200, 1, 8, 8)).astype(np.uint8)
    return Dataset("noise", images.shape, lambda rows: images[rows])


@pytest.fixture(scope="module")
def whole(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(data, tmp_path_factory.mktemp("whole") / "run", **OPTIONS)


def test_beta_is_a_setting_of_the_objective_said_once(data: Dataset) -> None:
    assert configure(data, beta=2) == configure(data, settings={"beta": 2})
    with pytest.raises(InputError, match="given twice"):
        configure(data, beta=2, settings={"beta": 2})
    with pytest.raises(InputError, match="objective ae: beta is not a setting"):
        configure(data, objective="ae", beta=2)


def test_what_a_run_holds(whole: Run) -> None:
    files = {f.name for f in whole.path.iterdir() if not f.name.startswith(".")}
    expected = {"config.json", "training.safetensors", "model.safetensors", "history.jsonl", "environment.json"}
    assert files == expected
    assert whole.state == "finished"
    history = whole.history()
    assert [line["step"] for line in history] == [5, 10, 15, 20, 25, 30]
    last = history[-1]
    assert last["rate"] == pytest.approx(sum(last["rate_per_dimension"]))
    assert len(last["rate_mean_part"]) == len(last["rate_variance_part"]) == 3
    assert last["elbo"] == pytest.approx(-last["distortion"] - last["rate"])
    assert last["loss"] == pytest.approx(last["distortion"] + 4 * last["rate"], rel=1e-5)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(data: Dataset, whole: Run, tmp_path: Path) -> None:
    again = train(data, tmp_path / "again", **OPTIONS)
    assert sha256(again.model_path) == sha256(whole.model_path)
    assert sha256(again.path / "training.safetensors") == sha256(whole.path / "training.safetensors")
    other = train(data, tmp_path / "other", **OPTIONS, seed=1)
    assert sha256(other.model_path) != sha256(whole.model_path)


@pytest.mark.parametrize("stop", [3, 10, 17])
def test_resume_continues_exactly(data: Dataset, whole: Run, tmp_path: Path, stop: int) -> None:
    """Interrupted after any step, resumed: the same bytes as without."""

    def interrupt(step: int, steps: int, line: dict) -> None:
        if step == stop:
            os.kill(os.getpid(), signal.SIGINT)

    options = {**OPTIONS, "log_every": 1}
    with pytest.raises(KeyboardInterrupt):
        train(data, tmp_path / "run", progress=interrupt, **options)
    assert Run(tmp_path / "run").step == stop
    with pytest.raises(InputError, match=r"continue it with --resume"):
        train(data, tmp_path / "run", **options)
    resumed = train(data, tmp_path / "run", resume=True, **options)
    assert sha256(resumed.model_path) == sha256(whole.model_path)
    assert sha256(resumed.path / "training.safetensors") == sha256(whole.path / "training.safetensors")
    assert [line["step"] for line in resumed.history()] == list(range(1, 31))


def stopped_at(step: int, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a signal come in the middle of that step of the next training."""
    real, done = training._step, [0]

    def counting(*arguments: Any) -> Any:
        done[0] += 1
        if done[0] == step:
            os.kill(os.getpid(), number)
        return real(*arguments)

    monkeypatch.setattr(training, "_step", counting)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("stop", [3, 13, 29])
def test_a_stop_between_two_lines_of_the_history_changes_none(
    data: Dataset, whole: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, stop: int
) -> None:
    stopped_at(stop, number, monkeypatch)
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests may ignore it, as nohup does
    try:
        with pytest.raises(KeyboardInterrupt):
            train(data, tmp_path / "run", **OPTIONS)
    finally:
        signal.signal(signal.SIGHUP, before)
    monkeypatch.undo()
    assert Run(tmp_path / "run").step == stop
    resumed = train(data, tmp_path / "run", resume=True, **OPTIONS)
    for name in ("model.safetensors", "training.safetensors", "history.jsonl"):
        assert (resumed.path / name).read_bytes() == (whole.path / name).read_bytes(), name


def test_a_signal_that_is_ignored_stays_ignored(data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As nohup has it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        stopped_at(3, signal.SIGHUP, monkeypatch)
        assert train(data, tmp_path / "run", **OPTIONS).state == "finished"
    finally:
        signal.signal(signal.SIGHUP, before)


def test_sums_of_another_run_are_refused(data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped_at(3, signal.SIGINT, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        train(data, tmp_path / "run", **OPTIONS)
    monkeypatch.undo()
    path = tmp_path / "run" / "training.safetensors"
    save_file({**load_file(path), "history.rate_per_dimension": torch.zeros(7)}, path, {"step": "3"})
    with pytest.raises(InputError, match=r"training.safetensors belongs to another training"):
        train(data, tmp_path / "run", resume=True, **OPTIONS)


@pytest.mark.parametrize("again", [False, True])
def test_a_training_whose_folder_was_removed_or_begun_anew_writes_no_more(
    data: Dataset, whole: Run, tmp_path: Path, again: bool
) -> None:
    run = tmp_path / "run"

    def remove(step: int, steps: int, line: dict) -> None:
        if step == 5:
            shutil.rmtree(run)
            if again:
                shutil.copytree(whole.path, run)

    with pytest.raises(LatentlabError, match="removed, moved or recreated") as caught:
        train(data, run, progress=remove, **{**OPTIONS, "beta": 1})
    assert caught.value.exit_status == 1
    assert run.exists() == again
    if again:
        assert sha256(run / "model.safetensors") == sha256(whole.model_path)
        assert Run(run).config == whole.config


@pytest.mark.parametrize("precision", ["float32", "mixed", "bfloat16"])
def test_a_convolutional_run_resumes_exactly(data: Dataset, tmp_path: Path, precision: str) -> None:
    """Its weights lie channels-last, and so must the moments that a checkpoint gives back to the optimizer."""
    options = {**OPTIONS, "network": "burgess", "steps": 6, "log_every": 1, "precision": precision}

    def interrupt(step: int, steps: int, line: dict) -> None:
        if step == 3:
            os.kill(os.getpid(), signal.SIGINT)

    undisturbed = train(data, tmp_path / "whole", **options)
    with pytest.raises(KeyboardInterrupt):
        train(data, tmp_path / "run", progress=interrupt, **options)
    resumed = train(data, tmp_path / "run", resume=True, **{**options, "precision": "auto"})
    assert resumed.config.hardware.precision == precision
    for name in ("model.safetensors", "training.safetensors", "history.jsonl"):
        assert (resumed.path / name).read_bytes() == (undisturbed.path / name).read_bytes(), name


@pytest.mark.parametrize("objective", names("training/objectives"))
def test_every_objective_resumes_exactly(data: Dataset, tmp_path: Path, objective: str) -> None:
    """Stopped in the middle of warm-up or annealing, and with the discriminator's optimizer in motion."""
    changed = {"beta_vae": {"warmup_steps": 9, "free_bits": 0.1}, "annealed_vae": {"anneal_steps": 9}}
    settings = {"factor_vae": {"width": 8}, **changed}.get(objective, {})
    options = {**OPTIONS, "steps": 8, "log_every": 1, "objective": objective, "settings": settings}

    def interrupt(step: int, steps: int, line: dict) -> None:
        if step == 5:
            os.kill(os.getpid(), signal.SIGINT)

    undisturbed = train(data, tmp_path / "whole", **options)
    with pytest.raises(KeyboardInterrupt):
        train(data, tmp_path / "run", progress=interrupt, **options)
    resumed = train(data, tmp_path / "run", resume=True, **options)
    for name in ("model.safetensors", "training.safetensors", "history.jsonl"):
        assert (resumed.path / name).read_bytes() == (undisturbed.path / name).read_bytes(), name
    kept = {name.partition(".")[0] for name in load_file(resumed.path / "training.safetensors")}
    assert kept == {"model", "optimizer"} | ({"critic"} if objective == "factor_vae" else set())
    assert not any(name.startswith("critic") for name in load_file(resumed.model_path))


def test_an_older_configuration_is_the_same_run(data: Dataset, whole: Run, tmp_path: Path) -> None:
    """Settings that an objective got later are off where a file does not name them."""
    from shutil import copytree

    run = Run(copytree(whole.path, tmp_path / "run"))
    old = read_json(run.path / "config.json")
    write_json(run.path / "config.json", {**old, "objective": {"name": "beta-vae", "beta": 4.0}})
    assert train(data, run.path, **OPTIONS).config.label == "β = 4"
    write_json(run.path / "config.json", {**old, "objective": {"name": "beta-vae", "beta": 5.0}})
    with pytest.raises(InputError, match="different run: objective is"):
        train(data, run.path, **OPTIONS)


def test_resume_cuts_the_history_back_to_the_checkpoint(data: Dataset, whole: Run, tmp_path: Path) -> None:
    def die(step: int, steps: int, line: dict) -> None:
        if step == 15:
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        train(data, tmp_path / "run", progress=die, **OPTIONS)
    run = Run(tmp_path / "run")
    assert run.step == 10
    with (run.path / "history.jsonl").open("a") as file:
        file.write('{"step": 16, "lo')
    assert [line["step"] for line in run.history()] == [5, 10, 15]
    resumed = train(data, run.path, resume=True, **OPTIONS)
    assert resumed.history() == whole.history()
    assert sha256(resumed.model_path) == sha256(whole.model_path)


def test_dying_between_the_two_files_of_the_last_checkpoint_loses_nothing(
    data: Dataset, whole: Run, tmp_path: Path
) -> None:
    """The training state is that of the last step, the weights are still those before: done again, they follow."""
    from shutil import copytree

    run = train(data, tmp_path / "early", **{**OPTIONS, "steps": 10})
    late = Run(copytree(whole.path, tmp_path / "run"))
    late.model_path.write_bytes(run.model_path.read_bytes())
    (late.path / "environment.json").unlink()
    assert late.state == "unfinished"
    train(data, late.path, resume=True, **OPTIONS)
    assert sha256(late.model_path) == sha256(whole.model_path)
    assert (late.path / "environment.json").is_file()


def test_a_finished_run_is_left_alone(data: Dataset, whole: Run) -> None:
    before = {f.name: f.stat().st_mtime_ns for f in whole.path.iterdir()}
    train(data, whole.path, **OPTIONS)
    assert {f.name: f.stat().st_mtime_ns for f in whole.path.iterdir() if f.name != ".lock"} == {
        name: time for name, time in before.items() if name != ".lock"
    }


def test_another_run_is_refused(data: Dataset, whole: Run) -> None:
    with pytest.raises(InputError, match="different run: seed is 0 there, 7 here"):
        train(data, whole.path, **OPTIONS, seed=7)


def test_a_folder_that_is_no_run_is_refused(data: Dataset, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match="is not a run folder"):
        train(data, tmp_path, **OPTIONS)
    assert [f.name for f in tmp_path.iterdir()] == ["thesis.tex"]


def test_divergence_keeps_the_last_good_checkpoint(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisoned(terms, optimizer, x, moment, hardware):
        if moment.step == 12:
            optimizer.param_groups[0]["params"][0].data.fill_(float("nan"))
        return real(terms, optimizer, x, moment, hardware)

    real = training._step
    monkeypatch.setattr(training, "_step", poisoned)
    with pytest.raises(LatentlabError, match=r"diverged: .*; the checkpoint of step 10 is kept"):
        train(data, tmp_path / "run", **OPTIONS)
    run = Run(tmp_path / "run")
    assert run.diverged
    assert run.state == "diverged"
    assert run.step == 10
    from latentlab.models import load_model

    assert all(torch.isfinite(p).all() for p in load_model(run).parameters())


def test_a_second_writer_is_refused(data: Dataset, tmp_path: Path) -> None:
    with lock(tmp_path / "run"), pytest.raises(LatentlabError, match="being written by another process"):
        train(data, tmp_path / "run", **OPTIONS)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"latent_dim": 0}, "latent_dim is 0"),
        ({"settings": {"beta": -1}}, "beta is -1"),
        ({"objective": "gan"}, "no objective is called 'gan'"),
        ({"network": "transformer"}, "no network is called"),
        ({"likelihood": "cauchy"}, "likelihood is 'cauchy'"),
        ({"steps": 0}, "steps is 0"),
        ({"split": "validation"}, "has no split 'validation'"),
        ({"precision": "int4"}, "precision is 'int4'"),
        ({"colour": "red"}, "colour is not a setting"),
        ({"network": "burgess"}, None),
    ],
)
def test_wrong_input_leaves_nothing(data: Dataset, tmp_path: Path, wrong: dict, message: str | None) -> None:
    if message is None:
        assert configure(data, **wrong).network == "burgess"
        return
    with pytest.raises(InputError, match=message):
        train(data, tmp_path / "run", **{**OPTIONS, **wrong})
    assert not (tmp_path / "run").exists()


def test_a_cut_checkpoint_says_so(data: Dataset, whole: Run, tmp_path: Path) -> None:
    from shutil import copytree

    from latentlab.models import load_model

    run = Run(copytree(whole.path, tmp_path / "run"))
    content = run.model_path.read_bytes()
    run.model_path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"model.safetensors cannot be read"):
        load_model(run)
    run.model_path.write_bytes(content[:5])
    with pytest.raises(InputError, match="truncated"):
        _ = run.step


def test_the_configuration_is_resolved(data: Dataset) -> None:
    config = configure(data, objective="vae")
    assert config.objective == {"name": "vae", "beta": 1.0, "warmup_steps": 0, "free_bits": 0.0}
    assert config.network == "mlp"
    assert config.learning_rate == 1e-3
    assert config.hardware.threads >= 1
    assert "auto" not in json.dumps(config.model_dump())


@pytest.mark.parametrize("name", ["x.step", "999.step", "0.exp_avg", "0.strange"])
def test_a_training_state_of_another_shape_is_refused_in_one_line(data: Dataset, tmp_path: Path, name: str) -> None:
    run = train(data, tmp_path / "run", **OPTIONS)
    config = json.loads((run.path / "config.json").read_text())
    write_json(run.path / "config.json", config | {"steps": config["steps"] + 1})
    state = load_file(run.path / "training.safetensors")
    save_file(
        state | {f"optimizer.{name}": torch.zeros(1, 2, 3)}, run.path / "training.safetensors", {"step": str(run.step)}
    )
    with pytest.raises(InputError, match="not a training state of this run"):
        train(data, tmp_path / "run", resume=True, **{**OPTIONS, "steps": OPTIONS["steps"] + 1})


def test_a_training_state_without_the_optimizers_is_refused(data: Dataset, tmp_path: Path) -> None:
    run = train(data, tmp_path / "run", **OPTIONS)
    config = json.loads((run.path / "config.json").read_text())
    write_json(run.path / "config.json", config | {"steps": config["steps"] + 1})
    state = {name: tensor for name, tensor in load_file(run.path / "training.safetensors").items() if "model" in name}
    save_file(state, run.path / "training.safetensors", {"step": str(run.step)})
    with pytest.raises(InputError, match="not a training state of this run"):
        train(data, tmp_path / "run", resume=True, **{**OPTIONS, "steps": OPTIONS["steps"] + 1})


def test_images_of_0_and_1_are_said_where_they_are_trained_and_encoded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from latentlab.analysis.encode.stage import encode

    flags = (np.random.default_rng(0).random((20, 1, 8, 8)) > 0.5).astype(np.uint8)
    said = "no pixel of 16 images exceeds 1 of 255: are they 0 and 1? multiply by 255"
    dark, scaled, unlit = (Dataset(name, flags.shape, images.__getitem__) for name, images in
                    (("flags", flags), ("scaled", flags * 255), ("unlit", flags * 0)))  # fmt: skip
    for data in (scaled, unlit):
        train(data, tmp_path / data.name, **{**OPTIONS, "steps": 2})
    assert not caplog.text
    run = train(dark, tmp_path / "run", **{**OPTIONS, "steps": 2})
    assert f"flags: {said}" in caplog.text
    encode(run, Dataset("more flags", flags.shape, flags.__getitem__))
    assert f"more flags: {said}" in caplog.text


@pytest.mark.parametrize("seed", [0, 7, 2**63 - 1])
def test_a_step_on_the_cpu_draws_what_torch_draws_without_a_look_at_the_stack(seed, monkeypatch):
    torch.manual_seed(seed)
    whole = torch.randn(9)
    monkeypatch.setattr(traceback, "format_stack", lambda *a, **k: pytest.fail("the stack was written down"))
    begin_noise(seed, "cpu")
    assert torch.equal(torch.randn(9), whole)
