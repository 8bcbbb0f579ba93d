"""A folder of like things is the registry: its file names are the public names.

To add a metric, dataset, objective, network or figure is to add one file. Names are found by listing
the folder, so nothing is imported until it is used. ``beta-vae`` and ``beta_vae`` are the same name.
"""

import difflib
import importlib
from collections.abc import Iterable
from functools import cache
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

from latentlab.errors import InputError

HERE = Path(__file__).parents[1]


@cache
def names(folder: str) -> tuple[str, ...]:
    """The public names in a folder of the package, which is listed once.

    Parameters
    ----------
    folder : str
        The folder, as in ``names("metrics")``.

    Returns
    -------
    tuple of str
        Sorted.

    Examples
    --------
    >>> "mig" in names("metrics")
    True
    """
    return tuple(sorted(f.stem for f in (HERE / folder).glob("*.py") if not f.stem.startswith("_")))


@cache
def folders(folder: str) -> tuple[str, ...]:
    """The public names of the packages in a folder of the package, sorted: ``folders("analysis")``."""
    return tuple(sorted(f.parent.name for f in (HERE / folder).glob("[!_]*/__init__.py")))


def resolve(target: str) -> Any:
    """What ``module:name`` names; the module is imported now."""
    module, _, name = target.partition(":")
    return attrgetter(name)(importlib.import_module(module))


def load(folder: str, name: str) -> ModuleType:
    """The module of that name in that folder; an `InputError` names the nearest ones otherwise."""
    key = choose(name.replace("-", "_"), names(folder), what=folder.rpartition("/")[2].removesuffix("s"))
    return importlib.import_module(f"latentlab.{folder.replace('/', '.')}.{key}")


def choose(name: str, known: Iterable[str], what: str) -> str:
    """`name` itself if it is known; otherwise an `InputError` with the nearest and the known, as one types them."""
    known = sorted(known)
    if name in known:
        return name
    typed, kinds = name.replace("_", "-"), [each.replace("_", "-") for each in known]
    near = difflib.get_close_matches(typed, kinds, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise InputError(f"no {what} is called {typed!r}; {hint}known: {', '.join(kinds)}")
