"""The distinct windows that a convolution sees in a block of images."""

import numpy as np

from latentlab.system.compiled import compiled, part

OUTSIDE = -1  # what stands for a place outside the image
FOLD, MIX = np.uint64(32), np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ over the golden ratio (Knuth, volume 3, 6.4)


@part
def number_of(window, multipliers, table, windows, count):  # type: ignore[no-untyped-def]
    """The number of a window; it is `count`, and the window is written down there, where none of those so far is equal.

    ``table`` has the numbers of windows, or -1, each at the first free place from its hash on.
    """
    hashed = np.uint64(0)
    for at in range(len(window)):
        hashed += np.uint64(window[at] - OUTSIDE) * multipliers[at]
    slot = np.int64(((hashed ^ (hashed >> FOLD)) * MIX) >> FOLD) & (len(table) - 1)
    while table[slot] >= 0:
        same = True
        for at in range(len(window)):
            same &= windows[table[slot], at] == window[at]
        if same:
            return table[slot]
        slot = (slot + 1) & (len(table) - 1)
    table[slot] = count
    for at in range(len(window)):
        windows[count, at] = window[at]
    return table[slot]


@compiled
def number_windows(cells, kernel, stride, padding, multipliers, numbers, windows):  # type: ignore[no-untyped-def]
    """Number the windows of images (n, height, width × depth) int32 ≥ 0; returns how many distinct ones there are.

    ``numbers`` (n, down, across) int32 becomes the number of each window, equal ones alike, counted as they come.
    ``windows`` (n × down × across, kernel² × depth) int32 becomes the distinct ones, `OUTSIDE` where the padding is.
    A window is looked up by a multilinear hash with odd ``multipliers`` (kernel² × depth,) uint64 and then compared.
    """
    images, height, width = cells.shape
    down, across = numbers.shape[1:]
    length = windows.shape[1]
    row = length // kernel
    depth = row // kernel
    step = stride * depth
    slots = 1
    while slots < 2 * len(windows):
        slots *= 2
    table = np.full(slots, -1, np.int32)
    padded = np.full((height + 2 * padding, width + 2 * padding * depth), OUTSIDE, np.int32)
    as_above = np.zeros(len(padded), np.bool_)  # whether a row of pixels is that of the window above
    as_left = np.zeros((len(padded), across), np.bool_)  # whether a row of a window is that of the window to its left
    window = np.empty(length, np.int32)
    count = 0
    for image in range(images):
        for y in range(height):
            line, given = padded[padding + y, padding * depth :], cells[image, y]
            for x in range(width):
                line[x] = given[x]
        for y in range(stride, len(padded)):
            line, above = padded[y], padded[y - stride]
            unlike = 0
            for x in range(len(line)):
                unlike += line[x] != above[x]
            as_above[y] = not unlike
        scanned = 0
        for y in range(down):
            top = y * stride
            same = y > 0
            for each in range(top, top + kernel):
                same &= as_above[each]
            if same:
                found, above = numbers[image, y], numbers[image, y - 1]
                for x in range(across):
                    found[x] = above[x]
                continue
            for each in range(max(top, scanned), top + kernel):
                line, left = padded[each, step:], padded[each]
                alike = as_left[each]
                for x in range(1, across):
                    alike[x] = True
                for at in range(len(line)):
                    if line[at] != left[at]:
                        for x in range(max(1, (step + at - row) // step + 1), min(across, at // step + 2)):
                            alike[x] = False
            scanned = top + kernel
            for x in range(across):
                same = x > 0
                for each in range(top, top + kernel):
                    same &= as_left[each, x]
                if same:
                    numbers[image, y, x] = numbers[image, y, x - 1]
                    continue
                for each in range(kernel):
                    for at in range(row):
                        window[each * row + at] = padded[top + each, x * step + at]
                numbers[image, y, x] = number_of(window, multipliers, table, windows, count)
                count = max(count, numbers[image, y, x] + 1)
    return count
