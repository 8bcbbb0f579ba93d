"""What is wrong with an installation or with a study's files, and how to fix it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from packaging.requirements import Requirement

from latentlab.codes.selections import selections_of
from latentlab.data import Dataset
from latentlab.errors import InputError, LatentlabError, MissingError
from latentlab.runs.data import data_of, environment_of, place
from latentlab.runs.health import NOTES, health, state_of
from latentlab.runs.history import safetensors_metadata
from latentlab.runs.images import Find, changed, trained_on_others
from latentlab.runs.run import Run
from latentlab.runs.stage import stages
from latentlab.runs.study import BARE, LINK, NAMED, Study, open_path
from latentlab.system.files import LOCK, TEMPORARY, is_litter, is_locked, read_record
from latentlab.system.quarantine import apart, strangers
from latentlab.system.registry import resolve


@apart()
def _whole(path: Path) -> None:
    """Raise an `InputError` where a safetensors file has more or fewer bytes than its header announces."""
    from safetensors import SafetensorError, safe_open

    safetensors_metadata(path)
    try:
        with safe_open(path, "np"):
            pass
    except SafetensorError as error:
        raise InputError(f"{path} cannot be read ({error}); restore it or retrain the run"[:200]) from error


# How the files of training are read; those of stages say so themselves.
TRAINED: dict[str, Callable[[Run], object]] = {
    "environment.json": environment_of,
    NOTES: lambda run: selections_of(run.notes()),
    "training.safetensors": lambda run: _whole(run.path / "training.safetensors"),
    "model.safetensors": lambda run: _whole(run.model_path),
}
RESTORE = "restore its config.json from a copy"
UNREADABLE = ("damaged", "locked", "newer")
UPGRADE = "it was written by a later version; pip install --upgrade latentlab"


def readers() -> dict[str, Callable[[Run], object]]:
    """What reads each file of a run, by the file's name."""
    made = {file: resolve(read) for stage in stages().values() for file, read in stage.files.items()}
    return TRAINED | made


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

    Files are read in a process apart, for whoever asks may not know who made them. Raises `InputError` where there is
    neither a run nor a study.
    """
    opened = open_path(path)
    with strangers():
        return list(_run(opened, data_of) if isinstance(opened, Run) else _study(opened))


def _study(study: Study) -> Iterator[Finding]:
    for path, error in study.errors.items():
        mend = _whole_mend(state_of(error), path / "config.json") or f"{RESTORE}, or remove the folder"
        yield Finding(str(path), str(error), True, mend)
    yield from _planned(study)
    yield from _left_out(study)
    find = _finder()
    for run in study.runs:
        yield from _run(run, find)


def _left_out(study: Study) -> Iterator[Finding]:
    """Folders that have files of a run and are not taken for one: without a configuration, linked, of an odd name."""
    for name, why in study.left_out.items():
        path = study.path / name
        mend = {
            BARE: f"{RESTORE}, or remove the folder",
            LINK: f"copy the run here in its place: {quote(str(path.resolve()))}",
            NAMED: "rename the folder: only letters, digits, . _ and -, at most 64, no leading dot",
        }
        yield Finding(str(path), why, True, mend[why])


def _planned(study: Study) -> Iterator[Finding]:
    """Members that the study's plan names and that were never begun."""
    path = study.path / "study.json"
    if not path.is_file():
        return
    try:
        found = read_record(path)
        members = list(dict(found["members"]))
    except (InputError, KeyError, TypeError, ValueError) as error:
        yield Finding(str(path), f"it is not a plan ({type(error).__name__})", True, "restore it, or sweep again")
        return
    there = {run.name for run in study.runs} | set(study.broken)
    absent = [str(name) for name in members if name not in there]
    if absent:
        some = ", ".join(absent[:3]) + (", …" if len(absent) > 3 else "")
        yield Finding(str(study.path), f"{len(absent)} of {len(members)} runs were never started: {some}", True,
                      "run the same `latentlab sweep` again to train what is missing")  # fmt: skip


def _finder() -> Find:
    """`data_of` that opens the same data once, however many runs of a study share them."""
    known: dict[tuple[str, str], Dataset] = {}

    def find(run: Run, spec: str) -> Dataset:
        key = (spec, place(run))
        if key not in known:
            known[key] = data_of(run, spec)
        return known[key]

    return find


def _data(run: Run, find: Find) -> Iterator[Finding]:
    """Data that have changed since the run was trained, or since its codes were made, where they are at hand."""
    if trained_on_others(run, find):
        mend = "restore the data, or train the run again"
        yield Finding(str(run.path), f"{run.config.data} has other images than it was trained on", True, mend)
    if run.encodes and run.has("encode") and (parts := changed(run, find=find)):
        why = f"stale: {' and '.join(parts)} of its data have changed since"
        yield Finding(str(run.codes_path), why, True, f"latentlab analyze {quote(str(run.path))}")


