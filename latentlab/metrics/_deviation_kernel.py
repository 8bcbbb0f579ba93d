"""Quantiles of the deviation from a group's mean in one compiled pass: equal to `irs.deviation_by_sorting` bit for bit.

Imported when many are computed (redraws, permutations, rotations), since it loads numba.
"""

from __future__ import annotations

import numpy as np

from latentlab.system.compiled import compiled, part


@part
def settle(heap, at, value):  # type: ignore[no-untyped-def]
    """Put a value into a heap, smallest first, from the place `at` on, whose old value is lost."""
    size = len(heap)
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= value:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = value


@compiled
def deviation(z, group, groups, quantile):  # type: ignore[no-untyped-def]
    """Mean over groups of the quantile of abs(z − the group's mean), (d,), of rows (n, d) in the codes' own precision.

    Each group and dimension keeps its largest deviations, from the quantile on, in a heap whose smallest is in front.
    """
    n, d = z.shape
    counts = np.zeros(groups, np.int64)
    centre = np.zeros((groups, d), z.dtype)
    for row in range(n):
        g = group[row]
        counts[g] += 1
        for i in range(d):
            centre[g, i] += z[row, i]
    starts = np.zeros(groups + 1, np.int64)
    for g in range(groups):
        starts[g + 1] = starts[g]
        if counts[g] > 0:
            starts[g + 1] += counts[g] - int(quantile * (counts[g] - 1))
            for i in range(d):
                centre[g, i] /= z.dtype.type(counts[g])
    largest = np.empty((d, starts[groups]), z.dtype)
    lowest = np.zeros((groups, d), z.dtype)
    filled = np.zeros(groups, np.int64)
    distance = np.empty(d, z.dtype)
    for row in range(n):
        g = group[row]
        start, end = starts[g], starts[g + 1]
        farther = 0
        for i in range(d):
            distance[i] = abs(z[row, i] - centre[g, i])
            farther += distance[i] > lowest[g, i]
        if filled[g] < end - start:
            largest[:, start + filled[g]] = distance
            filled[g] += 1
            if filled[g] == end - start:
                for i in range(d):
                    heap = largest[i, start:end]
                    for at in range(len(heap) // 2 - 1, -1, -1):
                        settle(heap, at, heap[at])
                    lowest[g, i] = heap[0]
        elif farther > 0:
            for i in range(d):
                if distance[i] > lowest[g, i]:
                    heap = largest[i, start:end]
                    settle(heap, 0, distance[i])
                    lowest[g, i] = heap[0]
    total = np.zeros(d)
    for g in range(groups):
        if counts[g] == 0:
            continue
        place = quantile * (counts[g] - 1)
        share = z.dtype.type(place - int(place))
        for i in range(d):
            heap = largest[i, starts[g] : starts[g + 1]]
            low = high = heap[0]
            if len(heap) > 1:
                high = min(heap[1], heap[min(2, len(heap) - 1)])
            if share >= 0.5:
                total[i] += high - (high - low) * (z.dtype.type(1) - share)
            else:
                total[i] += low + (high - low) * share
    return total / (counts > 0).sum()
