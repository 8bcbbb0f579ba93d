"""Which latent dimensions recur: groups of like dimensions over several runs, at most one of each, and their nulls.

Likeness is the absolute Spearman correlation of two dimensions on rows that all runs encoded. Groups grow by average
linkage, as long as the mean likeness between two groups is at least `MATCHED` and no run would be in one twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.matching import MATCHED, standard_ranks
from latentlab.errors import InputError
from latentlab.metrics._draws import rotations

Floats = NDArray[np.float64]
LEVEL = 0.05
DRAWS = 200


@dataclass(frozen=True)
class Group:
    """Like dimensions of several runs, at most one of each.

    ``members`` has the position of the dimension by position of the run. ``strength`` is the mean absolute Spearman
    correlation over its pairs, in [0, 1]; ``permuted`` and ``rotated`` are what the strongest group of at least as many
    runs exceeds in at most 5 % of draws, divided over the numbers of runs a group may have: 0 where none forms.
    """

    members: dict[int, int]
    strength: float
    permuted: float = 0.0
    rotated: float = 0.0

    @property
    def recurring(self) -> bool:
        """Whether the group is stronger than both nulls."""
        return self.strength > max(self.permuted, self.rotated)


def recurring_groups(means: Sequence[NDArray[np.floating]], *, draws: int = DRAWS, seed: int = 0) -> list[Group]:
    """Groups of like dimensions over runs, those in most runs first, each with its nulls.

    ``means`` has the active dimensions (n, d) of each run, on the same n rows; d may differ. ``permuted`` shuffles the
    rows of every run by itself: what unrelated codes reach. ``rotated`` turns the standardised dimensions of every run
    by a random rotation: what runs reach that hold the same things along other axes. Where no group exceeds that, none
    recurs. Where one does, each is tested against the rotation of those dimensions alone that are like its members
    beyond what shuffled rows reach: a part of the space may be turned while the rest keeps its axes, and weak
    dimensions are not measured by strong ones. There are at least `draws` draws, and 20 for each number of runs that
    is tested.

    >>> z = np.random.default_rng(0).normal(size=(500, 4))
    >>> [(each.members, each.recurring) for each in recurring_groups([z, -z[:, ::-1], z[:, :1]])][0]
    ({0: 0, 1: 3, 2: 0}, True)
    """
    if len(means) < 2:
        raise InputError(f"{len(means)} run was given; recurring dimensions need at least two")
    ranks = [standard_ranks(each) for each in means]
    runs = np.repeat(np.arange(len(ranks)), [each.shape[1] for each in ranks])
    rng, draws = np.random.default_rng(seed), max(draws, 20 * (len(ranks) - 1))
    columns = np.hstack(ranks)
    correlation = columns.T @ columns
    likeness = np.abs(correlation)
    permuted, chance = _permuted(ranks, runs, draws, rng)

    def turned(dims: NDArray[np.int64]) -> Floats:
        return _rotated(correlation[np.ix_(dims, dims)], runs[dims], len(ranks), draws, rng)

    linked = [(members, _mean(likeness, members)) for members in _linked(likeness, runs)]
    everywhere = turned(np.arange(len(runs)))
    some = any(strength > max(everywhere[len(members)], permuted[len(members)]) for members, strength in linked)
    groups = []
    for members, strength in linked:
        reached = turned(_near(likeness, runs, members, chance)) if some else everywhere
        places = {int(runs[j]): _within(runs, j) for j in sorted(members)}
        groups.append(Group(places, strength, float(permuted[len(members)]), float(reached[len(members)])))
    return sorted(groups, key=lambda each: (-len(each.members), -each.strength))


def _within(runs: NDArray[np.int64], j: int) -> int:
    """The position within its run of the dimension at position j of all."""
    return int(j - np.searchsorted(runs, runs[j]))


def _mean(likeness: Floats, members: Sequence[int]) -> float:
    places, (first, second) = np.asarray(members), _pairs(len(members))
    return float(likeness[places[first], places[second]].mean())


@cache
def _pairs(count: int) -> tuple[NDArray[np.int64], ...]:
    """The positions of the first and of the second of each two of so many."""
    return np.triu_indices(count, 1)


def _linked(likeness: Floats, runs: NDArray[np.int64]) -> list[list[int]]:
    """Groups of at least two positions: the two groups that are most alike become one while they may."""
    total, members = likeness.astype(np.float64), [[j] for j in range(len(runs))]
    taken = runs[:, None] == np.unique(runs)[None, :]
    size = np.ones(len(runs))
    mean = np.where(taken @ taken.T, 0.0, total)
    while mean.size and mean.max() >= MATCHED:
        i, j = np.unravel_index(mean.argmax(), mean.shape)
        total[i] += total[j]
        total[:, i] += total[:, j]
        size[i] += size[j]
        taken[i] |= taken[j]
        members[i] += members[j]
        members[j] = []
        taken[j] = True  # it is gone: nothing joins what has every run
        mean[j] = mean[:, j] = 0.0
        mean[i] = mean[:, i] = np.where(taken @ taken[i], 0.0, total[i] / (size * size[i]))
    return [each for each in members if len(each) > 1]


def _strongest(likeness: Floats, runs: NDArray[np.int64], count: int) -> Floats:
    """The strength of the strongest group of at least k runs, by k from 0 to `count`; 0 where there is none."""
    best = np.zeros(count + 1)
    for members in _linked(likeness, runs):
        best[len(members)] = max(best[len(members)], _mean(likeness, members))
    return np.asarray(np.maximum.accumulate(best[::-1])[::-1])


def _exceeded(strongest: Sequence[Floats]) -> Floats:
    """What at most 5 % of draws exceed, divided over the numbers of runs that are tested, by number of runs."""
    found = np.sort(strongest, axis=0)
    draws, tested = len(found), found.shape[1] - 2
    place = int(np.ceil((draws + 1) * (1 - LEVEL / tested))) - 1
    return np.asarray(found[min(place, draws - 1)])


def _permuted(
    ranks: Sequence[Floats], runs: NDArray[np.int64], draws: int, rng: np.random.Generator
) -> tuple[Floats, float]:
    """The null of shuffled rows, and the likeness that the most alike two of its dimensions exceed in 5 % of draws."""
    light, others = [each.astype(np.float32) for each in ranks], runs[:, None] != runs
    strongest, most = [], []
    for _ in range(draws):
        columns = np.hstack([rng.permutation(each) for each in light])
        likeness = np.abs(columns.T @ columns)
        strongest.append(_strongest(likeness, runs, len(ranks)))
        most.append(likeness[others].max(initial=0.0))
    return _exceeded(strongest), float(np.quantile(most, 1 - LEVEL))


def _near(likeness: Floats, runs: NDArray[np.int64], members: Sequence[int], chance: float) -> NDArray[np.int64]:
    """The members, and every dimension that is more like one of another run than chance makes it."""
    alike = (likeness[:, members] > chance) & (runs[:, None] != runs[members])
    return np.union1d(np.flatnonzero(alike.any(axis=1)), members)


def _rotated(correlation: Floats, runs: NDArray[np.int64], count: int, draws: int, rng: np.random.Generator) -> Floats:
    """The null of each run's dimensions turned. Correlations turn with them, so no row is read again."""
    sizes = np.bincount(runs, minlength=count)
    if sizes.max(initial=0) < 2:
        return np.zeros(count + 1)  # one dimension of each run: there is nothing to turn it with
    places = [slice(start, end) for start, end in pairwise(np.cumsum([0, *sizes]))]
    turn = np.zeros_like(correlation)
    strongest = []
    for each in rotations(rng, sizes.tolist(), draws):
        for place, part in zip(places, each, strict=True):
            turn[place, place] = part
        turned = turn.T @ correlation @ turn
        scale = np.sqrt(np.maximum(np.diag(turned), 1e-12))
        strongest.append(_strongest(np.abs(turned) / np.outer(scale, scale), runs, count))
    return _exceeded(strongest)
