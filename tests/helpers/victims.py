"""A process that has everything imported, and forks a child for each command line it is told: cheap processes to kill.

Run as a program it reads one JSON object a line: ``{"argv": […], "env": {…}, "errors": FILE}`` forks a child that runs
the command line, answers with its pid, then with how it ended; ``{"warm": […]}`` runs one in this process, so that
what is compiled or imported late is there for every child. `Victims` is its other end.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

LONG = bool(os.environ.get("LATENTLAB_RELIABILITY"))


def many(long: int, short: int) -> int:
    """How many times: the number to publish where ``LATENTLAB_RELIABILITY`` is set, else few enough for every run."""
    return long if LONG else short


class End(NamedTuple):
    """How a child ended: its exit status (−9 if killed), standard error, seconds, and peak resident MiB."""

    status: int
    errors: str
    seconds: float
    peak: float


class Victims:
    """The parent of short-lived processes, each of which runs one command line of latentlab."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.errors, self.started = folder / "errors.txt", 0.0
        self.process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
            env={**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_THREADING_LAYER": "workqueue", **environment},
        )

    def warm(self, *argv: str | Path) -> None:
        assert self._ask({"warm": [str(part) for part in argv]})["status"] == 0

    def start(self, *argv: str | Path, hold: bool = False, **environment: str) -> int:
        """Begin a command line; its pid, which with `hold` stays its own after it ended, until it is let go."""
        self.started = time.monotonic()
        asked = {"argv": [str(part) for part in argv], "env": environment, "errors": str(self.errors), "hold": hold}
        return int(self._ask(asked)["pid"])

    def wait(self) -> End:
        found = json.loads(self._line())
        text = self.errors.read_text(encoding="utf-8", errors="replace")
        return End(found["status"], text, time.monotonic() - self.started, found["peak"])

    def run(self, *argv: str | Path, **environment: str) -> End:
        self.start(*argv, **environment)
        return self.wait()

    def kill_after(self, seconds: float, *argv: str | Path) -> End:
        """SIGKILL it that long after it began."""
        pid = self.start(*argv, hold=True)
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
        self._tell({})
        return self.wait()

    def close(self) -> None:
        if self.process.stdin:
            self.process.stdin.close()
        self.process.wait(60)
        if self.process.stdout:
            self.process.stdout.close()

    def _ask(self, what: dict[str, Any]) -> dict[str, Any]:
        self._tell(what)
        return dict(json.loads(self._line()))

    def _tell(self, what: dict[str, Any]) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def _line(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the process that forks the victims has died"
        return line


TRAIN = "--network shallow --latent-dim 3 --batch-size 16 --log-every 5 --checkpoint-every 10 --threads 1 --steps 200"
# What each verb makes of a run, with the files that must end up with equal bytes.
VERBS = {
    "train": ["training.safetensors", "model.safetensors", "config.json", "history.jsonl"],
    "encode": ["codes.h5ad"],
    "traverse": ["decodings.h5"],
    "project": ["projections.h5"],
    "score": ["scores.json"],
    "export": ["out.h5ad"],
}


def command(verb: str, ground: Path, run: Path) -> list[str | Path]:
    """The command line of one stage, in a form that also continues it."""
    if verb == "train":
        return ["train", "--data", ground / "data.npz", "--out", run, "--resume", "--quiet", *TRAIN.split()]
    if verb == "export":
        return ["export", run, "--to", "h5ad", "-o", run / "out.h5ad", "--quiet"]
    return ["analyze", run, "--only", verb, "--resamples", "3", "--quiet"]


def readable(run: Path) -> None:
    """Every file under its final name can be read whole."""
    from safetensors.torch import load_file

    from latentlab.codes.decodings import load_decodings
    from latentlab.codes.h5ad import load_codes
    from latentlab.codes.projections import load_projections
    from latentlab.runs.history import read_history
    from latentlab.system.files import TEMPORARY, read_json

    for path in sorted(run.iterdir()):
        if path.name.startswith((TEMPORARY, ".lock")):
            continue
        if path.suffix == ".json":
            read_json(path)
        elif path.name == "history.jsonl":
            read_history(path)
        elif path.suffix == ".h5ad":
            load_codes(path)
        elif path.name == "decodings.h5":
            load_decodings(path)
        elif path.name == "projections.h5":
            load_projections(path)
        else:
            assert path.suffix == ".safetensors"
            load_file(path)


def serve() -> None:
    """Answer until standard input closes."""
    import latentlab.analysis.analyze
    import latentlab.training.train  # noqa: F401
    from latentlab.cli import run

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def answer(**what: Any) -> None:
        answers.write(json.dumps(what) + "\n")
        answers.flush()

    for line in iter(sys.stdin.readline, ""):
        asked = json.loads(line)
        if "warm" in asked:
            answer(status=run(asked["warm"]))
            continue
        pid = os.fork()
        if not pid:
            _child(asked, run)
        answer(pid=pid)
        if asked["hold"]:
            sys.stdin.readline()
        _, status, used = os.wait4(pid, 0)
        answer(status=os.waitstatus_to_exitcode(status), peak=used.ru_maxrss / 1024)


def _child(asked: dict[str, Any], run: Any) -> None:
    status = 99
    try:
        os.dup2(os.open(asked["errors"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), 2)
        os.environ.update(asked["env"])
        status = run(asked["argv"])
        sys.stdout.flush()
        sys.stderr.flush()
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    serve()
