"""Processes that do one task after another: what they answer, and what the work itself prints."""

from __future__ import annotations

import pytest

from latentlab.system.processes import failure, hand, start, stop, waits


def test_a_process_that_stays_takes_tasks_until_one_fails(capfd: pytest.CaptureFixture[str]) -> None:
    process = start("builtins:print", {"end": "x" * 200_000}, stay=True)  # more than a pipe holds
    try:
        assert waits(process) == (True, "")
        hand(process, "builtins:print", {"end": "again"})
        assert waits(process) == (True, "")
        hand(process, "builtins:len", {})
        stays, why = waits(process)
        assert not stays
        assert why.startswith("TypeError: len()")
        assert process.poll() == 1
    finally:
        stop([process])
    printed = capfd.readouterr().err
    assert printed.count("x") >= 200_000
    assert "again" in printed


def test_a_process_for_one_task_ends_by_itself() -> None:
    process = start("builtins:dict", {"a": 1})
    process.wait(timeout=60)
    assert failure(process) == ""
    assert process.returncode == 0
