"""Data sets: found by name (a file of this folder), read from a path, or made by a Python file of the user's own.

``load("digits")``, ``load("dsprites:size=32,grid=3x3x10x8x8")``, ``load("shapes3d:3dshapes.h5")`` (a published file),
``load("mnist/")`` (IDX files), ``load("faces.npz")``, ``load("photos/:size=64")``, ``load("spirals.py:spirals")``.
"""

from __future__ import annotations

import ast
import difflib
import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from latentlab import registry
from latentlab.data._binarise import binarised
from latentlab.data._check import check
from latentlab.data._fetch import fetch
from latentlab.data._polarity import inverted
from latentlab.data._spec import canonical, is_named, is_own, join, parse
from latentlab.data._strokes import measured
from latentlab.data.dataset import Dataset, Factor
from latentlab.errors import InputError, MissingError
from latentlab.regular import check_regular

# Options that any data set has, in the order in which they are applied.
TREATMENTS: dict[str, Callable[[Dataset, Any], Dataset]] = {
    "inverted": inverted,
    "factors": measured,
    "binarised": binarised,
}

__all__ = [
    "Dataset", "Factor", "canonical", "check", "describe", "fetch", "files_of", "is_named", "is_own", "load", "names",
]  # fmt: skip


def names() -> tuple[str, ...]:
    """The data sets that have a name: ``("cars3d", "celeba", "digits", …)``; `files_of` says which need files."""
    return tuple(name.replace("_", "-") for name in registry.names("data") if name != "dataset")


def describe(name: str) -> str:
    """What a named data set is, in a line."""
    file = registry.choose(name, names(), what="data set").replace("-", "_")
    source = registry.HERE / "data" / f"{file}.py"
    return (ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or name).splitlines()[0]


def files_of(name: str) -> str:
    """The published files that a named data set is read from; empty for one that needs none."""
    return str(getattr(registry.load("data", name), "FILES", ""))


def load(spec: str | Path | Dataset, **options: Any) -> Dataset:
    """The data set that ``spec`` names: a name, a path, or either with options as ``NAME:key=value,key=value``.

    A name may need its published files, ``NAME:PATH``. A path is a folder of IDX files, a ``.npy``, ``.npz``, ``.h5``
    file, or a folder or ``.zip`` of images. ``FILE.py:NAME`` is a file of your own, which is run: NAME is a `Dataset`,
    an array of images or a mapping as an ``.npz`` has it, or a function (of options, if you like) that returns one.
    Any of them takes ``binarised=SEED``: every pixel is drawn once as black or white, its grey level the probability;
    ``factors=strokes``: thickness, slant and width are measured on its images; ``inverted=1``: light and dark change
    places.
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
        raise InputError("the data are named by nothing; expected a file, a folder or a name (latentlab data ls)")
    head, written = parse(str(spec), names())
    options = written | options
    reader, arguments = _reader(head)
    _check_files(head, reader, options)
    own = set(inspect.signature(reader).parameters) - set(arguments)
    for option in options:
        if option not in own | TREATMENTS.keys():
            raise InputError(f"{head} has no option {option!r}; it has: {', '.join([*sorted(own), *TREATMENTS])}")
    data = reader(**arguments, **{key: value for key, value in options.items() if key in own})
    for option, treat in TREATMENTS.items():
        data = treat(data, options[option]) if option in options else data
    return replace(data, spec=join(head, options))


def _reader(head: str) -> tuple[Callable[..., Dataset], dict[str, Any]]:
    """The function that reads it, and its first arguments."""
    if head in names():
        return registry.load("data", head).load, {}
    if is_own(head):
        from latentlab.data import _own

        return _own.maker(head), {}
    path = Path(head)
    if not path.exists():
        raise MissingError(f"{head} does not exist; expected a file, a folder or a name ({_near(head)})")
    if path.is_dir():
        from latentlab.data import _folder, _idx

        return (_idx.load if _idx.found(path) else _folder.load), {"path": path}
    check_regular(path)
    suffix = path.suffix.lower()
    if suffix == ".zip":
        from latentlab.data import _folder

        return _folder.load, {"path": path}
    if suffix in (".npy", ".npz", ".h5", ".hdf5"):
        from latentlab.data import _file

        return _file.load, {"path": path}
    if suffix == ".py":
        raise InputError(f"{head} is a Python file; say what in it makes the data, as in {head}:images")
    raise InputError(f"{head} is no data file; expected .npy, .npz, .h5, .zip, an IDX folder or a folder of images")


def _check_files(head: str, reader: Callable[..., Dataset], options: dict[str, Any]) -> None:
    """Where a name needs files and none are given, they are what is called like it here, if anything is."""
    path = inspect.signature(reader).parameters.get("path")
    if head not in names() or path is None or path.default is not inspect.Parameter.empty or "path" in options:
        return
    if not Path(head).exists():
        raise InputError(f"{head} is read from published files ({files_of(head)}); say where they are: {head}:PATH")
    options["path"] = head


def _near(head: str) -> str:
    """The names that resemble what was typed, or those that need no files."""
    found = difflib.get_close_matches(head, names(), n=2)
    return ", ".join(found or [name for name in names() if not files_of(name)])
