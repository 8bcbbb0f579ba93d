"""Data sets: found by name (a file of this folder) or read from a path.

``load("digits")``, ``load("dsprites:size=32,grid=3x3x10x8x8")``, ``load("dsprites:dsprites.npz")`` (the published
file), ``load("mnist/")`` (IDX files), ``load("faces.npz")``, ``load("arrays.h5")``, ``load("photos/:size=64")``.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from latentlab import registry
from latentlab.data._check import check
from latentlab.data._fetch import fetch
from latentlab.data.dataset import Dataset, Factor
from latentlab.errors import InputError, MissingError

__all__ = ["Dataset", "Factor", "check", "describe", "fetch", "load", "names"]


def names() -> tuple[str, ...]:
    """The data sets that need no file: ``("digits", "dsprites")``."""
    return tuple(name for name in registry.names("data") if name != "dataset")


def describe(name: str) -> str:
    """What a named data set is, in a line."""
    source = registry.HERE / "data" / f"{registry.choose(name, names(), what='data set')}.py"
    return (ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or name).splitlines()[0]


def load(spec: str | Path | Dataset, **options: Any) -> Dataset:
    """The data set that ``spec`` names: a name, a path, or either with options as ``NAME:key=value,key=value``.

    A path is a folder of IDX files, a ``.npy``, ``.npz``, ``.h5`` file, or a folder or ``.zip`` of images.
    ``options`` given as arguments are the same as those written after the colon. A `Dataset` is returned as it is.
    Raises `MissingError` where nothing of that name exists, `InputError` where it cannot be used.

    >>> load("digits")
    Dataset('digits': 1,797 images 1×8×8; labels)
    >>> load("dsprites", size=32, grid=(3, 2, 4, 3, 3)).spec
    'dsprites:size=32,grid=3x2x4x3x3'
    """
    if isinstance(spec, Dataset):
        return spec
    if not str(spec).strip():
        raise InputError(f"the data are named by nothing; expected a file, a folder or a name ({', '.join(names())})")
    head, written = _split(str(spec))
    options = written | options
    reader, arguments = _reader(head)
    known = set(inspect.signature(reader).parameters) - set(arguments)
    for option in options:
        if option not in known:
            expected = ", ".join(sorted(known)) or "none"
            raise InputError(f"{head} has no option {option!r}; it has: {expected}")
    return replace(reader(**arguments, **options), spec=_join(head, options))


def _reader(head: str) -> tuple[Callable[..., Dataset], dict[str, Any]]:
    """The function that reads it, and its first arguments."""
    if head in names():
        return registry.load("data", head).load, {}
    path = Path(head)
    if not path.exists():
        raise MissingError(f"{head} does not exist; expected a file, a folder or a name ({', '.join(names())})")
    if path.is_dir():
        from latentlab.data import _folder, _idx

        return (_idx.load if _idx.found(path) else _folder.load), {"path": path}
    suffix = path.suffix.lower()
    if suffix == ".zip":
        from latentlab.data import _folder

        return _folder.load, {"path": path}
    if suffix in (".npy", ".npz", ".h5", ".hdf5"):
        from latentlab.data import _arrays

        return _arrays.load, {"path": path}
    raise InputError(f"{head} is no data file; expected .npy, .npz, .h5, .zip, an IDX folder or a folder of images")


def _split(spec: str) -> tuple[str, dict[str, Any]]:
    """``NAME:key=value,…`` apart. A path may hold colons: what exists as a path is one."""
    head, colon, tail = spec.rpartition(":") if spec.split(":")[0] not in names() else spec.partition(":")
    if not colon or (head not in names() and ("=" not in tail or Path(spec).exists())):
        return spec, {}
    if "=" not in tail:
        return head, {"path": tail}
    pairs = [pair.partition("=") for pair in tail.split(",")]
    return head, {key.strip(): _value(value.strip()) for key, _, value in pairs}


def _value(text: str) -> int | str | tuple[int, ...]:
    if re.fullmatch(r"\d{1,9}", text):
        return int(text)
    if re.fullmatch(r"\d{1,9}(x\d{1,9})+", text):
        return tuple(map(int, text.split("x")))
    return text


def _join(head: str, options: dict[str, Any]) -> str:
    if not options:
        return head
    if set(options) == {"path"}:
        return f"{head}:{options['path']}"
    words = (f"{k}={'x'.join(map(str, v)) if isinstance(v, list | tuple) else v}" for k, v in options.items())
    return f"{head}:{','.join(words)}"
