"""Studies on a real scheduler and real workers: equal bytes whatever their number; a killed worker loses nothing."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clusters import Cluster, cluster, kill

from latentlab.analysis.analyze import analyze, analyze_on_cluster
from latentlab.errors import InputError, LatentlabError
from latentlab.runs.run import Run
from latentlab.runs.study import Study
from latentlab.system.cluster import check, owners, refuse_stranger
from latentlab.system.files import sha256
from latentlab.training.sweep import _steps_done, sweep

pytestmark = pytest.mark.reliability

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


def test_data_of_a_relative_path_are_those_of_the_folder_that_one_stands_in(
    scheduler: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    for name, rows in (("here", 20), ("elsewhere", 30)):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "x.npy", rng.integers(0, 255, (rows, 8, 8), np.uint8))
    monkeypatch.chdir(tmp_path / "here")
    run = sweep("x.npy", "study", cluster=scheduler.address, **{**OPTIONS, "beta": [1], "steps": 2})[0]
    assert (run.config.data, run.config.rows) == ("x.npy", 20)
    found = [Run(run.path.resolve())]
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert analyze_on_cluster(found, scheduler.address, only=["encode"], data="../here/x.npy") == {}
    assert len(found[0].codes()) == 20


def test_without_a_scheduler_it_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentlab.system.cluster.ANSWER", 0.5)
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


def test_a_port_that_another_user_holds_is_refused(tmp_path: Path) -> None:
    head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    row = "   0: 0100007F:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 {user:5d} 0 1\n"
    table, me = tmp_path / "tcp", os.getuid()
    held = [
        (8786, "0A", 4242),
        (8787, "0A", me),
        (8787, "01", 4242),
        (8788, "0A", 0),
        (8789, "0A", me),
        (8789, "0A", 7),
    ]
    table.write_text(head + "".join(row.format(port=port, state=state, user=user) for port, state, user in held))
    for port in (8787, 8788, 8790):
        refuse_stranger(f"tcp://127.0.0.1:{port}", [table, tmp_path / "none"])
    refuse_stranger("tls://gpu.example.org:8786", [table])
    for address in ("tcp://127.0.0.1:8786", "tcp://[::1]:8786", "tcp://localhost:8789"):
        with pytest.raises(InputError, match="used by another user of this machine"):
            refuse_stranger(address, [table])


@pytest.mark.skipif(not Path("/proc/net/tcp").is_file(), reason="only Linux tells who holds a port")
def test_a_port_of_ones_own_is_told_apart() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert owners(listener.getsockname()[1]) == {os.getuid()}


def test_a_missing_extra_is_one_line(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['distributed'] = None; from latentlab.cli import run; "
        "sys.exit(run(['sweep', '--data', 'digits', '--out', sys.argv[1], '--cluster', '127.0.0.1', '--steps', '2']))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "study")], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("latentlab: a cluster needs dask and distributed")
    assert done.stderr.count("\n") == 1
