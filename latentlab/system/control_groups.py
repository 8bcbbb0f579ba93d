"""What the control groups of this process allow it, where Linux has them: a container's, a service's, a batch job's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


def processor_quota() -> float | None:
    """The least number of cores that a control group of this process, or one that contains it, gives it; None for all.

    A group states it as microseconds of processor time and the period in which they may be used.
    """
    quotas = []
    for folder in _folders("cpu"):
        both = _read(folder / "cpu.max") or [
            word for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us") for word in _read(folder / name)
        ]
        if len(both) == 2 and all(map(str.isdecimal, both)) and int(both[1]):  # not max, or −1, for no limit
            quotas.append(int(both[0]) / int(both[1]))
    return min(quotas, default=None)


def memory_limit() -> int | None:
    """The least bytes of memory that a control group of this process, or one that contains it, gives it."""
    words = [_read(folder / "memory.max") or _read(folder / "memory.limit_in_bytes") for folder in _folders("memory")]
    return min((int(word) for [word] in filter(None, words) if word.isdecimal()), default=None)


def _folders(controller: str) -> Iterator[Path]:
    """The folders of this process's group and of those that contain it, of version 1 and of version 2.

    A container sees its own group as the root, whatever path its membership names: what is not there is left out.
    """
    for line in MEMBERSHIP.read_text(encoding="utf-8").splitlines() if MEMBERSHIP.is_file() else ():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        for mount in {MOUNT / controllers, MOUNT / controller} if controllers else {MOUNT}:
            group = mount / path.lstrip("/")
            yield from (
                folder for folder in (group, *group.parents) if folder.is_relative_to(mount) and folder.is_dir()
            )


def _read(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split() if path.is_file() else []
