"""What publishing a file costs against writing it plainly: a ratio for each size, in one run.

Run from the repository root, on an idle machine: ``python benchmarks/publishing.py``. The plain write opens, writes and
closes; publishing writes a temporary file, flushes it, renames it and flushes the folder. Medians of alternating tries.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from latentlab.system.files import write_bytes


def seconds(what: Callable[[], object]) -> float:
    """The time of one call."""
    start = time.perf_counter()
    what()
    return time.perf_counter() - start


def main() -> None:
    """Print a line a size."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        path = Path(folder) / "file"
        for size in (1 << 10, 1 << 20, 1 << 24, 1 << 26):
            content, plain, published = b"x" * size, [], []
            for _ in range(15):
                plain.append(seconds(lambda content=content: path.write_bytes(content)))
                published.append(seconds(lambda content=content: write_bytes(path, content)))
            a, b = statistics.median(plain), statistics.median(published)
            print(f"{size:>11,} bytes: plain {1e3 * a:8.2f} ms, published {1e3 * b:8.2f} ms, ratio {b / a:.1f}")


if __name__ == "__main__":
    main()
