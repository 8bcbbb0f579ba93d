"""Pieces of work in a process of their own: a plain new interpreter, which runs nothing of the program that called.

Tasks go in by standard input, which stays open: its end tells the process that its parent is gone. Why one failed comes
out by standard output; what the work itself prints goes to standard error. A process that `stay`s is handed further
tasks, one at a time, and spares the start of another; where a task fails it ends.
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
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from latentlab.errors import LatentlabError
from latentlab.system.said import join, shared
from latentlab.system.streams import remarks

Process = subprocess.Popen[str]
SERVE = "from latentlab.system.processes import serve; serve()"
DONE = "\N{SYMBOL FOR ACKNOWLEDGE}"  # said after each task by a process that stays


def start(target: str, task: Mapping[str, Any], folder: Path | str | None = None, *, stay: bool = False) -> Process:
    """Begin to call `target`, ``latentlab.module:function``, with the arguments `task` (JSON), in that `folder`."""
    command = [sys.executable, "-P", "-c", f"import sys; sys.path[:] = {_path()!r}; {SERVE}"]
    with _interrupts_kept_from_children():
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder)
    hand(process, target, task, stay=stay)
    return process


def hand(process: Process, target: str, task: Mapping[str, Any], *, stay: bool = True) -> None:
    """Have a process that waits call `target` with the arguments `task`."""
    if process.stdin is not None:
        try:
            process.stdin.write(json.dumps({"target": target, "task": task, "said": shared(), "stay": stay}) + "\n")
            process.stdin.flush()  # and left open
        except BrokenPipeError:  # it is dead already, which `failure` tells
            process.wait()


def waits(process: Process) -> tuple[bool, str]:
    """Whether a process that stays has done its task and waits for another; why it failed where it ends instead.

    It is asked once the process has said something, or has ended.
    """
    said = process.stdout.readline() if process.stdout is not None else ""
    return (True, "") if said.strip() == DONE else (False, failure(process, said))


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


def failure(process: Process, said: str = "") -> str:
    """Why a process that has ended failed, having `said` something already; empty where it did not."""
    more, _ = process.communicate()
    if process.returncode == 0:
        return ""
    return " ".join((said + more).split()) or f"its process ended with status {process.returncode}"


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
    from latentlab.system.surroundings import ignore_current_folder
    from latentlab.system.waiting import set_waiting

    ignore_current_folder()
    set_waiting()
    keep_freed_memory()
    tasks, answers, idle = SimpleQueue[dict[str, Any] | None](), sys.stdout, threading.Event()
    idle.set()
    threading.Thread(target=_listen, args=[tasks, idle], daemon=True).start()
    while given := tasks.get():
        if why := _called(given):
            idle.set()  # whoever hears why closes the input, and that must not end it first
            print(" ".join(why.split()), file=answers, flush=True)
            sys.exit(1)
        if not given["stay"]:
            return
        idle.set()
        print(DONE, file=answers, flush=True)


def _called(given: Mapping[str, Any]) -> str:
    """Call what a task says; why it failed."""
    join(given["said"])
    module, _, name = given["target"].partition(":")
    try:
        with redirect_stdout(sys.stderr), remarks():
            getattr(importlib.import_module(module), name)(**given["task"])
    except KeyboardInterrupt:
        sys.exit(130)
    except LatentlabError as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _listen(tasks: SimpleQueue[dict[str, Any] | None], idle: threading.Event) -> None:
    """Take tasks from standard input; at its end whoever started this is gone, and leaves nothing that works on.

    It is read below Python's own buffers, which cannot be taken down while a thread waits in them.
    """
    held = b""
    while chunk := os.read(sys.stdin.fileno(), 1 << 16):
        *lines, held = (held + chunk).split(b"\n")
        for line in lines:
            idle.clear()
            tasks.put(json.loads(line))
    if not idle.is_set():
        os.kill(os.getpid(), signal.SIGTERM)
    tasks.put(None)
