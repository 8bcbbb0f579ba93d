"""What a server shows: the study that its process was started with, as far as whoever looks may see it."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

from latentlab.errors import InputError
from latentlab.runs.folders import refuse_links
from latentlab.runs.notes import READ_ONLY
from latentlab.runs.run import Run
from latentlab.runs.study import Study, open_path

STUDY = "LATENTLAB_STUDY"


def served_path() -> str:
    """The folder that this process was started to show."""
    if STUDY not in os.environ:
        raise InputError("the dashboard needs a study; start it with `latentlab dashboard STUDY`")
    return os.environ[STUDY]


def as_study(path: Path) -> Study:
    """The study at `path`, as far as it may be seen here; a run by itself becomes a study of one."""
    opened, remote = open_path(path), bool(os.environ.get(READ_ONLY))
    if isinstance(opened, Study):
        return Shown(opened.path) if remote else opened
    if remote:
        refuse_links(opened)
    return Alone(opened.path)


class Shown(Study):
    """A study as others are let see it: a run with a file that is a link out of its folder counts as broken."""

    @cached_property
    def _members(self) -> list[tuple[Run, InputError | None]]:
        return [(run, _leads_out(run) or error) for run, error in super()._members]


def _leads_out(run: Run) -> InputError | None:
    try:
        refuse_links(run)
    except InputError as error:
        return error
    return None


class Alone(Study):
    """A run by itself, as a study of one."""

    @property
    def runs(self) -> tuple[Run, ...]:
        """The run."""
        return (Run(self.path),)

    @property
    def broken(self) -> dict[str, str]:
        """None is: the run could be opened."""
        return {}
