"""Names of classes, factors and columns as texts: what differs as bytes or in levels stays different."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def readable(words: Iterable[str | bytes]) -> list[str]:
    """Those words as text: UTF-8 where all of them are, otherwise Latin-1 for all, which no two byte strings share.

    Latin-1 gives every byte a character, so what is neither (Shift-JIS, GBK) looks odd and is still told apart. A file
    name that is not UTF-8 counts as its bytes.

    >>> readable([b"M\\xfcller", b"M\\xf6ller"]), readable(["café".encode()])
    (['Müller', 'Möller'], ['café'])
    """
    given = [word if isinstance(word, bytes | str) else str(word) for word in words]
    raw = [word if isinstance(word, bytes) else _bytes(word) for word in given]
    try:
        return [word.decode("utf-8") for word in raw]
    except UnicodeDecodeError:
        return [word.decode("latin-1") for word in raw]


def column_name(name: Any) -> str:
    """The name of a column as a text: of several levels, the texts of those that say something.

    >>> column_name(("dose", "mean")), column_name(("id", "")), column_name(3)
    ('dose mean', 'id', '3')
    """
    parts = [str(part) for part in name if str(part)] if isinstance(name, tuple) else [str(name)]
    return " ".join(parts)


def one_level(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the names of its columns as texts, those of several levels joined by spaces."""
    return frame.set_axis(list(map(column_name, frame.columns)), axis=1)


def _bytes(word: str) -> bytes:
    try:
        return word.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a pair, which no file name has
        return word.encode("utf-8", "surrogatepass")
