"""The distinct windows that a convolution sees in a block of images."""

import numpy as np

from latentlab.system.compiled import compiled

OUTSIDE = -1  # what stands for a place outside the image
FOLD, MIX = np.uint64(32), np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ over the golden ratio (Knuth, volume 3, 6.4)


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
    as_left = np.zeros((len(padded), across), np.bool_)  # whether a row of a window is that of the window to its left
    window = np.empty(length, np.int32)
    count = 0
    for image in range(images):
        for y in range(height):
            for x in range(width):
                padded[padding + y, padding * depth + x] = cells[image, y, x]
        for y in range(len(padded)):
            as_left[y, 1:] = True
            for at in range(step, padded.shape[1]):
                if padded[y, at] != padded[y, at - step]:
                    for x in range(max(1, (at - row) // step + 1), min(across, at // step + 1)):
                        as_left[y, x] = False
        for y in range(down):
            for x in range(across):
                same = True
                for top in range(y * stride, y * stride + kernel):
                    same &= as_left[top, x]
                if same:
                    numbers[image, y, x] = numbers[image, y, x - 1]
                    continue
                hashed = np.uint64(0)
                for top in range(kernel):
                    for left in range(row):
                        value = padded[y * stride + top, x * step + left]
                        window[top * row + left] = value
                        hashed += np.uint64(value - OUTSIDE) * multipliers[top * row + left]
                slot = np.int64(((hashed ^ (hashed >> FOLD)) * MIX) >> FOLD) & (slots - 1)
                while table[slot] >= 0:
                    same = True
                    for at in range(length):
                        same &= windows[table[slot], at] == window[at]
                    if same:
                        break
                    slot = (slot + 1) & (slots - 1)
                if table[slot] < 0:
                    table[slot] = count
                    for at in range(length):
                        windows[count, at] = window[at]
                    count += 1
                numbers[image, y, x] = table[slot]
    return count
