"""Reading what a stranger may have made in a process apart, which can do no harm and may be killed.

A function that reads a file is marked with `apart`. Where files are a stranger's (`strangers`, or a dashboard that lets
others look) it runs in another process, which was confined before it opened anything, and sends plain arrays back; a
crash, a hang or a hunger for memory becomes one line that names the file.
"""

from __future__ import annotations

import atexit
import fcntl
import functools
import importlib
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, BinaryIO, ParamSpec, TypeVar

from latentlab import errors
from latentlab.errors import InputError, LatentlabError
from latentlab.system.frames import LENGTH, pack, parts, unpack
from latentlab.system.limits import ANSWER, SECONDS, memory

READ_ONLY = "LATENTLAB_READ_ONLY"  # set where a dashboard lets others look
APART = "LATENTLAB_APART"  # set by a user who reads what a stranger made, with whatever verb
KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV")  # of the environment; secrets are not
SERVE = "from latentlab.system.quarantine import serve; serve()"
PIPE = 1 << 20  # bytes that may be on their way
P = ParamSpec("P")
T = TypeVar("T")

_strangers: ContextVar[bool] = ContextVar("strangers", default=False)


@contextmanager
def strangers() -> Iterator[None]:
    """Within it, whatever is marked with `apart` is read in a process apart."""
    token = _strangers.set(True)
    try:
        yield
    finally:
        _strangers.reset(token)


def wanted() -> bool:
    """Whether files are read in a process apart here."""
    return _strangers.get() or bool(os.environ.get(READ_ONLY) or os.environ.get(APART))


def apart(*classes: type[Any], seconds: int = SECONDS) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Mark a function that reads the path that is its first argument and returns plain values or those dataclasses.

    It may take that many `seconds`; it is called by the name under which its module has it.
    """

    def marked(read: Callable[P, T]) -> Callable[P, T]:
        """The function, which reads in a process apart where files are a stranger's."""

        @functools.wraps(read)
        def reading(*arguments: P.args, **options: P.kwargs) -> T:
            if not wanted():
                return read(*arguments, **options)
            question = {"target": f"{read.__module__}:{read.__qualname__}", "seconds": seconds}
            answer: T = _READER.ask({**question, "arguments": arguments, "options": options}, classes)
            return answer

        reading.apart = True  # type: ignore[attr-defined]
        return reading

    return marked


class _Reader:
    """The process that reads, started when it is first asked, and again after it failed; one question at a time."""

    def __init__(self) -> None:
        self.lock, self.owner = threading.Lock(), 0
        self.process: subprocess.Popen[bytes] | None = None
        atexit.register(self.end)

    def ask(self, question: dict[str, Any], classes: tuple[type, ...]) -> Any:
        """What the function that is asked for returns; what it raises of latentlab's errors is raised here."""
        with self.lock:
            try:
                answer = self._exchanged(pack({"folder": str(Path.cwd()), **question}), question["seconds"])
            except (TimeoutError, EOFError, OSError) as error:
                why = self._failed(error, question["seconds"])
                raise InputError(f"{_named(question)} {why}; it is damaged or malicious") from error
        kind, value = unpack(answer, classes)
        if kind == "answer":
            return value
        known = getattr(errors, kind, None)
        raise (known if isinstance(known, type) and issubclass(known, LatentlabError) else InputError)(value)

    def _exchanged(self, question: bytes, seconds: int) -> bytearray:
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(len(question).to_bytes(LENGTH, "little") + question)
        process.stdin.flush()
        deadline = time.monotonic() + seconds
        size = int.from_bytes(_exactly(process.stdout, LENGTH, deadline), "little")
        if size > ANSWER:
            raise EOFError
        return _exactly(process.stdout, size, deadline)

    def _started(self) -> subprocess.Popen[bytes]:
        if self.process is not None and self.owner == os.getpid() and self.process.poll() is None:
            return self.process
        command = [sys.executable, "-P", "-B", "-c", f"import sys; sys.path[:] = {sys.path!r}; {SERVE}"]
        environment = {key: os.environ[key] for key in KEPT if key in os.environ} | {"OMP_NUM_THREADS": "1"}
        pipe = subprocess.PIPE
        self.process, self.owner = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environment, start_new_session=True
        ), os.getpid()  # fmt: skip
        if sys.platform == "linux" and self.process.stdout is not None:
            with suppress(PermissionError):  # of a user who has many pipes already
                fcntl.fcntl(self.process.stdout, fcntl.F_SETPIPE_SZ, PIPE)
        return self.process

    def _failed(self, error: BaseException, seconds: int) -> str:
        """Why there was no answer; the process is ended."""
        status = None if isinstance(error, TimeoutError) or self.process is None else self._status()
        self.end()
        if status is None:
            return f"was not read within {seconds:,} seconds"
        return f"ended the process that read it ({f'signal {-status}' if status < 0 else f'status {status}'})"

    def _status(self) -> int | None:
        assert self.process is not None
        try:
            return self.process.wait(5)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """End the process, if this one started it."""
        process, self.process = self.process, None
        if process is None or self.owner != os.getpid():
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what it had not read yet
                    pipe.close()


_READER = _Reader()


def _exactly(pipe: BinaryIO | Any, size: int, deadline: float) -> bytearray:
    """That many bytes off a pipe; an `EOFError` where it ends before, a `TimeoutError` after the deadline."""
    content, done, number = bytearray(size), 0, pipe.fileno()
    view, poll = memoryview(content), select.poll()
    poll.register(number, select.POLLIN)
    while done < size:
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise TimeoutError
        got = os.readv(number, [view[done:]])
        if not got:
            raise EOFError
        done += got
    return content


def serve() -> None:
    """What the process runs: confined first, then one question after another until its input ends."""
    from latentlab.system.confinement import confine

    confine()
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is not an answer
    while size := int.from_bytes(questions.read(LENGTH), "little"):
        answer = _answered(unpack(bytearray(questions.read(size))))
        answers.write(sum(map(len, answer)).to_bytes(LENGTH, "little"))
        for part in answer:
            answers.write(part)
        answers.flush()
        signal.setitimer(signal.ITIMER_REAL, 0)  # the next question may be hours away


def _answered(question: dict[str, Any]) -> list[Any]:
    module, _, name = question["target"].partition(":")
    try:
        os.chdir(question["folder"])
        _take_time(question["seconds"])
        read = getattr(importlib.import_module(module), name)
        if not getattr(read, "apart", False):
            raise InputError(f"{question['target']} is not marked for reading in a separate process")
        return parts(("answer", read(*question["arguments"], **question["options"])))
    except LatentlabError as error:
        return parts((type(error).__name__, str(error)))
    except MemoryError:
        why = f"takes more than {memory() / (2 << 30):.1f} GiB of memory to read, half of this machine's"
        return parts(("InputError", f"{_named(question)} {why}"))
    except Exception as error:  # whatever a damaged file makes of a reader
        why = f"cannot be read ({type(error).__name__}); restore or recreate it"
        return parts(("InputError", f"{_named(question)} {why}"))


def _named(question: dict[str, Any]) -> str:
    return str(question["arguments"][0])[-110:]


def _take_time(seconds: int) -> None:
    """End, even where nobody is left to end this process, once it has computed, or waited, so much longer."""
    signal.setitimer(signal.ITIMER_REAL, seconds + 5)
    used = resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds + 5, resource.RLIM_INFINITY))
