"""How anything reaches the disk: whole or not at all, by one writer at a time."""

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from latentlab.errors import InputError, LatentlabError, MissingError
from latentlab.system import files
from latentlab.system.files import TEMPORARY, filling, lock, publish, read_json, sha256, sweep, write_bytes, write_json


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_is_there_and_nothing_else(tmp_path: Path) -> None:
    write_bytes(tmp_path / "deep" / "file", b"new")
    assert (tmp_path / "deep" / "file").read_bytes() == b"new"
    assert listing(tmp_path / "deep") == ["file"]


def test_a_file_has_the_mode_that_the_umask_gives(tmp_path: Path) -> None:
    with publish(tmp_path / "file") as temporary:
        temporary.write_bytes(b"new")
        temporary.chmod(0o600)
    (tmp_path / "plain").touch()
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_an_exception_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")

    def half() -> None:
        with publish(path) as temporary:
            temporary.write_bytes(b"ne")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        half()
    assert path.read_bytes() == b"old"
    assert listing(tmp_path) == ["file"]


def test_what_a_dead_writer_left_is_swept_and_what_others_write_is_not(tmp_path: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    node = os.uname().nodename
    gone = tmp_path / f"{TEMPORARY}{node}-{dead.pid}-file"
    kept = [f"{TEMPORARY}{node}-1-file", f"{TEMPORARY}elsewhere-{dead.pid}-file", f"{TEMPORARY}{node}-{dead.pid}-other"]
    for name in [gone.name, *kept]:
        (tmp_path / name).write_bytes(b"half")
    write_bytes(tmp_path / "file", b"new")
    assert listing(tmp_path) == sorted([*kept, "file"])


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EACCES])
@pytest.mark.parametrize("nth", range(3))
def test_any_failing_call_leaves_old_or_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, nth: int
) -> None:
    """The fsync of the file, the rename and the fsync of the folder fail in turn."""
    path = tmp_path / "file"
    write_bytes(path, b"old")
    calls = []

    def failing(real):  # type: ignore[no-untyped-def]
        def call(*args, **kwargs):  # type: ignore[no-untyped-def]
            calls.append(real)
            if len(calls) == nth + 1:
                raise OSError(error, os.strerror(error))
            return real(*args, **kwargs)

        return call

    monkeypatch.setattr(os, "fsync", failing(os.fsync))
    monkeypatch.setattr(Path, "replace", failing(Path.replace))
    with pytest.raises(OSError, match=os.strerror(error)):
        write_bytes(path, b"new")
    assert path.read_bytes() == (b"new" if nth == 2 else b"old")
    assert listing(tmp_path) == ["file"]


