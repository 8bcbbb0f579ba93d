"""What every verb says, and how: results on standard output, progress and errors on standard error."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from latentlab.errors import InputError, harmless, one_line
from latentlab.system.files import refuse_unwritable
from latentlab.system.progress import Progress, silent
from latentlab.system.registry import choose, names
from latentlab.system.streams import takes_all_letters, tell

LINE_SECONDS = 10.0
LONGEST_LINE = 200
PIPE = 240  # letters of a line where nobody says how wide the terminal is

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to standard output and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Hide progress output.")]
DATA = "Name of a data set (see latentlab data ls) or a path"
Data = Annotated[str | None, typer.Option("--data", help=f"{DATA}.")]
RunData = Annotated[str | None, typer.Option("--data", help=f"{DATA}; by default the data of the run.")]
Correlate = Annotated[
    str | None,
    typer.Option(
        metavar="A:B=σ",
        help="Sample rows so that factors A and B are correlated: σ = 0.2 is strong, 1 is weak.",
    ),
]
Adapter = Annotated[
    str | None,
    typer.Option(
        metavar="FILE.py:NAME", help="Python file and the callable in it that builds your model. The file is executed."
    ),
]
Resamples = Annotated[
    int, typer.Option(min=0, help="Number of resamples for intervals and null distributions; 0 turns them off.")
]
ResampleSlow = Annotated[
    bool,
    typer.Option(
        "--resample-slow", help="Also resample metrics that train a model, such as dci and factor_vae (minutes)."
    ),
]
Shard = Annotated[str | None, typer.Option(metavar="i/N", help="Process only part i of N (for array jobs).")]
Cluster = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS", help="Run on the workers of a Dask scheduler, such as tcp://127.0.0.1:8786 or tls://…"
    ),
]


def file_to_write(text: str, *endings: str) -> Any:
    """The option of a file to write. One that cannot be written is refused before anything is computed.

    Each of `endings` begins with the ending itself, as in ``.tex (one row per setting)``; without any, all are taken.
    """
    taken = [each.split()[0] for each in endings]

    def check(out: Path | None) -> Path | None:
        if out is None:
            return None
        if endings and out.suffix not in taken:
            raise InputError(f"{out} ends in {out.suffix or 'nothing'}; expected {' or '.join(endings)}")
        if out.is_dir():
            raise InputError(f"{out} is a folder; expected a file to write, as in {out / 'NAME'}{''.join(taken[:1])}")
        refuse_unwritable(out)
        return out

    listed = f"{text}: {' or '.join(endings)}." if len(endings) > 1 else f"{text}."
    return typer.Option("-o", "--out", help=listed, callback=check)


def seed(text: str) -> Any:
    """The option of a seed: what every generator of random numbers takes."""
    return typer.Option(min=0, max=2**31 - 1, help=f"{text}.")


def split(default: str) -> Any:
    """The option of a published split, with what is used where it is not given."""
    return typer.Option(help=f"Published split to use: train, test or all; by default {default}.")


def path_to_write(text: str) -> Any:
    """The option of a file or a folder to write, where it depends on other options which it is."""

    def check(out: Path) -> Path:
        if not out.is_dir():
            refuse_unwritable(out)
        return out

    return typer.Option("-o", "--out", help=f"{text}.", callback=check)


def folder_to_make(text: str) -> Any:
    """The option of a folder to make or to continue. A file of that name is refused before anything is computed."""

    def check(out: Path | None) -> Path | None:
        if out is not None and os.path.lexists(out) and not out.is_dir():
            raise InputError(f"{out} is a file; expected a folder to create or continue: choose another name")
        if out is not None and not out.exists():
            refuse_unwritable(out)
        return out

    return typer.Option("-o", "--out", help=f"{text}.", callback=check)


Paths = Annotated[list[Path], typer.Argument(metavar="RUN_OR_STUDY…", help="Run folders or study folders.")]


def fail(message: str, status: int) -> int:
    """Print one line of at most 200 characters to standard error and give back the exit status."""
    line = f"latentlab: {one_line(message)}"
    tell(line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…")
    return status


def metrics(text: str | None) -> list[str] | None:
    """``"mig, beta-vae"`` as names of metrics; None, for all of a profile, stays None."""
    if text is None:
        return None
    return [choose(name.strip().replace("-", "_"), names("metrics"), what="metric") for name in text.split(",")]


def show(text: str) -> None:
    """A line of the answer; what a terminal might obey in it instead of showing is a question mark."""
    print(harmless(text))


def show_json(content: Any) -> None:
    """The answer for a machine: one line of JSON."""
    from latentlab.results import plain

    print(json.dumps(plain(content), ensure_ascii=not takes_all_letters(), allow_nan=False))


def table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows as a table with aligned numbers; on a pipe it is plain text of the same columns."""
    heads = [one_line(str(key)) for key in (rows[0] if rows else [])]
    numbers = [any(isinstance(row[key], int | float) for row in rows) for key in (rows[0] if rows else [])]
    cells = [[cell(value) for value in row.values()] for row in rows]
    if sys.stdout.isatty() or not _plain([heads, *cells], numbers):
        _drawn(heads, cells, numbers)


