"""How anything reaches the disk: whole under its final name, or not at all.

A file is written under a temporary name in its own folder, flushed to the disk (fsync), renamed, and the folder is
flushed as well. A process that dies leaves at most a temporary file, which the next writer of that file sweeps, or the
next holder of the folder's lock; what a living process writes is left alone.
"""

import errno
import fcntl
import hashlib
import json
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from glob import escape
from pathlib import Path
from typing import Any, TypeVar

from latentlab.errors import InputError, LatentlabError, LockedFileError, MissingError, NewerFormatError
from latentlab.system.limits import JSON, check_containers
from latentlab.system.regular import check_regular, open_regular
from latentlab.system.stamps import remembered

T = TypeVar("T")
TEMPORARY = ".tmp-"
LONGEST_NUMBER = 300  # digits; a longer one is more than a float holds
LOCK = ".lock"
PATIENCE = 0.4  # seconds that a writer waits for another one; a second training is refused in under a second
MERGE_PATIENCE = 60.0  # for results that took minutes, while another process publishes its own
POLL = 0.02
REPLACED = "was removed, moved or recreated by another process"
ABANDONED = 86400.0  # seconds, after which a temporary file of another machine has no writer any more

# The folders that this process has locked, and what it made where it fills one.
_HELD: ContextVar[tuple[tuple[Path, int], ...]] = ContextVar("held", default=())
_MADE: ContextVar[list[tuple[Path, os.stat_result]] | None] = ContextVar("made", default=None)


@contextmanager
def publish(path: Path) -> Iterator[Path]:
    """Yield a temporary path; what was written there becomes `path` when the block ends without an exception.

    The temporary file is new, has a random name and is nobody's link; its lock tells others that its writer lives.
    Where this process holds the lock of the folder, and the folder is another one by now, nothing is published.
    """
    check_held(path.parent)
    _make_folder(path.parent)
    sweep(path.parent, path.name)
    temporary = path.with_name(f"{TEMPORARY}{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(8)}-{path.name}")
    handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    try:
        with suppress(OSError):  # a file system without locks: the number of the process still tells that it lives
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        mode = os.fstat(handle).st_mode  # as the umask has it; safetensors would leave the file to its owner alone
        yield temporary
        if not _is_at(handle, temporary):
            raise LatentlabError(f"{path} was not written: another process replaced its temporary file; try again")
        os.fchmod(handle, stat.S_IMODE(mode))
        os.fsync(handle)
        check_held(path.parent)
        new = not os.path.lexists(path)
        temporary.replace(path)
        if new:
            _made(path)
        flush(path.parent)
    finally:
        os.close(handle)
        temporary.unlink(missing_ok=True)


def _is_at(handle: int, path: Path) -> bool:
    """Whether the open file or folder is what lies at `path`, and not another one or a link."""
    try:
        return os.path.samestat(os.fstat(handle), os.lstat(path))
    except (FileNotFoundError, NotADirectoryError):
        return False


def _make_folder(folder: Path) -> None:
    for each in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        try:
            each.mkdir()
        except FileExistsError:  # another process made it just now, or it is a broken link
            continue
        _made(each)
    folder.mkdir(parents=True, exist_ok=True)


def _made(path: Path) -> None:
    """Remember, within `filling`, that this process made what lies there."""
    record = _MADE.get()
    if record is not None:
        record.append((path, os.lstat(path)))


@contextmanager
def filling(folder: Path) -> Iterator[None]:
    """Be the only process that fills a folder. Where the block fails, what was published within it is removed again.

    Whatever others put there, and a folder that was there before, stays.
    """
    record: list[tuple[Path, os.stat_result]] = []
    token = _MADE.set(record)
    try:
        _make_folder(folder)
        handle = _grab(folder.resolve(), os.O_RDONLY | os.O_DIRECTORY)
        if handle is None:
            raise LatentlabError(f"{folder} is being written by another process; wait for it or choose another folder")
        try:
            yield
        except BaseException:
            for path, made in reversed(record):
                _remove(path, made)
            raise
        finally:
            os.close(handle)
    finally:
        _MADE.reset(token)


