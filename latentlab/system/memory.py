"""Keeping freed memory in the process, for the command line only."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
THRESHOLD = 1 << 30


def keep_freed_memory() -> None:
    """Tell glibc not to hand large freed blocks back to the system.

    A training step frees and takes the same large tensors again; by default each costs page faults, about half of the
    time of a small convolutional step. It changes the whole process, so no import does it.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            libc.mallopt(M_MMAP_THRESHOLD, THRESHOLD)
            libc.mallopt(M_TRIM_THRESHOLD, THRESHOLD)
