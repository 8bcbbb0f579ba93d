"""How long the threads of a computation burn a core while they wait for one another.

At every barrier the threads of OpenMP spin, as shipped for milliseconds. Where another process has a core, the thread
that is waited for does not run, and those that wait keep it from running. They read how long to spin once, when their
library is loaded.
"""

from __future__ import annotations

import os
import sys

from latentlab.errors import LatentlabError

# PyTorch's packages for Linux bring GNU's OpenMP, those for macOS and Windows LLVM's; NumPy's bring OpenBLAS.
BRIEFLY = {"GOMP_SPINCOUNT": "1000", "KMP_BLOCKTIME": "0", "OPENBLAS_THREAD_TIMEOUT": "14"}
LOADS = ("torch", "sklearn")  # import an OpenMP library


def spin_briefly() -> None:
    """Have threads that wait for one another sleep after some microseconds, from the next library that loads.

    The command line and its workers call it. In a notebook or a program of your own, call it before PyTorch is
    imported: it sets ``GOMP_SPINCOUNT``, ``KMP_BLOCKTIME`` and ``OPENBLAS_THREAD_TIMEOUT`` for the whole process and
    those that it starts, each unless you have set it, and nothing of the first two where you have set
    ``OMP_WAIT_POLICY``. No result changes.

    Raises
    ------
    LatentlabError
        Where PyTorch or scikit-learn was imported before, which have read the variables already.

    Examples
    --------
    >>> import subprocess, sys
    >>> code = "import latentlab as ll; ll.spin_briefly(); import os; print(os.environ['GOMP_SPINCOUNT'])"
    >>> subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    '1000\\n'
    """
    loaded = next((name for name in LOADS if name in sys.modules), None)
    if loaded is not None:
        raise LatentlabError(f"{loaded} is imported already; call spin_briefly before it, in a new process")
    set_waiting()


def set_waiting() -> None:
    """`spin_briefly` for a process that is the command line's own, and has loaded nothing yet."""
    for variable, value in BRIEFLY.items():
        if "OMP_WAIT_POLICY" not in os.environ or variable.startswith("OPENBLAS"):
            os.environ.setdefault(variable, value)
