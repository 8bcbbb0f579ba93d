"""Training against a plain PyTorch loop; a study against its members one after another; the backward against the peak.

``python benchmarks/training.py [train] [study] [backward] [--threads N]``. The plain loop is the Burgess network on
64×64 images in PyTorch's default layout, float32, its default Adam and glibc's default thresholds; its images lie ready
in memory as float32, and it logs and keeps nothing. Ours is `train` as the command line calls it: rendering, logging
every 100 steps and checkpoints included. Each has an interpreter of its own, they take turns, and the best of several
tries counts. Images a second are shown of the clock and of the process's CPU time; with ``--threads 1`` the latter are
comparable on a busy machine too.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from latentlab.data import load
from latentlab.models import build
from latentlab.models.networks._layers import channels_last
from latentlab.system.machine import cores, processor
from latentlab.system.memory import keep_freed_memory
from latentlab.training.configure import configure
from latentlab.training.objectives import Moment, build_objective
from latentlab.training.sweep import sweep
from latentlab.training.train import train as train_run

# Of the encoder's convolutions, 4×4 with stride 2: channels in and out, and the side of the image that comes in.
LAYERS = ((1, 32, 64), (32, 32, 32), (32, 32, 16), (32, 32, 8))


def plain(batch: int, steps: int, threads: int) -> float:
    """Train by the plain loop; images in all."""
    torch.set_num_threads(threads)
    data = load("dsprites")
    config = configure(data, batch_size=batch, precision="float32")
    model, objective = build(config), build_objective(config.objective)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    images = [torch.from_numpy(data[i * batch : (i + 1) * batch]).float() / 255 for i in range(8)]
    for i in range(steps):
        terms = objective.terms(model, images[i % 8], Moment(i, len(data)))
        optimizer.zero_grad()
        terms.loss.backward()
        optimizer.step()
    return batch * steps


def ours(precision: str, batch: int, steps: int, threads: int) -> float:
    """Train as `latentlab train` does; images in all."""
    keep_freed_memory()
    options: dict[str, Any] = {"precision": precision, "batch_size": batch, "steps": steps, "threads": threads}
    with tempfile.TemporaryDirectory() as folder:
        train_run("dsprites", Path(folder) / "run", **options)
    return batch * steps


def measured(kind: str, batch: int, steps: int, threads: int) -> None:
    """Print images a second by the clock and by CPU time, the one-time work of a process left out."""
    _ = load("dsprites")[0:64]  # the outlines are computed once
    work = partial(plain if kind == "plain" else partial(ours, kind), batch)
    work(2, threads)
    wall, cpu = time.perf_counter(), time.process_time()
    images = work(steps, threads)
    print(images / (time.perf_counter() - wall), images / (time.process_time() - cpu))


def train(tries: int, threads: int) -> None:
    """Ours against the plain loop, at batch 64 and 256."""
    for batch, steps in ((64, 200), (256, 60)):
        found: dict[str, list[float]] = {kind: [0.0, 0.0] for kind in ("plain", "auto", "float32")}
        for _ in range(tries):
            for kind, best in found.items():
                number = steps // 4 if kind == "plain" else steps
                command = [sys.executable, __file__, "measured", kind, *map(str, (batch, number, threads))]
                said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
                best[:] = map(max, best, map(float, said))
        for name, which in (("clock", 0), ("CPU", 1)):
            base = found["plain"][which]
            told = ", ".join(f"{kind} {best[which]:,.0f} ({best[which] / base:.2f})" for kind, best in found.items())
            print(f"batch {batch}, {threads} threads, images a second of {name} time (ratio): {told}", flush=True)


def speed(run: Path) -> float:
    """Images a second of a finished run."""
    return float(json.loads((run / "environment.json").read_text())["training"]["images_per_second"])


def study(tries: int, threads: int) -> None:
    """Eight members of 300 steps, two at a time with a thread each, and one after another on all cores."""
    keep_freed_memory()
    beta, found = [1, 2, 3, 4, 5, 6, 7, 8], dict[str, tuple[float, float]]()
    for name, workers, each in (("one after another", 1, threads), ("together", threads, 1)):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            runs = sweep("dsprites", Path(folder, "study"), beta=beta, steps=300, workers=workers, threads=each)
            seconds = time.perf_counter() - start
            rate = workers * sum(speed(run.path) for run in runs) / len(beta)
        found[name] = seconds, rate
        print(f"study of 8, {name}: {seconds:.1f} s, {rate:,.0f} images/s while training", flush=True)
    (slow, before), (fast, after) = found.values()
    print(f"ratio {after / before:.2f} while training, {slow / fast:.2f} with the start of the processes")


def backward(tries: int, threads: int) -> None:
    """The convolutions' backward at batch 64, in operations a second, beside a matrix product."""
    keep_freed_memory()
    torch.set_num_threads(threads)

    def best(what: Callable[[], object]) -> float:
        what()
        times = []
        for _ in range(10 * tries):
            start = time.perf_counter()
            what()
            times.append(time.perf_counter() - start)
        return min(times)

    for kind in (torch.float32, torch.bfloat16):
        a = torch.randn(2048, 2048).to(kind)
        peak = 2 * 2048**3 / best(partial(torch.mm, a, a))
        seconds, operations = 0.0, 0
        for given, made, side in LAYERS:
            x, y = (
                channels_last(torch.randn(64, given, side, side)),
                channels_last(torch.randn(64, made, side // 2, side // 2)),
            )
            x, y, w = x.to(kind), y.to(kind), channels_last(torch.randn(made, given, 4, 4)).to(kind)
            wanted = [given > 1, True, True]  # nobody asks for the gradient of the images
            more = [made], [2, 2], [1, 1], [1, 1], False, [0, 0], 1, wanted
            seconds += best(partial(torch.ops.aten.convolution_backward, y, x, w, *more))
            operations += 2 * (1 + (given > 1)) * 64 * (side // 2) ** 2 * made * given * 16
        rate = operations / seconds
        print(
            f"{kind}: backward of the encoder's convolutions {1e3 * seconds:.2f} ms, {rate / 1e9:.0f} Gop/s; a matrix "
            f"product of 2,048² {peak / 1e9:.0f} Gop/s; {100 * rate / peak:.0f} %",
            flush=True,
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["measured"]:
        measured(sys.argv[2], *map(int, sys.argv[3:]))
        sys.exit()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", nargs="*", default=["train", "study", "backward"])
    parser.add_argument("--tries", type=int, default=2)
    parser.add_argument("--threads", type=int, default=cores())
    args = parser.parse_args()
    print(f"{processor()}, {cores()} cores, torch {torch.__version__}")
    for figure in args.figures:
        {"train": train, "study": study, "backward": backward}[figure](args.tries, args.threads)
