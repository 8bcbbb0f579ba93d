"""Libraries that only some exports need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from latentlab.errors import InputError, LatentlabError
from latentlab.system.files import filling


def need(module: str, install: str) -> Any:
    """A module of an optional library; a `LatentlabError` says what to install where it is not there."""
    try:
        return import_module(module)
    except ImportError as error:
        raise LatentlabError(f"this needs {module.partition('.')[0]}; install it: pip install '{install}'") from error


def ending(out: Path, suffix: str) -> None:
    """Raise an `InputError` where a file's name does not end so."""
    if out.suffix != suffix:
        raise InputError(f"{out} ends in {out.suffix or 'nothing'}; expected a name that ends in {suffix}")


@contextmanager
def folder(out: Path) -> Iterator[None]:
    """Write into a folder, new or not, as `filling` does; an `InputError` where it is a file."""
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; expected a folder, or a name for a new one")
    with filling(out):
        yield


@contextmanager
def new_folder(out: Path) -> Iterator[None]:
    """Write into a new folder, as `filling` does; an `InputError` where it is there and holds something."""
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} exists and is not empty; choose another folder or remove it")
    with filling(out):
        if any(out.iterdir()):
            raise InputError(f"{out} exists and is not empty; choose another folder or remove it")
        yield
