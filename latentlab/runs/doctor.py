"""What is wrong with an installation or with a study's files, and how to mend it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from packaging.requirements import Requirement

from latentlab.analysis.debias.record import FILE as DEBIASING_FILE
from latentlab.analysis.debias.record import load_extremes
from latentlab.analysis.explain import record
from latentlab.analysis.leakage.record import FILE as LEAKAGE_FILE
from latentlab.analysis.leakage.record import load_leakage
from latentlab.analysis.likelihood import record as evidence
from latentlab.analysis.outliers.record import FILE as OUTLIERS_FILE
from latentlab.analysis.outliers.record import load_outliers
from latentlab.analysis.probe.record import FILE as PROBES_FILE
from latentlab.analysis.probe.record import load_probes
from latentlab.analysis.support import record as supports
from latentlab.codes.selections import selections_of
from latentlab.data import Dataset
from latentlab.errors import InputError, LatentlabError, MissingError
from latentlab.runs.data import data_of, environment_of, place
from latentlab.runs.health import health
from latentlab.runs.images import Find, changed, trained_on_others
from latentlab.runs.run import NAME, Run, safetensors_metadata
from latentlab.runs.stage import STAGES
from latentlab.runs.study import Study, open_path
from latentlab.system.files import LOCK, TEMPORARY, is_locked, read_json
from latentlab.system.quarantine import apart, strangers


@apart()
def _whole(path: Path) -> None:
    """Raise an `InputError` where a safetensors file has more or fewer bytes than its header announces."""
    from safetensors import SafetensorError, safe_open

    safetensors_metadata(path)
    try:
        with safe_open(path, "np"):
            pass
    except SafetensorError as error:
        raise InputError(f"{path} cannot be read ({error}); restore it or train the run anew"[:200]) from error


# Beside what `health` compares: how each file of a run is read, and the verb that makes it anew.
READ: dict[str, tuple[Callable[[Run], object], str]] = {
    "environment.json": (environment_of, ""),
    "notes.json": (lambda run: selections_of(run.notes()), ""),
    "training.safetensors": (lambda run: _whole(run.path / "training.safetensors"), ""),
    "model.safetensors": (lambda run: _whole(run.model_path), ""),
    "decodings.h5": (Run.decodings, "analyze RUN"),
    "projections.h5": (Run.projections, "analyze RUN"),
    "scores.json": (Run.scores, "analyze RUN"),
    LEAKAGE_FILE: (load_leakage, "leakage RUN"),
    OUTLIERS_FILE: (load_outliers, "outliers RUN --against DATA"),
    PROBES_FILE: (load_probes, "probe RUN"),
    DEBIASING_FILE: (load_extremes, "debias RUN"),
    record.FILE: (record.effects_of, "explain RUN"),
    evidence.FILE: (evidence.read_evidence, "likelihood RUN"),
    "support.json": (supports.read_support, "support RUN"),
    "support.h5": (supports.read_sheet, "support RUN"),
}


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
    for name, why in study.broken.items():
        yield Finding(str(study.path / name), why, True, "restore its config.json from a copy, or remove the folder")
    yield from _planned(study)
    yield from _passed_over(study)
    find = _finder()
    for run in study.runs:
        yield from _run(run, find)


def _passed_over(study: Study) -> Iterator[Finding]:
    """Folders that look like runs and are none to a study: without a configuration, linked, of an odd name."""
    for path in sorted(study.path.iterdir()):
        if not path.is_dir() or not any((path / name).is_file() for name in ("config.json", "model.safetensors")):
            continue
        if not (path / "config.json").is_file():
            yield Finding(str(path), "it has weights but no config.json", True,
                          "restore its config.json from a copy, or remove the folder")  # fmt: skip
        elif path.is_symlink():
            yield Finding(str(path), "it is a link, which a study passes over", True,
                          f"copy the run here in its place: {quote(str(path.resolve()))}")  # fmt: skip
        elif not NAME.fullmatch(path.name):
            mend = "rename the folder: letters, digits, . _ and - alone, 64 at most, no dot in front"
            yield Finding(str(path), "a study passes over a run of such a name", True, mend)


def _planned(study: Study) -> Iterator[Finding]:
    """Members that the study's plan names and that were never begun."""
    path = study.path / "study.json"
    if not path.is_file():
        return
    try:
        found = read_json(path)
        members = list(dict(found["members"]))
    except (InputError, KeyError, TypeError, ValueError) as error:
        yield Finding(str(path), f"it is no plan ({type(error).__name__})", True, "restore it, or sweep again")
        return
    there = {run.name for run in study.runs} | set(study.broken)
    absent = [str(name) for name in members if name not in there]
    if absent:
        some = ", ".join(absent[:3]) + (", …" if len(absent) > 3 else "")
        yield Finding(str(study.path), f"{len(absent)} of {len(members)} members were never begun: {some}", True,
                      "the same `latentlab sweep` again does what is missing")  # fmt: skip


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
            again = f"latentlab train --resume with its other options, or the sweep again, continues {run.name}"
            mend = "lower the learning rate, or remove the run" if run.diverged else again
            yield Finding(where, f"{run.state}: step {run.step:,} of {run.config.steps:,}", True, mend)
        litter = [] if busy else sorted(run.path.glob(f"{TEMPORARY}*"))
        if litter:
            size = sum(each.stat().st_size for each in litter)
            mend = f"the next writer of the run sweeps them; or rm -r {quote(str(run.path))}/{TEMPORARY}*"
            yield Finding(where, f"{len(litter)} files that a killed process left, {size:,} bytes", True, mend)
        yield from _no_files(run)
        yield from _short(run)
        yield from _files(run)
        yield from _data(run, find)
    except LatentlabError as error:
        yield Finding(where, str(error), True, "restore it from a copy, or train it anew")
    except OSError as error:
        yield Finding(str(error.filename or where), f"it cannot be read ({error.strerror})", True,
                      f"chmod -R u+rX {quote(where)}, or ask its owner to")  # fmt: skip
    else:
        yield Finding(where, f"{run.state}, {run.config.label}")


