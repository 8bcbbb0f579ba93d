"""The folder one stands in may be a stranger's: no library takes settings from it, and no module is found in it.

Numba reads ``.numba_config.yaml`` (which can name a cache of pickles) and Matplotlib ``matplotlibrc`` from the current
folder while they are imported, before anything of ours could say otherwise. `ignore_current_folder` has them look at
the empty device instead. It is for processes that are ours alone: the command line, its workers, the dashboard's
server. Where latentlab is imported into somebody's own program or notebook, that program's settings stay its own.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import NamedTuple


class Look(NamedTuple):
    """Where a module looks for a file in the current folder: the function, and the name that is written in it."""

    function: str
    file: str


LOOKS = {
    "numba.core.config": Look("<module>", ".numba_config.yaml"),
    "matplotlib": Look("gen_candidates", "matplotlibrc"),
}

THREADS = re.compile(r"\s*0*[1-9]\d*\s*(,\s*0*[1-9]\d*\s*)*", re.ASCII)  # how many, as OpenMP reads it


def ignore_current_folder() -> None:
    """Have no module imported from here on read a settings file of the current folder."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())


def mend_variables() -> str:
    """Take out variables that libraries cannot read, before they are imported; what was not heeded, in a line.

    OpenMP's library would print a line of its own each time it is loaded, and Matplotlib end the process. Figures are
    drawn into files, so no other backend than ``agg`` is of use.
    """
    os.environ.pop("MPLBACKEND", None)
    threads = os.environ.get("OMP_NUM_THREADS")
    if threads is None or THREADS.fullmatch(threads):
        return ""
    del os.environ["OMP_NUM_THREADS"]
    return f"OMP_NUM_THREADS is {threads[:20]!r} and not heeded; expected a number from 1" if threads.strip() else ""


class Finder(MetaPathFinder):
    """Finds the modules of `LOOKS`, and has them look at the empty device."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's specification with a loader of our own; None for every other module."""
        found = PathFinder.find_spec(fullname, path, target) if fullname in LOOKS else None
        if found is not None and isinstance(found.loader, SourceFileLoader):
            found.loader = Loader(found.loader.name, found.loader.path)
        return found


class Loader(SourceFileLoader):
    """Loads a module whose look into the current folder meets the empty device."""

    def get_code(self, fullname: str) -> CodeType | None:
        """The module's code, with the name of the file replaced."""
        code = super().get_code(fullname)
        return None if code is None else _turned(code, LOOKS[fullname])


def _turned(code: CodeType, look: Look) -> CodeType:
    def turned(constant: object) -> object:
        if isinstance(constant, CodeType):
            return _turned(constant, look)
        return os.devnull if constant == look.file and code.co_name == look.function else constant

    return code.replace(co_consts=tuple(turned(constant) for constant in code.co_consts))
