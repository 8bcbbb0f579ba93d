"""Random draws that metrics and their nulls share: batches of rows that share one factor's value, and rotations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.random import Generator, RandomState

from latentlab.errors import InputError
from latentlab.metrics._arrays import Floats, Ints, Kinds, kinds_of, levels_of
from latentlab.metrics._many import switch


class Draws(NamedTuple):
    """Batches of rows that share one factor's value.

    ``fixed`` (b,) says which factor; ``rows`` are row indices, (b, m), or (b, m, 2) for pairs that share it.
    """

    fixed: Ints
    rows: Ints


def rotation(random: Generator | RandomState, d: int) -> Floats:
    """An orthogonal matrix (d, d), uniform over all of that size (Mezzadri 2007).

    >>> turn = rotation(RandomState(0), 3)
    >>> bool(np.allclose(turn @ turn.T, np.eye(3)))
    True
    """
    return _orthogonal(random.standard_normal((d, d)))


def rotations(random: Generator | RandomState, sizes: Sequence[int], draws: int) -> list[list[Floats]]:
    """What `rotation` draws for these sizes in turn, `draws` times; those of one place are factorised at once."""
    normal = [[random.standard_normal((d, d)) for d in sizes] for _ in range(draws)]
    found = [list[Floats]() for _ in range(draws)]
    for each in zip(*normal, strict=True):
        for turns, turn in zip(found, _orthogonal(np.stack(each)), strict=True):
            turns.append(turn)
    return found


def _orthogonal(normal: Floats) -> Floats:
    """Square matrices (…, d, d) of normal numbers made orthogonal."""
    turn, triangle = np.linalg.qr(normal)
    return np.asarray(turn * np.sign(np.diagonal(triangle, axis1=-2, axis2=-1))[..., None, :])


def by_rank(order: Floats, ordered: Floats) -> Floats:
    """Column by column the ordered values (n, d), in the order of another array.

    >>> by_rank(np.array([[0.5], [-2.0], [7.0]]), np.array([[1.0], [2.0], [3.0]])).ravel().tolist()
    [2.0, 1.0, 3.0]
    """
    found = np.empty_like(ordered)
    if switch.many:
        from latentlab.metrics._ranking_kernel import give_by_rank

        give_by_rank((order + order.dtype.type(0)).view(f"u{order.itemsize}"), ordered, found)  # -0 becomes 0
    else:
        np.put_along_axis(found, np.argsort(order, axis=0, kind="stable"), ordered, axis=0)
    return found


class _Groups(NamedTuple):
    """Rows of one factor sorted by level: those of level l are ``order[start[l] : start[l] + size[l]]``."""

    order: Ints
    start: Ints
    size: Ints
    level: Ints


def _groups(factors: Floats, kinds: Kinds) -> list[_Groups]:
    found = []
    for column, kind in zip(factors.T, kinds_of(factors, kinds), strict=True):
        level, count = levels_of(column, kind)
        order = np.argsort(level, kind="stable")[int((level < 0).sum()) :]
        size = np.bincount(level[level >= 0], minlength=count)
        found.append(_Groups(order, np.cumsum(size) - size, size, level))
    return found


def _alike(group: _Groups, level: Ints, random: RandomState) -> Ints:
    """For each given level a row of that level, drawn with replacement."""
    step = (random.random_sample(level.shape) * group.size[level]).astype(np.int64)
    return np.asarray(group.order[group.start[level] + step])


def draw_alike(factors: Floats, batches: int, batch: int, random: RandomState, kinds: Kinds = None) -> Draws:
    """Batches (b, m) of rows that share the value that one random row has of one random factor."""
    groups = _groups(factors, kinds)
    fixed = random.randint(len(groups), size=batches)
    rows = np.empty((batches, batch), dtype=np.int64)
    for j, group in enumerate(groups):
        mine = fixed == j
        anchor = group.order[random.randint(len(group.order), size=int(mine.sum()))]
        rows[mine] = _alike(group, np.repeat(group.level[anchor][:, None], batch, axis=1), random)
    return Draws(fixed, rows)


def draw_pairs(factors: Floats, batches: int, batch: int, random: RandomState, kinds: Kinds = None) -> Draws:
    """Batches (b, m, 2) of pairs of rows; the two of a pair share the value of the batch's factor."""
    groups = _groups(factors, kinds)
    fixed = random.randint(len(groups), size=batches)
    rows = np.empty((batches, batch, 2), dtype=np.int64)
    for j, group in enumerate(groups):
        mine = fixed == j
        first = group.order[random.randint(len(group.order), size=(int(mine.sum()), batch))]
        rows[mine] = np.stack([first, _alike(group, group.level[first], random)], axis=2)
    return Draws(fixed, rows)


def check_draws(draws: Draws, n: int) -> Draws:
    """Draws as arrays whose rows exist among n; `InputError` otherwise."""
    fixed, rows = np.asarray(draws[0]), np.asarray(draws[1])
    if fixed.ndim != 1 or rows.ndim < 2 or len(fixed) != len(rows) or len(rows) == 0:
        raise InputError(f"draws: fixed has shape {fixed.shape}, rows {rows.shape}; expected (b,) and (b, m)")
    if rows.min() < 0 or rows.max() >= n:
        raise InputError(
            f"draws name rows {rows.min()} to {rows.max()} but codes has {n}; were they made from the same set?"
        )
    return Draws(fixed.astype(np.int64), rows.astype(np.int64))
