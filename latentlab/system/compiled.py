"""Functions compiled by numba; imported when one is first called for, since it loads numba.

What numba keeps on disk it takes back as long as the one file is unchanged that the function stands in. These functions
contain others, of other files: so the name under which they are kept has a hash of all private files beside their
own, and of this file.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from numba import njit

PLAIN: dict[str, Any] = {"nogil": True, "error_model": "numpy"}  # without the interpreter lock; x / 0 raises nothing
WITHIN: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled, and kept on disk where some folder can be written."""
    function.__qualname__ += f"_{_sources(Path(function.__code__.co_filename).parent)}"
    try:
        return njit(cache=True, **PLAIN)(function)
    except RuntimeError:  # read-only installation without a home: compiled again in each process
        return njit(**PLAIN)(function)


def inner(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled into the functions that call it, and only there: without an entrance from Python or a copy on disk."""
    return njit(**PLAIN, **WITHIN)(function)


def part(function: Callable[..., Any]) -> Callable[..., Any]:
    """Written into the one function that calls it, so that it is compiled once and not twice."""
    return njit(inline="always", **PLAIN)(function)


@cache
def _sources(folder: Path) -> str:
    files = (Path(__file__), *sorted(folder.glob("_*.py")))
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