def _remove(path: Path, made: os.stat_result) -> None:
    """Remove what was made there, unless it was replaced or changed, or is a folder into which others put something."""
    try:
        there = os.lstat(path)
        if not os.path.samestat(there, made):
            return
        if stat.S_ISDIR(made.st_mode):
            path.rmdir()
        elif there.st_mtime_ns == made.st_mtime_ns:  # a number of a removed file may be another one's by now
            path.unlink()
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ENOTEMPTY, errno.EEXIST):
            raise


def sweep(folder: Path, name: str = "") -> None:
    """Remove what writers that live no more left in a folder, of the file `name` alone where one is given."""
    for litter in folder.glob(f"{TEMPORARY}*-{escape(name)}" if name else f"{TEMPORARY}*"):
        if is_litter(litter):
            litter.unlink(missing_ok=True)


def is_litter(temporary: Path) -> bool:
    """Whether a temporary file's writer is gone: its process on this machine, or from elsewhere, for a day."""
    try:
        status = temporary.lstat()
    except FileNotFoundError:
        return False
    here = temporary.name.removeprefix(f"{TEMPORARY}{os.uname().nodename}-")
    number = here.partition("-")[0]
    known = here != temporary.name and number.isdecimal() and len(number) < 10
    gone = (known and not _alive(int(number))) or time.time() - status.st_mtime > ABANDONED
    return gone and not stat.S_ISDIR(status.st_mode) and not is_locked(temporary)