def _plain(lines: list[list[str]], numbers: list[bool]) -> bool:
    """Print the lines in columns, of numbers to the right, where they fit a pipe's width; whether they did.

    A study of hundreds of runs takes Rich a second.
    """
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    if sum(widths) + 2 * (len(widths) - 1) > PIPE:
        return False
    for line in lines:
        spaces = [" " * (width - cell_len(text)) for width, text in zip(widths, line, strict=True)]
        parts = [gap + text if right else text + gap for gap, text, right in zip(spaces, line, numbers, strict=True)]
        show("  ".join(parts).rstrip())
    return True


def _drawn(heads: list[str], cells: list[list[str]], numbers: list[bool]) -> None:
    from rich.console import Console
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for head, right in zip(heads, numbers, strict=True):
        drawn.add_column(head, justify="right" if right else "left", no_wrap=right, overflow="fold")
    for line in cells:
        drawn.add_row(*line)
    Console(width=None if sys.stdout.isatty() else PIPE, soft_wrap=True, markup=False).print(drawn)


def cell(value: Any) -> str:
    """A value as it stands in a table."""
    if value is None or (isinstance(value, float) and value != value):
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else one_line(str(value))


@contextmanager
def progress(title: str, *, quiet: bool, goes_on: str = "") -> Iterator[Progress]:
    """A progress bar on a terminal, a plain line every ten seconds in a log, nothing where it is to be quiet.

    ``goes_on`` says, where it is interrupted, how it goes on.
    """
    try:
        if quiet:
            yield silent
        elif sys.stderr.isatty():
            with _bar(title) as report:
                yield report
        else:
            yield _lines(title)
    except KeyboardInterrupt:
        if goes_on:
            fail(f"{title}: interrupted; {goes_on}", 130)
        raise


@contextmanager
def _bar(title: str) -> Iterator[Progress]:
    from rich import progress as rich
    from rich.console import Console

    text = rich.TextColumn
    columns = (text("{task.description}"), rich.BarColumn(), text("{task.percentage:>3.0f} %"))
    ends = (rich.TimeRemainingColumn(), text("{task.fields[note]}"))
    with rich.Progress(*columns, *ends, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=None, note="")

        def report(done: float, total: float, note: str = "") -> None:
            bar.update(task, completed=done, total=total, note=note)

        yield report


def _lines(title: str) -> Progress:
    started = time.monotonic()
    said = [started, 0.0]
    before: list[float] = []  # what was done already, and took no time now

    def report(done: float, total: float, note: str = "") -> None:
        now = time.monotonic()
        before[:] = before or [done]
        complete = done >= total > 0 and said[1] < total
        if complete or (now - said[0] >= LINE_SECONDS and said[1] < total):
            said[:] = now, done
            left = (now - started) * (total - done) / (done - before[0]) if done > before[0] else 0
            parts = [f"{title}: {done:,.0f} of {total:,.0f}", note, f"{duration(left)} left" if left else ""]
            tell("; ".join(part for part in parts if part))

    return report


def duration(seconds: float) -> str:
    """A time as one says it: ``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def settings(pairs: Sequence[str], texts: Collection[str] = ()) -> dict[str, Any]:
    """``["gamma=10"]`` as ``{"gamma": 10.0}``: numbers where they are numbers, but for those that are `texts`."""
    found: dict[str, Any] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign:
            raise InputError(f"--set got {pair!r}; expected KEY=VALUE, as in --set gamma=10")
        try:
            found[key.strip()] = value.strip() if key.strip() in texts else float(value)
        except ValueError:
            found[key.strip()] = value.strip()
    return found
