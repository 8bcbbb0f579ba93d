"""How data are named: ``NAME:PATH,key=value,…``, ``PATH:key=value,…``, ``FILE.py:NAME:key=value,…``."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from latentlab.errors import InputError

OWN = re.compile(r"(.+\.py):([^\W\d]\w*)(?::(.*))?")


class Spec(NamedTuple):
    """A name, a path or a ``FILE.py:NAME``, and the options written after it."""

    head: str
    options: dict[str, Any]


def parse(text: str, names: Collection[str]) -> Spec:
    """A specification taken apart. A path may hold colons: what exists as a path is one."""
    if "\0" in text:
        raise InputError(f"{text!r:.60} holds a zero byte; expected a file, a folder or a name (latentlab data ls)")
    first, colon, tail = text.partition(":")
    if first in names:
        return Spec(first, _tail(tail)) if colon else Spec(first, {})
    if own := OWN.fullmatch(text):
        return Spec(f"{own[1]}:{own[2]}", _pairs(own[3]) if own[3] else {})
    head, colon, tail = text.rpartition(":")
    if not colon or "=" not in tail or Path(text).exists():
        return Spec(text, {})
    return Spec(head, _pairs(tail))


def join(head: str, options: Mapping[str, Any]) -> str:
    """The specification of a head with these options."""
    path = [str(options["path"])] if "path" in options else []
    words = [f"{key}={_written(value)}" for key, value in options.items() if key != "path"]
    return f"{head}:{','.join(path + words)}" if options else head


def canonical(text: str, names: Collection[str], folder: str | Path = "") -> str:
    """One spelling for all that name the same data from that folder: paths absolute, options in order."""
    head, options = parse(text, names)
    options = dict(sorted(options.items()))
    if "path" in options:
        options["path"] = _absolute(str(options["path"]), folder)
    if head not in names:
        file, colon, name = head.rpartition(":") if is_own(text) else (head, "", "")
        head = f"{_absolute(file, folder)}{colon}{name}"
    return join(head, options)


def is_named(text: str, names: Collection[str]) -> bool:
    """Whether a specification names a data set that latentlab knows, and no file or folder."""
    head, options = parse(text, names)
    return head in names and "path" not in options


def is_own(text: str) -> bool:
    """Whether a specification names a Python file of the user's own, which loading it would run."""
    return OWN.fullmatch(text) is not None


def _absolute(path: str, folder: str | Path) -> str:
    return os.path.realpath(Path(folder) / path)


def _tail(tail: str) -> dict[str, Any]:
    """What follows a name: a path, options, or a path and options."""
    first, _, rest = tail.partition(",")
    if Path(tail).exists() or (tail and "," not in tail and "=" not in tail):
        return {"path": tail}
    if "=" in first:
        return _pairs(tail)
    return {"path": first, **(_pairs(rest) if rest else {})} if tail else {}


def _pairs(text: str) -> dict[str, Any]:
    pairs = [pair.partition("=") for pair in text.split(",")]
    return {key.strip(): _value(value.strip()) for key, _, value in pairs}


def _value(text: str) -> int | str | tuple[int, ...]:
    if re.fullmatch(r"\d{1,9}", text):
        return int(text)
    if re.fullmatch(r"\d{1,9}(x\d{1,9})+", text):
        return tuple(map(int, text.split("x")))
    return text


def _written(value: Any) -> str:
    return "x".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
