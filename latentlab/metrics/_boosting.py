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
from typing import NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from latentlab.metrics._arrays import Floats, Ints
from latentlab.metrics._tree import memory

ROUNDS, DEPTH, RATE = 100, 3, 0.1


class Boosted(NamedTuple):
    """Importances (d,) that sum to 1 (all 0 where no tree splits), and predicted classes of train and test rows."""

    importances: NDArray[np.float64]
    train: Ints
    test: Ints


def boost(codes: Floats, targets: list[Ints], test_codes: Floats, seed: int = 0, threads: int = 2) -> list[Boosted]:
    """One booster per target (n,) of classes 0 … K − 1, on codes (n, d); the same bits on any number of threads."""
    from latentlab.metrics._boosting_kernel import boost as add_rounds

    columns = np.ascontiguousarray(codes.T, dtype=np.float32)
    test = np.ascontiguousarray(test_codes.T, dtype=np.float32)
    path = np.array(_depth_first(0, (1 << DEPTH) - 1))
    order = np.argsort(columns, axis=1, kind="stable")

    def one(target: Ints) -> Boosted:
        start = _start(target, int(target.max()) + 1)
        seeds = RandomState(seed).randint(0, 2**31 - 1, size=(ROUNDS, len(start)))
        train, held_out = (np.tile(start[:, None], rows.shape[1]) for rows in (columns, test))
        gains, residuals = np.zeros(len(columns)), np.zeros_like(train)
        room = memory(columns, order, target, DEPTH)
        add_rounds(*room, test, target, path, seeds, RATE, train, residuals, held_out, gains)
        total = gains.sum()
        return Boosted(gains / total if total > 0 else gains, _decide(train), _decide(held_out))

    # The largest first: with few threads the last one to start decides when all are done.
    ranked = sorted(range(len(targets)), key=lambda j: -int(targets[j].max()))
    with ThreadPoolExecutor(max(1, min(threads, len(targets)))) as pool:
        found = dict(zip(ranked, pool.map(one, [targets[j] for j in ranked]), strict=True))
    return [found[j] for j in range(len(targets))]


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
