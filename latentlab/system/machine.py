"""What the machine has: cores, processor, and the processor's vector instructions."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from math import ceil
from pathlib import Path

from latentlab.system.control_groups import processor_quota

MOST_THREADS = 1024


def processor_flags() -> set[str]:
    """What the first processor says it can do, where Linux tells it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return set(next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), []))


def cores() -> int:
    """How many cores this process may use: those of its affinity mask and its control groups, where Linux has them.

    A quota of one and a half cores counts as two.
    """
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = processor_quota()
    return there if quota is None else max(1, min(there, ceil(quota)))


def process_threads() -> int:
    """How many threads one process computes with: as ``OMP_NUM_THREADS`` or else ``MKL_NUM_THREADS`` says, or `cores`.

    PyTorch reads the two in this order. As OpenMP does, the first number of a list (``4,2``) counts, and a value that
    is not a number from 1 is skipped.
    """
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        first = os.environ.get(variable, "").split(",")[0].strip()
        if re.fullmatch(r"[0-9]{1,4}", first) and int(first) > 0:
            return min(int(first), MOST_THREADS)
    return cores()


def processor() -> str:
    """The processor's name, as Linux tells it."""
    return next(_processor_lines(), platform.processor() or platform.machine())


def _processor_lines() -> Iterator[str]:
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                yield line.partition(":")[2].strip()
