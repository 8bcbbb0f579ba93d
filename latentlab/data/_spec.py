"""What data are named by, as an object: a data set with a name, a file or folder, or code of the user's own.

A text is read once, by `read_spec`, where it comes in. From there on only the object is handed on, and its class says
what it is: whatever is done to it, nothing but a `Code` is ever run, and no text can become one a second time.

``NAME:PATH,key=value,…``, ``PATH:key=value,…``, ``FILE.py:NAME:key=value,…``
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self
from unicodedata import category

from latentlab.errors import InputError
from latentlab.system import registry

CODE = re.compile(r"(?P<file>.+\.py):(?P<name>[^\W\d]\w*)(?::(?P<options>.*))?", re.DOTALL)
CONTROLS = ("Cc", "Zl", "Zp")  # Unicode's categories of controls and of breaks between lines and paragraphs


@dataclass(frozen=True)
class Spec:
    """What names data; one of `Named`, `Located`, `Code`.

    Parameters
    ----------
    head : str
        What is named: a name, a path, or ``FILE.py:NAME``.
    options : mapping
        The options written after it.

    Examples
    --------
    >>> str(Named("dsprites", {"size": 32}))
    'dsprites:size=32'
    """

    head: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def at(self, folder: str | os.PathLike[str] = "") -> Self:
        """The same data, their paths whole.

        Parameters
        ----------
        folder : str or Path
            Where a relative path starts; by default the current folder.

        Returns
        -------
        Spec
            Of the same class.
        """
        start = os.path.abspath(folder)  # noqa: PTH100 - joined as text, for a Path drops slashes
        return self._placed(lambda path: os.path.join(start, path))  # noqa: PTH118

    def resolved(self) -> Self:
        """The same data however they are spelt: links followed, and options in order.

        Returns
        -------
        Spec
            Of the same class.
        """
        placed = self._placed(os.path.realpath)
        return replace(placed, options=dict(sorted(placed.options.items())))

    def _placed(self, place: Callable[[str], str]) -> Self:
        options = {key: place(str(value)) if key == "path" else value for key, value in self.options.items()}
        return replace(self, head=self._placed_head(place), options=options)

    def _placed_head(self, place: Callable[[str], str]) -> str:
        return self.head

    def to_json(self) -> dict[str, Any]:
        """The object for another process, its kind included: no text is read a second time there.

        Returns
        -------
        dict
            ``kind``, ``head`` and ``options``.
        """
        return {"kind": type(self).__name__, "head": self.head, "options": dict(self.options)}

    @staticmethod
    def from_json(content: Mapping[str, Any]) -> Spec:
        """What `to_json` gave, in the other process.

        Parameters
        ----------
        content : mapping
            ``kind``, ``head`` and ``options``.

        Returns
        -------
        Spec
            Of the class that ``kind`` names.
        """
        options = {key: tuple(value) if isinstance(value, list) else value for key, value in content["options"].items()}
        return KINDS[content["kind"]](content["head"], options)

    def __str__(self) -> str:
        return f"{self.head}:{','.join(self._words())}" if self.options else self.head

    def _words(self) -> list[str]:
        return [f"{key}={_written(value)}" for key, value in self.options.items()]


class Named(Spec):
    """A data set that latentlab knows by name; its published files, where it has any, are the option ``path``.

    Parameters
    ----------
    head : str
        The name.
    options : mapping
        The options written after it.
    """

    def _words(self) -> list[str]:
        """The path stands first and bare; after another head, such a text would name something else."""
        path = [str(self.options["path"])] if "path" in self.options else []
        return path + [f"{key}={_written(value)}" for key, value in self.options.items() if key != "path"]


class Located(Spec):
    """A file or a folder.

    Parameters
    ----------
    head : str
        Its path.
    options : mapping
        The options written after it.
    """

    def _placed_head(self, place: Callable[[str], str]) -> str:
        return place(self.head)


class Code(Spec):
    """A Python file of the user's own and what in it makes the data.

    Parameters
    ----------
    head : str
        ``FILE.py:NAME``.
    options : mapping
        The options written after it.

    Examples
    --------
    >>> Code("spirals.py:spirals").file
    'spirals.py'
    """

    @property
    def file(self) -> str:
        """The Python file."""
        return self.head.rpartition(":")[0]

    @property
    def name(self) -> str:
        """What in the file makes the data."""
        return self.head.rpartition(":")[2]

    def _placed_head(self, place: Callable[[str], str]) -> str:
        return f"{place(self.file)}:{self.name}"


KINDS: dict[str, type[Spec]] = {kind.__name__: kind for kind in (Named, Located, Code)}


def read_spec(text: str | os.PathLike[str]) -> Spec:
    """A specification taken apart: what kind it is depends on the text alone, never on what lies on the disk.

    Parameters
    ----------
    text : str or Path
        ``NAME:PATH,key=value,…``, ``PATH:key=value,…`` or ``FILE.py:NAME:key=value,…``. A path may hold colons: what
        exists as a path has no options. ``~`` at its start is the home folder.

    Returns
    -------
    Spec
        A `Named`, a `Located` or a `Code`.

    Raises
    ------
    InputError
        Where the text is empty, holds control characters, or has options that are not ``key=value``.

    Examples
    --------
    >>> read_spec("dsprites:size=32,grid=3x2x4x3x3")
    Named(head='dsprites', options={'size': 32, 'grid': (3, 2, 4, 3, 3)})
    >>> read_spec("spirals.py:spirals:rows=20")
    Code(head='spirals.py:spirals', options={'rows': 20})
    """
    text = _checked(text)
    first, colon, tail = text.partition(":")
    if first in names():
        options = _tail(tail) if colon else {}
        return Named(first, {key: _home(str(value)) if key == "path" else value for key, value in options.items()})
    if code := CODE.fullmatch(text):
        return Code(f"{_home(code['file'])}:{code['name']}", _pairs(code["options"]) if code["options"] else {})
    head, colon, tail = text.rpartition(":")
    if not colon or "=" not in tail or os.path.exists(text):  # noqa: PTH110 - a name that is too long is not an error here
        return Located(_home(text))
    return Located(_home(head), _pairs(tail))


def names() -> tuple[str, ...]:
    """The data sets that have a name; `files_of` says which need files.

    Returns
    -------
    tuple of str
        ``("cars3d", "celeba", "digits", …)``.

    Examples
    --------
    >>> "digits" in names()
    True
    """
    return tuple(name.replace("_", "-") for name in registry.names("data") if name != "dataset")


def _checked(text: str | os.PathLike[str]) -> str:
    if not isinstance(text, str | os.PathLike):
        raise InputError(f"the data are given as a {type(text).__name__}; expected a name, a path or an ll.Dataset")
    text = os.fspath(text)
    if not text.strip():
        raise InputError("the data are not named; expected a file, a folder or a name (latentlab data ls)")
    if strange := next((c for c in text if category(c) in CONTROLS), ""):
        what = "a zero byte" if strange == "\0" else f"the control character {strange!r}"
        raise InputError(f"{text!r:.60} holds {what}; expected a file, a folder or a name (latentlab data ls)")
    return text


def _home(path: str) -> str:
    """The path with its ``~`` replaced by the home folder, unless it exists as it stands; no shell does it here."""
    return path if os.path.exists(path) else os.path.expanduser(path)  # noqa: PTH110, PTH111


def _tail(tail: str) -> dict[str, Any]:
    """What follows a name: a path, options, or a path and options."""
    first, _, rest = tail.partition(",")
    if os.path.exists(tail) or (tail and "," not in tail and "=" not in tail):  # noqa: PTH110
        return {"path": tail}
    if "=" in first:
        return _pairs(tail)
    return {"path": first, **(_pairs(rest) if rest else {})} if tail else {}


def _pairs(text: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for pair in text.split(","):
        key, sign, value = (part.strip() for part in pair.partition("="))
        if not key or not sign or key in options:
            why = "is given twice" if key in options else "is not an option"
            raise InputError(f"{pair.strip()!r:.60} {why}; expected KEY=VALUE,… and each key once, as in :size=64")
        options[key] = _value(value)
    return options


def _value(text: str) -> int | str | tuple[int, ...]:
    if re.fullmatch(r"\d{1,9}", text):
        return int(text)
    if re.fullmatch(r"\d{1,9}(x\d{1,9})+", text):
        return tuple(map(int, text.split("x")))
    return text


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return "+".join(f"{key}={kind}" for key, kind in value.items())
    if isinstance(value, list | tuple):
        return ("x" if all(isinstance(each, int) for each in value) else "+").join(map(str, value))
    return str(value)
