"""Figures of the foundation: rendering the whole of dSprites, and `latentlab --help`.

Run on an idle machine: ``python benchmarks/foundation.py``. Minima over several tries.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from latentlab.data import load
from latentlab.system.machine import processor


def least(what: Callable[[], object], tries: int = 5) -> float:
    """The shortest of several times, in seconds."""
    times = []
    for _ in range(tries):
        start = time.perf_counter()
        what()
        times.append(time.perf_counter() - start)
    return min(times)


def rendering() -> None:
    """The 737,280 images of the published grid, in blocks, as they are read."""
    data = load("dsprites")
    _ = data[0:64]
    whole = least(lambda: [data[i : i + 8192] for i in range(0, len(data), 8192)], tries=2)
    rows = np.random.default_rng(0).integers(0, len(data), 64)
    print(f"dSprites, the whole grid: {whole:.1f} s; 64 random rows: {1e3 * least(lambda: data[rows], 50):.2f} ms")


def help_text() -> None:
    """The time from the shell's call to the end of the help."""
    command = [sys.executable, "-m", "latentlab", "--help"]
    seconds = least(lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=True), 9)
    print(f"latentlab --help: {seconds:.3f} s")


if __name__ == "__main__":
    print(f"{processor()}, {len(os.sched_getaffinity(0))} cores, torch {torch.__version__}")
    for figure in (rendering, help_text):
        figure()
