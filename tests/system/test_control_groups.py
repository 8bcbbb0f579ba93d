"""Control groups of both versions limit the threads and the memory that are counted on."""

from __future__ import annotations

from pathlib import Path

import pytest

from latentlab.system import control_groups, limits, machine
from latentlab.system.machine import cores, process_threads

NESTED = "0::/user.slice/job\n"


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where control groups are mounted: none yet; the machine has six cores."""
    monkeypatch.setattr(control_groups, "MOUNT", tmp_path / "cgroup")
    monkeypatch.setattr(control_groups, "MEMBERSHIP", tmp_path / "membership")
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda pid: set(range(6)), raising=False)
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def _lay(groups: Path, membership: str, files: dict[str, str]) -> None:
    (groups / "membership").write_text(membership)
    for name, text in files.items():
        (groups / "cgroup" / name).parent.mkdir(parents=True, exist_ok=True)
        (groups / "cgroup" / name).write_text(f"{text}\n")


@pytest.mark.parametrize(
    ("quota", "there"),
    [("max 100000", 6), ("200000 100000", 2), ("150000 100000", 2), ("50000 100000", 1), ("900000 100000", 6), ("", 6)],
)
@pytest.mark.parametrize("path", ["/", "/not/seen/from/within"])
def test_a_container_s_quota_is_kept(groups: Path, quota: str, there: int, path: str) -> None:
    _lay(groups, f"0::{path}\n", {"cpu.max": quota})
    assert (cores(), process_threads()) == (there, there)


@pytest.mark.parametrize(("own", "above", "there"), [("max 100000", "300000 100000", 3), ("100000 50000", "max", 2)])
def test_the_least_quota_of_nested_groups_is_kept(groups: Path, own: str, above: str, there: int) -> None:
    _lay(groups, NESTED, {"user.slice/job/cpu.max": own, "user.slice/cpu.max": above})
    assert cores() == there


@pytest.mark.parametrize(("quota", "there"), [("-1", 6), ("150000", 2)])
@pytest.mark.parametrize("mounted", ["cpu", "cpu,cpuacct"])
def test_groups_of_version_1_count(groups: Path, quota: str, there: int, mounted: str) -> None:
    folder = f"{mounted}/batch"
    _lay(
        groups,
        "4:memory:/\n2:cpu,cpuacct:/batch/job_1\n0::/\n",
        {f"{folder}/cpu.cfs_quota_us": quota, f"{folder}/cpu.cfs_period_us": "100000"},
    )
    assert cores() == there


def test_without_control_groups_there_is_no_limit(groups: Path) -> None:
    assert cores() == 6
    assert control_groups.memory_limit() is None


@pytest.mark.parametrize(
    ("membership", "files"),
    [
        (NESTED, {"user.slice/job/memory.max": "max", "user.slice/memory.max": "1048576"}),
        ("4:memory:/job\n", {"memory/job/memory.limit_in_bytes": "1048576"}),
    ],
)
def test_the_memory_of_a_group_is_all_there_is(groups: Path, membership: str, files: dict[str, str]) -> None:
    _lay(groups, membership, files)
    limits.memory.cache_clear()
    try:
        assert limits.memory() == 1 << 20
    finally:
        limits.memory.cache_clear()
