"""What is wrong with an installation or with a study's files, and how to mend it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement

from latentlab.errors import InputError, LatentlabError
from latentlab.files import TEMPORARY, read_json
from latentlab.health import health
from latentlab.runs import Run, Study, open_path


class Finding(NamedTuple):
    """One thing that was looked at: ``where``, what was ``found``, whether it is ``wrong``, and how to ``mend`` it."""

    where: str
    found: str
    wrong: bool = False
    mend: str = ""


def versions() -> list[Finding]:
    """Every package that latentlab needs, or would use, against the oldest version it is safe with.

    The floors are those of the package's own metadata, where each that stands for a known hole says so.
    """
    found = []
    for requirement in map(Requirement, requires("latentlab") or []):
        optional = requirement.marker is not None and "extra" in str(requirement.marker)
        try:
            here = version(requirement.name)
        except PackageNotFoundError:
            if not optional:
                mend = f"pip install '{requirement.name}{requirement.specifier}'"
                found.append(Finding(requirement.name, "not installed", True, mend))
            continue
        if requirement.specifier.contains(here, prereleases=True):
            found.append(Finding(requirement.name, here))
        else:
            mend = f"pip install '{requirement.name}{requirement.specifier}'"
            found.append(Finding(requirement.name, f"{here}, outside {requirement.specifier}", True, mend))
    return list(dict.fromkeys(found))


def examine(path: str | Path) -> list[Finding]:
    """The files of a run, or of every run of a study: formats, hashes, what is unfinished, what dead processes left.

    Raises `InputError` where there is neither a run nor a study.
    """
    opened = open_path(path)
    return list(_run(opened) if isinstance(opened, Run) else _study(opened))


def _study(study: Study) -> Iterator[Finding]:
    for name, why in study.broken.items():
        yield Finding(str(study.path / name), why, True, "restore its config.json from a copy, or remove the folder")
    yield from _planned(study)
    for run in study.runs:
        yield from _run(run)


def _planned(study: Study) -> Iterator[Finding]:
    """Members that the study's plan names and that were never begun."""
    path = study.path / "study.json"
    if not path.is_file():
        return
    try:
        found = read_json(path)
        members = list(found["members"])
    except (InputError, KeyError, TypeError) as error:
        yield Finding(str(path), f"it is no plan ({type(error).__name__})", True, "restore it, or sweep again")
        return
    there = {run.name for run in study.runs} | set(study.broken)
    absent = [str(name) for name in members if name not in there]
    if absent:
        some = ", ".join(absent[:3]) + (", …" if len(absent) > 3 else "")
        yield Finding(str(study.path), f"{len(absent)} of {len(members)} members were never begun: {some}", True,
                      "the same `latentlab sweep` again does what is missing")  # fmt: skip


def _run(run: Run) -> Iterator[Finding]:
    where = str(run.path)
    try:
        busy = _is_locked(run.path)
        if busy:
            yield Finding(where, "another process writes it now")
        elif run.step < run.config.steps:
            again = f"latentlab train --resume with its other options, or the sweep again, continues {run.name}"
            mend = "lower the learning rate, or remove the run" if run.diverged else again
            yield Finding(where, f"{run.state}: step {run.step:,} of {run.config.steps:,}", True, mend)
        litter = [] if busy else sorted(run.path.glob(f"{TEMPORARY}*"))
        if litter:
            size = sum(each.stat().st_size for each in litter)
            mend = f"the next writer of the run sweeps them; or rm {run.path}/{TEMPORARY}*"
            yield Finding(where, f"{len(litter)} files that a killed process left, {size:,} bytes", True, mend)
        if (run.path / "history.jsonl").is_file():
            run.history()
        for row in health(run).to_dict("records"):
            if row["state"] in ("damaged", "stale"):
                yield Finding(
                    str(run.path / row["file"]), f"{row['state']}: {row['why']}", True, _mend(run, row["file"])
                )
    except LatentlabError as error:
        yield Finding(where, str(error), True, "restore it from a copy, or train it anew")
    else:
        yield Finding(where, f"{run.state}, {run.config.label}")


def _mend(run: Run, file: str) -> str:
    if file in ("config.json", "history.jsonl", "model.safetensors", "training.safetensors", "environment.json"):
        return "restore it from a copy, or train the run anew"
    return "restore it from a copy" if file == "notes.json" else f"latentlab analyze {run.path}"


def _is_locked(folder: Path) -> bool:
    """Whether another process holds the folder's lock; nothing is written to find out."""
    path = folder / ".lock"
    if not path.is_file():
        return False
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
