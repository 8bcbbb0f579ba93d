"""What a process that reads a stranger's file takes from itself before it does: memory, files to write, the network.

Limits of the system bound memory and the sizes of files everywhere. On Linux a filter of system calls (seccomp) lets
nothing be written, renamed or removed, no socket be made, and no other program or process be started or signalled.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import sys
from typing import NamedTuple

from latentlab.system.limits import memory

NO_NEW_PRIVILEGES, SET_FILTER, FILTER_MODE = 38, 22, 2
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # instructions of a filter
KILL, ALLOW, REFUSE = 0x80000000, 0x7FFF0000, 0x00050000
NOT_PERMITTED, NOT_KNOWN = 1, 38  # what a refused call returns as its error
OTHER_NUMBERS = 0x40000000  # from here on, x86-64 counts its calls once more (x32)
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
THREAD = 0x10000  # the flag of a clone that is not a process of its own


REFUSED = """
    socket 41 198, socketpair 53 199, bind 49 200, listen 50 201, accept 43 202, connect 42 203, accept4 288 242,
    fork 57, vfork 58, execve 59 221, execveat 322 281, ptrace 101 117, process_vm_readv 310 270, process_vm_writev
    311 271, kill 62 129, tkill 200 130, tgkill 234 131, rt_sigqueueinfo 129 138, rt_tgsigqueueinfo 297 240,
    pidfd_send_signal 424 424, unshare 272 97, setns 308 268, bpf 321 280, keyctl 250 219, io_uring_setup 425 425,
    mount 165 40, umount2 166 39, creat 85, openat2 437 437, open_by_handle_at 304 265, truncate 76 45, rename 82,
    renameat 264 38, renameat2 316 276, mkdir 83, mkdirat 258 34, rmdir 84, link 86, linkat 265 37, unlink 87,
    unlinkat 263 35, symlink 88, symlinkat 266 36, mknod 133, mknodat 259 33, chmod 90, fchmod 91 52, fchmodat 268
    53, fchmodat2 452 452, chown 92, fchown 93 55, lchown 94, fchownat 260 54, utime 132, utimes 235, futimesat 261,
    utimensat 280 88, setxattr 188 5, lsetxattr 189 6, fsetxattr 190 7, removexattr 197 14, lremovexattr 198 15,
    fremovexattr 199 16
"""  # each call with its number on x86-64, and on ARM where it exists there


class Calls(NamedTuple):
    """How one kind of processor is known, and its numbers of calls: those that open files, with their flags' place."""

    machine: int
    column: int  # of `REFUSED`
    opens: dict[int, int]
    clone: int

    @property
    def refused(self) -> list[int]:
        """The calls that are refused whatever their arguments."""
        rows = [entry.split() for entry in REFUSED.split(",")]
        return [int(row[self.column]) for row in rows if len(row) > self.column]


CALLS = {"x86_64": Calls(0xC000003E, 1, {2: 1, 257: 2}, 56), "aarch64": Calls(0xC00000B7, 2, {56: 2}, 220)}
CLONE3 = 435  # its flags lie in memory, where a filter does not look; told that it is not known, libc uses clone


def confine() -> bool:
    """Confine this process for good; whether the filter of system calls holds as well as the limits."""
    for what, most in (
        (resource.RLIMIT_DATA, memory() // 2),  # arrays that are mapped off the disk do not count
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
    ):
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))
    return sys.platform == "linux" and _filter()


def _filter() -> bool:
    calls = CALLS.get(platform.machine())
    libc = ctypes.CDLL(None, use_errno=True)
    if calls is None or libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    found = [_Instruction(*rule) for rule in rules(calls)]
    program = (_Instruction * len(found))(*found)
    return bool(libc.prctl(SET_FILTER, FILTER_MODE, ctypes.byref(_Program(len(program), program)), 0, 0) == 0)


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16), ("so", ctypes.c_uint8), ("otherwise", ctypes.c_uint8), ("value", ctypes.c_uint32),
    )  # fmt: skip


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("rules", ctypes.POINTER(_Instruction)))


def rules(calls: Calls) -> list[tuple[int, int, int, int]]:
    """The filter: instruction, how many to pass over where it holds and where it does not, value."""
    refuse = (RETURN, 0, 0, REFUSE | NOT_PERMITTED)
    found = [
        (LOAD, 0, 0, 4), (EQUAL, 1, 0, calls.machine), (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, 0), (AT_LEAST, 0, 1, OTHER_NUMBERS), (RETURN, 0, 0, KILL),
        (EQUAL, 0, 1, CLONE3), (RETURN, 0, 0, REFUSE | NOT_KNOWN),
        (EQUAL, 0, 4, calls.clone), (LOAD, 0, 0, 16), (ANY_BIT, 1, 0, THREAD), refuse, (RETURN, 0, 0, ALLOW),
    ]  # fmt: skip
    for number, argument in calls.opens.items():
        flags = 16 + 8 * argument
        found += [(EQUAL, 0, 4, number), (LOAD, 0, 0, flags), (ANY_BIT, 0, 1, WRITES), refuse, (RETURN, 0, 0, ALLOW)]
    for number in calls.refused:
        found += [(EQUAL, 0, 1, number), refuse]
    return [*found, (RETURN, 0, 0, ALLOW)]
