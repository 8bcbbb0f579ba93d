"""How fast dSprites and scenes are drawn: random rows, on one core.

OMP_NUM_THREADS=1 python benchmarks/rendering.py
"""

from __future__ import annotations

import time

import numpy as np

from latentlab.data import load

ROWS, BATCH = 8192, 64


def main() -> None:
    """Print, for each data set, the seconds until the first batch of all scenes and the images a second after it."""
    for spec in ("dsprites", "scenes", "scenes:size=32"):
        data = load(spec)
        rows = np.random.default_rng(0).integers(0, len(data), ROWS)
        start = time.perf_counter()
        data[rows[:1024]]
        first = time.perf_counter() - start
        start = time.perf_counter()
        for k in range(0, ROWS, BATCH):
            data[rows[k : k + BATCH]]
        seconds = time.perf_counter() - start
        print(f"{spec}: the first 1,024 images {first:.2f} s, then {ROWS / seconds:,.0f} images a second")


if __name__ == "__main__":
    main()
