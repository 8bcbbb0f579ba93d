"""The order in which scikit-learn's trees leave rows of equal value: its introsort, step for step.

A tree's sums depend, in their last bits, on the order of the rows that are summed, and where two dimensions part the
rows alike (a duplicated or mirrored dimension) those bits decide which of them is split. Rows of equal value lie in
whatever order the sort leaves, so the sort is part of the definition: median of three, partition in three ways, heap
sort where that goes too deep, insertion sort for 15 rows or fewer (scikit-learn 1.9).
"""

from __future__ import annotations

import math

import numpy as np

from latentlab.system.compiled import inner

FEW = 15


@inner
def copy(source, out):  # type: ignore[no-untyped-def]
    """Copy an array into another of the same length."""
    for i in range(len(out)):
        out[i] = source[i]


@inner
def has_equal(x):  # type: ignore[no-untyped-def]
    """Whether two neighbours of a sorted array are equal."""
    count = 0
    for i in range(len(x) - 1):
        count += x[i + 1] == x[i]
    return count > 0


@inner
def sort_rows(keys, rows, x, order, pending):  # type: ignore[no-untyped-def]
    """Sort rows by their keys; ``x`` are the sorted keys and ``order`` the rows in some sorted order.

    Ranges whose keys all differ have one order alone, which is taken from there. ``pending`` (64, 3) is for ranges
    still to sort, each with the depth that it may reach.
    """
    pending[0, 0], pending[0, 1], pending[0, 2] = 0, len(rows), 2 * np.int64(math.log2(len(rows)))
    waiting = 1
    while waiting:
        waiting -= 1
        start, end, depth = pending[waiting, 0], pending[waiting, 1], pending[waiting, 2]
        while has_equal(x[start:end]):
            if end - start <= FEW:
                insertion_sort(keys[start:end], rows[start:end])
            elif depth <= 0:
                heap_sort(keys, rows, start, end)
            else:
                depth -= 1
                less, more = partition(keys[start:end], rows[start:end])
                # Disjoint ranges: the order in which they are sorted changes nothing. The larger waits.
                left_first = less < end - start - more
                pending[waiting, 0] = start + more if left_first else start
                pending[waiting, 1] = end if left_first else start + less
                pending[waiting, 2] = depth
                start, end = (start, start + less) if left_first else (start + more, end)
                waiting += 1
                continue
            start = end
        copy(order[start:end], rows[start:end])


@inner
def partition(keys, rows):  # type: ignore[no-untyped-def]
    """Part keys into less than, equal to and greater than a pivot; where the second and third begin.

    Without branches, which could not be foreseen; unsigned places spare the test for negative ones.
    """
    one = np.uint64(1)
    i = low = np.uint64(0)
    high = np.uint64(len(keys))
    pivot = median(keys[0], keys[len(keys) // 2], keys[len(keys) - 1])
    while i < high:
        key, row = keys[i], rows[i]
        less, more = np.uint64(key < pivot), np.uint64(key > pivot)
        high -= more
        at = low if less else (high if more else i)
        keys[i], rows[i] = keys[at], rows[at]
        keys[at], rows[at] = key, row
        low += less
        i += one - more
    return np.int64(low), np.int64(high)


@inner
def median(a, b, c):  # type: ignore[no-untyped-def]
    """The middle one of three."""
    return max(min(a, b), min(max(a, b), c))


@inner
def swap(keys, rows, i, j):  # type: ignore[no-untyped-def]
    """Exchange two entries of both arrays."""
    keys[i], keys[j] = keys[j], keys[i]
    rows[i], rows[j] = rows[j], rows[i]


@inner
def insertion_sort(keys, rows):  # type: ignore[no-untyped-def]
    """Stable, for few rows."""
    for i in range(1, len(keys)):
        key, row = keys[i], rows[i]
        j = i
        while j > 0 and keys[j - 1] > key:
            keys[j] = keys[j - 1]
            rows[j] = rows[j - 1]
            j -= 1
        keys[j] = key
        rows[j] = row


@inner
def heap_sort(keys, rows, start, end):  # type: ignore[no-untyped-def]
    """Sort by a binary heap with its largest entry on top."""
    n = end - start
    for root in range((n - 2) // 2, -1, -1):
        sift_down(keys, rows, start, root, n)
    for last in range(n - 1, 0, -1):
        swap(keys, rows, start, start + last)
        sift_down(keys, rows, start, 0, last)


@inner
def sift_down(keys, rows, start, root, n):  # type: ignore[no-untyped-def]
    """Move an entry down the heap keys[start:start + n] until none below it is larger."""
    while True:
        largest, child = root, 2 * root + 1
        if child < n and keys[start + largest] < keys[start + child]:
            largest = child
        if child + 1 < n and keys[start + largest] < keys[start + child + 1]:
            largest = child + 1
        if largest == root:
            return
        swap(keys, rows, start + root, start + largest)
        root = largest
