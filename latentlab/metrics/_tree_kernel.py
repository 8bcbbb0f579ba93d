"""One regression tree, grown on rows that stay sorted by every feature while nodes are split."""

from __future__ import annotations

import numpy as np

from latentlab.metrics._search_kernel import rounding, search, visit
from latentlab.metrics._ties_kernel import decide, is_kept, sums_in_order
from latentlab.metrics._tree import FLAT, UNKNOWN, UNTOUCHED
from latentlab.system.compiled import inner, part


@inner
def gather(g, orders, residuals):  # type: ignore[no-untyped-def]
    """Residuals (d, n) in the order of the rows (d, n)."""
    for f in range(len(orders)):
        order, line = orders[f], residuals[f]
        for i in range(len(order)):
            line[i] = g[order[i]]


@inner
def moments(line):  # type: ignore[no-untyped-def]
    """Sum and sum of squares, each as four sums side by side."""
    s, t, u, v = 0.0, 0.0, 0.0, 0.0
    p, q, r, w = 0.0, 0.0, 0.0, 0.0
    whole = len(line) - len(line) % 4
    for i in range(0, whole, 4):
        a, b, c, e = line[i], line[i + 1], line[i + 2], line[i + 3]
        s, t, u, v = s + a, t + b, u + c, v + e
        p, q, r, w = p + a * a, q + b * b, r + c * c, w + e * e
    for i in range(whole, len(line)):
        s += line[i]
        p += line[i] * line[i]
    return (s + t) + (u + v), (p + q) + (r + w)


@inner
def split_rows(mid, node_of, order, x, g, order_out, x_out, g_out):  # type: ignore[no-untyped-def]
    """One feature's rows, kept in order, left ones to 0 … and right ones to mid …, without branches.

    Left children have odd numbers. Unsigned places spare the test for negative ones.
    """
    left, one = np.uint64(0), np.uint64(1)
    for i in range(np.uint64(len(order))):
        row = order[i]
        goes_left = np.uint64(node_of[row]) & one
        at = left if goes_left else np.uint64(mid) + i - left
        order_out[at] = row
        x_out[at] = x[i]
        g_out[at] = g[i]
        left += goes_left


@inner
def place_children(node, chosen, place, constant, data, nodes):  # type: ignore[no-untyped-def]
    """Write down a split: its threshold, and the children's rows and variances but for rounding.

    Returns whether rounding could decide which of the children vary.
    """
    a, b, level = 2 * node + 1, 2 * node + 2, nodes.level[node]
    lo, mid, hi = nodes.first[node], nodes.first[node] + place + 1, nodes.end[node]
    low, high = data.values[level, chosen, mid - 1], data.values[level, chosen, mid]
    nodes.feature[node] = chosen
    nodes.threshold[node] = np.float64(low) / 2.0 + np.float64(high) / 2.0
    nodes.weighed[node] = False
    nodes.done[a] = nodes.done[b] = UNKNOWN
    line, doubtful = data.residuals[level, chosen], False
    for child, start, end in ((a, lo, mid), (b, mid, hi)):
        nodes.first[child], nodes.end[child], nodes.constant[child] = start, end, constant
        total, square = moments(line[start:end])
        variance = square / (end - start) - (total / (end - start)) ** 2.0
        nodes.total[child], nodes.square[child], nodes.impurity[child] = total, square, variance
        slack = 4 * FLAT * (hi - lo) / (end - start) * nodes.square[node]
        doubtful |= end - start > 1 and level + 1 < len(data.orders) and variance <= FLAT + slack
    return doubtful


@inner
def hand_down(node, varying, data, nodes):  # type: ignore[no-untyped-def]
    """Assign a split node's rows to its children, in the order of every feature that varies."""
    level, lo, hi = nodes.level[node], nodes.first[node], nodes.end[node]
    mid, below = nodes.end[2 * node + 1], level + 1
    order = data.orders[level, nodes.feature[node]]
    for i in range(lo, hi):
        nodes.node_of[order[i]] = 2 * node + 1 if i < mid else 2 * node + 2
    if below == len(data.orders):
        return
    for f in varying:
        split_rows(
            mid - lo,
            nodes.node_of,
            data.orders[level, f, lo:hi],
            data.values[level, f, lo:hi],
            data.residuals[level, f, lo:hi],
            data.orders[below, f, lo:hi],
            data.values[below, f, lo:hi],
            data.residuals[below, f, lo:hi],
        )


@inner
def begin(g, seed, data, nodes, scratch):  # type: ignore[no-untyped-def]
    """Make the tree its root alone."""
    for node in range(len(nodes.feature)):
        nodes.feature[node] = -1
    for i in range(len(g)):
        nodes.node_of[i] = 0
    for f in range(len(scratch.features)):
        scratch.features[f] = f
    scratch.state[0], nodes.done[0] = seed, UNTOUCHED
    nodes.first[0], nodes.end[0], nodes.constant[0] = 0, len(g), 0
    total, square = sums_in_order(g, scratch.rows[0])
    nodes.total[0], nodes.square[0] = total, square
    nodes.impurity[0] = square / len(g) - (total / len(g)) ** 2.0
    gather(g, data.orders[0], data.residuals[0])


@part
def grow_node(node, g, data, nodes, scratch, gains):  # type: ignore[no-untyped-def]
    """Split a node where scikit-learn does, and add its decrease of squared error to the feature's gain."""
    lo, hi, level = nodes.first[node], nodes.end[node], nodes.level[node]
    if hi - lo < 2 or nodes.impurity[node] <= FLAT:
        return
    visits, constant = visit(
        data.values[level],
        lo,
        hi - 1,
        scratch.features,
        scratch.constants,
        nodes.constant[node],
        scratch.state,
        nodes.visited[node],
    )
    nodes.visits[node] = visits
    varying, error = scratch.features[constant:], rounding(hi - lo, nodes.square[node])
    chosen, place, gain, sure = search(node, level, varying, error, data, nodes, scratch)
    if not sure:
        chosen, place, gain = decide(node, gain, error, g, data, nodes, scratch)
    if chosen < 0:
        return
    doubtful = place_children(node, chosen, place, constant, data, nodes)
    mean = nodes.total[node] / (hi - lo)
    doubtful |= np.sqrt(gain) <= np.sqrt(mean * nodes.total[node]) + 2 * error
    if doubtful and not is_kept(node, g, data, nodes, scratch):
        nodes.feature[node] = -1
        return
    gains[chosen] += gain - mean * nodes.total[node]
    hand_down(node, varying, data, nodes)
