"""Categorical columns of a data set that a model is told: their levels, and each row's as ones and zeros."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from latentlab.data.dataset import Dataset
from latentlab.errors import InputError

MOST = 1000  # levels of one column


class Column(Protocol):
    """A column that a model is told: `latentlab.runs.config.Condition`."""

    @property
    def name(self) -> str:
        """The factor's name, or ``label``."""

    @property
    def levels(self) -> tuple[str, ...]:
        """Its levels, in the order of the ones and zeros."""


def condition_of(data: Dataset, name: str) -> dict[str, Any]:
    """What a column of the data is as a condition.

    Parameters
    ----------
    data : Dataset
        With that column among its factors or as its label.
    name : str
        The column.

    Returns
    -------
    dict
        The content of a `latentlab.runs.config.Condition`: name, levels, and the level that most rows have.

    Raises
    ------
    InputError
        For an unknown column, and one with a single level or too many.
    """
    words = _words(data, name)
    levels, counts = np.unique(words, return_counts=True)
    if not 2 <= len(levels) <= MOST:
        raise InputError(f"{data.name}: {name[:40]} has {len(levels):,} levels; a condition has 2 to {MOST:,}")
    return {"name": name, "levels": tuple(levels.tolist()), "usual": str(levels[counts.argmax()])}


def one_hot(data: Dataset, columns: Sequence[Column]) -> NDArray[np.float32]:
    """Each row's levels as ones and zeros, column after column.

    Parameters
    ----------
    data : Dataset
        With those columns.
    columns : sequence
        Their names and levels, k in all.

    Returns
    -------
    array (n, k), float32
        A one for each row's level of each column.

    Raises
    ------
    InputError
        For an unknown column, and a row with a level that is not among the column's.
    """
    parts = []
    for column in columns:
        words = _words(data, column.name)
        place = {level: i for i, level in enumerate(column.levels)}
        if unknown := next((word for word in words if word not in place), None):
            known = ", ".join(column.levels)[:60]
            raise InputError(f"{data.name}: {column.name[:40]} is {unknown[:40]!r}; the model knows {known}")
        parts.append(np.eye(len(place), dtype=np.float32)[[place[word] for word in words]])
    return np.concatenate(parts, axis=1)


def at_levels(columns: Sequence[Column], chosen: Mapping[str, str]) -> NDArray[np.float32]:
    """One row of ones and zeros: every column at a chosen level.

    Parameters
    ----------
    columns : sequence
        Names and levels, k in all.
    chosen : mapping of str to str
        The level of each column, by its name.

    Returns
    -------
    array (1, k), float32
        A one for the level of each column.

    Raises
    ------
    InputError
        For a level that a column does not have.
    """
    parts = []
    for column in columns:
        level = chosen[column.name]
        if level not in column.levels:
            known = ", ".join(column.levels)[:80]
            raise InputError(f"{column.name[:40]} has no level {level[:40]!r}; it has: {known}")
        parts.append(np.eye(len(column.levels), dtype=np.float32)[[column.levels.index(level)]])
    return np.concatenate(parts, axis=1)


def _words(data: Dataset, name: str) -> list[str]:
    """The level of each row by name."""
    names = [spec.name for spec in data.specs]
    if name in names and data.factors is not None:
        spec, values = data.specs[names.index(name)], data.factors[:, names.index(name)]
        if spec.kind in ("continuous", "circular"):
            raise InputError(f"{data.name}: {name[:40]} is {spec.kind}; a condition is a categorical column")
        if np.isnan(values).any():
            raise InputError(f"{data.name}: {name[:40]} is missing in {int(np.isnan(values).sum()):,} rows; fill them")
        level = (lambda value: spec.values[int(value)]) if spec.levels else float
        return [_word(level(value)) for value in values]
    if name == "label" and data.labels is not None:
        named = data.label_names
        if named and (data.labels < 0).any():
            raise InputError(f"{data.name}: label is missing in {int((data.labels < 0).sum()):,} rows; fill them")
        return [named[number] if named else str(number) for number in data.labels.tolist()]
    known = ", ".join([*names, *(["label"] if data.labels is not None else [])])[:80]
    raise InputError(f"{data.name} has no column {name[:40]!r} for a condition; it has: {known or 'none'}")


def _word(level: float | str) -> str:
    return level if isinstance(level, str) else f"{level:g}"
