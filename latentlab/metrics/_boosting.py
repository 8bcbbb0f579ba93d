"""Gradient-boosted trees as scikit-learn's `GradientBoostingClassifier` grows them, compiled.

First-order boosting of the multinomial (or, for two classes, binomial) deviance: a round grows one regression tree a
class on the residuals y − p by largest decrease of squared error over exact, presorted splits; leaves take one Newton
step. Same rules as scikit-learn 1.9: float32 features, values closer than 1e-7 are not split, thresholds at midpoints,
leaves of one row allowed, nodes of no variance left alone, the factor (K − 1)/K on multinomial leaves, importances the
sum of decreases over all trees, features visited in its random order. Where splits tie but for rounding, its rounding
decides: rows are summed in the order in which its sorts would leave them (`_ties_kernel`).

What makes it fast: a tree's rows stay sorted by every feature while nodes are split (a stable partition of the
presorted order), so a level is three sequential passes; four running sums are taken at once, gains vectorise, and
scikit-learn's own order of the rows is worked out where it decides something, and nowhere else.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from latentlab.metrics._arrays import Floats, Ints
from latentlab.metrics._tree import memory, tied_features

ROUNDS, DEPTH, RATE = 100, 3, 0.1
TURN = 5  # rounds that a thread grows of a booster before it looks for the one with most left


class Boosted(NamedTuple):
    """Importances (d,) that sum to 1 (all 0 where no tree splits), and predicted classes of train and test rows."""

    importances: NDArray[np.float64]
    train: Ints
    test: Ints


@dataclass(eq=False)
class _Growing:
    """A booster as far as it is grown: raw predictions (K, n) and (K, m), a seed for each round and class (rounds, K).

    ``grown`` counts the rounds; ``held`` says that a thread is growing it.
    """

    target: Ints
    tied: NDArray[np.bool_]
    seeds: Ints
    train: NDArray[np.float64]
    test: NDArray[np.float64]
    residuals: NDArray[np.float64]
    gains: NDArray[np.float64]
    grown: int = 0
    held: bool = False

    @property
    def left(self) -> int:
        """How many trees are still to be grown."""
        return (ROUNDS - self.grown) * len(self.train)

    @property
    def found(self) -> Boosted:
        """What it has come to."""
        total = self.gains.sum()
        return Boosted(self.gains / total if total > 0 else self.gains, _decide(self.train), _decide(self.test))


def boost(codes: Floats, targets: list[Ints], test_codes: Floats, seed: int = 0, threads: int = 2) -> list[Boosted]:
    """One booster per target (n,) of classes 0 … K − 1, on codes (n, d); the same bits on any number of threads."""
    from latentlab.metrics._boosting_kernel import boost as add_rounds

    columns = np.ascontiguousarray(codes.T, dtype=np.float32)
    test = np.ascontiguousarray(test_codes.T, dtype=np.float32)
    path = np.array(_depth_first(0, (1 << DEPTH) - 1))
    order = np.argsort(columns, axis=1, kind="stable")
    growing, taking = [_begun(columns, order, test, target, seed) for target in targets], Lock()

    def take() -> _Growing | None:
        """The booster with most left to grow that no other thread has: so all threads end at about the same time."""
        with taking:
            idle = [each for each in growing if each.left and not each.held]
            if not idle:
                return None
            chosen = max(idle, key=lambda each: each.left)
            chosen.held = True
            return chosen

    def work(_: int) -> None:
        data, *room = memory(columns, order, DEPTH)
        while (each := take()) is not None:
            rows, end = data._replace(tied=each.tied), each.grown + TURN
            lines = each.train, each.residuals, each.test
            seeds = each.seeds[each.grown : end]
            add_rounds(rows, *room, test, each.target, path, seeds, RATE, *lines, each.gains)
            each.grown = min(end, ROUNDS)
            each.held = False

    workers = max(1, min(threads, len(targets)))
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    return [each.found for each in growing]


def _begun(columns: NDArray[np.float32], order: Ints, test: NDArray[np.float32], target: Ints, seed: int) -> _Growing:
    start = _start(target, int(target.max()) + 1)
    train, held_out = (np.tile(start[:, None], rows.shape[1]) for rows in (columns, test))
    seeds = RandomState(seed).randint(0, 2**31 - 1, size=(ROUNDS, len(start)))
    tied = tied_features(columns, order, target)
    return _Growing(target, tied, seeds, train, held_out, np.zeros_like(train), np.zeros(len(columns)))


def _depth_first(node: int, inner: int) -> list[int]:
    """Nodes under `node` of a heap with that many inner nodes, in the order in which scikit-learn splits them."""
    if node >= inner:
        return []
    return [node, *_depth_first(2 * node + 1, inner), *_depth_first(2 * node + 2, inner)]


def _start(target: Ints, classes: int) -> NDArray[np.float64]:
    """Raw predictions before the first round: centred log frequencies, or the log odds of two classes."""
    from scipy.special import logit
    from scipy.stats import gmean

    eps = np.finfo(np.float64).eps
    share = np.clip(np.bincount(target, minlength=classes) / len(target), eps, 1 - eps)
    if classes == 2:
        return np.array([logit(share[1])])
    return np.asarray(np.log(share / gmean(share[None], axis=1)[0]))


def _decide(raw: NDArray[np.float64]) -> Ints:
    return raw.argmax(axis=0) if len(raw) > 1 else (raw[0] >= 0).astype(np.int64)
