"""How anything reaches the disk: whole under its final name, or not at all.

A file is written under a temporary name in its own folder, flushed to the disk (fsync), renamed, and the folder is
flushed as well. A process that dies leaves at most a temporary file, which the next writer of that file sweeps, or the
next holder of the folder's lock.
"""

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Any

from latentlab.errors import InputError, LatentlabError, MissingError
from latentlab.limits import JSON, check_containers
from latentlab.regular import check_regular

TEMPORARY = ".tmp-"
LONGEST_NUMBER = 300  # digits; a longer one is more than a float holds
CHUNK = 1 << 20


@contextmanager
def publish(path: Path) -> Iterator[Path]:
    """Yield a temporary path; what was written there becomes `path` when the block ends without an exception."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep_dead(path)
    temporary = path.with_name(f"{TEMPORARY}{os.uname().nodename}-{os.getpid()}-{path.name}")
    try:
        temporary.touch()
        mode = temporary.stat().st_mode  # as the umask has it; safetensors would leave the file to its owner alone
        yield temporary
        temporary.chmod(mode)
        flush(temporary)
        temporary.replace(path)
        flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sweep_dead(path: Path) -> None:
    """Remove what processes of this machine that live no more left of writing `path`."""
    for litter in path.parent.glob(f"{TEMPORARY}{os.uname().nodename}-*-{escape(path.name)}"):
        number = litter.name.removesuffix(f"-{path.name}").rpartition("-")[2]
        if number.isdigit() and not _alive(int(number)):
            litter.unlink(missing_ok=True)


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
        raise InputError(f"{path} is not valid JSON ({_short(error)}); restore it or make it anew") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); see who may read it, or restore it") from error


def parse_json(text: str) -> Any:
    """JSON as its standard has it, numbers that fit a float and text that can be written again; else a `ValueError`.

    >>> parse_json('{"β": [4, 0.5]}')
    {'β': [4, 0.5]}
    """
    check_containers(text)
    found = json.loads(text, parse_int=_whole, parse_constant=_no_number)
    if "\\ud" in text.lower():  # half of a pair is no character
        json.dumps(found, ensure_ascii=False).encode()
    return found


def _whole(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text):,} digits")
    return int(text)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def kept_json(path: Path) -> dict[str, Any]:
    """What was kept of an earlier computation; nothing where it is not there or damaged, so that it is made anew."""
    try:
        found = read_json(path)
    except InputError:
        return {}
    return found if isinstance(found, dict) else {}


def _short(error: BaseException) -> str:
    return str(error).splitlines()[0][:80] if str(error) else type(error).__name__


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def sweep(folder: Path) -> None:
    """Remove what dead writers left in a folder. Call it while holding the folder's lock."""
    for litter in folder.glob(f"{TEMPORARY}*"):
        litter.unlink(missing_ok=True)


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Be the only writer of a folder; a second one is refused at once. A dead process holds nothing (flock)."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
            raise LatentlabError(f"{folder} is being written by another process; wait for it or stop it") from error
        sweep(folder)
        yield
    finally:
        os.close(handle)
