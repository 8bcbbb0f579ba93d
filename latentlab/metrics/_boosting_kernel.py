"""The compiled half of `_boosting`; imported when a booster is first asked for, since it loads numba."""

from __future__ import annotations

import numpy as np

from latentlab.metrics._tree_kernel import begin, grow_node
from latentlab.system.compiled import compiled, inner

TINY = 1e-150
BLOCK = 128  # NumPy sums that many numbers without halving


@inner
def residuals(raw, target, out):  # type: ignore[no-untyped-def]
    """Negative gradient (K, n) of the deviance: one less the probability for the own class, minus it for others."""
    classes, n = raw.shape
    if classes == 1:
        for i in range(n):
            y, r = np.float64(target[i]), raw[0, i]
            if r > -37:
                e = np.exp(-r)
                out[0, i] = -(((1 - y) - y * e) / (1 + e))
            else:
                out[0, i] = y - np.exp(r)
        return
    for i in range(n):
        top, total = raw[0, i], 0.0
        for k in range(1, classes):
            top = max(top, raw[k, i])
        for k in range(classes):
            out[k, i] = np.exp(raw[k, i] - top)
            total += out[k, i]
        for k in range(classes):
            out[k, i] = (target[i] == k) - out[k, i] / total


@inner
def eightfold(a, start, n):  # type: ignore[no-untyped-def]
    """The sum of a[start:start + n] as NumPy takes it where n ≤ 128: eight sums side by side."""
    s, whole = 0.0, start + n - n % 8
    if n >= 8:
        r0, r1, r2, r3 = a[start], a[start + 1], a[start + 2], a[start + 3]
        r4, r5, r6, r7 = a[start + 4], a[start + 5], a[start + 6], a[start + 7]
        for i in range(start + 8, whole, 8):
            r0 += a[i]
            r1 += a[i + 1]
            r2 += a[i + 2]
            r3 += a[i + 3]
            r4 += a[i + 4]
            r5 += a[i + 5]
            r6 += a[i + 6]
            r7 += a[i + 7]
        s = ((r0 + r1) + (r2 + r3)) + ((r4 + r5) + (r6 + r7))
    for i in range(whole, start + n):
        s += a[i]
    return s


@inner
def pairwise(a, start, n):  # type: ignore[no-untyped-def]
    """The sum of a[start:start + n] as NumPy takes it: halves where there are many."""
    if n <= BLOCK:
        return eightfold(a, start, n)
    half = n // 2
    half -= half % 8
    return pairwise(a, start, half) + pairwise(a, start + half, n - half)


@inner
def newton(g, target, own, factor, node_of, leaves):  # type: ignore[no-untyped-def]
    """Leaf values: mean residual over mean p (1 − p) of each leaf's rows, times (K − 1)/K."""
    ends, above, below = leaves.ends, leaves.above, leaves.below
    for node in range(len(ends)):
        ends[node] = 0
    for i in range(len(g)):
        ends[node_of[i] + 1] += 1
    for node in range(1, len(ends)):
        ends[node] += ends[node - 1]
    for i in range(len(g)):
        at = ends[node_of[i]]
        ends[node_of[i]] += 1
        p = (1.0 if target[i] == own else 0.0) - g[i]
        above[at] = g[i]
        below[at] = p * (1 - p)
    start = 0
    for node in range(len(leaves.value)):
        rows = ends[node] - start
        leaves.value[node] = 0.0
        if rows:
            under = pairwise(below, start, rows) / rows
            over = pairwise(above, start, rows) / rows * factor
            if abs(under) >= TINY:
                leaves.value[node] = over / under
        start = ends[node]


@inner
def add_predictions(nodes, value, test, rate, out):  # type: ignore[no-untyped-def]
    """Add a tree's values at test rows (d, m) to `out` (m,)."""
    for i in range(test.shape[1]):
        node = 0
        while nodes.feature[node] >= 0:
            node = 2 * node + (1 if test[nodes.feature[node], i] <= nodes.threshold[node] else 2)
        out[i] += rate * value[node]


@compiled
def boost(data, nodes, scratch, leaves, test, target, path, seeds, rate, raw, g, held_out, gains):  # type: ignore[no-untyped-def]
    """Add all rounds to the raw predictions (K, n) and (K, m), and what their splits gain to ``gains`` (d,).

    One line where there are two classes. ``g`` (K, n) gets the residuals; ``path`` lists a tree's inner nodes in the
    order in which scikit-learn splits them.
    """
    trees, n = raw.shape
    factor = 1.0 if trees == 1 else (trees - 1) / trees
    for turn in range(len(seeds)):
        residuals(raw, target, g)
        for k in range(trees):
            begin(g[k], seeds[turn, k], data, nodes, scratch)
            for node in path:
                if node == 0 or nodes.feature[(node - 1) // 2] >= 0:
                    grow_node(node, g[k], data, nodes, scratch, gains)
            newton(g[k], target, 1 if trees == 1 else k, factor, nodes.node_of, leaves)
            for i in range(n):
                raw[k, i] += rate * leaves.value[nodes.node_of[i]]
            add_predictions(nodes, leaves.value, test, rate, held_out[k])
