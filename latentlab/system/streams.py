"""Standard input, output and error as they come: closed, of an encoding with few letters, or read by nobody."""

from __future__ import annotations

import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from latentlab.errors import Remark, one_line

OURS = "latentlab"  # the logger, and what a line of ours begins with


def open_standard() -> None:
    """Open the standard streams that came closed to the empty device, and write ``?`` for letters that they lack.

    Otherwise the next file that is opened takes the number of a closed stream, and what libraries write to that
    stream goes into the file.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
        elif name != "stdin" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def tell(line: str) -> None:
    """Write a line to standard error. Where nobody reads it or it has no room, the work goes on without."""
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        sys.stderr = io.StringIO()  # an interpreter that ends would try to write it again


@contextmanager
def remarks() -> Iterator[None]:
    """Show each `Remark` and each line of our logger on standard error, and no warning of a library.

    Whoever asks Python for warnings (``-W``, ``PYTHONWARNINGS``) sees those of libraries, too. What libraries log as
    errors is shown as ever. For processes that are ours alone.
    """
    shown, handler = warnings.showwarning, _Lines()

    def show(
        message: Warning | str, category: type[Warning], filename: str, lineno: int,
        file: TextIO | None = None, line: str | None = None,
    ) -> None:  # fmt: skip
        if issubclass(category, Remark):
            tell(f"{OURS}: {one_line(str(message))}")
        elif sys.warnoptions:
            shown(message, category, filename, lineno, file, line)

    warnings.showwarning = show
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        warnings.showwarning = shown


class _Lines(logging.Handler):
    """Shows what our logger says, and the errors of others."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] == OURS:
            tell(record.getMessage())
        elif record.levelno >= logging.ERROR and logging.lastResort is not None:
            logging.lastResort.handle(record)


def takes_all_letters() -> bool:
    """Whether standard output has an encoding of every letter."""
    return (getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf")


def let_go() -> None:
    """Give up what standard output could not take, so that the interpreter's end does not try again and complain."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
