"""Compare DCI's booster with scikit-learn's on arrays built to tie, and time it beside that and an older commit's.

Run from the repository root: ``python benchmarks/boosting.py [--arrays 500] [--first 0] [--rows 10000] [--rounds 4]
[--before COMMIT] [--reference]``. The first part prints every array on which importances differ by more than 1e-6, and
the largest difference of all. The second times seven kinds of arrays (n × 10, three classes), turn by turn in one
process and in CPU seconds, so that other work on the machine weighs on both alike: medians of the ratios are shown.
``--before`` takes the booster of that commit; ``--reference`` takes scikit-learn's, too, which takes minutes.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
# ruff: noqa: E402 - numba imports a module called coverage, which lies in this folder
sys.path[:] = [each for each in sys.path if Path(each).resolve() != Path(__file__).parent]
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier
from tied import tied

from latentlab.metrics._boosting import boost
from latentlab.metrics.dci import SCIKIT_LEARN

ROOT = Path(__file__).parents[1]
Fit = Callable[[Any, Any], Any]


def theirs(codes: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Importances by scikit-learn."""
    return GradientBoostingClassifier(**SCIKIT_LEARN, random_state=0).fit(codes, y).feature_importances_


def ours(codes: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Importances by the booster of this working tree."""
    return boost(codes, [y], codes[:1], threads=1)[0].importances


def of_commit(commit: str, folder: str) -> Fit:
    """Importances by the booster of an older commit, under a package name of its own."""
    package = Path(folder) / "before"
    package.mkdir()
    (package / "__init__.py").touch()
    listed = ["git", "ls-tree", "--name-only", commit, "latentlab/metrics/"]
    paths = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for path in (each for each in paths if Path(each).name.startswith("_") and each.endswith(".py")):
        source = subprocess.run(
            ["git", "show", f"{commit}:{path}"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        name = Path(path).name
        (package / name).write_text(
            "" if name == "__init__.py" else source.stdout.replace("latentlab.metrics._", "before._")
        )
    sys.path.insert(0, folder)
    fit = importlib.import_module("before._boosting").boost
    return lambda codes, y: fit(codes, [y], codes[:1], threads=1)[0].importances


def largest_difference(first: int, count: int) -> None:
    """Print what differs, and by how much at most."""
    worst = 0.0
    for seed in range(first, first + count):
        codes, y = tied(seed)
        difference = float(np.abs(ours(codes, y) - theirs(codes, y)).max())
        worst = max(worst, difference)
        if difference > 1e-6:
            print(f"array {seed}: {difference:.1e} ({codes.shape[0]} × {codes.shape[1]}, {y.max() + 1} classes)")
    print(f"{count} arrays from seed {first}: importances differ by {worst:.1e} at most")


def kinds(n: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Codes and classes of seven kinds."""
    random = np.random.default_rng(0)
    z = random.normal(size=(n, 10)).astype(np.float32)
    signal = z[:, 0] + 0.5 * z[:, 1] ** 2 + random.normal(scale=0.3, size=n)
    y = np.digitize(signal, np.quantile(signal, [1 / 3, 2 / 3]))
    yield "Gaussian", z, y
    yield "Gaussian, two classes", z, (signal > 0).astype(int)
    yield "tiny (1e-3)", z * np.float32(1e-3), y
    yield "whole numbers", np.round(3 * z), y
    twice = random.integers(0, n, size=n)
    yield "rows drawn twice", z[twice], y[twice]
    pairs = np.column_stack([z[:, :5], z[:, :5] + random.normal(scale=0.1, size=(n, 5)).astype(np.float32)])
    yield "rows drawn twice, two alike", pairs[twice], y[twice]
    yield "one copied, one mirrored", np.column_stack([z[:, :8], z[:, 0], -z[:, 1]]), y


def ratios(n: int, rounds: int, rivals: dict[str, Fit]) -> None:
    """Print our CPU seconds and their ratio to each rival's, taken turn by turn."""
    for kind, codes, y in kinds(n):
        for fit in (ours, *rivals.values()):
            fit(codes[:200], y[:200])
        taken = [[_seconds(fit, codes, y) for fit in (ours, *rivals.values())] for _ in range(rounds)]
        own, *others = np.array(taken).T
        told = ", ".join(f"{np.median(own / other):.3f} of {name}" for name, other in zip(rivals, others, strict=True))
        print(f"{kind:25} {own.min():6.2f} s: {told}", flush=True)


def _seconds(fit: Fit, codes: np.ndarray, y: np.ndarray) -> float:
    start = time.process_time()
    fit(codes, y)
    return time.process_time() - start


def main() -> None:
    """Both parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("arrays", 500), ("first", 0), ("rows", 10_000), ("rounds", 4)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--before", help="an older commit")
    parser.add_argument("--reference", action="store_true")
    args = parser.parse_args()
    if args.arrays:
        largest_difference(args.first, args.arrays)
    with tempfile.TemporaryDirectory() as folder:
        rivals = {args.before: of_commit(args.before, folder)} if args.before else {}
        rivals |= {"scikit-learn's": theirs} if args.reference else {}
        ratios(args.rows, args.rounds, rivals)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
