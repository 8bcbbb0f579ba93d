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

_FROM_1, _FROM_0, _TRUTH = r"0*[1-9]\d*", r"\d+", "true|false"
_SIZE = rf"{_FROM_0}\s*[bkmg]?"
VARIABLES = {  # what libraries and stamps read: the pattern of what they can read, and that in words
    "OMP_NUM_THREADS": (rf"{_FROM_1}\s*(,\s*{_FROM_1}\s*)*", "a number from 1"),
    "OMP_THREAD_LIMIT": (_FROM_1, "a number from 1"),
    "OMP_MAX_ACTIVE_LEVELS": (_FROM_0, "a number from 0"),
    "OMP_DEFAULT_DEVICE": (_FROM_0, "a number from 0"),
    "OMP_MAX_TASK_PRIORITY": (_FROM_0, "a number from 0"),
    "OMP_DYNAMIC": (_TRUTH, "true or false"),
    "OMP_NESTED": (_TRUTH, "true or false"),
    "OMP_CANCELLATION": (_TRUTH, "true or false"),
    "OMP_DISPLAY_AFFINITY": (_TRUTH, "true or false"),
    "OMP_DISPLAY_ENV": (f"{_TRUTH}|verbose", "true, false or verbose"),
    "OMP_WAIT_POLICY": ("active|passive", "active or passive"),
    "OMP_PROC_BIND": (rf"{_TRUTH}|(master|primary|close|spread)(\s*,\s*(master|primary|close|spread))*", "close, …"),
    "OMP_PLACES": (r"(threads|cores|sockets|ll_caches|numa_domains)(\s*\(\s*\d+\s*\))?|!?\{.*", "cores, threads, …"),
    "OMP_SCHEDULE": (r"((non)?monotonic\s*:\s*)?(static|dynamic|guided|auto)(\s*,\s*\d+)?", "static, dynamic, …"),
    "OMP_STACKSIZE": (_SIZE, "a size, such as 4M"),
    "GOMP_STACKSIZE": (_SIZE, "a size, such as 4M"),
    "GOMP_SPINCOUNT": (rf"{_FROM_0}\s*[kmgt]?|infinit[ey]", "a number from 0"),
    "NUMBA_NUM_THREADS": (_FROM_1, "a number from 1"),
    "NUMBA_THREADING_LAYER": ("default|safe|threadsafe|forksafe|tbb|omp|workqueue", "omp, tbb or workqueue"),
    "TORCH_CPP_LOG_LEVEL": (rf"info|warning|error|fatal|{_FROM_0}", "INFO, WARNING, ERROR or FATAL"),
    "TORCH_SHOW_CPP_STACKTRACES": ("0|1", "0 or 1"),
    "SOURCE_DATE_EPOCH": (_FROM_0, "seconds since 1970"),
    "TORCH_LOGS": ("", "nothing, for no logs of libraries are shown"),
}


def ignore_current_folder() -> None:
    """Have no module imported from here on read a settings file of the current folder."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())


def mend_variables() -> list[str]:
    """Take out variables that libraries cannot read, before they are imported; what was not heeded, a line each.

    OpenMP's library would print a line of its own each time it is loaded, and Matplotlib, Numba or PyTorch end the
    process. Figures are drawn into files, so no other backend than ``agg`` is of use.
    """
    os.environ.pop("MPLBACKEND", None)
    said = []
    for name, (pattern, expected) in VARIABLES.items():
        value = os.environ.get(name)
        if value is None or re.fullmatch(rf"\s*({pattern})\s*", value, re.ASCII | re.IGNORECASE):
            continue
        del os.environ[name]
        if value.strip():
            said.append(f"{name} is {value[:20]!r} and not heeded; expected {expected}")
    return said


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
