"""Time all eight protocols of profile dlib on the cached codes of the full dSprites grid, beside the reference's times.

Run from the repository root: ``python benchmarks/scores.py [--tries 3] [--resamples 200]``. Needs ``../shared``. The
first try compiles the booster; minima over tries are shown, since other work on the machine only ever adds time. With
``OMP_NUM_THREADS=2`` DCI is computed beside the others, so that all take less than the sum of each. CPU
seconds, of all threads together, are shown for the whole: they tell whether the machine was shared. With
``--resamples`` the metrics that train nothing are computed once more, with redraws, nulls, ceiling and values beside.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
# ruff: noqa: E402 - numba imports a module called coverage, which lies in this folder
sys.path[:] = [each for each in sys.path if Path(each).resolve() != Path(__file__).parent]

import numpy as np

from latentlab.analysis.score.profiles.dlib import PROTOCOLS
from latentlab.analysis.score.scoring import score
from latentlab.analysis.score.uncertainty import is_fast
from latentlab.system.registry import load

REFERENCE = Path(__file__).parents[2] / "shared" / "reference"
ENTRY = {"modularity": "modularity_explicitness", "explicitness": "modularity_explicitness"}


def main() -> None:
    """Print one line a metric: our value, our seconds, the reference's seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=3)
    parser.add_argument("--resamples", type=int, default=0)
    args = parser.parse_args()
    reference = json.loads((REFERENCE / "reference_scores.json").read_text())["betaH_dsprites"]
    codes = np.load(REFERENCE / "grid_codes_betaH_dsprites.npy")
    runs, cpu, clock = [], [], []
    for _ in range(args.tries):
        start, began = time.process_time(), time.perf_counter()
        runs.append(score(codes, grid=reference["grid"]))
        cpu.append(time.process_time() - start)
        clock.append(time.perf_counter() - began)
    seconds = {name: min(run.seconds[name] for run in runs) for name in PROTOCOLS}
    print(f"{'metric':14} {'value':>10} {'ours, s':>8} {'reference, s':>13}")
    for name in PROTOCOLS:
        theirs = reference[ENTRY.get(name, name)]["seconds"]
        print(f"{name:14} {runs[0].scores[name].value:10.6f} {seconds[name]:8.2f} {theirs:13.2f}")
    total = sum(entry["seconds"] for entry in reference.values() if isinstance(entry, dict))
    print(f"{'all':14} {'':10} {min(clock):8.2f} {total:13.2f}   on {os.cpu_count()} cores")
    print(f"CPU seconds {min(cpu):.2f}, load average {os.getloadavg()[0]:.1f}")
    if args.resamples:
        resampled(codes, reference["grid"], args.resamples)


def resampled(codes: np.ndarray, grid: list[int], n: int) -> None:
    """Print the seconds of each metric that trains nothing, with n redraws and n of each null."""
    fast = [name for name in PROTOCOLS if is_fast(load("metrics", name))]
    start = time.process_time()
    found = score(codes, grid=grid, metrics=fast, resamples=n)
    cpu = time.process_time() - start
    print(f"\nwith {n} redraws, permutations and rotations:")
    for name in fast:
        low, high = found.scores[name].interval
        print(f"{name:14} {found.scores[name].value:10.6f} {found.seconds[name]:8.2f} s   {low:.3f} to {high:.3f}")
    print(f"CPU seconds {cpu:.2f}, load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
