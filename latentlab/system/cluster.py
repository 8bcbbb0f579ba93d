"""A study on the workers of a Dask scheduler: one task per run, and the disk as the only ledger.

A task's key is the hash of what it does and of its folder. Its worker starts the run's own process, waits for it, and
stops it when the task is no longer wanted. Nothing is kept in the scheduler: whatever is killed, calling again goes on
from what lies in the folders, and a run's lock keeps two workers off it. All workers need the same file system.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from latentlab.errors import InputError, LatentlabError
from latentlab.system.files import lock
from latentlab.system.processes import failure, start, stop

if TYPE_CHECKING:
    from distributed import Client, Future, Worker

POLL = 0.5
PATIENCE = 60.0  # seconds to wait for a first worker, and for a run that a process about to end still holds
ANSWER = 10.0  # seconds for a scheduler to answer
PORT = 8786
ENDED = ("closing", "closed", "failed")
SOCKETS = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))  # Linux's tables of them, with their owners
LISTENING = "0A"


class Job(NamedTuple):
    """One run's work: the function `target` (``latentlab.module:function``) with arguments `task`, on `folder`."""

    target: str
    task: Mapping[str, Any]
    folder: Path

    @property
    def key(self) -> str:
        """The SHA-256 of all of it: equal jobs are one."""
        content = json.dumps([self.target, self.task, str(self.folder)], sort_keys=True)
        return f"latentlab-{self.folder.name}-{hashlib.sha256(content.encode()).hexdigest()[:32]}"


def check(address: str) -> str:
    """`address` in full, ``tcp://127.0.0.1:8786``: one on this machine, or one that TLS guards.

    A scheduler runs whatever code it is sent, so an open one is open to everybody who reaches it.

    >>> check("localhost")
    'tcp://localhost:8786'
    """
    found = re.fullmatch(r"(?:(tcp|tls)://)?(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(?::([0-9]{1,5}))?/?", address.strip())
    if not found:
        raise InputError(f"cluster is {address[:60]!r}; expected a scheduler's address, as in tcp://127.0.0.1:8786")
    scheme, host, port = found[1] or "tcp", found[2], found[3] or PORT
    if scheme == "tcp" and not _is_loopback(host):
        raise InputError(
            f"cluster is {address[:60]}, neither on this machine nor encrypted; tunnel to it (ssh -L) or use TLS: tls://…"
        )
    return f"{scheme}://{host}:{port}"


def refuse_stranger(address: str, tables: Sequence[Path] = SOCKETS) -> None:
    """Raise an `InputError` where another user of this machine holds the scheduler's port.

    A scheduler's answers are pickles, which run code in whoever asks it. With TLS it proves who it is; on the loopback
    it may be anybody's, so its port must be held by this user or by root. Where there are no such tables nothing is
    refused.
    """
    scheme, _, place = address.partition("://")
    port = int(place.rpartition(":")[2])
    others = [] if scheme == "tls" else sorted(owners(port, tables) - {0, os.getuid()})
    if others:
        raise InputError(
            f"port {port} is used by another user of this machine (uid {others[0]}), whose answers could run "
            "code here; "
            "start your own scheduler, or use TLS: tls://…"
        )


def owners(port: int, tables: Sequence[Path] = SOCKETS) -> set[int]:
    """The numbers of the users who listen at that port of this machine, as Linux tells."""
    rows = [line.split() for table in tables if table.is_file() for line in table.read_text().splitlines()[1:]]
    return {int(row[7]) for row in rows if row[3] == LISTENING and int(row[1].rpartition(":")[2], 16) == port}


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def spread(address: str, jobs: Mapping[str, Job], report: Callable[[int], None] | None = None) -> dict[str, str]:
    """Have every job done by the workers of that scheduler; why jobs failed, by name. `report` hears how many are done.

    Raises `LatentlabError` where there is no scheduler, where it is lost on the way, or where no worker joins it.
    """
    failed: dict[str, str] = {}
    if not jobs:
        return failed
    with _connected(check(address)) as client:
        waiting = {
            name: client.submit(attend, *job, str(Path.cwd()), key=job.key, pure=False) for name, job in jobs.items()
        }
        try:
            while waiting:
                if report:
                    report(len(jobs) - len(waiting))
                time.sleep(POLL)
                for name in [name for name, future in waiting.items() if future.done()]:
                    if why := _outcome(waiting.pop(name), address):
                        failed[name] = why
        finally:
            client.cancel(list(waiting.values()))
    return failed


def _outcome(future: Future, address: str) -> str:
    if future.status == "finished":
        return str(future.result())
    if future.status == "error":
        return f"{type(future.exception()).__name__}: {future.exception()}"
    raise LatentlabError(
        f"the scheduler at {address} stopped; what was trained is kept: start it and run the command again"
    )


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise InputError(
            "a cluster needs dask and distributed; install them: pip install 'latentlab[cluster]'"
        ) from error
    refuse_stranger(address)
    try:
        client = Client(address, timeout=ANSWER, set_as_default=False)
    except (OSError, TypeError, ValueError, RuntimeError) as error:
        raise LatentlabError(
            f"no scheduler answers at {address} ({type(error).__name__}); is it running there?"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            raise LatentlabError(
                f"no worker has joined {address} in {PATIENCE:.0f} s; try: dask worker {address}"
            ) from error
        found = client.scheduler_info(n_workers=-1)
        for each in (found["address"], *found["workers"]):
            check(each)
        yield client


def attend(target: str, task: Mapping[str, Any], folder: Path, here: str) -> str:
    """What a worker does for one run: start its process, wait, and say why it failed, or nothing.

    It runs again, from the last checkpoint, where this task was given up and is wanted once more.
    """
    from distributed import get_worker

    worker = get_worker()
    key = str(worker.get_current_task())
    for needed in (folder.parent, Path(here)):
        if not needed.is_dir():
            return f"the worker {worker.address} does not see {needed}; all workers need the same file system"
    while _wanted(worker, key):
        try:
            _wait_for(folder)
        except LatentlabError as error:
            return str(error)
        process = start(target, task, here)
        try:
            while process.poll() is None and _wanted(worker, key):
                try:
                    process.wait(POLL)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            ended = process.returncode is not None
            if not ended:
                stop([process])
        if ended:
            return failure(process)
    return "it was cancelled"


def _wanted(worker: Worker, key: str) -> bool:
    """Whether the scheduler still wants what this worker's thread computes; no thread can be stopped from outside."""
    task = worker.state.tasks.get(key)
    return worker.status.name not in ENDED and task is not None and task.state in ("executing", "long-running")


def _wait_for(folder: Path) -> None:
    """Return when no process writes the run; what a killed worker had started takes a moment to end."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with lock(folder):
                return
        except LatentlabError:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL)
