"""A file is read once while it is the same, and never believed to be the same where that cannot be told."""

from __future__ import annotations

import os
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from latentlab.errors import InputError
from latentlab.system import stamps
from latentlab.system.files import sha256
from latentlab.system.hdf5 import open_safely
from latentlab.system.stamps import remembered, stamp

HOUR = 3_600_000_000_000


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour has passed since the files of the test were written."""
    now = time.time_ns
    monkeypatch.setattr(stamps.time, "time_ns", lambda: now() + HOUR)


class Reader:
    """A function of a file's content that counts how often it reads."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, path: Path) -> list[bytes]:
        self.times += 1
        return [path.read_bytes()]


def _counted() -> tuple[Reader, object]:
    reader = Reader()
    return reader, remembered(lambda path: reader(path))


def test_a_file_that_stays_is_read_once_and_its_answer_is_ones_own(tmp_path: Path, later: None) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    reader, read = _counted()
    read(path).append(b"of the caller's")
    assert read(path) == [b"one"]
    assert reader.times == 1


def test_a_file_that_was_just_written_is_read_each_time(tmp_path: Path) -> None:
    """Within a tick of the clock a rewrite of as many bytes leaves every mark as it was."""
    path = tmp_path / "file"
    reader, read = _counted()
    for content in (b"one", b"two", b"six"):
        path.write_bytes(content)
        assert read(path) == [content]
    assert stamp(path) is None
    assert reader.times == 3


@pytest.mark.parametrize("way", ["rewritten", "replaced", "in place"])
def test_other_bytes_of_the_same_size_and_time_are_told_apart(tmp_path: Path, later: None, way: str) -> None:
    """The time of modification can be set back, and is; the time of change of status cannot."""
    path, other = tmp_path / "file", tmp_path / "other"
    path.write_bytes(b"one")
    before, first = path.stat(), sha256(path)
    time.sleep(0.02)  # more than a tick: the file had been quiet for an hour, as the test's clock has it
    if way == "rewritten":
        path.write_bytes(b"two")
    elif way == "replaced":
        other.write_bytes(b"two")
        other.replace(path)
    else:
        with path.open("r+b") as file:
            file.write(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert sha256(path) != first


def test_a_file_of_the_future_is_read_each_time(tmp_path: Path, later: None) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    os.utime(path, ns=(0, time.time_ns() + 2 * HOUR))
    assert stamp(path) is None


def test_what_cannot_be_read_is_refused_each_time(tmp_path: Path, later: None) -> None:
    for _ in range(2):
        with pytest.raises(InputError):
            sha256(tmp_path / "absent")


def test_the_check_of_an_hdf5_file_is_made_again_where_the_file_changed(tmp_path: Path, later: None) -> None:
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as file:
        file["X"] = np.zeros(10)
    for _ in range(2):
        open_safely(path).close()
    time.sleep(0.02)
    with h5py.File(path, "r+") as file:
        file["Y"] = h5py.ExternalLink("elsewhere.h5", "/X")
    with pytest.raises(InputError, match="links to another file"):
        open_safely(path)


def test_a_folder_has_stamps_once_none_of_its_files_just_changed(tmp_path: Path, later: None) -> None:
    for name in ("b", "a"):
        (tmp_path / name).write_bytes(b"one")
    first = stamps.stamps(tmp_path)
    assert first is not None
    assert [Path(each.path).name for each in first] == ["a", "b"]
    time.sleep(0.02)
    (tmp_path / "a").write_bytes(b"two")
    assert stamps.stamps(tmp_path) != first
    ahead = time.time_ns() / 1e9
    os.utime(tmp_path / "b", (ahead, ahead))
    assert stamps.stamps(tmp_path) is None
    assert stamps.stamps(tmp_path / "nowhere") is None


def test_stamps_of_some_files_change_with_these_alone(tmp_path: Path, later: None) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"one")
    (tmp_path / "folder").mkdir()
    first = stamps.stamps(tmp_path, ("a", "folder", "absent"))
    assert first is not None
    assert [Path(each.path).name for each in first] == ["a"]
    time.sleep(0.02)
    (tmp_path / "b").write_bytes(b"two")
    assert stamps.stamps(tmp_path, ("a", "folder", "absent")) == first
