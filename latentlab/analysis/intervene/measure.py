"""Interchange interventions: which part of a code carries a factor, read off decoded images.

A part of a base row's code is replaced by that of a donor row, and the result is decoded (Geiger et al. 2021). With e
the numbers that stand for a factor (`latentlab.analysis.leakage.reader.embed`), r those read off the decoded base and
r′ those read after the swap, over pairs of rows:

- **cause** of a factor: Σ⟨r′ − r, e_donor − e_base⟩ / Σ‖e_donor − e_base‖²: 1 where the image takes the donor's value,
  0 where it keeps the base's or changes independently of the donor.
- **movement** of a factor: √(max(0, Σ‖r′ − r‖² / n − 2N) / (Σ‖e_donor − e_base‖² / n)), N being the noise of the
  reader, whichever way it moves: `leakage`'s change, without the root for a categorical factor.
- **isolation**: 1 − the movement of that other factor which moves most.

Both are in the terms of Huang et al. 2024. A part is worth cause + isolation − 1, its **balance**: 0 for nothing and
0 for the whole code of a perfect decoder.

Rows form disjoint pairs in three groups. The first group chooses: dimensions are added one at a time by the balance
that results, and directions in the order of `subspace.conditional`. The second group tests this sequence from its
beginning and stops at the first step whose gain is not significantly above LEAST: a sequence fixed by other rows may be
tested so without correction for its length. The third group gives the values and intervals of what was chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from latentlab.analysis.intervene.estimate import Estimate
from latentlab.analysis.intervene.subspace import Subspace, axes, conditional
from latentlab.analysis.leakage.reader import Scale, embed
from latentlab.errors import InputError
from latentlab.metrics._arrays import levels_of
from latentlab.runs.differences import t_beyond

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Read = Callable[[Floats, Ints], list[Floats]]
Kind = Literal["dimensions", "subspace", "entangled", "absent"]

PAIRS = 256
LEAST_PAIRS = 16
REDRAWS = 400
LEAST = 0.05
ALPHA = 0.05
MOST = 6
TRIED = 8
FITTED = 20_000


@dataclass(frozen=True, slots=True)
class Intervention:
    """The part of the code that carries one factor.

    ``kind`` is ``dimensions`` (the latent dimensions ``dims``), ``subspace`` (the part that ``weights`` read and
    ``directions`` move, both (r, d)), ``entangled`` (the whole code changes the factor, but no part was found that
    changes it more than another factor) or ``absent`` (not even the whole code changes it). ``cause`` and ``isolation``
    are None where no part was found; ``isolation`` also where no other factor is read.
    ``into`` is the other factor that moves most, ``whole`` the cause of a swap of the whole code.
    """

    factor: str
    kind: Kind
    whole: Estimate
    dims: tuple[int, ...] = ()
    directions: tuple[tuple[float, ...], ...] = ()
    weights: tuple[tuple[float, ...], ...] = ()
    cause: Estimate | None = None
    isolation: Estimate | None = None
    into: str | None = None

    @property
    def found(self) -> bool:
        """Whether a part of the code was found that carries the factor."""
        return self.kind in ("dimensions", "subspace")


@dataclass(frozen=True, eq=False)
class Pairs:
    """Codes of base and donor rows (n, d), the positions ``rows`` (n,) of the base, how each factor differs between
    them, ``wanted``, and what was read off the decoded base, ``before``. ``shares`` (1 + draws, n) are what each pair
    counts for: all alike first, then in each bootstrap draw."""

    base: Floats
    donor: Floats
    rows: Ints
    wanted: list[Floats]
    before: list[Floats]
    shares: Floats


@dataclass(frozen=True, eq=False)
class Swap:
    """``cause`` and ``movement`` (1 + draws, k) of every factor when one part of the code is swapped."""

    cause: Floats
    movement: Floats

    def balance(self, k: int, into: int | None) -> Floats:
        """Cause of factor k minus the movement of another (1 + draws,)."""
        return self.cause[:, k] - (0 if into is None else self.movement[:, into])

    def most_moved(self, k: int) -> int | None:
        """The factor other than k that moves most; None where there is no other."""
        others = np.delete(np.arange(self.cause.shape[1]), k)
        return int(others[self.movement[0, others].argmax()]) if len(others) else None


@dataclass(frozen=True, eq=False)
class Step:
    """A part of the code, the other factor that moves most with it, and the balance on the pairs that chose it."""

    part: Subspace
    into: int | None
    balance: float
    dims: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Experiment:
    """Codes (n, d) with the numbers that stand for their factors, pairs of their rows, and a reader of decodings."""

    codes: Floats
    scales: Sequence[Scale]
    read: Read
    choosing: Pairs
    testing: Pairs
    reporting: Pairs
    dims: Ints
    levels: list[Ints]
    fitted: Ints
    swaps: dict[tuple[int, ...], Swap] = field(default_factory=dict, repr=False)

    def swap(self, pairs: Pairs, part: Subspace) -> Swap:
        """What a swap of a part of the code does to each factor."""
        after = self.read(part.swapped(pairs.base, pairs.donor), pairs.rows)
        change = [new - old for new, old in zip(after, pairs.before, strict=True)]
        size = np.stack([(wanted**2).sum(axis=1) for wanted in pairs.wanted], axis=1)
        along = np.stack([(c * w).sum(axis=1) for c, w in zip(change, pairs.wanted, strict=True)], axis=1)
        square = np.stack([(c**2).sum(axis=1) for c in change], axis=1)
        noise = 2 * np.array([scale.noise for scale in self.scales])
        size, along, square = (pairs.shares @ each for each in (size, along, square))
        size = np.maximum(size, np.finfo(float).tiny)
        share = np.clip((square - noise) / size, 0, 1)
        categorical = np.array([scale.spec.kind == "categorical" for scale in self.scales])
        return Swap(along / size, np.where(categorical, share, np.sqrt(share)))

    def chosen_by(self, dims: tuple[int, ...]) -> Swap:
        """The swap of some dimensions on the pairs that choose; decoded once, whichever factor asks."""
        key = tuple(sorted(dims))
        if key not in self.swaps:
            self.swaps[key] = self.swap(self.choosing, axes(key, self.codes.shape[1]))
        return self.swaps[key]


def complete_rows(columns: Floats) -> Ints:
    """The rows whose factors (n, k) are all known; an `InputError` where they are too few for swaps between rows."""
    complete = np.flatnonzero(np.isfinite(columns).all(axis=1))
    if len(complete) < 8 * LEAST_PAIRS:
        raise InputError(
            f"{len(complete)} rows have all factors known; swaps between rows need at least {8 * LEAST_PAIRS}"
        )
    return complete


def experiment(
    codes: Floats,
    columns: Floats,
    scales: Sequence[Scale],
    read: Read,
    *,
    dims: Ints,
    pairs: int = PAIRS,
    draws: int = REDRAWS,
    seed: int = 0,
) -> Experiment:
    """Pairs of rows of `codes` (n, d), whose factors `columns` (n, k) are known, and what is read off their bases.

    An eighth of the rows chooses, an eighth tests, a quarter reports (as pairs of rows; at most `pairs`, `pairs` and
    twice that). `dims` are the dimensions that may be swapped.
    """
    complete = complete_rows(columns)
    n = min(pairs, len(complete) // 8)
    rng = np.random.default_rng(seed)
    order = rng.permutation(complete)
    truth = [embed(columns, scale) for scale in scales]
    groups = np.split(order[: 8 * n].reshape(4 * n, 2), [n, 2 * n])
    choosing, testing, reporting = (_paired(codes, truth, rows, read, draws, rng) for rows in groups)
    fitted = np.concatenate([order[: 2 * n], order[8 * n :]])[:FITTED]
    levels = [levels_of(columns[fitted, scale.index], scale.spec.kind)[0] for scale in scales]
    return Experiment(codes, scales, read, choosing, testing, reporting, dims, levels, fitted)


def interventions(trial: Experiment) -> list[Intervention]:
    """The part of the code that carries each factor, chosen, tested and measured on different pairs."""
    everything = axes(range(trial.codes.shape[1]), trial.codes.shape[1])
    tested, whole = (trial.swap(pairs, everything) for pairs in (trial.testing, trial.reporting))
    return [_intervention(trial, k, tested, whole) for k in range(len(trial.scales))]


def single_causes(trial: Experiment) -> Floats:
    """The cause (d, k) of every single dimension for every factor, on the pairs that choose; 0 of those not swapped."""
    found = np.zeros((trial.codes.shape[1], len(trial.scales)))
    for j in trial.dims.tolist():
        found[j] = trial.chosen_by((j,)).cause[0]
    return found


def _paired(codes: Floats, truth: list[Floats], rows: Ints, read: Read, draws: int, rng: np.random.Generator) -> Pairs:
    base, donor = rows.T
    n = len(base)
    drawn = rng.multinomial(n, np.full(n, 1 / n), draws)
    shares = np.concatenate([np.ones((1, n)), drawn]) / n
    wanted = [each[donor] - each[base] for each in truth]
    return Pairs(codes[base], codes[donor], base, wanted, read(codes[base], base), shares)


def _intervention(trial: Experiment, k: int, whole_tested: Swap, whole: Swap) -> Intervention:
    name, reached = trial.scales[k].spec.name, Estimate.of(whole.cause[:, k])
    (by_axis, held), (by_angle, turned) = (_tested(trial, k, path) for path in (_forward(trial, k), _turned(trial, k)))
    step = by_angle if _preferred(trial, by_angle, turned, by_axis, held) else by_axis
    if step is None:
        return Intervention(name, "entangled" if _exceeds(trial, whole_tested.cause[:, k]) else "absent", reached)
    measured = trial.swap(trial.reporting, step.part)
    part = {} if step.dims else {"directions": _rows(step.part.directions), "weights": _rows(step.part.weights)}
    return Intervention(
        name,
        "dimensions" if step.dims else "subspace",
        reached,
        step.dims,
        **part,
        cause=Estimate.of(measured.cause[:, k]),
        isolation=None if step.into is None else Estimate.of(1 - measured.movement[:, step.into]),
        into=None if step.into is None else trial.scales[step.into].spec.name,
    )


def _preferred(trial: Experiment, step: Step | None, gain: Floats, other: Step | None, held: Floats) -> bool:
    """Whether a step is better than another on the pairs that test: smaller and not worse, or significantly better."""
    if step is None or other is None:
        return step is not None
    smaller = len(step.part.weights) < len(other.part.weights)
    return _exceeds(trial, gain - held) or (smaller and not _exceeds(trial, held - gain))


def _forward(trial: Experiment, k: int) -> list[Step]:
    """Dimensions added one at a time, each the one that gives the best balance, as long as it gains LEAST."""
    d = trial.codes.shape[1]
    cause = {j: trial.chosen_by((j,)).cause[0, k] for j in trial.dims.tolist()}
    tried = sorted(cause, key=lambda j: -cause[j])[:TRIED]
    path: list[Step] = []
    while len(path) < min(MOST, len(tried)):
        held = path[-1].dims if path else ()
        sets = [(*held, j) for j in tried if j not in held]
        best = max((_step(trial.chosen_by(dims), axes(dims, d), k, dims) for dims in sets), key=lambda s: s.balance)
        if best.balance - (path[-1].balance if path else 0) <= LEAST:
            break
        path.append(best)
    return path


def _turned(trial: Experiment, k: int) -> list[Step]:
    """Directions of `conditional` added in their order, as long as the next one gains LEAST."""
    span = conditional(trial.codes[trial.fitted], trial.levels[k], trial.dims, MOST)
    path: list[Step] = []
    for rank in range(1, len(span.weights) + 1):
        part = span.first(rank)
        step = _step(trial.swap(trial.choosing, part), part, k)
        if step.balance - (path[-1].balance if path else 0) <= LEAST:
            break
        path.append(step)
    return path


def _step(swap: Swap, part: Subspace, k: int, dims: tuple[int, ...] = ()) -> Step:
    into = swap.most_moved(k)
    return Step(part, into, float(swap.balance(k, into)[0]), dims)


def _tested(trial: Experiment, k: int, path: Sequence[Step]) -> tuple[Step | None, Floats]:
    """The last step before the first that does not gain significantly, and its balance on the pairs that test."""
    passed, held = None, np.zeros(len(trial.testing.shares))
    for step in path:
        balance = trial.swap(trial.testing, step.part).balance(k, step.into)
        if not _exceeds(trial, balance - held):
            break
        passed, held = step, balance
    return passed, held


def _exceeds(trial: Experiment, gain: Floats) -> bool:
    """Whether a gain (1 + draws,) is above LEAST: one-sided, over all factors and both ways to choose a part."""
    n, level = len(trial.testing.rows), ALPHA / (2 * len(trial.scales))
    return bool(gain[0] - LEAST > t_beyond(level, n - 1) * gain[1:].std(ddof=1))


def _rows(matrix: Floats) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, matrix.tolist()))
