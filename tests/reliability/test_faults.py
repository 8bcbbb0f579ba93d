"""The n-th write, fsync or rename fails, for every n: each file is the old one or the new one, and a line says so."""

from __future__ import annotations

import errno
import random
import shutil
from pathlib import Path

import pytest
from victims import LONG, VERBS, Victims, command

from latentlab.system.files import TEMPORARY, sha256

pytestmark = pytest.mark.reliability

EVERY = [(verb, call) for verb in VERBS for call in ("write", "fsync", "rename")]
SOME = [("train", "write"), ("encode", "write"), ("encode", "fsync"), ("traverse", "rename"), ("export", "write")]
ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES)


def prepare(reference: Path, run: Path, verb: str) -> None:
    """A run in which every stage before `verb` is done."""
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    for stage in list(VERBS)[: list(VERBS).index(verb)]:
        for name in [*VERBS[stage], "environment.json"]:
            shutil.copy(reference / name, run)


def whole(run: Path) -> dict[str, str]:
    """The hash of every file that stands under its final name."""
    files = (path for path in run.iterdir() if not path.name.startswith((TEMPORARY, ".lock")))
    return {path.name: sha256(path) for path in files}


def lasting(run: Path) -> dict[str, str]:
    """`whole` without the file that holds timings."""
    return {name: hashed for name, hashed in whole(run).items() if name != "environment.json"}


@pytest.mark.parametrize(("verb", "call"), EVERY if LONG else SOME)
def test_old_or_new(
    ground: Path, failing: Victims, finished: tuple[Path, dict[str, float]], tmp_path: Path, verb: str, call: str
) -> None:
    reference, _ = finished
    run, counted = tmp_path / reference.name, tmp_path / "count"
    prepare(reference, run, verb)
    before = whole(run)
    fault = {"FAULT_IN": str(run), "FAULT_CALL": call}
    end = failing.run(*command(verb, ground, run), FAULT_COUNT=str(counted), **fault)
    assert end.status == 0, end.errors
    calls, after = int(counted.read_text()), lasting(run)
    at = range(1, calls + 1) if LONG else sorted(random.Random(f"{verb} {call}").sample(range(1, calls + 1), 1))
    for n in at:
        error = ERRORS[n % 3]
        prepare(reference, run, verb)
        end = failing.run(*command(verb, ground, run), FAULT_AT=str(n), FAULT_ERROR=str(error), **fault)
        where = f"{call} {n} of {calls} in {verb}: {end.errors}"
        assert end.status in (1, 2), where
        assert len(end.errors.splitlines()) == 1, where
        for name, found in whole(run).items():
            grows = verb == "train" or name == "environment.json"  # checkpoints follow one another; timings differ
            assert grows or found in (before.get(name), after.get(name)), where
        again = failing.run(*command(verb, ground, run))
        assert again.status == 0, f"{where}; then {again.errors}"
        assert lasting(run) == after, where
        assert not list(run.glob(f"{TEMPORARY}*")), where
    print(f"{verb}, {call}: {len(at)} of {calls} failed, the old state or the new")
