"""Splits that tie but for rounding, decided as scikit-learn decides them: by the last bit of its sums.

Two dimensions that part the rows alike (a duplicated or mirrored one; any two, where few rows are left) gain the same,
but for the order in which the rows are summed. scikit-learn keeps one order, as its last sort and its last partition
left it, and takes a later split only where its sum is larger. Here that order is worked out where it decides: from the
root down to the node, sorting again only by features with rows of equal value, since no others depend on what was
before.
"""

from __future__ import annotations

from latentlab.metrics._search_kernel import NEAR, reach
from latentlab.metrics._sorting_kernel import copy, has_equal, sort_rows
from latentlab.metrics._tree import FLAT, UNKNOWN, UNTOUCHED
from latentlab.system.compiled import inner, part


@inner
def part_rows(column, rows, threshold):  # type: ignore[no-untyped-def]
    """Move rows whose value is above the threshold behind the others, by exchanges with the end."""
    start, end = 0, len(rows)
    while start < end:
        if column[rows[start]] <= threshold:
            start += 1
        else:
            end -= 1
            rows[start], rows[end] = rows[end], rows[start]


@inner
def sort_by(f, node, level, rows, data, nodes, scratch):  # type: ignore[no-untyped-def]
    """Sort a node's rows by a feature, as scikit-learn does, but for the order of rows that are alike in everything."""
    column, lo, hi = data.columns[f], nodes.first[node], nodes.end[node]
    if not data.tied[f]:
        copy(data.orders[level, f, lo:hi], rows)
        return
    for i in range(len(rows)):
        scratch.keys[i] = column[rows[i]]
    sort_rows(scratch.keys, rows, data.values[level, f, lo:hi], data.orders[level, f, lo:hi], scratch.pending)


@inner
def first_that_counts(node, level, done, until, data, nodes):  # type: ignore[no-untyped-def]
    """From which visit on rows must be sorted: the last that leaves but one order, whatever was before."""
    lo, hi = nodes.first[node], nodes.end[node]
    for t in range(until - 1, done, -1):
        f = nodes.visited[node, t]
        x = data.values[level, f]
        if x[hi - 1] > x[lo] and not (data.tied[f] and has_equal(x[lo:hi])):
            return t
    return done


@inner
def arrange(last, visits, data, nodes, scratch):  # type: ignore[no-untyped-def]
    """Bring the rows of a node into the order in which so many visits leave them, and so all nodes above it.

    ``scratch.rows[level]`` has the rows as a node finds them, ``scratch.rows[level + 1]`` as it leaves them;
    ``nodes.done`` counts the visits they have had.
    """
    depth = nodes.level[last]
    for level in range(depth + (visits > 0)):
        node = ((last + 1) >> (depth - level)) - 1
        until = visits if level == depth else nodes.visits[node]
        lo, hi, done = nodes.first[node], nodes.end[node], nodes.done[node]
        rows = scratch.rows[level + 1, lo:hi]
        if done < 0:
            copy(scratch.rows[level, lo:hi], rows)
            done = 0
        for t in range(first_that_counts(node, level, done, until, data, nodes), until):
            f = nodes.visited[node, t]
            if data.values[level, f, hi - 1] > data.values[level, f, lo]:
                sort_by(f, node, level, rows, data, nodes, scratch)
        nodes.done[node] = max(done, until)
        if level < depth and nodes.done[2 * node + 1] == UNKNOWN:
            part_rows(data.columns[nodes.feature[node]], rows, nodes.threshold[node])
            nodes.done[2 * node + 1] = nodes.done[2 * node + 2] = UNTOUCHED


@inner
def sums_in_order(g, rows):  # type: ignore[no-untyped-def]
    """Sum and sum of squares of some rows' residuals, from left to right."""
    total, square = 0.0, 0.0
    for row in rows:
        total += g[row]
        square += g[row] * g[row]
    return total, square


@inner
def moved(g, rows, s, done, after, total):  # type: ignore[no-untyped-def]
    """The sum of what lies before `after`, from the sum `s` of what lies before `done`, by the shorter way."""
    if after - done <= len(rows) - after:
        for j in range(done, after):
            s += g[rows[j]]
        return s
    s = total
    for j in range(len(rows) - 1, after - 1, -1):
        s -= g[rows[j]]
    return s


@inner
def best_in_order(g, rows, x, total, best):  # type: ignore[no-untyped-def]
    """The first place of the largest gain above `best`, or −1, and that gain; rows as scikit-learn has sorted them."""
    n, s, done, place = len(rows), 0.0, 0, -1
    for p in range(1, n):
        if x[p] > x[p - 1] + NEAR:
            s = moved(g, rows, s, done, p, total)
            done = p
            value = gain_of(s, p, n, total)
            if value > best:
                best, place = value, p - 1
    return place, best


@inner
def find_rivals(node, least, whole, data, nodes, scratch):  # type: ignore[no-untyped-def]
    """How many splits of a node may be the best, in the order in which scikit-learn looks at them; −1 where not known.

    ``scratch.pending`` gets the feature of each and how many rows it has on the left, ``scratch.left`` their sum. A
    split with the sum and number of an earlier one gains the same, whatever the total, and is never taken.
    """
    lo, hi, level, count = nodes.first[node], nodes.end[node], nodes.level[node], 0
    for t in range(nodes.visits[node]):
        f = nodes.visited[node, t]
        x, line = data.values[level, f, lo:hi], data.residuals[level, f, lo:hi]
        if not (x[hi - lo - 1] > x[0] + NEAR and scratch.top[f] >= least):
            continue
        if data.tied[f] and has_equal(x):
            return -1
        s, done = 0.0, 0
        for p in range(1, hi - lo):
            if x[p] > x[p - 1] + NEAR:
                if p - done > hi - lo - p:  # taken from the total
                    return -1
                for j in range(done, p):
                    s += line[j]
                done = p
                if gain_of(s, p, hi - lo, whole) >= least:
                    for c in range(count):
                        if scratch.left[c] == s and scratch.pending[c, 1] == p:
                            break
                    else:
                        if count == len(scratch.left):
                            return -1
                        scratch.left[count] = s
                        scratch.pending[count, 0], scratch.pending[count, 1] = f, p
                        count += 1
    return count


