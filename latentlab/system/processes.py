"""A piece of work in a process of its own: a plain new interpreter, which runs nothing of the program that called.

The task goes in by standard input, which stays open: its end tells the process that its parent is gone. Why it failed
comes out by standard output.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from latentlab.errors import LatentlabError
from latentlab.system.said import join, shared

Process = subprocess.Popen[str]
SERVE = "from latentlab.system.processes import serve; serve()"


def start(target: str, task: Mapping[str, Any], folder: Path | str | None = None) -> Process:
    """Begin to call `target`, ``latentlab.module:function``, with the arguments `task` (JSON), in that `folder`."""
    command = [sys.executable, "-P", "-c", f"import sys; sys.path[:] = {_path()!r}; {SERVE}"]
    with _interrupts_kept_from_children():
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder)
    if process.stdin is not None:
        try:
            process.stdin.write(json.dumps({"target": target, "task": dict(task), "said": shared()}) + "\n")
            process.stdin.flush()  # and left open
        except BrokenPipeError:  # it is dead already, which `failure` tells
            process.wait()
    return process


def _path() -> list[str]:
    """Where this process finds modules, the folder it stands in apart: a random.py there must not pass for a module."""
    return [*filter(os.path.isabs, sys.path), str(Path(__file__).resolve().parents[2])]


@contextmanager
def _interrupts_kept_from_children() -> Iterator[None]:
    """A process started within ignores Ctrl-C, which the terminal sends to all: this process stops it, once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def failure(process: Process) -> str:
    """Why a process that has ended failed; empty where it did not."""
    said, _ = process.communicate()
    if process.returncode == 0:
        return ""
    return " ".join(said.split()) or f"its process ended with status {process.returncode}"


def stop(processes: Iterable[Process]) -> None:
    """End processes in order: a training writes a checkpoint first."""
    processes = list(processes)
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait()  # before its input is closed, which would interrupt it once more
        process.communicate()


def serve() -> None:
    """What such a process runs."""
    from latentlab.system.memory import keep_freed_memory
    from latentlab.system.streams import remarks
    from latentlab.system.surroundings import ignore_current_folder
    from latentlab.system.waiting import set_waiting

    ignore_current_folder()
    set_waiting()
    keep_freed_memory()
    given = json.loads(sys.stdin.readline())
    join(given["said"])
    threading.Thread(target=_end_with_parent, daemon=True).start()
    module, _, name = given["target"].partition(":")
    try:
        with remarks():
            getattr(importlib.import_module(module), name)(**given["task"])
    except KeyboardInterrupt:
        sys.exit(130)
    except LatentlabError as error:
        sys.exit(_say(str(error)))
    except Exception as error:
        sys.exit(_say(f"{type(error).__name__}: {error}"))


def _say(why: str) -> int:
    print(why, flush=True)
    return 1


def _end_with_parent() -> None:
    """Whoever started this was killed: leave nothing behind that works on and holds its folder."""
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGTERM)
