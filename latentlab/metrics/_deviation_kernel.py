"""Quantiles of the deviation from a group's mean in one compiled pass: equal to `irs.deviation_by_sorting` bit for bit.

The largest deviations of a group are those of its lowest and of its highest codes. So each dimension is put in order
once for all factors, by buckets of equal width, and is read from both ends as far as its groups need.

Imported when many are computed (redraws, permutations, rotations), since it loads numba.
"""

from __future__ import annotations

import numpy as np

from latentlab.system.compiled import compiled, inner

BUCKETS = 1024


@inner
def settle(heap, start, end, at, value):  # type: ignore[no-untyped-def]
    """Put a value into heap[start:end], smallest first, from the place `at` on, whose old value is lost."""
    child = 2 * at + 1 - start
    while child < end:
        if child + 1 < end and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= value:
            break
        heap[at] = heap[child]
        at = child
        child = 2 * at + 1 - start
    heap[at] = value


@inner
def order(column, low, high, values, rows, buckets, ends):  # type: ignore[no-untyped-def]
    """Put a column (n,) in the order of its buckets, with the rows that its values come from; a bucket ends at `ends`.

    Bucket b begins where b − 1 ends, the first at 0.
    """
    scale = BUCKETS / (np.float64(high) - np.float64(low))
    if not np.isfinite(scale):
        scale = np.float64(0)
    ends[:] = 0
    for row in range(len(column)):
        b = min(int((column[row] - np.float64(low)) * scale), BUCKETS - 1)
        buckets[row] = b
        ends[b] += 1
    total = 0
    for b in range(BUCKETS):
        count = ends[b]
        ends[b] = total
        total += count
    for row in range(len(column)):
        b = buckets[row]
        to = ends[b]
        values[to], rows[to] = column[row], row
        ends[b] = to + 1


@inner
def read(values, rows, ends, first, end, group, j, i, centre, starts, filled, largest):  # type: ignore[no-untyped-def]
    """Read buckets from the first on, upwards or downwards to the `end`, until each group has its number of values.

    Returns where it stopped. Each group keeps the largest deviations of what was read in a heap.
    """
    groups = centre.shape[1]
    lacking = 0
    left = np.empty(groups, np.int64)
    for g in range(groups):
        left[g] = starts[j, g + 1] - starts[j, g]
        lacking += left[g] > 0
    b, step = first, 1 if end > first else -1
    while b != end and lacking > 0:
        for at in range(ends[b - 1] if b > 0 else 0, ends[b]):
            g = group[j, rows[at]]
            if g < 0:
                continue
            left[g] -= 1
            lacking -= left[g] == 0
            distance = abs(values[at] - centre[j, g, i])
            start, stop = starts[j, g], starts[j, g + 1]
            if start + filled[g] < stop:
                largest[start + filled[g]] = distance
                filled[g] += 1
                if start + filled[g] == stop:
                    for place in range(start + (stop - start) // 2 - 1, start - 1, -1):
                        settle(largest, start, stop, place, largest[place])
            elif distance > largest[start]:
                settle(largest, start, stop, start, distance)
        b += step
    return b


@compiled
def deviations(z, columns, low, high, group, groups, quantile):  # type: ignore[no-untyped-def]
    """Mean over groups of the quantile of abs(z − the group's mean), (k, d), of rows (n, d) in their own precision.

    `columns` (d, n) are the same once more, `low` and `high` (d,) their extremes, `group` (k, n) the group of each row,
    −1 where it has none.
    """
    n, d = z.shape
    k = len(group)
    counts = np.zeros((k, groups), np.int64)
    centre = np.zeros((k, groups, d), z.dtype)
    starts = np.zeros((k, groups + 1), np.int64)
    for j in range(k):
        for row in range(n):
            g = group[j, row]
            if g >= 0:
                counts[j, g] += 1
                for i in range(d):
                    centre[j, g, i] += z[row, i]
        for g in range(groups):
            starts[j, g + 1] = starts[j, g]
            if counts[j, g] > 0:
                starts[j, g + 1] += counts[j, g] - int(quantile * (counts[j, g] - 1))
                for i in range(d):
                    centre[j, g, i] /= z.dtype.type(counts[j, g])
    found = np.zeros((k, d))
    values, largest = np.empty(n, z.dtype), np.empty(n, z.dtype)
    rows, buckets, ends = np.empty(n, np.int32), np.empty(n, np.int16), np.empty(BUCKETS, np.int64)
    for i in range(d):
        order(columns[i], low[i], high[i], values, rows, buckets, ends)
        for j in range(k):
            filled = np.zeros(groups, np.int64)
            above = read(values, rows, ends, BUCKETS - 1, -1, group, j, i, centre, starts, filled, largest) + 1
            read(values, rows, ends, 0, above, group, j, i, centre, starts, filled, largest)
            there = 0
            for g in range(groups):
                if counts[j, g] == 0:
                    continue
                there += 1
                place = quantile * (counts[j, g] - 1)
                share = z.dtype.type(place - int(place))
                start, stop = starts[j, g], starts[j, g + 1]
                low_end = high_end = largest[start]
                if stop - start > 1:
                    high_end = min(largest[start + 1], largest[min(start + 2, stop - 1)])
                if share >= 0.5:
                    found[j, i] += high_end - (high_end - low_end) * (z.dtype.type(1) - share)
                else:
                    found[j, i] += low_end + (high_end - low_end) * share
            found[j, i] /= there
    return found
