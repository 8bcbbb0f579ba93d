"""A part of a study for each job of a batch system's array: ``2/8`` is the second of eight, and no one hands them out.

Members are dealt out like cards, in the order of the study's plan, so the eight parts are disjoint, together whole, and
the same whenever a job starts again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from latentlab.errors import InputError
from latentlab.runs.run import Run
from latentlab.system.files import read_record

Item = TypeVar("Item")
LARGEST = 10_000


class Shard(NamedTuple):
    """One part, counted from 1, of so many."""

    part: int
    parts: int

    def of(self, items: Sequence[Item]) -> list[Item]:
        """This part's items.

        >>> [Shard(part, 2).of("abcde") for part in (1, 2)]
        [['a', 'c', 'e'], ['b', 'd']]
        """
        return list(items[self.part - 1 :: self.parts])


def read_shard(text: str) -> Shard:
    """The shard that ``i/N`` names.

    >>> read_shard("2/8")
    Shard(part=2, parts=8)
    """
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text.strip())
    shard = Shard(int(found[1]), int(found[2])) if found else Shard(0, 0)
    if not 1 <= shard.part <= shard.parts <= LARGEST:
        raise InputError(f"shard is {text[:40]!r}; expected i/N with i from 1 to N, as in 1/8 … 8/8")
    return shard


def shard_runs(shard: Shard, runs: Sequence[Run]) -> list[Run]:
    """The runs of a shard, dealt out in the order of their study's ``study.json``, whichever of them are there yet.

    So a job may analyse what the same shard of `sweep` trained while others still train. Runs that no plan names come
    last, as they stand.
    """
    order: dict[Path, int] = {}
    for folder in dict.fromkeys(run.path.absolute().parent for run in runs):
        for name in _planned(folder):
            order[folder / name] = len(order)
    for run in runs:
        order.setdefault(run.path.absolute(), len(order))
    chosen = set(shard.of(list(order)))
    return [run for run in runs if run.path.absolute() in chosen]


def _planned(folder: Path) -> list[str]:
    path = folder / "study.json"
    found = read_record(path) if path.is_file() else {"members": {}}
    if not isinstance(found, dict) or not isinstance(found.get("members"), dict):
        raise InputError(f"{path} holds no plan of a study; restore it or remove it")
    return list(found["members"])
