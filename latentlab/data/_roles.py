"""What the user says of a table's columns: their roles, and the options that name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from latentlab.errors import InputError

KINDS = ("numeric", "binary", "category")
ROWS = ("table", "counts", "signal")
SHOWN = 6  # columns that a remark names


@dataclass(frozen=True)
class Roles:
    """What the user says of columns: the kinds of inputs, which columns are none, and what a row is, a table's or not.

    ``about`` is what the form of rows of another ``kind`` is told besides: ``axis``, ``axis_unit``, ``unit``.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    factors: tuple[str, ...] = ()
    labels: str = ""
    ids: str = ""
    drop: tuple[str, ...] = ()
    kind: str = "table"
    about: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in ROWS:
            raise InputError(f"kind is {self.kind[:40]!r}; expected what a table's row may be: {', '.join(ROWS)}")
        if self.kind == "table" and self.about:
            raise InputError(f"a table is told its {min(self.about)}, which is for signals; add kind=signal")
        if self.kind != "table" and self.columns:
            raise InputError(f"columns is for a table, and kind is {self.kind}; drop the columns that are none of it")
        others = [*self.factors, *filter(None, (self.labels, self.ids)), *self.drop]
        listed = [*self.columns, *others]
        if twice := next((name for name in listed if listed.count(name) > 1), None):
            raise InputError(f"column {twice[:60]!r} is given two roles; expected one of columns, factors, labels, …")
        if wrong := next((kind for kind in self.columns.values() if kind not in KINDS), None):
            raise InputError(
                f"a column is to be {wrong[:40]!r}; expected {', '.join(KINDS)}, as in columns=grade=category"
            )

    @property
    def others(self) -> set[str]:
        """The columns that are no inputs."""
        return {*self.factors, self.labels, self.ids, *self.drop} - {""}


def kinds_of(path: Path, given: Any, names: list[str]) -> dict[str, str]:
    """``NAME=KIND+NAME=KIND`` as a mapping, or a mapping as it is."""
    if isinstance(given, Mapping):
        return {name_of(path, "columns", key, names): str(kind) for key, kind in given.items()}
    kinds = dict[str, str]()
    pending = ""
    for part in str(given).split("+") if given != "" else ():
        name, sign, kind = (pending + part).rpartition("=")
        if not sign or (kind not in KINDS and name not in names):
            pending += f"{part}+"
            continue
        kinds[name_of(path, "columns", name, names)] = kind
        pending = ""
    if pending:
        raise InputError(f"{path}: columns has {pending[:-1][:40]!r}; expected NAME=KIND, a kind of {', '.join(KINDS)}")
    return kinds


def names_of(path: Path, option: str, given: Any, names: list[str]) -> tuple[str, ...]:
    """Names parted by ``+``, or a list of them; a name may itself hold a ``+``."""
    if isinstance(given, list | tuple) and not all(isinstance(each, int) for each in given):
        return tuple(name_of(path, option, each, names) for each in given)
    rest, chosen = _text(given), list[str]()
    while rest:
        longest = max((name for name in names if name and (rest + "+").startswith(f"{name}+")), key=len, default="")
        chosen.append(name_of(path, option, longest or rest.split("+")[0], names))
        rest = rest[len(chosen[-1]) + 1 :]
    return tuple(chosen)


def name_of(path: Path, option: str, given: Any, names: list[str]) -> str:
    """The column that an option names; an `InputError` where the table has none of that name."""
    name = _text(given)
    if name and name not in names:
        raise InputError(f"{str(path)[-60:]} has no column {name[:40]!r} for {option}; it has: {some(names)}"[:199])
    return name


def _text(given: Any) -> str:
    """A name as it was written: the options of a specification read ``3`` as a number and ``1x2`` as two."""
    return "x".join(map(str, given)) if isinstance(given, list | tuple) else str(given)


def some(names: Iterable[str]) -> str:
    """Names of columns in a line: each cut, and those beyond the first counted."""
    return listed(name[:24] for name in names)


def listed(words: Iterable[str]) -> str:
    """Words in a line; those beyond the first are counted."""
    every = list(words)
    return ", ".join(every[:SHOWN]) + (f" and {len(every) - SHOWN} more" if len(every) > SHOWN else "")
