"""A published folder takes its place whole, and takes that of nothing but an earlier one that nobody changed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from latentlab.errors import InputError
from latentlab.system.files import filling, read_record, sha256, write_json

LISTED = "site.json"
FORMAT = 1


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """Yield a new folder beside `out`, which takes its place when the block ends without an exception.

    Raises `InputError` where `out` holds anything but what an earlier call put there, `LatentlabError` while another
    process publishes to it.
    """
    out = out.resolve()
    _check(out)
    new = out.with_name(f".{out.name}.new")
    with filling(new):
        _empty(new)  # of what a process that died has left
        yield new
        _list(new)
        _check(out)
        _swap(new, out)


def _check(out: Path) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise InputError(f"{out} is a file; expected a folder, or a name for a new one")
    if foreign := _foreign(out):
        raise InputError(f"{out} holds {foreign}, which was not published; choose another folder or remove it")


def _foreign(out: Path) -> str:
    """The first file of a folder that is not as it was published; empty where there is none."""
    found = {str(path.relative_to(out)): path for path in sorted(out.rglob("*")) if not path.is_dir()}
    listed = found.pop(LISTED, None)
    known = read_record(listed, FORMAT).get("files", {}) if listed is not None else {}
    return next((name for name, path in found.items() if known.get(name) != sha256(path)), "")


def _list(new: Path) -> None:
    files = {str(path.relative_to(new)): sha256(path) for path in sorted(new.rglob("*")) if path.is_file()}
    write_json(new / LISTED, {"format": FORMAT, "files": files})


def _swap(new: Path, out: Path) -> None:
    """The new folder in the place of the old one, which is put aside first: a folder is renamed over none but an
    empty one."""
    if not out.exists():
        new.rename(out)
        return
    old = out.with_name(f".{out.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    out.rename(old)
    try:
        new.rename(out)
    except OSError:
        old.rename(out)
        raise
    shutil.rmtree(old)


def _empty(folder: Path) -> None:
    for each in folder.iterdir():
        if each.is_dir():
            shutil.rmtree(each)
        else:
            each.unlink()
