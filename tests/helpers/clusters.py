"""A Dask scheduler and workers in real processes on the loopback, each worker in a group of its own: to be killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

LOOPBACK = ("--host", "127.0.0.1", "--no-dashboard")


@dataclass
class Cluster:
    """A scheduler at ``address`` and its workers."""

    folder: Path
    address: str = ""
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def begin(self, port: int = 0) -> None:
        """Start the scheduler."""
        log = self.folder / f"scheduler-{time.monotonic_ns()}.log"
        with log.open("wb") as file:
            self.scheduler = _process("distributed.cli.dask_scheduler", "--port", str(port), *LOOPBACK, log=file)
        deadline = time.monotonic() + 60
        while not (found := re.search(r"Scheduler at:\s+(tcp://\S+)", log.read_text())):
            assert time.monotonic() < deadline, log.read_text()
            assert self.scheduler.poll() is None, log.read_text()
            time.sleep(0.05)
        self.address = found[1]

    def add(self, count: int) -> None:
        """Start so many workers of one thread each, without nannies; they join when they are up."""
        for _ in range(count):
            with (self.folder / f"worker-{time.monotonic_ns()}.log").open("wb") as file:
                options = ("--nthreads", "1", "--no-nanny", "--local-directory", str(self.folder / "scratch"))
                self.workers.append(
                    _process("distributed.cli.dask_worker", self.address, *options, *LOOPBACK, log=file)
                )

    def end(self) -> None:
        """Kill all of it."""
        for process in [*self.workers, *([self.scheduler] if self.scheduler else [])]:
            kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to a process and to all that it started, as if its machine had lost power."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _process(module: str, *options: str, log: IO[bytes]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", module, *options]
    return subprocess.Popen(
        command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True
    )


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A scheduler without workers, for the length of the block."""
    with tempfile.TemporaryDirectory() as folder:
        found = Cluster(Path(folder))
        try:
            found.begin()
            yield found
        finally:
            found.end()
