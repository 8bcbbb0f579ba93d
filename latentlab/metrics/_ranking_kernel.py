"""The order of columns in one compiled pass: equal to `np.argsort` with ``kind="stable"``, ten times as fast.

Imported when many orders are taken (rotations that keep marginals), since it loads numba.
"""

from __future__ import annotations

import numpy as np

from latentlab.system.compiled import compiled

DIGIT = 11  # bits that a pass sorts by


@compiled
def give_by_rank(bits, ordered, found):  # type: ignore[no-untyped-def]
    """Fill columns (n, d) with the ordered values (n, d), in the order of the floats whose `bits` (n, d) are given.

    The bits of a float sort as whole numbers do, once those of negative ones are turned over; -0 must not be among
    them. Columns are sorted from the lowest digit to the highest, which keeps equal ones in their order.
    """
    n, d = bits.shape
    width = bits.itemsize * 8
    passes = (width + DIGIT - 1) // DIGIT
    one = bits.dtype.type(1)
    sign = one << bits.dtype.type(width - 1)
    mask = bits.dtype.type((1 << DIGIT) - 1)
    keys, kept = np.empty(n, bits.dtype), np.empty(n, bits.dtype)
    rows, held = np.empty(n, np.int32), np.empty(n, np.int32)
    starts = np.empty((passes, 1 << DIGIT), np.int32)
    for i in range(d):
        starts[:] = 0
        for row in range(n):
            key = bits[row, i]
            key = ~key if key & sign else key | sign
            keys[row], rows[row] = key, row
            for p in range(passes):
                starts[p, (key >> bits.dtype.type(p * DIGIT)) & mask] += 1
        for p in range(passes):
            shift = bits.dtype.type(p * DIGIT)
            if starts[p, (keys[0] >> shift) & mask] == n:
                continue
            total = 0
            for digit in range(1 << DIGIT):
                count = starts[p, digit]
                starts[p, digit] = total
                total += count
            for at in range(n):
                digit = (keys[at] >> shift) & mask
                to = starts[p, digit]
                starts[p, digit] = to + 1
                kept[to], held[to] = keys[at], rows[at]
            keys, kept = kept, keys
            rows, held = held, rows
        for at in range(n):
            found[rows[at], i] = ordered[at, i]
