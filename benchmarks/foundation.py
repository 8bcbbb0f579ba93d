"""Figures of the foundation: rendering the whole of dSprites, `latentlab --help`, a training step, encoding.

Run on an idle machine: ``python benchmarks/foundation.py``. Minima over several tries; each ratio is against the
baseline that its line names, measured in this same run.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from latentlab.configuring import configure
from latentlab.data import load
from latentlab.encoding import posterior
from latentlab.memory import keep_freed_memory
from latentlab.models import build, place
from latentlab.objectives import Moment, build_objective
from latentlab.training import _Batches, _step, processor


def least(what: Callable[[], object], tries: int = 5) -> float:
    """The shortest of several times, in seconds."""
    times = []
    for _ in range(tries):
        start = time.perf_counter()
        what()
        times.append(time.perf_counter() - start)
    return min(times)


def rendering() -> None:
    """The 737,280 images of the published grid, in blocks, as they are read."""
    data = load("dsprites")
    _ = data[0:64]
    whole = least(lambda: [data[i : i + 8192] for i in range(0, len(data), 8192)], tries=2)
    rows = np.random.default_rng(0).integers(0, len(data), 64)
    print(f"dSprites, the whole grid: {whole:.1f} s; 64 random rows: {1e3 * least(lambda: data[rows], 50):.2f} ms")


def help_text() -> None:
    """The time from the shell's call to the end of the help."""
    command = [sys.executable, "-m", "latentlab", "--help"]
    seconds = least(lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=True), 9)
    print(f"latentlab --help: {seconds:.3f} s")


def plain_step(threads: int, batch: int) -> float:
    """Baseline: the same network in PyTorch's default layout with its default Adam."""
    data, config = load("dsprites"), configure(load("dsprites"), threads=threads, batch_size=batch)
    model, objective, batches = build(config), build_objective(config.objective), _Batches(data, config)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    moment = Moment(0, len(data))
    step = lambda i: _step(model, objective, optimizer, batches[i], moment, config.hardware)  # noqa: E731
    return least(lambda: [step(i) for i in range(20)]) / 20


def our_step(threads: int, batch: int) -> float:
    """The step as `latentlab train` takes it."""
    data, config = load("dsprites"), configure(load("dsprites"), threads=threads, batch_size=batch)
    model, objective = place(build(config), config.hardware), build_objective(config.objective)
    optimizer, batches = (
        torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True),
        _Batches(data, config),
    )
    moment = Moment(0, len(data))
    step = lambda i: _step(model, objective, optimizer, batches[i], moment, config.hardware)  # noqa: E731
    return least(lambda: [step(i) for i in range(20)]) / 20


def training() -> None:
    """A step of the Burgess network on 64×64 images, against a plain float32 loop in the same process state."""
    threads = len(os.sched_getaffinity(0))
    torch.set_num_threads(threads)
    plain = {batch: plain_step(threads, batch) for batch in (64, 256)}
    keep_freed_memory()
    for batch, baseline in plain.items():
        ours = our_step(threads, batch)
        print(f"step at batch {batch}: {1e3 * ours:.1f} ms; plain {1e3 * baseline:.1f} ms; ratio {baseline / ours:.2f}")


def encoding() -> None:
    """Posterior means and variances of 16,384 images, against a plain forward loop at batch 1,024."""
    data, config = load("dsprites"), configure(load("dsprites"))
    images = data[0:16384]
    plain, ours = build(config).eval(), place(build(config), config.hardware).eval()

    def loop() -> None:
        with torch.inference_mode():
            for i in range(0, len(images), 1024):
                plain.encode(torch.from_numpy(images[i : i + 1024]).float() / 255)

    baseline, found = least(loop, 3), least(lambda: posterior(ours, images), 3)
    ours_rate, plain_rate = len(images) / found, len(images) / baseline
    ratio = ours_rate / plain_rate
    print(f"encoding: {ours_rate:,.0f} images/s; plain, batch 1,024: {plain_rate:,.0f}; ratio {ratio:.2f}")


if __name__ == "__main__":
    print(f"{processor()}, {len(os.sched_getaffinity(0))} cores, torch {torch.__version__}")
    for figure in (rendering, help_text, training, encoding):
        figure()
