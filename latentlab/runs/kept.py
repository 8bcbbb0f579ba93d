"""The one way in which an answer about a run is kept: found up to date, or made, and written under the run's lock."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from latentlab.codes.h5ad import read_provenance
from latentlab.data._fingerprint import agree
from latentlab.errors import InputError, LatentlabError
from latentlab.results import plain
from latentlab.runs.run import Run
from latentlab.runs.stage import Stage
from latentlab.system.files import (
    MERGE_PATIENCE,
    check_format,
    lock,
    read_record,
    refuse_read_only,
    staying,
    unless_damaged,
)
from latentlab.system.hdf5 import reading
from latentlab.system.quarantine import apart
from latentlab.system.stamps import remembered

T = TypeVar("T")
FULL = "full_"  # what a shared copy adds to the inputs of a file: hashes of the files that it was made from


@remembered
@apart()
def inputs_of(path: Path, newest: int = 1) -> dict[str, Any]:
    """What a file of a run says that it was made from; nothing for files that come first."""
    try:
        if path.suffix == ".h5ad":
            return dict(read_provenance(path).get("inputs", {}))
        if path.suffix == ".h5":
            with reading(path, "what it was made from") as file:
                check_format(int(file.attrs.get("format", 1)), newest, path)
                return dict(json.loads(file.attrs.get("inputs", "{}")))
        if path.suffix == ".json":
            record = read_record(path, newest)
            model = {"model": record["model"]} if "model" in record else {}
            return {**model, **dict(record.get("inputs") or {})}
    except LatentlabError:
        raise
    except Exception as error:  # h5py and a malformed structure raise all kinds
        raise InputError(f"{path} does not record what it was made from; restore or recreate it") from error
    return {}


def made_from(run: Run, stage: Stage, inputs: Mapping[str, Any]) -> bool:
    """Whether all files of the stage are there and say that they were made from exactly these inputs.

    An answer that is older than fingerprints is judged without them (`agree`), and what a shared copy adds about the
    full run's files does not count.
    """
    wanted = plain(inputs)
    every = [unless_damaged(partial(inputs_of, run.path / file, stage.format)) or {} for file in stage.files]
    return all(agree({k: v for k, v in each.items() if not k.startswith(FULL)}, wanted) for each in every)


@contextmanager
def _at_the_end(run: Run, make: Callable[[], T]) -> Iterator[T]:
    """Yield what `make` computes outside the run's lock, and hold the lock of the folder, if it is still the same."""
    refuse_read_only(run.path)
    with staying(run.path) as check:
        made = make()
        check()
        with lock(run.path, MERGE_PATIENCE):
            check()
            yield made


def kept(run: Run, stage: Stage, inputs: Mapping[str, Any], make: Callable[[], T], write: Callable[[T], None]) -> Any:
    """What the run keeps of a stage, if its files were made from exactly these inputs; otherwise it is made first.

    ``make`` computes outside the run's lock, ``write`` publishes under it. The answer is always what the files hold.
    """
    if made_from(run, stage, inputs):
        found = unless_damaged(lambda: stage.read(run))
        if found is not None:
            return found
    with _at_the_end(run, make) as made:
        write(made)
        return stage.read(run)


def collected(
    run: Run,
    known: Callable[[], dict[str, T]],
    wanted: Sequence[str],
    make: Callable[[list[str]], dict[str, T]],
    write: Callable[[dict[str, T]], None],
) -> dict[str, T]:
    """The entries of a file that collects them by key: those `known`, and those `wanted` that had to be made.

    ``known`` reads the entries that hold. It is asked again under the lock: another process may have added its own.
    """
    entries = known()
    missing = [key for key in wanted if key not in entries]
    if missing:
        with _at_the_end(run, lambda: make(missing)) as made:
            entries = {**known(), **made}
            write(entries)
    return entries
