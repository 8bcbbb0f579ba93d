"""What in a column may not be what it looks like: a number that marks a missing value, a total below, levels alike.

Nothing is changed: each is said, for whoever knows the data to decide.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from latentlab.data._cells import Cells
    from latentlab.data._factors import Factors
    from latentlab.data._textual import Table

NINES = re.compile(r"-?(9{2,}|8{3,}|7{3,})(\.0|\.9+)?|-?\d(\.\d+)?e\+(1\d|[23]\d)")  # 99, -999.9, 1e+20
ENDS = 2  # different numbers at one end that may mark missing values: -999 and -998
NEAR, FAR = 0.5, 3  # how far such a number lies, in widths of the others: a usual one, and any
COLUMNS = 3  # columns of which their marks are told
LEAST = 3  # different numbers without which nothing is said of the others
ALONG, LOOKED, ALIKE = 64, 1000, 0.4  # columns from which on neighbours are looked at, in how many rows, how alike
TOTALS = (
    "all", "average", "avg", "durchschnitt", "gesamt", "grand total", "insgesamt", "mean", "mittelwert", "moyenne",
    "overall", "std", "subtotal", "sum", "suma", "summe", "total", "total general", "totals",
)  # fmt: skip
DAYS = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")  # 20240131
SHOWN = 24  # letters of a level that are shown
Floats = NDArray[np.float64]


def marks(values: Floats) -> list[float]:
    """Numbers at the ends of a column, in two rows or more and in less than half, far from the others, as -999 is.

    Far is `FAR` times as far as the others are from each other, and half as far for what is usual: 99, -999, 1e+20.

    >>> marks(np.array([1.5, -999, 2.5, 7.0, 3.0, -999])), marks(np.array([1.5, 0, 2.5, 7.0, 3.0, 0]))
    ([-999.0], [])
    """
    numbers, times = np.unique(values[np.isfinite(values)], return_counts=True)
    for low, high in sorted(product(range(ENDS + 1), repeat=2), key=sum)[1:]:
        core = numbers[low : len(numbers) - high]
        ends = [*range(low), *range(len(numbers) - high, len(numbers))]
        few = len(core) >= LEAST and (times[ends] > 1).all() and 2 * times[ends].sum() < times.sum()
        if few and _are_far(numbers[ends], core):
            found = numbers[ends].tolist()
            return [*found, *marks(values[~np.isin(values, found)])]
    return []


def _are_far(ends: Floats, core: Floats) -> bool:
    width = core[-1] - core[0]
    gaps = np.maximum(core[0] - ends, ends - core[-1]).tolist()
    usual = [NINES.fullmatch(f"{end:g}") is not None for end in ends.tolist()]
    return all(gap > (NEAR if known else FAR) * width for gap, known in zip(gaps, usual, strict=True))


def said_of_marks(columns: Iterable[tuple[str, Floats]]) -> list[str]:
    """Sentences on numbers that may mark missing values, by column; the first are told in full."""
    found = [(name, values, marked) for name, values in columns if (marked := marks(values))]
    said = [_said_of(name, values, marked) for name, values, marked in found[:COLUMNS]]
    more = ", ".join(name[:SHOWN] for name, _, _ in found[COLUMNS : COLUMNS + 3])
    return said + ([f"{len(found) - COLUMNS} more columns have such numbers: {more}"] if more else [])


def _said_of(name: str, values: Floats, marked: list[float]) -> str:
    here = np.isin(values, marked)
    rest = values[np.isfinite(values) & ~here]
    shown = " or ".join(f"{mark:g}" for mark in marked)
    return (
        f"{name[:40]} is {shown} in {here.sum():,} rows, {rest.min():g} to {rest.max():g} in the others; if that marks "
        "missing values, leave them empty"
    )


def said_of_neighbours(values: NDArray[Any]) -> tuple[str, ...]:
    """A sentence on rows (n, d) whose neighbouring columns are alike, as points and pixels are; none elsewhere.

    Sound of 16 bits is known by its dtype as well. Of independent columns the steps' variance is twice their own.

    >>> noise = np.random.default_rng(0).normal(size=(20, 100))
    >>> len(said_of_neighbours(noise)), len(said_of_neighbours(noise.cumsum(axis=1)))
    (0, 1)
    """
    rows = np.asarray(values[:LOOKED])
    if rows.ndim != 2 or rows.shape[1] < ALONG or rows.dtype.kind not in "iuf":
        return ()
    sound = rows.dtype == np.int16 and rows.min(initial=0) < 0
    rows = rows.astype(np.float64)
    steps, spread = (np.diff(rows, axis=1) ** 2).sum(axis=1), 2 * rows.var(axis=1) * rows.shape[1]
    known = np.isfinite(steps) & (spread > 0)
    if not sound and not (known.any() and np.median(steps[known] / spread[known]) < ALIKE):
        return ()
    return (
        "neighbouring columns are alike, as points of a signal or pixels are; kind=signal reads signals, and images "
        "are expected (n, h, w)",
    )


def said_of_days(name: str, values: Floats) -> list[str]:
    """A sentence on whole numbers that are all days, as 20240131 is; none otherwise."""
    known = np.unique(values[np.isfinite(values)])
    days = len(known) >= LEAST and all(DAYS.fullmatch(f"{number:.10g}") for number in known[:1000].tolist())
    return (
        [f"{name[:40]} is read as numbers, though {known[0]:.10g} may be a day; drop={name[:40]} leaves it out"]
        if days
        else []
    )


def said_of_levels(name: str, levels: Iterable[str]) -> list[str]:
    """A sentence on levels that differ only in capitals, spaces or how a letter is encoded; none where none do.

    >>> said_of_levels("sex", ["Male", "female", "male"])
    ["sex: 'Male' and 'male' are two levels, which differ in capitals, spaces or encoding alone"]
    """
    seen: dict[str, str] = {}
    for level in levels:
        other = seen.setdefault(_folded(level), level)
        if other != level:
            two = f"{other[:SHOWN]!r} and {level[:SHOWN]!r}"
            return [f"{name[:40]}: {two} are two levels, which differ in capitals, spaces or encoding alone"]
    return []


def _folded(level: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", level).casefold().split())


def said_of_last(frame: pd.DataFrame) -> list[str]:
    """A sentence on a last row called total, mean or the like, as no other row is; none where it is not."""
    for name in frame.columns if len(frame) > LEAST else ():
        column = frame[name]
        last = column.iloc[-1]
        if not isinstance(last, str) or last.strip(" :.").casefold() not in TOTALS or (column == last).sum() > 1:
            continue
        return [f"{str(name)[:40]} is {last[:SHOWN]!r} in the last row alone; remove that row if it sums up the others"]
    return []


def said_of_columns(table: Table, cells: Sequence[Cells], factors: Factors, labels: Sequence[str]) -> list[str]:
    """What is to be said of the columns of a table: its inputs, its factors, and the names of its labels."""
    numbers = [(each.name, each.values) for each in cells if not each.levels]
    worded = [(each.name, each.levels) for each in cells] + [("labels", tuple(labels))]
    worded += [(spec.name, tuple(map(str, spec.values))) for spec in factors.specs]
    said = said_of_last(table.frame) + said_of_marks([*numbers, *_numbers_of(factors)])
    said += [each for name, column in numbers for each in said_of_days(name, column)]
    said += [each for name, levels in worded for each in said_of_levels(name, levels)]
    told = {each.name for each in cells} | {spec.name for spec in factors.specs}
    return said + said_of_missing({name: mark for name, mark in table.marks.items() if name in told})


def _numbers_of(factors: Factors) -> Iterator[tuple[str, Floats]]:
    """The factors that are numbers, by name: their values, not the indices of their levels."""
    columns = () if factors.values is None else factors.values.T
    for spec, column in zip(factors.specs, columns, strict=True):
        if not any(isinstance(value, str) for value in spec.values):
            index = np.nan_to_num(column).astype(np.int64)
            levels = np.asarray(spec.values, np.float64)
            yield spec.name, np.where(np.isnan(column), np.nan, levels[index]) if len(levels) else column


def said_of_missing(marks: Mapping[Any, tuple[str, int]]) -> list[str]:
    """Sentences on marks of a missing value in columns of words, for NA may be one: Namibia."""
    return [
        f"{str(name)[:40]} is {mark} in {times:,} rows, read as missing; where it is a word, write it otherwise"
        for name, (mark, times) in marks.items()
    ]