@inner
def gain_of(s, p, n, total):  # type: ignore[no-untyped-def]
    """What a split of n rows gains whose p left ones have the sum `s`, as scikit-learn computes it."""
    right = total - s
    return s * s / p + right * right / (n - p)


@inner
def find_rows(node, data, nodes, scratch):  # type: ignore[no-untyped-def]
    """Bring the rows of a node into the order in which it finds them, in ``scratch.found``; whether it is known.

    The last sort of the node above left that order, and a partition. Rows of equal value could lie otherwise, which
    matters where one of them is a row of this node.
    """
    above = (node - 1) // 2
    lo, hi, level = nodes.first[above], nodes.end[above], nodes.level[above]
    split, threshold, goes_left = data.columns[nodes.feature[above]], nodes.threshold[above], node % 2 == 1
    t = nodes.visits[above] - 1
    while data.values[level, nodes.visited[above, t], hi - 1] <= data.values[level, nodes.visited[above, t], lo]:
        t -= 1
    f = nodes.visited[above, t]
    order, x, rows = data.orders[level, f, lo:hi], data.values[level, f, lo:hi], scratch.found[lo:hi]
    if data.tied[f]:
        for i in range(len(x) - 1):
            if x[i + 1] == x[i]:
                a, b = split[order[i]] <= threshold, split[order[i + 1]] <= threshold
                if a == goes_left or b == goes_left:
                    return False
    copy(order, rows)
    part_rows(split, rows, threshold)
    return True


@inner
def settle(node, least, g, data, nodes, scratch):  # type: ignore[no-untyped-def]
    """Feature, place and gain of the split that scikit-learn takes; −2 where earlier sorts decide it."""
    total, count, chosen, place, best = nodes.total[node], -1, -2, -1, -1.0
    if node == 0 or find_rows(node, data, nodes, scratch):
        if node > 0:
            total, _ = sums_in_order(g, scratch.found[nodes.first[node] : nodes.end[node]])
        count = find_rivals(node, least, total, data, nodes, scratch)
    for c in range(count):
        p = scratch.pending[c, 1]
        value = gain_of(scratch.left[c], p, nodes.end[node] - nodes.first[node], total)
        if value > best:
            best, chosen, place = value, scratch.pending[c, 0], p - 1
    return chosen, place, best


@part
def decide(node, best, error, g, data, nodes, scratch):  # type: ignore[no-untyped-def]
    """Feature (−1 for none), place and gain of the split that scikit-learn takes, of those near the best."""
    chosen, place, gain = settle(node, reach(best, error), g, data, nodes, scratch)
    if chosen < 0:
        chosen, place, gain = decide_in_order(node, best, error, g, data, nodes, scratch)
    return chosen, place, gain


@part
def decide_in_order(node, best, error, g, data, nodes, scratch):  # type: ignore[no-untyped-def]
    """The same by sums of the rows in scikit-learn's order."""
    lo, hi, level = nodes.first[node], nodes.end[node], nodes.level[node]
    rows, several = scratch.rows[level, lo:hi], hi - lo > 2  # two numbers have the same sum in both orders
    if several:
        arrange(node, 0, data, nodes, scratch)
    else:
        rows = data.orders[level, nodes.visited[node, 0], lo:hi]
    total, _ = sums_in_order(g, rows)
    least, chosen, place, gain = reach(best, error), -1, -1, -1.0
    for t in range(nodes.visits[node]):
        f = nodes.visited[node, t]
        x = data.values[level, f, lo:hi]
        if x[hi - lo - 1] > x[0] + NEAR and scratch.top[f] >= least:
            if several:
                arrange(node, t + 1, data, nodes, scratch)
            rows = scratch.rows[level + 1, lo:hi] if several else data.orders[level, f, lo:hi]
            where, gain = best_in_order(g, rows, x, total, gain)
            if where >= 0:
                chosen, place = f, where
    return chosen, place, gain


@part
def is_kept(node, g, data, nodes, scratch):  # type: ignore[no-untyped-def]
    """Whether scikit-learn keeps a split: it takes one back where rounding makes it a loss.

    Weighs the children: the right one's variance comes from what the left one leaves.
    """
    decrease = 0.0
    for above in ((node - 1) // 2, node):
        if above < 0:
            continue
        a, b, level = 2 * above + 1, 2 * above + 2, nodes.level[above]
        lo, mid, hi = nodes.first[above], nodes.end[a], nodes.end[above]
        left, right = mid - lo, hi - mid
        if not nodes.weighed[above]:
            arrange(a, 0, data, nodes, scratch)
            total, square = sums_in_order(g, scratch.rows[level, lo:hi])
            rows = scratch.rows[level + 1, lo:hi]
            _, left_square = sums_in_order(g, rows[:left])
            s = moved(g, rows, 0.0, 0, left, total)
            nodes.impurity[a] = left_square / left - (s / left) ** 2.0
            nodes.impurity[b] = (square - left_square) / right - ((total - s) / right) ** 2.0
            nodes.weighed[above] = True
        n = hi - lo
        decrease = nodes.impurity[above] - right / n * nodes.impurity[b] - left / n * nodes.impurity[a]
        decrease *= n / len(g)
    return not decrease + FLAT < 0.0