def _run(run: Run, find: Find) -> Iterator[Finding]:
    where = str(run.path)
    try:
        busy = is_locked(run.path / LOCK)
        if busy:
            yield Finding(where, "another process writes it now")
        elif run.step < run.config.steps:
            again = f"latentlab train --resume with the other options of {run.name}, or the sweep again, continues it"
            mend = "lower the learning rate, or remove the run" if run.diverged else again
            yield Finding(where, f"{run.state}: step {run.step:,} of {run.config.steps:,}", True, mend)
        litter = [] if busy else [each for each in sorted(run.path.glob(f"{TEMPORARY}*")) if is_litter(each)]
        if litter:
            size = sum(each.stat().st_size for each in litter)
            mend = f"the next command that writes to the run removes them; or rm -r {quote(str(run.path))}/{TEMPORARY}*"
            yield Finding(
                where,
                f"{len(litter)} file{'s' * (len(litter) != 1)} left by a killed process, {size:,} bytes",
                True,
                mend,
            )
        yield from _no_files(run)
        yield from _short(run)
        yield from _files(run)
        yield from _data(run, find)
    except LatentlabError as error:
        mend = _whole_mend(state_of(error), run.path) or "restore it from a copy, or retrain it"
        yield Finding(where, str(error), True, mend)
    except OSError as error:
        yield Finding(str(error.filename or where), f"it cannot be read ({error.strerror})", True,
                      f"chmod -R u+rX {quote(where)}, or ask its owner to")  # fmt: skip
    else:
        yield Finding(where, f"{run.state}, {run.config.label}")


def _no_files(run: Run) -> Iterator[Finding]:
    """Folders, pipes and links that lead nowhere, where a file of the run should be."""
    for name in dict.fromkeys([LOCK, "history.jsonl", *readers()]):
        path = run.path / name
        if os.path.lexists(path) and not path.is_file():
            yield Finding(str(path), "damaged: it is not a file", True, f"rm -r {quote(str(path))}; then doctor again")


def _short(run: Run) -> Iterator[Finding]:
    """A finished training whose history does not reach its end; an imported run has none."""
    config, history = run.config, run.history()
    last = history[-1]["step"] if history else 0
    if config.imported is None and config.adapter is None and last < config.steps <= run.step:
        yield Finding(
            str(run.path / "history.jsonl"),
            f"damaged: it ends at step {last:,} of {config.steps:,}",
            True,
            _mend(run, "history.jsonl", "damaged"),
        )


def _files(run: Run) -> Iterator[Finding]:
    rows = {row["file"]: (row["state"], row["why"]) for row in health(run).to_dict("records")}
    states = {
        name: unread if (unread := _unreadable(run, name, read)) else rows.get(name, ("missing", ""))
        for name, read in readers().items()
    }
    model, codes = states["model.safetensors"][0], states["codes.h5ad"][0]
    # What was made from the sound predecessor of a damaged file is not to be recomputed from it.
    gone = model == "missing" and run.config.has_model
    lost = gone or model in UNREADABLE or codes in UNREADABLE
    for name, (state, why) in (rows | states).items():
        if state in UNREADABLE or (state == "stale" and not lost):
            yield Finding(str(run.path / name), f"{state}: {why}", True, _mend(run, name, state))


def _unreadable(run: Run, name: str, read: Callable[[Run], object]) -> tuple[str, str] | None:
    """The state of a file that cannot be read, and why; None where it can, or is not there."""
    if not (run.path / name).is_file():
        return None
    try:
        read(run)
    except MissingError:  # it waits for another file, of which is said what it needs
        return None
    except LatentlabError as error:
        return state_of(error), str(error)
    return None


def _whole_mend(state: str, path: Path) -> str:
    """What to do about a file that is whole and cannot be read here; nothing for one that is not."""
    advice = {
        "newer": UPGRADE,
        "locked": f"close the program that has it open, or chmod u+r {quote(str(path))}, or ask its owner to",
    }
    return advice.get(state, "")


def _mend(run: Run, file: str, state: str) -> str:
    if mend := _whole_mend(state, run.path / file):
        return mend
    path = quote(str(run.path / file))
    stage = next((stage for stage in stages().values() if file in stage.files), None)
    if stage is not None:
        again = stage.again(run) if stage.place is None else f"latentlab analyze {quote(str(run.path))}"
        return f"rm {path}; {again}" if state == "damaged" else again
    if file in (NOTES, "environment.json"):
        return f"restore it from a copy, or rm {path}"
    return "restore it from a copy, or retrain the run"
