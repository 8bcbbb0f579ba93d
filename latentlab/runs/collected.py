"""Panels that were collected in the dashboard (*Add to report*), kept in the study's ``collected.json``.

The report and published sites draw them again: a panel is a kind of figure with its runs and options, or a command
alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from latentlab.errors import InputError
from latentlab.runs.notes import PATIENCE
from latentlab.runs.run import Run
from latentlab.runs.study import Study
from latentlab.system import quarantine
from latentlab.system.files import lock, read_record, write_json

FILE = "collected.json"
FORMAT = 1
MOST = 200  # panels
LONGEST = 4000  # characters of a text
TEXTS = ("title", "said", "command", "kind")


@dataclass(frozen=True)
class Collected:
    """A panel: what it is called, what is said of it, and the command that makes it.

    ``kind`` is the figure that it shows, "" where it shows none; ``runs`` are the names of its runs, none where it
    shows the whole study; ``options`` are those of the kind's ``prepare``.
    """

    title: str
    said: str = ""
    command: str = ""
    kind: str = ""
    runs: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What makes two panels the same: their title and the command that makes them."""
        return f"{self.title}|{self.command}"

    def runs_of(self, study: Study) -> list[Run]:
        """The runs that the panel shows; an `InputError` names one that is not there any more."""
        return [study[name] for name in self.runs] if self.runs else list(study.runs)


def writable(study: Study) -> bool:
    """Whether panels can be kept: the study's folder is not read-only, and others are not only let look."""
    return not os.environ.get(quarantine.READ_ONLY) and os.access(study.path, os.W_OK)


def read_collected(study: Study) -> tuple[Collected, ...]:
    """The panels that were collected from a study, in their order.

    Raises
    ------
    InputError
        Where ``collected.json`` is not in latentlab's format.
    """
    path = study.path / FILE
    if not path.is_file():
        return ()
    record = read_record(path, FORMAT)
    try:
        panels = tuple(map(_panel, record["panels"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} does not contain panels in latentlab's format; restore or remove it") from error
    if len(panels) > MOST:
        raise InputError(f"{path} has {len(panels):,} panels; at most {MOST} are read: restore or remove it")
    return panels


def _panel(found: Any) -> Collected:
    if not isinstance(found, dict):
        raise TypeError("a panel has a title, texts and options by name")
    known = {key: found[key] for key in TEXTS if key in found}
    runs, options = found.get("runs", []), found.get("options", {})
    texts = [*known.values(), *runs, *options]
    if not all(isinstance(each, str) and len(each) <= LONGEST for each in texts) or not found.get("title"):
        raise TypeError("a panel has a title, texts and options by name")
    if "model" in options:  # whoever draws the panel gives the run's own
        raise TypeError("a model is not an option that is kept")
    return Collected(**known, runs=tuple(runs), options=dict(options))


def collect(study: Study, panel: Collected) -> None:
    """Keep a panel after the others, once.

    Raises
    ------
    InputError
        Where the study cannot be written or holds its most panels.
    LatentlabError
        While another process writes the study.
    """
    with _changing(study):
        kept = [each for each in read_collected(study) if each.key != panel.key]
        if len(kept) >= MOST:
            raise InputError(f"{len(kept)} panels are collected already, the most that are kept; remove some first")
        _write(study, [*kept, panel])


def give_up(study: Study, *keys: str) -> None:
    """Keep the panels with these keys no more; without any, keep none. Raises as `collect` does."""
    with _changing(study):
        _write(study, [each for each in read_collected(study) if keys and each.key not in keys])


def _changing(study: Study) -> Any:
    if not writable(study):
        raise InputError(f"{study.path} cannot be written here, so no panel is kept in it")
    return lock(study.path, PATIENCE)


def _write(study: Study, panels: Sequence[Collected]) -> None:
    write_json(study.path / FILE, {"format": FORMAT, "panels": [asdict(each) for each in panels]})
