"""Studies: members equal their solo runs, one that fails stops no other, and what was interrupted is continued."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latentlab.data import Dataset, load
from latentlab.errors import InputError, LatentlabError
from latentlab.exchange.exporting import export
from latentlab.runs.run import Run
from latentlab.runs.study import Study
from latentlab.system.files import lock, sha256
from latentlab.training import sweep as sweeps
from latentlab.training.sweep import _steps_done, sweep
from latentlab.training.train import train

OPTIONS: dict[str, Any] = {"latent_dim": 2, "steps": 20, "log_every": 5, "checkpoint_every": 10}


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load("digits")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Two members, each in a process of its own."""
    return sweep("digits", tmp_path_factory.mktemp("sweep") / "study", beta=["ae", 4], workers=2, **OPTIONS)


def test_a_member_equals_its_solo_run_byte_for_byte(study: Study, data: Dataset, tmp_path: Path) -> None:
    assert [run.name for run in study] == ["ae-seed0", "beta4-seed0"]
    for run, objective, settings in zip(study, ("ae", "beta-vae"), ({}, {"beta": 4.0}), strict=True):
        solo = train(data, tmp_path / run.name, objective=objective, settings=settings, threads=1, **OPTIONS)
        for name in ("config.json", "model.safetensors", "training.safetensors", "history.jsonl"):
            assert sha256(solo.path / name) == sha256(run.path / name), name


def test_members_trained_in_this_process_are_the_same(study: Study, tmp_path: Path) -> None:
    here = sweep("digits", tmp_path / "study", beta=["ae", "4"], workers=1, **OPTIONS)
    assert [sha256(run.model_path) for run in here] == [sha256(run.model_path) for run in study]
    assert (tmp_path / "study" / "study.json").read_bytes() == (study.path / "study.json").read_bytes()


def test_the_plan_lies_beside_the_members(study: Study) -> None:
    plan = json.loads((study.path / "study.json").read_text())
    assert plan["format"] == 1
    assert set(plan["members"]) == {run.name for run in study}
    for run in study:
        assert plan["members"][run.name] == json.loads((run.path / "config.json").read_text())


def test_done_again_it_does_nothing_again(study: Study) -> None:
    files = [f for f in study.path.rglob("*") if f.is_file() and f.name not in (".lock", "study.json")]
    before = {f: f.stat().st_mtime_ns for f in files}
    again = sweep("digits", study.path, beta=["ae", 4], workers=2, **OPTIONS)
    assert len(again) == 2
    assert {f: f.stat().st_mtime_ns for f in files} == before


def test_a_member_that_fails_takes_no_other_along(study: Study, data: Dataset, tmp_path: Path) -> None:
    with (
        lock(tmp_path / "study" / "ae-seed0"),
        pytest.raises(LatentlabError, match=r"1 of 2 runs failed; the first, ae-seed0: .*being written by") as caught,
    ):
        sweep(data, tmp_path / "study", beta=["ae", 4], workers=1, **OPTIONS)
    assert caught.value.exit_status == 1
    assert not isinstance(caught.value, InputError)
    assert sha256(tmp_path / "study" / "beta4-seed0" / "model.safetensors") == sha256(study[1].model_path)


