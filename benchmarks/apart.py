"""What care with strangers' files costs: reading codes in a process apart, and measuring every compressed chunk.

Run from the repository root, on an idle machine: ``python benchmarks/apart.py``. Medians of alternating tries on 10⁵
rows.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from latentlab.codes.codes import Codes
from latentlab.codes.h5ad import load_codes, save_codes
from latentlab.system.chunks import Checked
from latentlab.system.hdf5 import open_safely
from latentlab.system.quarantine import strangers

ROWS, TRIES = 100_000, 9


def seconds(what: Callable[[], object]) -> float:
    """The time of one call."""
    start = time.perf_counter()
    what()
    return time.perf_counter() - start


def apart(path: Path) -> None:
    """Read codes in the other process."""
    with strangers():
        load_codes(path)


def images(path: Path, *, checked: bool) -> None:
    """Read all images in blocks of 256."""
    with open_safely(path) as file:
        array = Checked(file["images"]) if checked else file["images"]
        for start in range(0, ROWS, 256):
            _ = array[start : start + 256]


def main() -> None:
    """Print a line a comparison."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory(dir=".") as folder:
        codes, packed = Path(folder) / "codes.h5ad", Path(folder) / "images.h5"
        for latent in (10, 64):
            save_codes(codes, Codes(*rng.uniform(size=(2, ROWS, latent)).astype(np.float32)))
            print(f"the first codes apart: {1e3 * seconds(lambda: apart(codes)):.0f} ms, its process included or not")
            compare(f"codes of {latent} dimensions apart", lambda: load_codes(codes), lambda: apart(codes))
        pictures = (rng.uniform(size=(ROWS, 28, 28)) < 0.2).astype(np.uint8) * 255
        with h5py.File(packed, "w") as file:
            file.create_dataset("images", data=pictures, chunks=(256, 28, 28), compression="gzip", shuffle=True)
        compare("gzip images, measured", lambda: images(packed, checked=False), lambda: images(packed, checked=True))


def compare(what: str, plain: Callable[[], object], careful: Callable[[], object]) -> None:
    """Print both times and their ratio."""
    pairs = [(seconds(plain), seconds(careful)) for _ in range(TRIES)]
    a, b = (statistics.median(each) for each in zip(*pairs, strict=True))
    print(f"{what}: {1e3 * a:.0f} ms, {1e3 * b:.0f} ms with care, ratio {b / a:.2f}")


if __name__ == "__main__":
    main()
