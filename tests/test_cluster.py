"""Studies on a real scheduler and real workers: equal bytes whatever their number; a killed worker loses nothing."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clusters import Cluster, cluster, kill

from latentlab.analysis import analyze, analyze_on_cluster
from latentlab.cluster import check
from latentlab.errors import InputError, LatentlabError
from latentlab.files import sha256
from latentlab.runs import Run, Study
from latentlab.sweeps import _steps_done, sweep

OPTIONS: dict[str, Any] = {"beta": [1, 2, 4], "latent_dim": 2, "steps": 300, "log_every": 10, "checkpoint_every": 50}
ANALYSIS: dict[str, Any] = {"only": ["encode", "score"], "metrics": ["mig"], "resamples": 5}


@pytest.fixture(scope="module")
def scheduler() -> Iterator[Cluster]:
    """A scheduler with one worker."""
    with cluster() as found:
        found.add(1)
        yield found


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The same study trained one after another in this process."""
    return sweep("digits", tmp_path_factory.mktemp("alone") / "study", workers=1, **OPTIONS)


def test_one_worker_leaves_the_bytes_of_training_here(scheduler: Cluster, alone: Study, tmp_path: Path) -> None:
    found = sweep("digits", tmp_path / "study", cluster=scheduler.address, **{**OPTIONS, "beta": [1]})
    assert sha256(found[0].model_path) == sha256(alone[0].model_path)
    assert analyze_on_cluster(list(found), scheduler.address, **ANALYSIS) == {}
    analyze(alone[0], **ANALYSIS)
    assert sha256(found[0].codes_path) == sha256(alone[0].codes_path)
    assert found[0].scores()["mig"].to_json() == alone[0].scores()["mig"].to_json()


def test_three_workers_one_of_them_killed_lose_nothing_and_do_nothing_twice(
    scheduler: Cluster, alone: Study, tmp_path: Path
) -> None:
    scheduler.add(2)
    out, finished, failed = tmp_path / "study", dict[Path, int](), list[BaseException]()

    def train() -> None:
        try:
            sweep("digits", out, cluster=scheduler.address, **OPTIONS)
        except BaseException as error:
            failed.append(error)

    client = threading.Thread(target=train)
    client.start()
    folders = [out / run.name for run in alone]
    killed = False
    while client.is_alive():
        time.sleep(0.02)
        for folder in folders:
            if (folder / "config.json").is_file() and folder not in finished and Run(folder).state == "finished":
                finished[folder] = (folder / "training.safetensors").stat().st_mtime_ns
        if not killed and any(map(_steps_done, folders)):
            kill(scheduler.workers.pop(0))  # the one that has been there from the start has work
            killed = True
    client.join()
    assert killed
    assert failed == []
    assert {f: (f / "training.safetensors").stat().st_mtime_ns for f in finished} == finished
    for run, solo in zip(Study(out), alone, strict=True):
        for name in ("config.json", "model.safetensors", "training.safetensors", "history.jsonl"):
            assert sha256(run.path / name) == sha256(solo.path / name), (run.name, name)


def test_without_a_scheduler_it_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentlab.cluster.ANSWER", 0.5)
    with pytest.raises(LatentlabError, match=r"no scheduler answers at tcp://127.0.0.1:1 "):
        sweep("digits", tmp_path / "study", cluster="tcp://127.0.0.1:1", **OPTIONS)


@pytest.mark.parametrize(
    ("address", "whole"),
    [
        ("127.0.0.1", "tcp://127.0.0.1:8786"),
        (" localhost:1234 ", "tcp://localhost:1234"),
        ("tcp://127.1.2.3:99", "tcp://127.1.2.3:99"),
        ("[::1]:8786", "tcp://[::1]:8786"),
        ("tls://gpu.example.org:8786", "tls://gpu.example.org:8786"),
    ],
)
def test_loopback_and_tls_are_taken(address: str, whole: str) -> None:
    assert check(address) == whole


@pytest.mark.parametrize(
    "address",
    ["tcp://10.0.0.1:8786", "node7:8786", "localhost.example.org", "0.0.0.0", "127.0.0.1.example.org", "[::]:1"],
)
def test_an_open_address_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="neither on this machine nor encrypted"):
        check(address)


@pytest.mark.parametrize("address", ["", "ws://127.0.0.1", "tcp://", "127.0.0.1:port", "a b", "inproc://x"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="expected a scheduler's address"):
        check(address)


def test_a_missing_extra_is_one_line(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['distributed'] = None; from latentlab.cli import run; "
        "sys.exit(run(['sweep', '--data', 'digits', '--out', sys.argv[1], '--cluster', '127.0.0.1', '--steps', '2']))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "study")], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("latentlab: a cluster needs dask and distributed")
    assert done.stderr.count("\n") == 1
