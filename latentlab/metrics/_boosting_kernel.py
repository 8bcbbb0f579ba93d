"""The compiled half of `_boosting`; imported when a booster is first asked for, since it loads numba.

Arrays of rows are (d, n): one line a feature, holding the rows sorted by that feature within each node's range. A tree
is a heap: node i has children 2i + 1 and 2i + 2; a node that is not split has feature −1 and is a leaf.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

CLOSE = np.float32(1e-7)  # scikit-learn does not split between values closer than this
FLAT = np.finfo(np.float64).eps  # nor nodes of less variance
TINY = 1e-150


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled without the interpreter lock, kept on disk where some folder can be written."""
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:  # read-only installation without a home: compile anew in each process
        return njit(nogil=True)(function)


def vectorised(function: Callable[..., Any]) -> Callable[..., Any]:
    """As `compiled`; maxima may be taken in any order (there are no NaN), sums may not."""
    try:
        return njit(nogil=True, cache=True, fastmath={"nnan", "nsz"})(function)
    except RuntimeError:
        return njit(nogil=True, fastmath={"nnan", "nsz"})(function)


@compiled
def residuals(raw, target, out):  # type: ignore[no-untyped-def]
    """Negative gradient (K, n) of the deviance: one less the probability for the own class, minus it for others."""
    classes, n = raw.shape
    if classes == 1:
        for i in range(n):
            out[0, i] = target[i] - 1.0 / (1.0 + np.exp(-raw[0, i]))
        return
    top = np.empty(n)
    total = np.zeros(n)
    top[:] = raw[0]
    for k in range(1, classes):
        for i in range(n):
            top[i] = max(top[i], raw[k, i])
    for k in range(classes):
        for i in range(n):
            out[k, i] = np.exp(raw[k, i] - top[i])
            total[i] += out[k, i]
    for i in range(n):
        total[i] = 1.0 / total[i]
    for k in range(classes):
        for i in range(n):
            out[k, i] = -out[k, i] * total[i]
    for i in range(n):
        out[target[i], i] += 1.0


