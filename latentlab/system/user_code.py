"""A Python file of the user's own, ``FILE.py:NAME``: run because the user named it, and never by itself."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from latentlab.errors import InputError, MissingError
from latentlab.system.files import sha256
from latentlab.system.regular import check_regular

_NEIGHBOURS: dict[Path, dict[str, Any]] = {}  # the modules found beside each file that was run
NAMED = re.compile(r"(.+\.py):([^\W\d]\w*)")


def split(text: str, what: str, example: str) -> tuple[Path, str]:
    """``FILE.py:NAME`` as its path and name; an `InputError` that says `what` it is where it is not of that form."""
    found = NAMED.fullmatch(text)
    if not found:
        raise InputError(f"the {what} is {text!r}; expected FILE.py:NAME, as in {example}")
    return existing(Path(found[1]), what), found[2]


def existing(path: Path, what: str) -> Path:
    """The Python file; a `MissingError` that says `what` it was to make where there is none."""
    check_regular(path)
    if not path.is_file():
        raise MissingError(f"{path} does not exist; expected the Python file that builds the {what}")
    return path


@contextmanager
def neighbours(path: Path, *, again: bool = True) -> Iterator[None]:
    """Within it, modules and packages beside the file can be imported, as when Python runs it; none stays behind.

    Another file may have a neighbour of the same name: what was found beside this one is its own, and is there `again`
    the next time.
    """
    beside, before = str(path.resolve().parent), dict(sys.modules)
    sys.modules.update(_NEIGHBOURS.get(path.resolve(), {}) if again else {})
    sys.path.insert(0, beside)
    try:
        yield
    finally:
        if beside in sys.path:  # the user's own code may have taken it out
            sys.path.remove(beside)
        new = {name: module for name, module in sys.modules.items() if module is not before.get(name)}
        own = {name: module for name, module in new.items() if _lies_in(beside, module)}
        for name in own:
            del sys.modules[name]
        sys.modules.update({name: before[name] for name in own if name in before})
        _NEIGHBOURS[path.resolve()] = own


def sources(path: Path) -> dict[str, str]:
    """The SHA-256 of each Python file beside the file that it imported so far, by its path from there."""
    beside = path.resolve().parent
    found = {str(getattr(module, "__file__", None) or "") for module in _NEIGHBOURS.get(path.resolve(), {}).values()}
    files = sorted(Path(each) for each in found if each.endswith(".py") and Path(each).is_relative_to(beside))
    return {str(each.relative_to(beside)): sha256(each) for each in files if each.is_file() and each != path.resolve()}


def changed(path: Path, known: Mapping[str, str]) -> str:
    """The first of the files that `sources` knew beside the file that is another now, or gone; nothing is run."""
    beside = path.resolve().parent
    return next((each for each, digest in known.items() if _digest(beside / each) != digest), "")


def _digest(path: Path) -> str:
    return sha256(path) if path.is_file() else ""


def _lies_in(folder: str, module: Any) -> bool:
    """Whether a module, or a package without ``__init__.py``, was found in a folder, and was not installed there."""
    written = getattr(module, "__dict__", {})  # a module may make up what it is asked for, as torch.classes does
    places = [written.get("__file__"), *(written.get("__path__") or ())]
    return any(str(place).startswith(f"{folder}/") and "site-packages" not in str(place) for place in places if place)


def look_up(path: Path, name: str) -> Any:
    """Run the file and return what `name` is in it."""
    module = _run(path)
    if not hasattr(module, name):
        known = ", ".join(key for key, value in vars(module).items() if callable(value) and not key.startswith("_"))
        raise InputError(f"{path} has no {name}; it has: {known or 'no callable'}"[:199])
    return getattr(module, name)


def failure(where: object, error: BaseException) -> InputError:
    """What the user's own code raised, as one line."""
    return InputError(f"{where} failed: {type(error).__name__}: {' '.join(str(error).split())}"[:199])


def _run(path: Path) -> Any:
    """The file as a module; for as long as it runs, its neighbours can be imported."""
    specification = importlib.util.spec_from_file_location(f"latentlab_own_{path.stem}", path)
    if specification is None or specification.loader is None:
        raise InputError(f"{path} cannot be run as Python")
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module  # dataclasses and pickles look their module up there
    try:
        with neighbours(path, again=False):
            specification.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # the user's own code may raise anything, or end the program
        raise failure(path, error) from error
    return module
