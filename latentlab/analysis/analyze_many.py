"""The analysis of many runs at once: processes side by side, each with a share of the runs, one run after another.

A process loads its libraries and reads the data once for its whole share, and notes in a file how far it is: standard
output may have lines of libraries or of the user's data in it.
"""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from latentlab.analysis.analyze import analyze
from latentlab.data import Dataset, load
from latentlab.errors import LatentlabError
from latentlab.runs.data_for_workers import hand_over, take_over
from latentlab.runs.run import Run
from latentlab.system.machine import cores, process_threads
from latentlab.system.processes import Process, failure, start, stop
from latentlab.system.progress import Progress, silent

POLL = 0.5  # seconds between two notes of a process, and between two looks at them


def number_of_processes(runs: Sequence[Run], most: int | None = None, adapter: object = None) -> int:
    """How many processes analyse these runs: `most`, or one a core, and no more than there are runs.

    One, where a model is the user's own or computes on a GPU, which the processes would have to share.
    """
    if adapter is not None or any(run.config.has_model and run.config.hardware.device != "cpu" for run in runs):
        return 1
    return max(1, min(most or cores(), len(_distinct(runs))))


def analyze_side_by_side(
    runs: Sequence[Run], processes: int, *, progress: Progress = silent, **options: Any
) -> dict[str, str]:
    """`analyze` on runs in so many processes; why runs failed, by folder. The results have the bytes of one process.

    ``options`` are those of `analyze` that can be written down: data by a name or a path, and no adapter.
    ``progress`` is called with how many runs are done, in fractions.
    """
    data = options.pop("data", None)
    paths = [str(run.path) for run in _distinct(runs)]
    task = {
        "threads": max(1, process_threads() // processes),
        "data": None if data is None else hand_over(load(data)),
        "options": options,
    }
    with TemporaryDirectory(prefix="latentlab-") as folder:
        shares = [_Share(paths[n::processes], Path(folder) / f"{n}.jsonl") for n in range(processes)]
        running: dict[Process, _Share] = {}
        try:
            for share in shares:
                given = {"runs": share.runs, "notes": str(share.notes), **task}
                running[start("latentlab.analysis.analyze_many:analyze_share", given)] = share
            while running:
                select.select([process.stdout for process in running if process.stdout], [], [], POLL)
                ended = [process for process in running if process.poll() is not None]
                for share in shares:
                    share.look()
                for process in ended:
                    running.pop(process).close(failure(process))
                progress(sum(share.done for share in shares), len(paths), shares[0].note)
        finally:
            stop(running)
    return {path: why for share in shares for path, why in share.failed.items()}


def analyze_share(
    runs: Sequence[str], notes: str, threads: int, data: Mapping[str, Any] | None, options: Mapping[str, Any]
) -> None:
    """What one process does: analyse these runs, and note after each and in between how far it is."""
    os.environ["OMP_NUM_THREADS"] = str(threads)  # what `process_threads` goes by
    dataset = None if data is None else take_over(data)
    with Path(notes).open("w", encoding="utf-8", buffering=1) as file:

        def note(**what: Any) -> None:
            file.write(json.dumps(what) + "\n")

        for number, path in enumerate(runs):

            def say(part: float, text: str, number: int = number) -> None:
                note(done=number + part, note=text)

            why = _attempt(path, dataset, options, _rarely(say))
            note(done=number + 1, note="", run=path, why=why)


def _attempt(path: str, data: Dataset | None, options: Mapping[str, Any], report: Progress) -> str:
    try:
        analyze(Run(Path(path)), data, **options, progress=report)
    except LatentlabError as error:
        return str(error)
    except Exception as error:  # of one run: the others are analysed, and this one is reported as failed
        return f"{type(error).__name__}: {error}"
    return ""


def _rarely(say: Callable[[float, str], None]) -> Progress:
    """Say which part is done, and no more often than it is looked at."""
    last = float("-inf")

    def report(done: float, total: float, note: str = "") -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= POLL and done < total:
            last = now
            say(done / total, note)

    return report


@dataclass
class _Share:
    """The runs of one process, and what is known of them: how many are done, in fractions, and why some failed."""

    runs: list[str]
    notes: Path
    done: float = 0.0
    note: str = ""
    failed: dict[str, str] = field(default_factory=dict)

    def look(self) -> None:
        """Read the notes; a last line that is not yet whole is left for the next time."""
        text = self.notes.read_text(encoding="utf-8") if self.notes.is_file() else ""
        for found in map(json.loads, text.rpartition("\n")[0].splitlines()):
            self.done, self.note = found["done"], found["note"]
            if found.get("why"):
                self.failed[found["run"]] = found["why"]

    def close(self, why: str) -> None:
        """The process has ended, and `why` where it failed: with it, the runs that it had not done."""
        if why:
            self.failed |= dict.fromkeys(self.runs[int(self.done) :], why)


def _distinct(runs: Sequence[Run]) -> list[Run]:
    return list({run.path.resolve(): run for run in runs}.values())
