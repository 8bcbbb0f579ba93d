"""Text files as they lie about: packed or not, with or without a byte order mark, and never more than a bound."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import re
import zipfile
import zlib
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from latentlab.data._arrays import DAMAGED, open_zip
from latentlab.data._foreign import LONGEST_START, told_by_content
from latentlab.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIMIT = 1 << 28  # bytes of text: over a million rows of ten numbers
CONTROL = re.compile("[\x80-\x9f]")  # of Latin-1, which no table holds
MARKS = (  # the longer marks first: UTF-32's begins as UTF-16's does
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip


@contextmanager
def _only_member(path: Path) -> Iterator[IO[bytes]]:
    """The one file in a ZIP; what macOS adds for itself does not count."""
    with open_zip(path) as archive:
        held = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
        if len(held) != 1:
            raise InputError(f"{path} holds {len(held)} files; expected one table: give the file itself")
        with archive.open(held[0]) as file:
            yield file


@contextmanager
def _arrows(path: Path, codec: str) -> Iterator[Any]:
    """What a codec of Arrow unpacks; it raises an OSError for what is damaged."""
    import pyarrow

    with pyarrow.OSFile(str(path)) as file, pyarrow.CompressedInputStream(file, codec) as stream:
        yield stream


PACKED: dict[str, Callable[[Path], Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".lzma": lzma.open,
    ".zst": partial(_arrows, codec="zstd"),
    ".lz4": partial(_arrows, codec="lz4"),
    ".br": partial(_arrows, codec="brotli"),
    ".zip": _only_member,
}


def read_text(path: Path) -> tuple[str, list[str]]:
    """The text of a file, its lines ended by newlines alone, and what had to be assumed to read it.

    A byte order mark says how it is encoded; without one it is UTF-8 or, where that fails, Windows-1252 where it has
    what are control characters in Latin-1, else Latin-1. Raises `InputError` for what is damaged, holds more than
    `LIMIT` bytes, or is not text.
    """
    content = _bytes(path)
    if what := told_by_content(content[:LONGEST_START]):
        raise InputError(f"{str(path)[-90:]} is not a table but {what}")
    text, said = _decoded(path, content)
    if "\0" in text:
        raise InputError(f"{path} holds NUL characters, so it is not a table as text; save it as UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n"), said


def _bytes(path: Path) -> bytes:
    opener = PACKED.get(path.suffix.lower(), lambda path: path.open("rb"))
    try:
        with opener(path) as file:
            content: bytes = file.read(LIMIT + 1)
    except (*DAMAGED, zlib.error, zipfile.BadZipFile) as error:
        if isinstance(error, PermissionError):
            raise
        raise InputError(f"{path} is damaged, or not a {path.suffix} file; recreate or copy it again") from error
    if len(content) > LIMIT:
        raise InputError(f"{path} holds more than {LIMIT:,} bytes of text; save the numbers as .npy")
    return content


def _decoded(path: Path, content: bytes) -> tuple[str, list[str]]:
    for mark, encoding in MARKS:
        if content.startswith(mark):
            try:
                return content[len(mark) :].decode(encoding), []
            except UnicodeDecodeError as error:
                raise InputError(f"{path} is not whole {encoding.upper()} text; save it as UTF-8") from error
    try:
        return content.decode(), []
    except UnicodeDecodeError:
        pass
    text = content.decode("latin-1")
    if CONTROL.search(text):
        with suppress(UnicodeDecodeError):
            return content.decode("cp1252"), ["not UTF-8, so read as Windows-1252"]
    return text, ["not UTF-8, so read as Latin-1"]