def test_a_killed_writer_leaves_the_old_file_and_litter_that_is_swept(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")
    code = f"""
import time
from pathlib import Path
from latentlab.system.files import publish
with publish(Path({str(path)!r})) as temporary:
    temporary.write_bytes(b"half")
    print("writing", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        writer.kill()
    assert path.read_bytes() == b"old"
    assert len(listing(tmp_path)) == 2
    with lock(tmp_path):
        assert listing(tmp_path) == [".lock", "file"]


def dead_process() -> int:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid


def test_sweeping_takes_litter_alone(tmp_path: Path) -> None:
    mine = f"{TEMPORARY}{os.uname().nodename}-{dead_process()}"
    for name in (f"{mine}-file", f"{mine}-0a1b2c-codes.h5ad", "file", ".hidden", "tmp-file"):
        (tmp_path / name).write_text("")
    sweep(tmp_path)
    assert listing(tmp_path) == [".hidden", "file", "tmp-file"]


def test_what_another_machine_left_is_swept_after_a_day(tmp_path: Path) -> None:
    names = [f"{TEMPORARY}elsewhere-17-file", f"{TEMPORARY}1-file"]
    for name in names:
        (tmp_path / name).write_text("half")
    sweep(tmp_path)
    assert listing(tmp_path) == sorted(names)
    for name in names:
        os.utime(tmp_path / name, (0, time.time() - files.ABANDONED - 1))
    sweep(tmp_path)
    assert listing(tmp_path) == []


def test_a_living_writer_is_not_swept_whatever_its_process_number_says(tmp_path: Path) -> None:
    """As of another container that shares the folder and the host's name, but not the numbers of processes."""
    with publish(tmp_path / "file") as temporary:
        temporary.write_bytes(b"whole")
        name = f"{TEMPORARY}{os.uname().nodename}-{dead_process()}-0a1b2c-file"
        with lock(tmp_path):  # as saving a note does
            assert temporary.exists()
        temporary.rename(tmp_path / name)
        assert not files.is_litter(tmp_path / name)
        (tmp_path / name).rename(temporary)
    assert (tmp_path / "file").read_bytes() == b"whole"


def test_a_planted_link_or_pipe_is_neither_followed_nor_waited_for(tmp_path: Path) -> None:
    """Both under names that a writer once used, and under the very next one, were its random part known."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    folder = tmp_path / "study"
    folder.mkdir()
    mine = f"{TEMPORARY}{os.uname().nodename}-{os.getpid()}"
    (folder / f"{mine}-file").symlink_to(victim)
    os.mkfifo(folder / f"{TEMPORARY}{os.uname().nodename}-{dead_process()}-file")
    (folder / "file").symlink_to(victim)
    write_bytes(folder / "file", b"new")
    assert (folder / "file").read_bytes() == b"new"
    assert not (folder / "file").is_symlink()
    assert victim.read_bytes() == b"precious"


def test_a_temporary_name_that_is_taken_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.secrets, "token_hex", lambda size: "0a1b2c")
    name = f"{TEMPORARY}{os.uname().nodename}-{os.getpid()}-0a1b2c-file"
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / name).symlink_to(tmp_path / "victim")
    with pytest.raises(FileExistsError):
        write_bytes(tmp_path / "file", b"new")
    assert (tmp_path / "victim").read_bytes() == b"precious"
    assert (tmp_path / name).is_symlink()


def test_what_took_the_place_of_a_temporary_file_is_not_published(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")

    def replaced() -> None:
        with publish(tmp_path / "file") as temporary:
            temporary.unlink()
            temporary.symlink_to(tmp_path / "secret")

    with pytest.raises(LatentlabError, match="replaced its temporary file"):
        replaced()
    assert listing(tmp_path) == ["secret"]


@pytest.mark.parametrize("again", [False, True])
def test_a_folder_that_was_removed_or_begun_anew_is_not_written_by_its_old_owner(tmp_path: Path, again: bool) -> None:
    run = tmp_path / "run"
    with lock(run):
        write_bytes(run / "first", b"old")
        run.rename(tmp_path / "moved")
        with lock(run) if again else nullcontext():
            pass
        with pytest.raises(LatentlabError, match="removed, moved or recreated") as caught:
            write_bytes(run / "second", b"old")
    assert caught.value.exit_status == 1
    assert run.exists() == again
    assert not (run / "second").exists()
    write_bytes(run / "second", b"new")


def test_a_folder_that_changes_while_a_file_is_written_is_left_alone(tmp_path: Path) -> None:
    run = tmp_path / "run"

    def moved() -> None:
        with publish(run / "file") as temporary:
            temporary.write_bytes(b"old")
            (run / ".lock").unlink()
            with lock(run):
                pass

    with lock(run), pytest.raises(LatentlabError, match="removed, moved or recreated"):
        moved()
    assert listing(run) == [".lock"]


def test_a_writer_waits_for_another_one_that_is_soon_done(tmp_path: Path) -> None:
    locked, seen = threading.Event(), []

    def second() -> None:
        locked.wait()
        with lock(tmp_path, patience=30):
            seen.append(listing(tmp_path))

    waiting = threading.Thread(target=second)
    waiting.start()
    with lock(tmp_path):
        locked.set()
        write_bytes(tmp_path / "first", b"")
    waiting.join()
    assert seen == [[".lock", "first"]]


def test_a_folder_that_cannot_be_filled_keeps_what_others_put_there(tmp_path: Path) -> None:
    def fail(out: Path) -> None:
        with filling(out):
            write_bytes(out / "a" / "ours", b"1")
            write_bytes(out / "b" / "ours", b"2")
            (out / "thesis.txt").write_text("mine")
            (out / "b" / "thesis.txt").write_text("mine")
            write_bytes(out / "replaced", b"3")
            (out / "replaced").unlink()
            (out / "replaced").write_text("mine")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail(tmp_path / "deep" / "out")
    left = [str(path.relative_to(tmp_path)) for path in sorted(tmp_path.rglob("*")) if path.is_file()]
    assert left == ["deep/out/b/thesis.txt", "deep/out/replaced", "deep/out/thesis.txt"]


def test_a_folder_is_filled_by_one_process_at_a_time_also_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    def twice() -> None:
        with filling(tmp_path / "link"):
            write_bytes(tmp_path / "link" / "file", b"1")
            with filling(tmp_path / "real"):
                pass

    with pytest.raises(LatentlabError, match="being written by another process"):
        twice()
    assert listing(tmp_path / "real") == []
    assert (tmp_path / "link").is_symlink()


def test_a_second_writer_is_refused_at_once_and_a_dead_one_holds_nothing(tmp_path: Path) -> None:
    code = f"""
import time
from pathlib import Path
from latentlab.system.files import lock
with lock(Path({str(tmp_path)!r})):
    print("locked", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        started = time.monotonic()
        with pytest.raises(LatentlabError, match="is being written by another process"), lock(tmp_path):
            pass
        assert time.monotonic() - started < 10, "it waits for the holder, which sleeps for 60"
        holder.send_signal(signal.SIGKILL)
    with lock(tmp_path):
        pass


def test_a_lock_ends_with_its_block(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(KeyError), lock(tmp_path / "new"):
            raise KeyError
    with lock(tmp_path / "new"), pytest.raises(LatentlabError), lock(tmp_path / "new"):
        pass


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    content = os.urandom((1 << 20) + 17)
    (tmp_path / "file").write_bytes(content)
    assert sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_json_comes_back_and_ends_with_a_line(tmp_path: Path) -> None:
    content = {"β": [1, 2.5, None, True], "nested": {"a": "ü"}}
    write_json(tmp_path / "a.json", content)
    assert read_json(tmp_path / "a.json") == content
    assert (tmp_path / "a.json").read_bytes().endswith(b"}\n")
    assert "β" in (tmp_path / "a.json").read_text(encoding="utf-8")


def test_nan_never_reaches_a_json_file(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"x": 1})
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert json.loads((tmp_path / "a.json").read_text()) == {"x": 1}


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 200_000, b'{"a": 1} x', b"\x00"])
def test_what_is_no_json_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is not valid JSON") as caught:
        read_json(path)
    assert len(str(caught.value).replace(str(tmp_path), "")) <= 200
    assert "\n" not in str(caught.value)


def test_a_json_file_that_is_missing_a_folder_or_too_large(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="does not exist"):
        read_json(tmp_path / "none.json")
    with pytest.raises(MissingError, match="expected a JSON file"):
        read_json(tmp_path)
    (tmp_path / "large.json").write_text("[" + "1," * 100 + "1]")
    with pytest.raises(InputError, match="has 203 bytes, more than the 100"):
        read_json(tmp_path / "large.json", limit=100)


@pytest.mark.parametrize("content", ['{"a": NaN}', "[-Infinity]", f"[{10**300}]", '["\\ud800"]', '{"\\uDC01": 1}'])
def test_numbers_and_text_that_nothing_could_write_again_are_no_json(tmp_path: Path, content: str) -> None:
    path = tmp_path / "notes.json"
    path.write_text(content)
    with pytest.raises(InputError, match="is not valid JSON"):
        read_json(path)
    path.write_text(f'["\\ud83d\\ude00", {10**299}, "C:\\\\udine"]')
    assert read_json(path) == ["😀", 10**299, "C:\\udine"]


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"), lock(tmp_path / "run"):
        pass
    assert not (tmp_path / "elsewhere").exists()
