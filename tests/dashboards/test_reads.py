"""On what a page's cached answers depend."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from conftest import ROOT


def test_a_file_rewritten_within_a_tick_is_another_one_to_the_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With as many bytes, and the time that it had: nothing of it looks different."""
    monkeypatch.syspath_prepend(str(ROOT / "dashboards"))
    import reads

    path = tmp_path / "codes.h5ad"
    path.write_bytes(b"one")
    before, first = path.stat(), reads.stamp(tmp_path, reads.CODES)
    path.write_bytes(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert reads.stamp(tmp_path, reads.CODES) != first


def test_files_that_stay_keep_their_stamp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "dashboards"))
    import reads

    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 3_600_000_000_000)
    (tmp_path / "codes.h5ad").write_bytes(b"one")
    first = reads.stamp(tmp_path, reads.CODES)
    (tmp_path / "scores.json").write_bytes(b"one")
    assert reads.stamp(tmp_path, reads.CODES) == first
    assert reads.stamp(tmp_path) != first
