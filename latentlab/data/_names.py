"""Names of classes and factors that came as bytes: different bytes stay different names."""

from __future__ import annotations

from collections.abc import Iterable


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


def _bytes(word: str) -> bytes:
    try:
        return word.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a pair, which no file name has
        return word.encode("utf-8", "surrogatepass")
