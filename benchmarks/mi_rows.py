"""Time and memory of a MI-based score over many memory-mapped rows, beside one pass over the same data.

Run from the repository root: ``python benchmarks/mi_rows.py [--rows 10000000] [--dir FOLDER]``. Codes are (rows, 10)
float32, factors (rows, 5) uint8 with dSprites' levels; the files (450 MB at 10^7 rows) are written first and removed.

One pass is the least NumPy work that the tables of counts take: in blocks, every dimension's bins by ``searchsorted``
in edges that are given, and for every (dimension, factor) one ``bincount``; no checks, no extremes, no kinds. The score
is ``ll.metrics.mig``, which makes checks, extremes, bins and all tables. Beside it stands the plain sum of all numbers.
Each is measured in a process of its own, whose peak of anonymous memory (mapped files do not count) is shown less what
the process held before. The kernel's compilation is left out by a call on few rows.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

SIZES = (3, 6, 40, 32, 32)
D, BINS, BLOCK = 10, 20, 1 << 15


def write(folder: Path, rows: int) -> None:
    """Codes and factors of that many rows, block by block."""
    codes = np.lib.format.open_memmap(folder / "codes.npy", "w+", np.float32, (rows, D))
    factors = np.lib.format.open_memmap(folder / "factors.npy", "w+", np.uint8, (rows, len(SIZES)))
    random = np.random.default_rng(0)
    for start in range(0, rows, BLOCK):
        n = min(BLOCK, rows - start)
        levels = np.stack([random.integers(size, size=n) for size in SIZES], axis=1)
        factors[start : start + n] = levels
        codes[start : start + n] = random.standard_normal((n, D), dtype=np.float32) * 0.2
        codes[start : start + n, : len(SIZES)] += levels / np.array(SIZES)


def one_pass(codes: np.ndarray, factors: np.ndarray, edges: np.ndarray) -> int:
    """Every table of counts in NumPy, edges known."""
    tables = [[np.zeros(BINS * size, np.int64) for size in SIZES] for _ in range(D)]
    for start in range(0, len(codes), BLOCK):
        z, v = codes[start : start + BLOCK], factors[start : start + BLOCK]
        for i in range(D):
            cells = np.searchsorted(edges, z[:, i], side="right")
            for j, size in enumerate(SIZES):
                tables[i][j] += np.bincount(cells * size + v[:, j], minlength=BINS * size)
    return int(tables[0][0].sum())


def plain_sum(codes: np.ndarray, factors: np.ndarray, _: np.ndarray) -> float:
    """The sum of all numbers."""
    return float(codes.sum()) + float(factors.sum())


def mig(codes: np.ndarray, factors: np.ndarray, _: np.ndarray) -> float:
    """MIG of all rows."""
    import latentlab as ll

    return ll.metrics.mig(codes, factors).value


def anonymous() -> int:
    """Anonymous resident memory of this process in bytes."""
    line = next(s for s in Path("/proc/self/status").read_text().splitlines() if s.startswith("RssAnon"))
    return int(line.split()[1]) * 1024


def measure(what: str, folder: Path, rows: int) -> None:
    """Run one of the three and print its seconds and the rise of anonymous memory."""
    work = {"pass": one_pass, "sum": plain_sum, "mig": mig}[what]
    codes, factors = (np.load(folder / f"{name}.npy", mmap_mode="r")[:rows] for name in ("codes", "factors"))
    edges = np.linspace(-1.0, 2.0, BINS + 1)[1:-1].astype(np.float32)
    few = 300_000  # enough that the compiled kernel is used
    work(codes[:few], factors[:few], edges)
    before, peak, done = anonymous(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            peak[0] = max(peak[0], anonymous())

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    work(codes, factors, edges)
    seconds = time.perf_counter() - start
    done.set()
    watcher.join()
    print(seconds, max(peak[0] - before, 0) / 2**20)


def main() -> None:
    """Print a line for a tenth of the rows and for all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--dir", type=Path)
    parser.add_argument("--tries", type=int, default=2)
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        what, folder, rows = args.measure
        measure(what, Path(folder), int(rows))
        return
    with tempfile.TemporaryDirectory(dir=args.dir) as folder:
        write(Path(folder), args.rows)
        print(f"{'rows':>12} {'what':>5} {'seconds':>8} {'MiB more':>9} {'passes':>7}")
        for rows in (args.rows // 10, args.rows):
            found: dict[str, tuple[float, float]] = {}
            for _ in range(args.tries):
                for what in ("pass", "sum", "mig"):
                    command = [sys.executable, __file__, "--measure", what, folder, str(rows)]
                    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                    seconds, memory = map(float, said.split())
                    known = found.get(what, (np.inf, 0.0))
                    found[what] = (min(known[0], seconds), max(known[1], memory))
            for what, (seconds, memory) in found.items():
                ratio = seconds / found["pass"][0]
                print(f"{rows:12,} {what:>5} {seconds:8.2f} {memory:9.1f} {ratio:7.2f}")


if __name__ == "__main__":
    main()