def test_nor_does_one_whose_process_dies(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sweeps.start

    def killed(target: str, task: Any, **more: Any) -> Any:
        process = real(target, task, **more)
        if task["out"].endswith("beta2-seed0"):
            process.kill()
        return process

    monkeypatch.setattr(sweeps, "start", killed)
    with pytest.raises(LatentlabError, match="the first, beta2-seed0: its process ended with status -9"):
        sweep("digits", tmp_path / "study", beta=[2, 4], workers=2, **OPTIONS)
    assert sha256(tmp_path / "study" / "beta4-seed0" / "model.safetensors") == sha256(study[1].model_path)


def test_a_process_trains_one_member_after_another(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, started = sweeps.start, []

    def after_the_first_has_failed(*given: Any, **more: Any) -> Any:
        if len(started) == 1:
            select.select([started[0].stdout], [], [], 60)
        started.append(real(*given, **more))
        return started[-1]

    monkeypatch.setattr(sweeps, "start", after_the_first_has_failed)
    with (
        lock(tmp_path / "study" / "beta1-seed0"),
        pytest.raises(LatentlabError, match=r"beta1-seed0: .*being written by"),
    ):
        sweep("digits", tmp_path / "study", beta=[1, 2, 4, 8], workers=2, **OPTIONS)
    assert len(started) == 3  # one that failed ends, and another one takes its place
    assert all(process.poll() is not None for process in started)
    done = Study(tmp_path / "study")["beta4-seed0"]
    assert sha256(done.model_path) == sha256(study[1].model_path)


def test_files_of_the_working_folder_do_not_pass_for_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "random.py").write_text('raise SystemExit("this is no standard library")')
    monkeypatch.chdir(tmp_path)
    assert len(sweep("digits", "study", beta=[1, 2], workers=2, **OPTIONS)) == 2


def test_data_that_only_this_process_has_are_trained_here(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (50, 1, 4, 4)).astype(np.uint8)
    data = Dataset("mine", images.shape, lambda rows: images[rows])
    study = sweep(data, tmp_path / "study", beta=[1, 2], workers=2, **OPTIONS)
    assert [run.state for run in study] == ["finished", "finished"]


def test_progress_adds_up(data: Dataset, tmp_path: Path) -> None:
    seen = []
    options = {**OPTIONS, "steps": 4, "log_every": 2}
    sweep(
        data, tmp_path, beta=[1], seeds=2, workers=1, progress=lambda s, n: seen.append((sum(s.values()), n)), **options
    )
    assert seen[-1] == (8, 8)
    assert seen == sorted(seen)


@pytest.mark.parametrize("workers", [1, 2])
def test_progress_begins_with_what_is_there_already(data: Dataset, tmp_path: Path, workers: int) -> None:
    sweep(data, tmp_path, beta=[1], workers=1, **OPTIONS)
    seen = []
    progress = lambda s, n: seen.append((sum(s.values()), n))  # noqa: E731
    sweep(data, tmp_path, beta=[1, 2], workers=workers, progress=progress, **OPTIONS)
    steps = OPTIONS["steps"]
    assert (seen[0], seen[-1]) == ((steps, 2 * steps), (2 * steps, 2 * steps))


# Interruption, in real processes

SWEEP = ["sweep", "--data", "digits", "--beta", "1,2,4,8", "--latent-dim", "2", "--steps", "4000", "--workers", "2"]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A sweep whose first members have made steps, in a session of its own, as a terminal would have it."""
    command = [sys.executable, "-m", "latentlab", *SWEEP, "--out", str(tmp_path / "study")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        deadline = time.monotonic() + 60
        members = [tmp_path / "study" / name for name in ("beta1-seed0", "beta2-seed0")]
        while not all(map(_steps_done, members)) and time.monotonic() < deadline:
            time.sleep(0.05)
        yield process
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def test_ctrl_c_leaves_runs_that_continue(running: subprocess.Popen[str], tmp_path: Path) -> None:
    started = time.monotonic()
    os.killpg(running.pid, signal.SIGINT)  # a terminal sends it to every process
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Traceback" not in err + out
    assert time.monotonic() - started < 20
    states = {run.name: run.state for run in Study(tmp_path / "study")}
    assert set(states) == {"beta1-seed0", "beta2-seed0"}, "members that had not begun stay so"
    assert set(states.values()) == {"unfinished"}
    for run in Study(tmp_path / "study"):
        assert 0 < run.step < 4000
        assert run.step % 1000, "the step it came in, not the last periodic checkpoint"


def test_killed_it_takes_its_members_along(running: subprocess.Popen[str], tmp_path: Path) -> None:
    running.kill()
    running.communicate(timeout=30)
    folder, started = tmp_path / "study" / "beta2-seed0", time.monotonic()
    while True:
        try:
            with lock(folder):
                break
        except LatentlabError:
            assert time.monotonic() - started < 20, "a member trains on and holds its folder"
            time.sleep(0.05)
    assert Run(folder).state in ("unfinished", "empty")


def test_what_was_interrupted_is_continued_to_the_same_bytes(study: Study, data: Dataset, tmp_path: Path) -> None:
    def interrupt(step: int, steps: int, line: dict[str, Any]) -> None:
        if step == 15:
            raise KeyboardInterrupt

    folder = tmp_path / "study" / "beta4-seed0"
    with pytest.raises(KeyboardInterrupt):
        train(data, folder, objective="beta-vae", settings={"beta": 4.0}, threads=1, progress=interrupt, **OPTIONS)
    assert Run(folder).step == 10
    again = sweep(data, tmp_path / "study", beta=["ae", 4], workers=1, **OPTIONS)
    assert [sha256(run.model_path) for run in again] == [sha256(run.model_path) for run in study]


# What is refused


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"beta": ["x"]}, "β is 'x'; expected a number of at least 0, or ae"),
        ({"beta": [""]}, "β is ''"),
        ({"beta": [-1]}, "beta is -1"),
        ({"beta": ["nan"]}, "beta is nan"),
        ({"beta": []}, "is empty; expected at least one"),
        ({"seeds": 0}, "seeds is 0; expected 1 to 1000"),
        ({"workers": 0}, "workers is 0"),
        ({"workers": -1}, "workers is -1"),
        ({"latent_dim": []}, "is empty; expected at least one"),
        ({"latent_dim": [2, 0]}, "latent_dim is 0"),
        ({"steps": 0}, "steps is 0"),
        ({"network": "transformer"}, "no network is called 'transformer'"),
    ],
)
def test_wrong_input_leaves_nothing(data: Dataset, tmp_path: Path, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        sweep(data, tmp_path / "study", **{**OPTIONS, "beta": [1], **wrong})
    assert not (tmp_path / "study").exists()


def test_a_place_that_is_taken_is_refused(study: Study, data: Dataset, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="is a file; a study needs a separate folder"):
        sweep(data, tmp_path / "file", beta=[1], **OPTIONS)
    with pytest.raises(InputError, match="is a run; a study needs a separate folder"):
        sweep(data, study[0].path, beta=[1], **OPTIONS)
    with pytest.raises(InputError, match="contains a different run: steps is 20 there, 30 here"):
        sweep(data, study.path, beta=["ae", 4], **{**OPTIONS, "steps": 30})


# Shards


def test_shards_together_are_the_study(study: Study, data: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "study"
    first = sweep(data, out, beta=["ae", 4], workers=1, shard="2/2", **OPTIONS)
    assert [run.name for run in first] == ["beta4-seed0"]
    assert (out / "study.json").read_bytes() == (study.path / "study.json").read_bytes(), "each shard leaves all of it"
    whole = sweep(data, out, beta=["ae", 4], workers=1, shard="1/2", **OPTIONS)
    assert [sha256(run.model_path) for run in whole] == [sha256(run.model_path) for run in study]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"shard": "0/2"}, "shard is '0/2'; expected i/N with i from 1 to N"),
        ({"shard": "3/2"}, "shard is '3/2'"),
        ({"shard": "1/3"}, "the study has 2 runs; expected at most that many parts"),
        ({"shard": "half"}, "shard is 'half'"),
        ({"cluster": "tcp://192.168.1.5:8786"}, "neither on this machine nor encrypted"),
        ({"cluster": "127.0.0.1", "workers": 2}, "workers and cluster exclude each other"),
    ],
)
def test_wrong_shards_and_clusters_leave_nothing(tmp_path: Path, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        sweep("digits", tmp_path / "study", **{**OPTIONS, "beta": [1, 2], **wrong})
    assert not (tmp_path / "study").exists()


def test_a_plan_over_another_forgets_no_member_that_is_missing(tmp_path: Path) -> None:
    out, options = tmp_path / "study", {**OPTIONS, "workers": 1}
    sweep("digits", out, beta=[1, 2, 4], shard="1/3", **options)
    sweep("digits", out, beta=[8], **options)
    plan = json.loads((out / "study.json").read_text())["members"]
    assert list(plan) == ["beta8-seed0", "beta1-seed0", "beta2-seed0", "beta4-seed0"]
    assert sorted(run.name for run in Study(out)) == ["beta1-seed0", "beta8-seed0"]


def test_a_small_copy_is_gone_on_with(study: Study, tmp_path: Path) -> None:
    """A small copy holds no training state: its finished runs stay as they are, the missing ones are trained."""
    copy = export(study, tmp_path / "copy", "study")
    kept = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    whole = sweep("digits", copy, beta=["ae", 4], seeds=2, workers=1, **OPTIONS)
    assert [run.name for run in whole] == ["ae-seed0", "ae-seed1", "beta4-seed0", "beta4-seed1"]
    assert [run.state for run in whole] == ["finished"] * 4
    assert all(path.read_bytes() == content for path, content in kept.items())
