"""The rows that conditions look at: active codes, factors by kind, and how much each tells of the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from latentlab.analysis.score.calls import Material
from latentlab.analysis.score.dependence import Array, Ints, binned, entropy, information, ranked
from latentlab.analysis.score.nulls import active_dimensions
from latentlab.data.dataset import FactorKind
from latentlab.metrics._arrays import kind_of

ROWS = 5000  # that are looked at
CATEGORIES = 10  # levels up to which undeclared whole numbers have no order


@dataclass(frozen=True)
class Sample:
    """Rows to look at: active ``codes`` (m, d) and ``factors`` (m, k) of ``rows`` there are, by ``names`` and kind.

    ``known`` counts for each factor the rows, of all there are, in which it has a value.
    """

    codes: Array
    factors: Array
    rows: int
    names: tuple[str, ...]
    kinds: tuple[FactorKind, ...]
    known: tuple[int, ...]

    @cached_property
    def bins(self) -> int:
        """How many bins leave 20 rows for each pair of them, from three to ten."""
        return int(np.clip(np.sqrt(len(self.codes) / 20), 3, 10))

    @cached_property
    def levels(self) -> list[Ints]:
        """Each factor in bins of equal count, or in its levels where those are as few; −1 where it is missing."""
        return [binned(column, self.bins) for column in self.factors.T]

    @cached_property
    def ordered(self) -> list[int]:
        """The factors whose numbers have an order."""
        return [j for j, kind in enumerate(self.kinds) if kind in ("ordinal", "continuous")]

    @cached_property
    def ranks(self) -> Array:
        """Standardised ranks of the codes (m, d)."""
        return ranked(self.codes)

    @cached_property
    def correlations(self) -> Array:
        """Rank correlations (d, k) of dimensions with factors, 0 for factors without an order."""
        found = np.zeros((self.codes.shape[1], len(self.names)))
        for j in self.ordered:
            z, y = self.labelled(j)
            found[:, j] = z.T @ ranked(y[:, None])[:, 0] / len(y)
        return found

    def labelled(self, j: int) -> tuple[Array, Array]:
        """Standardised ranks of the codes, and a factor's values, in the rows where it has one."""
        column = self.factors[:, j]
        known = ~np.isnan(column)
        return (self.ranks, column) if known.all() else (ranked(self.codes[known]), column[known])

    @cached_property
    def told(self) -> Array:
        """The share (k, k) of the entropy of factor j that factor i tells, where significant; 1 on the diagonal."""
        k = len(self.names)
        found = np.eye(k)
        for i, j in combinations(range(k), 2):
            nats, significant = information(self.levels[i], self.levels[j], tests=k * (k - 1) // 2)
            if significant:
                found[i, j], found[j, i] = nats / entropy(self.levels[j]), nats / entropy(self.levels[i])
        return found

    def pairs(self, least: float) -> Iterator[tuple[int, int]]:
        """Pairs of factors one of which tells at least that share of the other: the teller first."""
        told = self.told
        for i, j in combinations(range(len(self.names)), 2):
            a, b = (i, j) if told[i, j] >= told[j, i] else (j, i)
            if told[a, b] >= least:
                yield a, b


def sample_of(material: Material) -> Sample | None:
    """At most 5,000 of the rows, drawn with a seed; none where there is no factor or no dimension in use."""
    live = active_dimensions(material)
    if material.factors is None or not material.factors.shape[1] or not live.any():
        return None
    n = len(material.codes)
    rows = np.arange(n) if n <= ROWS else np.sort(np.random.default_rng(0).choice(n, ROWS, replace=False))
    factors = np.asarray(material.factors[rows], np.float64)
    varied = [j for j, column in enumerate(factors.T) if len(np.unique(column[~np.isnan(column)])) > 1]
    if not varied:
        return None
    known = np.count_nonzero(~np.isnan(np.asarray(material.factors, np.float64)), axis=0)
    kinds = material.kinds or [_guessed(column) for column in factors.T]
    return Sample(
        np.asarray(material.codes[rows][:, live], np.float64),
        factors[:, varied],
        n,
        tuple(material.names[j] for j in varied),
        tuple(kinds[j] for j in varied),
        tuple(int(known[j]) for j in varied),
    )


def _guessed(column: Array) -> FactorKind:
    """The kind of an undeclared factor: more than ten whole numbers are taken to have an order."""
    kind = kind_of(column, None)
    return "ordinal" if kind == "categorical" and len(np.unique(column[~np.isnan(column)])) > CATEGORIES else kind
