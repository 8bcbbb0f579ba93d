"""The one loop over runs: whatever fails of one run, the others are done and reported, and the exit status says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import typer

from latentlab.cli import _console
from latentlab.errors import InputError, LatentlabError
from latentlab.system.progress import Progress

if TYPE_CHECKING:
    from latentlab.runs.run import Run


T = TypeVar("T")


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What a verb made of each run, and why others failed, by folder.

    Where nothing was done and one run failed, its error is raised: it is that of the whole verb.
    """

    done: Sequence[tuple[Run, T]]
    failed: Mapping[Path, LatentlabError | str]

    def __post_init__(self) -> None:
        error = next(iter(self.failed.values()), None)
        if not self.done and len(self.failed) == 1 and isinstance(error, LatentlabError):
            raise error

    def show_json(self, entry: Callable[[T], Mapping[str, Any]], **more: Any) -> None:
        """One object for every verb that takes runs: ``runs`` has an entry per finished run, ``failed`` the rest."""
        self.show_entries(({"run": str(run.path), **entry(found)} for run, found in self.done), **more)

    def show_entries(self, entries: Iterable[Mapping[str, Any]], **more: Any) -> None:
        """The same with entries that are not of runs that were done in a loop."""
        failed = [{"run": str(path), "why": str(why)} for path, why in self.failed.items()]
        _console.show_json({"runs": list(entries), "failed": failed, **more})

    def end(self) -> None:
        """Say on standard error which runs failed, a line each, and end with status 1 where any did."""
        for path, why in self.failed.items():
            named = str(why).startswith(str(path))
            _console.fail(str(why) if named else f"{path}: {why}", 1)
        if self.failed:
            raise typer.Exit(1)


def check_single(paths: Sequence[Path], option: str) -> None:
    """Refuse several runs, or a study of several, where `option` is for one."""
    from latentlab.runs.study import open_runs

    runs, failed = open_runs(paths)
    if (number := len(runs) + len(failed)) > 1:
        raise InputError(f"{option} is for one run, and {number} were given; name a single run, or leave {option} out")


def each_run(
    paths: Sequence[Path],
    title: str,
    work: Callable[[Run, Progress], T],
    *,
    quiet: bool,
    choose: Callable[[list[Run]], list[Run]] = list,
) -> Outcome[T]:
    """Do `work` on every run that `paths` name, those of studies included; `choose` may take some of them."""
    from latentlab.runs.study import open_runs

    runs, failed = open_runs(paths)
    done = []
    for run in choose(runs):
        try:
            with _console.progress(f"{title} {run.name}", quiet=quiet) as report:
                done.append((run, work(run, report)))
        except LatentlabError as error:
            failed[run.path] = error
    return Outcome(done, failed)
