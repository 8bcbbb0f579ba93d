"""Time all eight protocols of profile dlib on the cached codes of the full dSprites grid, beside the reference's times.

Run from the repository root: ``python benchmarks/scores.py [--tries 3]``. Needs ``../shared``. The first try compiles
the booster; minima over tries are shown, since other work on the machine only ever adds time.
"""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from latentlab.profiles.dlib import PROTOCOLS
from latentlab.scoring import score

REFERENCE = Path(__file__).parents[2] / "shared" / "reference"
ENTRY = {"modularity": "modularity_explicitness", "explicitness": "modularity_explicitness"}


def main() -> None:
    """Print one line a metric: our value, our seconds, the reference's seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=3)
    tries = parser.parse_args().tries
    reference = json.loads((REFERENCE / "reference_scores.json").read_text())["betaH_dsprites"]
    codes = np.load(REFERENCE / "grid_codes_betaH_dsprites.npy")
    runs = [score(codes, grid=reference["grid"]) for _ in range(tries)]
    seconds = {name: min(run.seconds[name] for run in runs) for name in PROTOCOLS}
    print(f"{'metric':14} {'value':>10} {'ours, s':>8} {'reference, s':>13}")
    for name in PROTOCOLS:
        theirs = reference[ENTRY.get(name, name)]["seconds"]
        print(f"{name:14} {runs[0].scores[name].value:10.6f} {seconds[name]:8.2f} {theirs:13.2f}")
    total = sum(entry["seconds"] for entry in reference.values() if isinstance(entry, dict))
    print(f"{'all':14} {'':10} {sum(seconds.values()):8.2f} {total:13.2f}   on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
