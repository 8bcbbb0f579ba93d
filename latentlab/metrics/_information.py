"""Plug-in mutual information between binned codes and factors, in nats.

The binning is disentanglement_lib's: equal-width bins between a dimension's extremes, `np.histogram` edges without
the last, `np.digitize`. All information between (d) dimensions and (k) factors follows from one table of counts a
factor; tables are filled in blocks of rows, so memory does not grow with the rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentlab.metrics._arrays import Floats, Ints, Kinds, Scale, bin_edges, blocks, kinds_of, scale_of, survey
from latentlab.metrics._many import switch
from latentlab.system.once import once
from latentlab.system.precision import extremes

MANY = 2_000_000  # codes from which on loading numba pays
TOGETHER = 1 << 20  # counts whose logarithms are taken at once


class Information(NamedTuple):
    """Information between latent dimensions (rows) and factors (columns), in nats.

    ``mutual`` (d, k); ``code`` (d, k) entropy of each dimension over the rows that are labelled in that factor;
    ``joint`` (d, k); ``factor`` (k,) entropy of each factor.
    """

    mutual: NDArray[np.float64]
    code: NDArray[np.float64]
    joint: NDArray[np.float64]
    factor: NDArray[np.float64]


@once
def edges_of(codes: Floats, bins: int) -> Floats:
    """Lower edges of each dimension's bins, (d, bins), in the codes' own precision: those of `np.histogram`."""
    low, high = extremes(codes)
    step = (high - low) / bins
    if (step > 0).all():  # else NumPy computes each dimension in a way of its own
        return np.ascontiguousarray(np.linspace(low, high, bins + 1, dtype=codes.dtype)[:-1].T)
    return np.stack([bin_edges(pair, bins)[:-1] for pair in np.stack([low, high]).T])


def binned(codes: Floats, edges: Floats) -> Ints:
    """Bin indices (n, d) from 0; equal to ``np.digitize`` with those edges, less one."""
    columns = [np.searchsorted(edge, column, side="right") for edge, column in zip(edges, codes.T, strict=True)]
    return np.stack(columns, axis=1) - 1


def bin_codes(codes: Floats, bins: int) -> Ints:
    """Bin indices (n, d) of codes (n, d), each dimension in `bins` bins of equal width over its range."""
    return binned(codes, edges_of(codes, bins))


def tables(codes: Floats, factors: Floats, scales: list[Scale], bins: int) -> list[NDArray[np.int64]]:
    """Counts (d, bins, levels) for each factor; rows whose label is missing are left out."""
    edges, fill = edges_of(codes, bins), _compiled_tables if _compiled(codes) else _plain_tables
    sizes = [codes.shape[1] * bins * scale.size for scale in scales]
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    table = np.zeros(offsets[-1], dtype=np.int64)
    for block in blocks(len(codes)):
        levels = np.stack([scale.levels(column) for scale, column in zip(scales, factors[block].T, strict=True)])
        fill(codes[block], edges, levels, offsets, bins, table)
    parts = zip(pairwise(offsets), scales, strict=True)
    return [table[start:end].reshape(-1, bins, scale.size) for (start, end), scale in parts]


def _compiled(codes: Floats) -> bool:
    """Whether to count by a compiled pass: where many tables are made, or one of very many rows."""
    return switch.many or codes.size >= MANY


def _plain_tables(codes: Floats, edges: Floats, levels: Ints, offsets: Ints, bins: int, table: Ints) -> None:
    d = codes.shape[1]
    cells = binned(codes, edges) + np.arange(d) * bins
    for level, (start, end) in zip(levels, pairwise(offsets), strict=True):
        table[start:end] += count_cells(cells, level, (end - start) // (d * bins), end - start)


def _compiled_tables(codes: Floats, edges: Floats, levels: Ints, offsets: Ints, bins: int, table: Ints) -> None:
    from latentlab.metrics._counting_kernel import count

    count(np.ascontiguousarray(codes), edges, levels, offsets, bins, table)


def count_cells(cells: Ints, level: Ints, count: int, size: int) -> NDArray[np.int64]:
    """How often each (cell, level) occurs, flat; rows of level −1 do not count."""
    if (level < 0).any():
        cells, level = cells[level >= 0], level[level >= 0]
    return np.bincount((cells * count + level[:, None]).ravel(), minlength=size)


def entropy(counts: NDArray[np.int64], axis: int | tuple[int, ...]) -> NDArray[np.float64]:
    """Plug-in entropy in nats of counts along the axis."""
    total = counts.sum(axis=axis)
    logs = np.log(np.maximum(counts, 1))
    return np.asarray(np.log(total) - (counts * logs).sum(axis=axis) / total)


@once
def information(codes: Floats, factors: Floats, bins: int, kinds: Kinds = None) -> Information:
    """All information between codes (n, d) and factors (n, k); missing labels are left out factor by factor."""
    return from_tables(counted(codes, factors, bins, kinds))


@once
def counted(codes: Floats, factors: Floats, bins: int, kinds: Kinds = None) -> list[NDArray[np.int64]]:
    """The `tables` of codes (n, d) and factors (n, k), each factor on the scale of its own values."""
    return tables(codes, factors, _scales(factors, bins, kinds), bins)


def _scales(factors: Floats, bins: int, kinds: Kinds) -> list[Scale]:
    columns = zip(factors.T, kinds_of(factors, kinds), survey(factors), strict=True)
    return [scale_of(column, kind, bins, held) for column, kind, held in columns]


def permuted(codes: Floats, factors: Floats, bins: int, kinds: Kinds, orders: Sequence[Ints]) -> tuple[Floats, Floats]:
    """``mutual`` (m, d, k) and ``factor`` (m, k) of `information` for the factors in each of m orders of their rows.

    A factor falls into the same bins in every order, so rows are binned once.
    """
    scales = _scales(factors, bins, kinds)
    cells = bin_codes(codes, bins) + np.arange(codes.shape[1]) * bins
    levels = [scale.levels(column) for scale, column in zip(scales, factors.T, strict=True)]
    shapes = [(codes.shape[1], bins, scale.size) for scale in scales]
    counts = [
        [
            count_cells(cells, level[order], shape[-1], math.prod(shape)).reshape(shape)
            for level, shape in zip(levels, shapes, strict=True)
        ]
        for order in orders
    ]
    return together(counts)


def together(draws: Sequence[list[NDArray[np.int64]]]) -> tuple[Floats, Floats]:
    """``mutual`` (m, d, k) and ``factor`` (m, k) of several draws' tables, as `from_tables` has them of each."""
    shapes = [[table.shape for table in counts] for counts in draws]
    cells = sum(table.size for table in draws[0])
    step = max(1, TOGETHER // cells) if all(each == shapes[0] for each in shapes) else 1
    found = []
    for start in range(0, len(draws), step):
        stacked = [np.stack(tables) for tables in zip(*draws[start : start + step], strict=True)]
        found.append(from_tables(stacked))
    return np.concatenate([each.mutual for each in found]), np.concatenate([each.factor for each in found])


def from_tables(counts: list[NDArray[np.int64]]) -> Information:
    """`Information` from one table of counts (…, d, bins, levels) a factor; what stands before d stays in front."""
    margins = [table.sum(axis=-1) for table in counts]
    code = np.stack([entropy(margin, axis=-1) for margin in margins], axis=-1)
    joint = np.stack([entropy(table, axis=(-2, -1)) for table in counts], axis=-1)
    factor = np.stack([entropy(table[..., 0, :, :].sum(axis=-2), axis=-1) for table in counts], axis=-1)
    mutual = code + factor[..., None, :] - joint
    # One occupied bin means no information at all; rounding must not say otherwise.
    lone = np.stack([(margin > 0).sum(axis=-1) < 2 for margin in margins], axis=-1)
    mutual[lone | (mutual < np.finfo(float).eps)] = 0.0
    return Information(mutual, code, joint, factor)


def code_share(found: Information) -> NDArray[np.float64]:
    """Information as a share of each dimension's own entropy (d, k); 0 where a dimension has none."""
    return np.asarray(found.mutual / np.where(found.code > 0, found.code, 1.0))


def between_codes(codes: Floats, bins: int) -> NDArray[np.float64]:
    """Mutual information between the binned dimensions (d, d), the diagonal their entropies."""
    d, edges = codes.shape[1], edges_of(codes, bins)
    table = np.zeros((d, d, bins, bins), dtype=np.int64)
    add = _compiled_pairs if _compiled(codes) else _plain_pairs
    for block in blocks(len(codes)):
        add(codes[block], edges, bins, table)
    return from_tables(list(table)).mutual


def _plain_pairs(codes: Floats, edges: Floats, bins: int, table: NDArray[np.int64]) -> None:
    d = codes.shape[1]
    levels = np.ascontiguousarray(binned(codes, edges).T)
    _plain_tables(codes, edges, levels, np.arange(d + 1) * d * bins * bins, bins, table.reshape(-1))


def _compiled_pairs(codes: Floats, edges: Floats, bins: int, table: NDArray[np.int64]) -> None:
    from latentlab.metrics._counting_kernel import count_pairs

    count_pairs(np.ascontiguousarray(codes), edges, bins, table)


def top_two_gap(matrix: NDArray[np.float64], axis: int = 0) -> NDArray[np.float64]:
    """Largest less second largest along the axis; with one entry alone, that entry."""
    ordered = np.sort(matrix, axis=axis)
    largest = np.take(ordered, -1, axis=axis)
    return largest - (np.take(ordered, -2, axis=axis) if matrix.shape[axis] > 1 else 0.0)
