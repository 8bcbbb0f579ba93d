"""Training next to busy processes: ours as the command line trains, and a plain PyTorch loop, side by side.

    python benchmarks/busy.py
    python benchmarks/busy.py --neighbours 0,2 --seconds 5 --network burgess

Ours is `train` with the threads of every core allowed and the waiting that the command line sets; plain is the same
network, objective and batch in a loop of PyTorch's defaults, on images that lie ready; single is ours on one thread.
Each is a process of its own, and the three take turns beside 0, 1, 2 and 4 processes that spin. Images a second are
shown of the clock and, in brackets, of the processor time: threads that burn while they wait lower both. The fair share
of n neighbours is min(1, cores / (n + 1)) of what a single thread makes alone; ``ours / fair`` should not be below 0.8.
Alone is the first row: on a machine that others use, it is not idle, and the table's load says so.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SIDE = {"mlp": 28, "burgess": 64, "resnet": 32}
ROWS, BATCH = 2048, 64
KINDS = ("plain", "single", "ours")


def measured(kind: str, network: str, seconds: float) -> None:
    """Train for about so many seconds; print images a second of the clock and of the processor time."""
    from latentlab.system.waiting import set_waiting

    if kind != "plain":
        set_waiting()
    import numpy as np

    images = np.random.default_rng(0).integers(0, 255, (ROWS, SIDE[network], SIDE[network]), dtype=np.uint8)
    work = plain if kind == "plain" else ours
    steps, clock, processor = work(images, network, kind, seconds)
    print(steps * BATCH / clock, steps * BATCH / processor)


def ours(images: object, network: str, kind: str, seconds: float) -> tuple[int, float, float]:
    """Steps of `train`, their seconds and processor seconds, after the first ten."""
    from latentlab.system.memory import keep_freed_memory
    from latentlab.training.train import train

    keep_freed_memory()
    marks: list[tuple[int, float, float]] = []

    def progress(step: int, steps: int, line: object) -> None:
        marks.append((step, time.perf_counter(), time.process_time()))
        if marks[-1][1] - marks[0][1] > seconds:
            raise TimeoutError

    options = {"network": network, "batch_size": BATCH, "log_every": 10, "steps": 10**7, "precision": "float32"}
    threads = 1 if kind == "single" else None
    with tempfile.TemporaryDirectory() as folder, suppress(TimeoutError):
        train(images, Path(folder) / "run", progress=progress, threads=threads, **options)  # type: ignore[arg-type]
    (first, clock, processor), (last, end, used) = marks[0], marks[-1]
    return last - first, end - clock, used - processor


def plain(images: object, network: str, kind: str, seconds: float) -> tuple[int, float, float]:
    """The same of a plain loop with PyTorch's own threads and waiting."""
    import torch

    from latentlab.data import load
    from latentlab.models import build
    from latentlab.training.configure import configure
    from latentlab.training.objectives import Moment, build_objective

    data = load(images)  # type: ignore[arg-type]
    config = configure(data, network=network, batch_size=BATCH, precision="float32")
    model, objective = build(config), build_objective(config.objective)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    batches = [torch.from_numpy(data[i * BATCH : (i + 1) * BATCH]).float() / 255 for i in range(8)]
    steps, clock, processor = -10, 0.0, 0.0
    while steps <= 0 or time.perf_counter() - clock < seconds:
        if steps == 0:
            clock, processor = time.perf_counter(), time.process_time()
        loss = objective.terms(model, batches[steps % 8], Moment(max(steps, 0), len(data))).loss
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        steps += 1
    return steps, time.perf_counter() - clock, time.process_time() - processor


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """So many processes that spin."""
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for each in spinning:
            each.kill()
            each.wait()


def speeds(network: str, seconds: float, tries: int) -> dict[str, tuple[float, float]]:
    """The middle speeds of each kind, measured in turn."""
    found: dict[str, list[list[float]]] = {kind: [] for kind in KINDS}
    plainly = {key: value for key, value in os.environ.items() if not key.startswith(("OMP_", "GOMP_", "KMP_"))}
    for _ in range(tries):
        for kind, each in found.items():
            line = [sys.executable, __file__, "--measured", kind, "--network", network, "--seconds", str(seconds)]
            said = subprocess.run(line, check=True, capture_output=True, text=True, env=plainly).stdout.split()
            each.append([float(number) for number in said[-2:]])
    return {kind: tuple(map(statistics.median, zip(*each, strict=True))) for kind, each in found.items()}  # type: ignore[misc]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=[*SIDE], default="mlp")
    parser.add_argument("--neighbours", default="0,1,2,4")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--tries", type=int, default=3)
    parser.add_argument("--measured", choices=KINDS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measured:
        measured(given.measured, given.network, given.seconds)
        return
    from latentlab.system.machine import cores

    print(
        "| neighbours | " + " | ".join(f"{kind}, images/s" for kind in KINDS) + " | ours / plain | ours / fair | load |"
    )
    print("|---" * (len(KINDS) + 4) + "|")
    alone = 0.0
    for count in map(int, given.neighbours.split(",")):
        with neighbours(count):
            found = speeds(given.network, given.seconds, given.tries)
            load = os.getloadavg()[0]
        alone = alone or found["single"][0]
        share = alone * min(1, cores() / (count + 1))
        cells = " | ".join(f"{clock:,.0f} ({processor:,.0f})" for clock, processor in found.values())
        ratios = found["ours"][0] / found["plain"][0], found["ours"][0] / share
        print(f"| {count} | {cells} | {ratios[0]:.2f} | {ratios[1]:.2f} | {load:.1f} |", flush=True)


if __name__ == "__main__":
    main()
