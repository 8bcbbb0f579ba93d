"""Speed of training, encoding and scoring in two commits: pairs of runs that take turns, and the ratio of their times.

Run from the repository root on an idle machine: ``python benchmarks/paired.py [BEFORE] [AFTER] [--pairs 10]``. BEFORE
is by default the commit before samples had a form; a0c37c0 is the one before the package was arranged in rooms. Each
commit is checked out in a folder of its own; every run has an interpreter of its own, the order within a pair changes,
and the clock starts after imports and after one warm-up. Scores are those of 30,720 rows by profile dlib, without
redraws. Shown are the median ratio after / before and its 95 % interval over pairs (order statistics). Promised:
within 2 %.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy import stats

BEFORE = "8d68b08~1"
CODE = """
import sys, tempfile, time
from pathlib import Path
import numpy as np
import latentlab as ll
try:
    from latentlab.analysis.score.scoring import score
except ModuleNotFoundError:
    from latentlab.scoring import score
grid = (3, 4, 10, 16, 16)
data = ll.data.load("dsprites:size=32,grid=" + "x".join(map(str, grid)))
codes = np.random.default_rng(0).normal(size=(len(data), 10)) + data.factors[:, [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]]
with tempfile.TemporaryDirectory() as folder:
    ll.train(data, Path(folder) / "warm", steps=20, network={network!r}, batch_size=128, threads=1)
    score(codes, grid=grid)
    start = time.{clock}()
    run = ll.train(data, Path(folder) / "run", steps={steps}, network={network!r}, batch_size=128, threads=1)
    trained = time.{clock}()
    ll.encode(run, data)
    encoded = time.{clock}()
    score(codes, grid=grid)
    print(trained - start, encoded - trained, time.{clock}() - encoded)
"""


def seconds(folder: Path, network: str, steps: int, clock: str) -> np.ndarray:
    """The seconds of training, encoding and scoring (3,) in a checkout."""
    code = CODE.format(network=network, steps=steps, clock=clock)
    place = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=folder, env=place, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{folder.name} failed: {done.stderr.strip().splitlines()[-1]}")
    return np.array(done.stdout.split()[-3:], float)


def middle(ratios: np.ndarray) -> str:
    """The median of ratios, and its interval between order statistics."""
    ranked, n = np.sort(ratios), len(ratios)
    first = int(max(stats.binom.ppf(0.025, n, 0.5) - 1, 0))
    return f"{np.median(ranked):.3f} ({ranked[first]:.3f} to {ranked[-1 - first]:.3f})"


def main() -> None:
    """Print a line a network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commits", nargs="*", default=[], help="before and after")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--cpu", action="store_true", help="processor time, which neighbours change less")
    args = parser.parse_args()
    clock = "process_time" if args.cpu else "perf_counter"
    with tempfile.TemporaryDirectory() as folder:
        places = []
        for name, commit in zip(
            ("before", "after"), [*args.commits, *[BEFORE, "HEAD"][len(args.commits) :]], strict=True
        ):
            place = Path(folder) / name
            subprocess.run(["git", "worktree", "add", "--detach", place, commit], check=True, capture_output=True)
            places.append(place)
        try:
            for network in ("mlp", "burgess"):
                pairs = []
                for k in range(args.pairs):
                    order = (0, 1) if k % 2 else (1, 0)
                    found = {i: seconds(places[i], network, args.steps, clock) for i in order}
                    pairs.append(found[1] / found[0])
                found = zip(("training", "encoding", "scores"), np.array(pairs).T, strict=True)
                told = ", ".join(f"{what} {middle(ratios)}" for what, ratios in found)
                print(f"{network}: {told}; {args.pairs} pairs", flush=True)
        finally:
            for place in places:
                subprocess.run(["git", "worktree", "remove", "--force", place], check=False, capture_output=True)


if __name__ == "__main__":
    main()
