"""The peak of resident memory of every verb that reads a run, on a million rows.

Run from the repository root: ``python benchmarks/memory.py [--rows 1000000] [--out FOLDER]``. The data are blobs of 8×8
pixels with five factors on a full grid, in an HDF5 file; the model is an MLP of 200 steps, for what it learned is of no
interest. Each verb is a process of its own; the peak is what the system counted for it and its largest child, shared
pages of libraries and of mapped files included. The first line is `latentlab --version`, which loads nothing, the
second what importing PyTorch alone takes.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

GRID = (10, 10, 10, 10)
SIDE = 8


def write_data(path: Path, rows: int) -> None:
    """Images (n, 8, 8), factors (n, 5) and labels (n,) of a grid of 10⁴ blobs, each `rows` / 10⁴ times with noise."""
    repeats = rows // int(np.prod(GRID))
    levels = np.stack(np.unravel_index(np.arange(int(np.prod(GRID))), GRID), axis=1)
    y, x = np.mgrid[:SIDE, :SIDE]
    down, right, size, light = (levels[:, j, None, None] for j in range(4))
    far = (y - down * (SIDE - 1) / 9) ** 2 + (x - right * (SIDE - 1) / 9) ** 2
    blobs = (100 + 15 * light) * np.exp(-far / (1 + size))
    random = np.random.default_rng(0)
    factors = np.column_stack([np.repeat(levels, repeats, axis=0), np.tile(np.arange(repeats), len(levels))])
    with h5py.File(path, "w") as file:
        images = file.create_dataset("images", (len(factors), SIDE, SIDE), "u1")
        for i, blob in enumerate(blobs):
            noisy = blob + random.normal(0, 3, (repeats, SIDE, SIDE))
            images[i * repeats : (i + 1) * repeats] = noisy.clip(0, 255).astype(np.uint8)
        file["factors"] = factors.astype(np.uint8)
        file["factor_names"] = [name.encode() for name in ("down", "right", "size", "light", "noise")]
        file["labels"] = factors[:, 2]


def peak(*command: str | Path) -> tuple[float, float]:
    """Seconds and MiB of a command that must end well."""
    started = time.perf_counter()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def main() -> None:
    """A line of JSON a verb."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        here = given.out or Path(scratch)
        here.mkdir(parents=True, exist_ok=True)
        data, run = here / "blobs.h5", here / "run"
        if not data.is_file():
            write_data(data, given.rows)
        some = here / "some.npz"
        np.savez(some, images=np.random.default_rng(1).integers(0, 256, (5000, SIDE, SIDE), np.uint8))
        few = ["--steps", "200", "--latent-dim", "5", "--beta", "1", "--threads", "1"]
        tool = [sys.executable, "-m", "latentlab"]
        verbs = {
            "--version": [],
            "import torch": [sys.executable, "-c", "import torch"],
            "data check": [data],
            "train": ["--data", data, "--out", run, *few],
            "analyze --only encode": [run],
            "analyze --only traverse": [run],
            "analyze --only project": [run],
            "analyze --only score": [run],
            "score": [run, "--metric", "mig,dci"],
            "compare": [run],
            "explain": [run],
            "probe": [run],
            "debias": [run, "-o", here / "weights.npy"],
            "outliers": [run, "--against", some],
            "support": [run],
            "likelihood": [run, "--data", f"{data}:binarised=0", "--rows", "100"],
            "leakage": [run],
            "figure projection": [run, "-o", here / "map.pdf"],
            "figure aggregate-posterior": [run, "-o", here / "q.pdf"],
            "figure factor-matrix": [run, "-o", here / "factors.pdf"],
            "export --to h5ad": [run, "-o", here / "out.h5ad"],
            "export --to parquet": [run, "-o", here / "out.parquet"],
            "export --to study": [here, "-o", here / "small"],
            "report": [run, "-o", here / "report.html"],
            "methods": [run],
            "doctor": [run],
        }
        for verb, arguments in verbs.items():
            command = arguments if verb.startswith("import") else [*tool, *verb.split(), *arguments]
            seconds, mib = peak(*command)
            print(json.dumps({"verb": verb, "seconds": round(seconds, 1), "MiB": round(mib)}), flush=True)


if __name__ == "__main__":
    main()
