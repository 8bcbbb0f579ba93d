"""Encoding to disk against a plain forward loop and a forward pass alone; its memory; from a checkpoint to its scores.

``python benchmarks/encoding.py [pace] [memory] [whole]`` on an idle machine. A plain loop is the encoder of the
Burgess network in PyTorch's default layout and float32 on all cores, glibc's thresholds as they are, over images that
lie in memory as uint8; a forward pass alone is ours over the same images, in our threads and batches, nothing
written. Ours renders its images and writes mean, variance and rate (no distortion, which the others do not compute
either). ``whole`` is `latentlab analyze --only encode`, then ``--only score --resamples 0``, on an imported model: all
737,280 images, from the shell's call to the end, the distortion of 10,000 rows included.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import torch

from latentlab.analysis.encode.stage import write_codes
from latentlab.data import load
from latentlab.data.dataset import Dataset
from latentlab.models import build, load_model
from latentlab.models.encoding import posteriors
from latentlab.runs.run import Run
from latentlab.system.machine import cores, processor
from latentlab.system.memory import keep_freed_memory
from latentlab.training.configure import configure
from latentlab.training.train import train

SOME = "dsprites:grid=3x4x8x16x16"  # 24,576 images
BETA_H = Path(__file__).parents[2] / "shared" / "reference" / "foreign" / "betaH_dsprites"


def plain(batch: int) -> Callable[[], object]:
    """The plain loop."""
    torch.set_num_threads(cores())
    data = load(SOME)
    images, model = data[:], build(configure(data, precision="float32")).eval()

    def loop() -> None:
        with torch.inference_mode():
            for i in range(0, len(images), batch):
                model.encode(torch.from_numpy(images[i : i + batch]).float() / 255)

    return loop


def forward(run: Run) -> Callable[[], object]:
    """Our forward pass alone."""
    data = load(SOME)
    images, model = data[:], load_model(run)
    ready = Dataset("ready", data.shape, lambda rows: images[rows])
    return lambda: [None for _ in posteriors(model, ready, cores())]


def ours(run: Run) -> Callable[[], object]:
    """From rendering to the published file."""
    data = load(SOME)
    _ = data[:64]  # the outlines are computed once
    run.codes_path.unlink(missing_ok=True)
    return lambda: write_codes(run, data, distortion="none")


def timed(work: Callable[[], object]) -> str:
    """Images a second by the clock and by CPU time."""
    wall, cpu, rows = time.perf_counter(), time.process_time(), len(load(SOME))
    work()
    return f"{rows / (time.perf_counter() - wall)} {rows / (time.process_time() - cpu)}"


def apart(*arguments: object) -> list[float]:
    """The numbers that a fresh interpreter prints which runs this file with those arguments."""
    command = [sys.executable, __file__, *map(str, arguments)]
    return list(map(float, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()))


def pace(run: Path, tries: int) -> None:
    """Ours against the plain loops and the forward pass alone, images a second."""
    kinds = (("plain", 64), ("plain", 1024), ("forward", run), ("ours", run))
    found = {kind: [0.0, 0.0] for kind in kinds}
    for _ in range(tries):
        for kind in kinds:
            found[kind] = list(map(max, found[kind], apart(*kind)))
    for name, which in (("clock", 0), ("CPU", 1)):
        small, large, alone, to_disk = (best[which] for best in found.values())
        print(
            f"images a second of {name} time: to disk {to_disk:,.0f}; plain at batch 64 {small:,.0f} (ratio "
            f"{to_disk / small:.2f}), at 1,024 {large:,.0f} ({to_disk / large:.2f}); forward alone {alone:,.0f} "
            f"({100 * to_disk / alone:.0f} %)",
            flush=True,
        )


def anonymous(process: int | str = "self") -> int:
    """Anonymous resident memory of a process in bytes."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon")).split()[1]) * 1024


def memory(run: Run, spec: str) -> float:
    """MiB that encoding takes at its peak over what the process and the loaded data held before."""
    data = load(spec)
    write_codes(run, load("dsprites:grid=3x2x4x4x4"), distortion="none")  # threads and outlines are there
    before, peak, done = anonymous(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            peak[0] = max(peak[0], anonymous())

    watcher = threading.Thread(target=watch)
    watcher.start()
    write_codes(run, data, distortion="none")
    done.set()
    watcher.join()
    return (peak[0] - before) / 2**20


def whole() -> None:
    """An imported model from checkpoint to codes, and to its scores, of all images."""
    if not BETA_H.is_dir():
        print(f"scores: needs {BETA_H}")
        return
    with tempfile.TemporaryDirectory() as folder:
        latentlab, path = [sys.executable, "-m", "latentlab"], f"{folder}/run"
        subprocess.run([*latentlab, "import", "disvae", str(BETA_H), "--out", path], check=True, capture_output=True)
        seconds = []
        for stage in ("encode", "score"):
            start = time.perf_counter()
            command = [*latentlab, "analyze", path, "--only", stage, "--resamples", "0", "--quiet"]
            subprocess.run(command, check=True, capture_output=True)
            seconds.append(time.perf_counter() - start)
    print(f"737,280 images encoded in {seconds[0]:.1f} s, scored in {seconds[1]:.1f} s more", flush=True)


def main() -> None:
    """Print the figures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", nargs="*", default=["pace", "memory", "whole"])
    parser.add_argument("--tries", type=int, default=2)
    args = parser.parse_args()
    print(f"{processor()}, {cores()} cores, torch {torch.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        run = train(SOME, Path(folder) / "run", steps=1).path
        for figure in args.figures:
            if figure == "pace":
                pace(run, args.tries)
            elif figure == "memory":
                sizes = {spec: apart("memory", run, spec)[0] for spec in ("dsprites:grid=3x6x16x18x20", "dsprites")}
                told = "; ".join(f"{len(load(spec)):,} rows {mib:.0f} MiB" for spec, mib in sizes.items())
                print(f"peak of memory: {told}", flush=True)
            else:
                whole()


if __name__ == "__main__":
    if sys.argv[1:2] in (["plain"], ["forward"], ["ours"], ["memory"]) and len(sys.argv) > 2:
        kind, *given = sys.argv[1:]
        if kind == "plain":
            print(timed(plain(int(given[0]))))
        else:
            keep_freed_memory()
            path = Run(Path(given[0]))
            print(memory(path, given[1]) if kind == "memory" else timed((forward if kind == "forward" else ours)(path)))
    else:
        main()