def _no_files(run: Run) -> Iterator[Finding]:
    """Folders, pipes and links that lead nowhere, where a file of the run should be."""
    for name in dict.fromkeys([".lock", "history.jsonl", *STAGES.values(), *READ]):
        path = run.path / name
        if os.path.lexists(path) and not path.is_file():
            yield Finding(str(path), "damaged: it is no file", True, f"rm -r {quote(str(path))}; then doctor again")


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
    rows = {row["file"]: row for row in health(run, READ).to_dict("records")}
    bad = {name: row["why"] for name, row in rows.items() if row["state"] == "damaged"}
    bad |= {name: why for name in READ if name not in bad and (why := _unreadable(run, name))}
    lost = {name for name, row in rows.items() if row["state"] == "missing"}
    for name in dict.fromkeys([*rows, *READ]):
        why = bad.get(name) or (rows[name]["why"] if name in rows and rows[name]["state"] == "stale" else "")
        # What was made from damaged weights' predecessor is not to be made anew from them.
        if name in bad or (why and "model.safetensors" not in bad.keys() | lost):
            state = "damaged" if name in bad else "stale"
            yield Finding(str(run.path / name), f"{state}: {why}", True, _mend(run, name, state))


def _unreadable(run: Run, name: str) -> str:
    """Why a file of the run cannot be read; nothing where it can, or is not there."""
    if name not in READ or not (run.path / name).is_file():
        return ""
    try:
        READ[name][0](run)
    except MissingError:  # it waits for another file, of which is said what it needs
        return ""
    except LatentlabError as error:
        return str(error)
    return ""


def _mend(run: Run, file: str, state: str) -> str:
    path = quote(str(run.path / file))
    if file in ("config.json", "history.jsonl", "model.safetensors", "training.safetensors"):
        return "restore it from a copy, or train the run anew"
    if file in ("notes.json", "environment.json"):
        return f"restore it from a copy, or rm {path}"
    again = READ.get(file, (None, "analyze RUN"))[1].replace("RUN", quote(str(run.path)))
    return f"rm {path}; latentlab {again}" if state == "damaged" else f"latentlab {again}"