def is_locked(path: Path) -> bool:
    """Whether another process holds the lock of a file; nothing is written to find out."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:  # a link, or somebody else's: no file that a writer of ours has open
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def flush(path: Path) -> None:
    """Force a file's bytes, or a folder's entries, onto the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, content: bytes) -> None:
    """Publish `content` as the file `path`."""
    with publish(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, content: Any) -> None:
    """Publish `content` as an indented JSON file; NaN is refused, for JSON has none."""
    write_bytes(path, (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())


def read_json(path: Path, limit: int = JSON) -> Any:
    """The content of a JSON file of at most `limit` bytes; an `InputError` names the file when it is none."""
    check_regular(path)
    if not path.is_file():
        raise MissingError(f"{path} does not exist; expected a JSON file")
    if path.stat().st_size > limit:
        raise InputError(f"{path} has {path.stat().st_size:,} bytes, more than the {limit:,} that such a file may have")
    try:
        return parse_json(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not valid JSON ({_short(error)}); restore or recreate it") from error
    except OSError as error:
        raise LockedFileError(
            f"{path} cannot be read ({error.strerror}); check its permissions or restore it"
        ) from error


def read_record(path: Path, newest: int = 1) -> dict[str, Any]:
    """The named values in a JSON file of ours, whose ``format`` (1 where it has none) this version reads."""
    found = read_json(path)
    if not isinstance(found, dict):
        raise InputError(f"{path} is not a JSON object; expected named values: restore the file or recompute it")
    check_format(found.get("format", 1), newest, path)
    return found


def check_format(found: Any, newest: int, path: Path) -> None:
    """Raise a `NewerFormatError` for a version above `newest`, an `InputError` for what is not a version of a
    format."""
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise InputError(f"{path} has format {str(found)[:20]!r}; expected a version from 1 to {newest}: recompute it")
    if found > newest:
        came = str(found)[:20]
        raise NewerFormatError(f"{path} has format '{came}'; this latentlab reads 1 to {newest}: upgrade latentlab")


def parse_json(text: str) -> Any:
    """JSON as its standard has it, numbers that fit a float and text that can be written again; else a `ValueError`.

    >>> parse_json('{"β": [4, 0.5]}')
    {'β': [4, 0.5]}
    """
    check_containers(text)
    found = json.loads(text, parse_int=_whole, parse_constant=_no_number)
    if "\\ud" in text.lower():  # half of a pair is not a character
        json.dumps(found, ensure_ascii=False).encode()
    return found


def _whole(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text):,} digits")
    return int(text)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def unless_damaged(read: Callable[[], T]) -> T | None:
    """What `read` gives; None where its file is missing or damaged, and so may be replaced.

    A file of a newer format, or one that cannot be opened now, is whole: the error is raised, and it stays.
    """
    try:
        return read()
    except (NewerFormatError, LockedFileError):
        raise
    except InputError:
        return None


def _short(error: BaseException) -> str:
    return str(error).splitlines()[0][:80] if str(error) else type(error).__name__


@remembered
def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal; an `InputError` names a file that may not be read.

    A file that did not change is hashed once within a process (`stamps`).
    """
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def lock(folder: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Be the only writer of a folder; a second one is refused after `patience` seconds. The dead hold nothing (flock).

    Meanwhile `publish` refuses to write into the folder once it was removed, moved or recreated.
    """
    handle, where = _locked(folder, patience), folder.absolute()
    _HELD.set((*_HELD.get(), (where, handle)))
    try:
        sweep(folder)
        yield
    finally:
        _HELD.set(tuple(each for each in _HELD.get() if each[1] != handle))
        os.close(handle)


def _locked(folder: Path, patience: float) -> int:
    refuse_read_only(folder)
    deadline = time.monotonic() + patience
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        handle = _grab(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
        if handle is not None:
            return handle
        _wait(folder, deadline)


def _wait(folder: Path, deadline: float) -> None:
    if time.monotonic() >= deadline:
        raise LatentlabError(f"{folder} is being written by another process; wait for it or stop it")
    time.sleep(POLL)


def _grab(path: Path, flags: int) -> int | None:
    """An open file or folder with its lock; None where another process has that, or has put another in its place."""
    handle = os.open(path, flags, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_at(handle, path):
            return handle
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            os.close(handle)
            raise
    os.close(handle)
    return None


def check_held(folder: Path) -> None:
    """Raise a `LatentlabError` where this process locked `folder`, and it was removed, moved or recreated since."""
    where = folder.absolute()
    for held, handle in _HELD.get():
        if held == where and not _is_at(handle, held / LOCK):
            raise LatentlabError(f"{folder} {REPLACED}; this process stops writing")


@contextmanager
def staying(folder: Path) -> Iterator[Callable[[], None]]:
    """Yield what raises a `LatentlabError` once the folder that is there now was removed, moved or recreated.

    For results that take long and are written into a folder that is locked at the end alone. The folder is kept open:
    the number of one that was removed would soon be another one's.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)

    def check() -> None:
        if not folder.exists() or not os.path.samestat(os.fstat(handle), folder.stat()):
            raise LatentlabError(f"{folder} {REPLACED} meanwhile; what was computed was not written")

    try:
        yield check
    finally:
        os.close(handle)


def refuse_read_only(folder: Path) -> None:
    """Raise an `InputError` where a folder is there and nothing can be written into it."""
    if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"{folder} is read-only, so nothing can be kept in it; copy it to where you may write")


def refuse_unwritable(path: Path) -> None:
    """Raise an `InputError` where nothing new can be made at `path`; cheap, to be asked before anything heavy."""
    near = next((each for each in (path, *path.parents) if os.path.lexists(each)), Path())
    if not near.is_dir() and near != path:
        raise InputError(f"{path} cannot be written: {near} is not a folder; choose another place")
    folder = near.parent if near == path else near
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"{path} cannot be written: you may not write to {folder}; choose another place")


def refuse_busy(*folders: Path) -> None:
    """Raise a `LatentlabError` where another process writes one of them; cheap, to be asked before anything heavy."""
    deadline = time.monotonic() + PATIENCE
    for folder in folders:
        while is_locked(folder / LOCK):
            _wait(folder, deadline)
