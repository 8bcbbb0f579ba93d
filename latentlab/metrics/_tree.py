"""What the kernels of one regression tree share: its rows, its nodes and its scratch memory.

A tree is a heap: node i has children 2i + 1 and 2i + 2; a node that is not split has feature −1 and is a leaf.
Arrays of rows are (levels, d, n): one layer per level, one line per feature, holding the rows sorted by that feature
within each node's range. The top layer of all but the residuals serves every tree.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

CLOSE = 1e-7  # scikit-learn does not split between values closer than this
FLAT = 2.0**-52  # nor nodes of less variance
UNKNOWN, UNTOUCHED = -2, -1  # a node's rows are not in scikit-learn's order yet; they are, as the node finds them


class Sorted(NamedTuple):
    """Rows sorted by each feature: numbers of the rows, their values and residuals; ``columns`` (d, n) are unsorted.

    ``tied`` (d,) says which features have rows of equal value that are not alike in everything: the order of rows that
    are, as drawn twice from a grid, changes no sum.
    """

    columns: Any
    orders: Any
    values: Any
    residuals: Any
    tied: Any


class Nodes(NamedTuple):
    """By node: its split, its range of rows, and how it was searched.

    ``visited`` are the features in the order in which scikit-learn sorts by them, ``visits`` their number;
    ``constant`` counts those that do not vary from here on. ``done`` counts the visits that the rows have had where
    their order was asked for. Sums are right but for rounding; ``impurity`` is scikit-learn's to the last bit where the
    node above is ``weighed``. ``node_of`` (n,) is each row's node.
    """

    level: Any
    feature: Any
    threshold: Any
    first: Any
    end: Any
    constant: Any
    visited: Any
    visits: Any
    done: Any
    weighed: Any
    impurity: Any
    total: Any
    square: Any
    node_of: Any


class Scratch(NamedTuple):
    """Memory to work in: running sums, gains and a view of their bits, features drawn, rows as they are sorted and as
    they are found, sums left of splits."""

    sums: Any
    gain: Any
    bits: Any
    inverse: Any
    backwards: Any
    top: Any
    features: Any
    constants: Any
    state: Any
    rows: Any
    keys: Any
    found: Any
    left: Any
    pending: Any


class Leaves(NamedTuple):
    """A tree's values by node, and room for the rows' numerators and denominators, those of a node side by side."""

    value: Any
    ends: Any
    above: Any
    below: Any


def tied_features(
    columns: NDArray[np.float32], order: NDArray[np.int64], target: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which features (d,) of rows (d, n) have equal values in rows that differ in something, the target included."""
    values = np.take_along_axis(columns, order, axis=1)
    equal = values[:, 1:] == values[:, :-1]
    rows = np.unique(np.concatenate([order[:, :-1][equal], order[:, 1:][equal]]))
    alike, n = np.arange(columns.shape[1]), columns.shape[1]
    alike[rows] = (
        n + np.unique(np.column_stack([*columns[:, rows], target[rows]]), axis=0, return_inverse=True)[1].ravel()
    )
    return np.asarray((equal & (alike[order[:, 1:]] != alike[order[:, :-1]])).any(axis=1))


def memory(columns: NDArray[np.float32], order: NDArray[np.int64], depth: int) -> tuple[Sorted, Nodes, Scratch, Leaves]:
    """What growing trees of that depth on rows (d, n) needs, the rows filled in; every feature counts as tied."""
    d, n = columns.shape
    orders, values = np.empty((depth, d, n), np.uint32), np.empty((depth, d, n), np.float32)
    orders[0], values[0] = order, np.take_along_axis(columns, order, axis=1)
    size = (1 << (depth + 1)) - 1
    whole = np.zeros((6, size), np.int64)
    nodes = Nodes(
        level=np.log2(np.arange(1, size + 1)).astype(np.int64),
        feature=whole[0],
        threshold=np.zeros(size),
        first=whole[1],
        end=whole[2],
        constant=whole[3],
        visited=np.zeros((size, d), np.int64),
        visits=whole[4],
        done=whole[5],
        weighed=np.zeros(size, np.bool_),
        impurity=np.zeros(size),
        total=np.zeros(size),
        square=np.zeros(size),
        node_of=np.zeros(n, np.uint8),
    )
    gain = np.zeros(n)
    inverse = np.concatenate([[0.0], 1.0 / np.arange(1, n + 1)])
    scratch = Scratch(
        sums=np.zeros((4, n)),
        gain=gain,
        bits=gain.view(np.int64),
        inverse=inverse,
        backwards=inverse[::-1].copy(),
        top=np.zeros(d),
        features=np.zeros(d, np.int64),
        constants=np.zeros(d, np.int64),
        state=np.zeros(1, np.uint32),
        rows=np.tile(np.arange(n, dtype=np.uint32), (depth + 1, 1)),
        keys=np.zeros(n, np.float32),
        found=np.zeros(n, np.uint32),
        left=np.zeros(16),
        pending=np.zeros((64, 3), np.int64),
    )
    leaves = Leaves(np.zeros(size), np.zeros(size + 1, np.int64), np.zeros(n), np.zeros(n))
    tied = np.ones(d, np.bool_)
    return Sorted(columns, orders, values, np.zeros((depth, d, n)), tied), nodes, scratch, leaves