@vectorised
def best_gain(g, x, lo, hi, total, inverse, running, gain):  # type: ignore[no-untyped-def]
    """Largest Σ²/n left plus right over splits of rows lo … hi − 1, sorted by one feature; −1 where none may be split.

    Running sums are written four at a time, since the chain of additions is what limits that loop; ``gain[i]`` is what
    a split behind row i gives.
    """
    n = hi - lo
    s = 0.0
    whole = lo + (n // 4) * 4
    for i in range(lo, whole, 4):
        a = g[i] + g[i + 1]
        b = g[i + 2] + g[i + 3]
        running[i] = s + g[i]
        running[i + 1] = s + a
        running[i + 2] = s + (a + g[i + 2])
        s += a + b
        running[i + 3] = s
    for i in range(whole, hi):
        s += g[i]
        running[i] = s
    best = -1.0
    for i in range(n - 1):
        left = running[lo + i]
        right = total - left
        value = left * left * inverse[i + 1] + right * right * inverse[n - 1 - i]
        value = value if x[lo + i + 1] > x[lo + i] + CLOSE else -1.0
        gain[i] = value
        best = max(best, value)
    return best


@compiled
def draw(low, high, state):  # type: ignore[no-untyped-def]
    """A whole number in [low, high) by scikit-learn's xorshift; the state is one uint32."""
    seed = state[0] if state[0] != 0 else np.uint32(1)
    seed ^= np.uint32(seed << np.uint32(13))
    seed ^= np.uint32(seed >> np.uint32(17))
    seed ^= np.uint32(seed << np.uint32(5))
    state[0] = seed
    return low + np.int64(seed % np.uint32(2147483648)) % (high - low)


@compiled
def split_rows(lo, mid, hi, side, order, x, g, order_out, x_out, g_out):  # type: ignore[no-untyped-def]
    """One feature's rows lo … hi − 1, kept in order, left ones to lo … and right ones to mid …, without branches."""
    left, right = lo, mid
    for i in range(lo, hi):
        row = order[i]
        goes_right = side[row]
        at = right if goes_right else left
        order_out[at] = row
        x_out[at] = x[i]
        g_out[at] = g[i]
        right += goes_right
        left += 1 - goes_right


@compiled
def search(g, x, lo, hi, total, inverse, running, gain, features, constants, known, state):  # type: ignore[no-untyped-def]
    """Best split of a node: feature (−1 for none), position, gain, and how many features are constant now.

    Features are visited in random order without replacement, constant ones set aside for the node's children: where
    splits tie, the first visited wins. That order is scikit-learn's, draw for draw; a fixed one shifts importances
    towards the first features by up to 1e-3.
    """
    d = len(features)
    best, chosen, place = -1.0, -1, -1
    left, found, drawn = d, 0, 0
    while left > known + found:
        j = draw(drawn, left - found, state)
        if j < known:
            features[drawn], features[j] = features[j], features[drawn]
            drawn += 1
            continue
        j += found
        f = features[j]
        if x[f, hi - 1] <= x[f, lo] + CLOSE:
            features[j], features[known + found] = features[known + found], features[j]
            found += 1
            continue
        left -= 1
        features[left], features[j] = features[j], features[left]
        value = best_gain(g[f], x[f], lo, hi, total, inverse, running, gain)
        if value > best:
            best, chosen = value, f
            place = lo
            while gain[place - lo] != value:
                place += 1
    features[:known] = constants[:known]
    constants[known : known + found] = features[known : known + found]
    return chosen, place, best, known + found


@compiled
def grow_tree(order, x, g, path, inverse, work, feature, threshold, node_of, gains, seed):  # type: ignore[no-untyped-def]
    """Fill feature, threshold and each row's node for one tree; add its decreases of squared error to gains.

    ``path`` lists the inner nodes depth first, as scikit-learn visits them. Buffers have one layer a level.
    """
    orders, xs, gs, running, gain, side, lows, highs, known, features, constants = work
    d, n = order.shape
    state = np.array([seed], dtype=np.uint32)
    feature[:] = -1
    node_of[:] = 0
    features[:] = np.arange(d)
    lows[0], highs[0], known[0] = 0, n, 0
    for f in range(d):
        for i in range(n):
            gs[0, f, i] = g[order[f, i]]
    for node in path:
        parent = (node - 1) // 2
        if node > 0 and feature[parent] < 0:
            continue
        level = 0
        while (2 << level) - 1 <= node:
            level += 1
        lo, hi = lows[node], highs[node]
        if hi - lo < 2:
            continue
        here = gs[level]
        total = 0.0
        square = 0.0
        for i in range(lo, hi):
            total += here[0, i]
            square += here[0, i] * here[0, i]
        mean = total / (hi - lo)
        if square / (hi - lo) - mean * mean <= FLAT:
            continue
        at = orders[level]
        chosen, place, best, constant = search(
            here, xs[level], lo, hi, total, inverse, running, gain, features, constants, known[node], state
        )
        if chosen < 0:
            continue
        low, high = xs[level, chosen, place], xs[level, chosen, place + 1]
        middle = np.float64(low) / 2.0 + np.float64(high) / 2.0
        threshold[node] = np.float64(low) if middle == np.float64(high) else middle
        feature[node] = chosen
        gains[chosen] += best - total * total * inverse[hi - lo]
        a, b, mid = 2 * node + 1, 2 * node + 2, place + 1
        lows[a], highs[a], lows[b], highs[b] = lo, mid, mid, hi
        known[a] = known[b] = constant
        for i in range(lo, hi):
            row = at[chosen, i]
            side[row] = i >= mid
            node_of[row] = a if i < mid else b
        if level + 1 < len(gs):
            for f in range(d):
                split_rows(
                    lo,
                    mid,
                    hi,
                    side,
                    at[f],
                    xs[level, f],
                    here[f],
                    orders[level + 1, f],
                    xs[level + 1, f],
                    gs[level + 1, f],
                )


@compiled
def newton(g, own, factor, node_of, leaves, value, above, below):  # type: ignore[no-untyped-def]
    """Leaf values: mean residual over mean p (1 − p) of each leaf's rows, times (K − 1)/K."""
    above[:] = 0.0
    below[:] = 0.0
    for i in range(len(g)):
        p = own[i] - g[i]
        above[node_of[i]] += g[i]
        below[node_of[i]] += p * (1.0 - p)
    for node in range(leaves):
        value[node] = 0.0 if abs(below[node]) < TINY else factor * above[node] / below[node]


@compiled
def grow(order, x, test, target, start, path, seeds, depth, rate):  # type: ignore[no-untyped-def]
    """Importances (d,) and raw predictions (K, n), (K, m) after all rounds; one line where there are two classes."""
    d, n = order.shape
    trees = len(start)
    nodes = (1 << (depth + 1)) - 1
    raw = np.empty((trees, n))
    held_out = np.empty((trees, test.shape[1]))
    for k in range(trees):
        raw[k] = start[k]
        held_out[k] = start[k]
    g = np.empty((trees, n))
    inverse = np.empty(n + 1)
    inverse[0] = 0.0
    for i in range(1, n + 1):
        inverse[i] = 1.0 / i
    orders, xs = np.empty((depth, d, n), np.int32), np.empty((depth, d, n), np.float32)
    orders[0], xs[0] = order, x
    work = (
        orders,
        xs,
        np.empty((depth, d, n)),
        np.empty(n),
        np.empty(n),
        np.zeros(n, np.uint8),
        np.zeros(nodes, np.int64),
        np.zeros(nodes, np.int64),
        np.zeros(nodes, np.int64),
        np.zeros(d, np.int64),
        np.zeros(d, np.int64),
    )
    feature, node_of = np.empty(nodes, np.int64), np.zeros(n, np.int64)
    threshold, value, above, below = np.zeros(nodes), np.zeros(nodes), np.zeros(nodes), np.zeros(nodes)
    own = np.empty(n)
    gains = np.zeros(d)
    factor = 1.0 if trees == 1 else (trees - 1) / trees
    for turn in range(len(seeds)):
        residuals(raw, target, g)
        for k in range(trees):
            grow_tree(order, x, g[k], path, inverse, work, feature, threshold, node_of, gains, seeds[turn, k])
            for i in range(n):
                own[i] = target[i] == (1 if trees == 1 else k)
            newton(g[k], own, factor, node_of, nodes, value, above, below)
            for i in range(n):
                raw[k, i] += rate * value[node_of[i]]
            for i in range(test.shape[1]):
                node = 0
                while feature[node] >= 0:
                    node = 2 * node + (1 if test[feature[node], i] <= threshold[node] else 2)
                held_out[k, i] += rate * value[node]
    return gains, raw, held_out
