"""The best split of a node, but for the last bits: which is the best, and whether those bits could decide otherwise."""

from __future__ import annotations

import math

import numpy as np

from latentlab.metrics._tree import CLOSE, FLAT
from latentlab.system.compiled import inner

NEAR = np.float32(CLOSE)


@inner
def draw(low, high, state):  # type: ignore[no-untyped-def]
    """A whole number in [low, high) by scikit-learn's xorshift; the state is one uint32."""
    seed = state[0] if state[0] != 0 else np.uint32(1)
    seed ^= np.uint32(seed << np.uint32(13))
    seed ^= np.uint32(seed >> np.uint32(17))
    seed ^= np.uint32(seed << np.uint32(5))
    state[0] = seed
    return low + np.int64(seed % np.uint32(2147483648)) % (high - low)


@inner
def visit(x, lo, last, features, constants, known, state, visited):  # type: ignore[no-untyped-def]
    """Draw the features of a node as scikit-learn does, without those known to be constant.

    Fills `visited`; returns how many there are and how many are constant from here on (found ones included). Those that
    turn out to be constant are among the visited: they are sorted before that is seen. What varies is in
    ``features`` behind the constant ones.
    """
    left, found, drawn, count = len(features), 0, 0, 0
    while left > known + found:
        j = draw(drawn, left - found, state)
        if j < known:
            features[drawn], features[j] = features[j], features[drawn]
            drawn += 1
            continue
        j += found
        f = features[j]
        visited[count] = f
        count += 1
        if x[f, last] <= x[f, lo] + NEAR:
            features[j], features[known + found] = features[known + found], features[j]
            found += 1
            continue
        left -= 1
        features[left], features[j] = features[j], features[left]
    for j in range(known):
        features[j] = constants[j]
    for j in range(known, known + found):
        constants[j] = features[j]
    return count, known + found


@inner
def running_sums(a, b, c, e, sums):  # type: ignore[no-untyped-def]
    """Sums from left to right of four lines at once, since the chain of additions is what limits one."""
    s, t, u, v = 0.0, 0.0, 0.0, 0.0
    p, q, r, w = sums[0], sums[1], sums[2], sums[3]
    for i in range(len(a)):
        s += a[i]
        t += b[i]
        u += c[i]
        v += e[i]
        p[i], q[i], r[i], w[i] = s, t, u, v


@inner
def best_gain(sums, x, after, before, gain, bits):  # type: ignore[no-untyped-def]
    """Largest Σ²/n left plus right over splits of rows sorted by one feature; −1 where none may be split.

    ``gain[i]`` is what a split behind row i gives. Of doubles like these the larger has the larger bits, and whole
    numbers are compared several at once.
    """
    last = len(x) - 1
    total = sums[last]
    for i in range(last):
        left = sums[i]
        right = total - left
        value = left * left * after[i] + right * right * before[i]
        gain[i] = value if x[i + 1] > x[i] + NEAR else -1.0
    gain[last] = -1.0
    best = bits[last]
    for i in range(last):
        best = max(best, bits[i])
    bits[last] = best
    return gain[last]


@inner
def reach(best, error):  # type: ignore[no-untyped-def]
    """The least gain that could be the best, where sums are off by `error` at most."""
    root = math.sqrt(max(best, 0.0)) - error
    return root * root if root > 0 else 0.0


@inner
def rounding(rows, square):  # type: ignore[no-untyped-def]
    """How far sums of so many numbers in different orders may lie apart; `square` is the sum of their squares."""
    return 4 * FLAT * rows * math.sqrt(square)


@inner
def nearest(gain, best, least):  # type: ignore[no-untyped-def]
    """Where the best gain is, and how many reach `least`."""
    count, place = 0, 0
    for i in range(len(gain)):
        count += gain[i] >= least
    while gain[place] != best:
        place += 1
    return place, count


@inner
def search(node, level, features, error, data, nodes, scratch):  # type: ignore[no-untyped-def]
    """Best split of a node: feature (−1 for none), place, gain, and whether no rounding could change it.

    ``scratch.top`` gets each feature's best gain.
    """
    lo, hi, g = nodes.first[node], nodes.end[node], data.residuals
    m, last = hi - lo, len(features) - 1
    after, before = scratch.inverse[1:], scratch.backwards[len(scratch.backwards) - m :]
    best, chosen, place, near = -1.0, -1, -1, 0
    for start in range(0, last + 1, 4):
        a, b = features[start], features[min(start + 1, last)]
        c, e = features[min(start + 2, last)], features[min(start + 3, last)]
        running_sums(g[level, a, lo:hi], g[level, b, lo:hi], g[level, c, lo:hi], g[level, e, lo:hi], scratch.sums)
        for line in range(min(4, last + 1 - start)):
            f = features[start + line]
            x = data.values[level, f, lo:hi]
            top = best_gain(scratch.sums[line, :m], x, after, before, scratch.gain, scratch.bits)
            scratch.top[f] = top
            if top > best:
                best, chosen = top, f
                place, near = nearest(scratch.gain[: m - 1], top, reach(top, error))
    rivals = 0
    for f in features:
        rivals += scratch.top[f] >= max(reach(best, error), 0.0)
    return chosen, place, best, near <= 1 and rivals <= 1
