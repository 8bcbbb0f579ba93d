"""An epoch of training beside pythae and a plain PyTorch loop; UMAP beside umap-learn; a step beside its operators.

``python benchmarks/peers.py [epoch] [umap] [step] [--threads N] [--tries N]``. ``epoch``: 12,800 images in memory,
binary at random, of MNIST's size and of half the side of dSprites', for the same network, batch 64, Adam, binary
cross-entropy. pythae trains it with its own trainer; the plain loop logs nothing; ours is `train` with logging and
checkpoints. Each has an interpreter of its own, they take turns, the best of several tries counts, and what an
interpreter does once is left out. ``umap``: 5,000 rows × 10 by both. ``step``: the fastest of many steps beside the
least sum of the times of its operators, each without those that it calls, in PyTorch's profiler. DCI
beside scikit-learn is in `benchmarks/boosting.py --reference`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

# ruff: noqa: E402 - numba imports a module called coverage, which lies in this folder
sys.path[:] = [each for each in sys.path if Path(each).resolve() != Path(__file__).parent]

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

import latentlab as ll
from latentlab.models import build
from latentlab.system.machine import cores, processor
from latentlab.system.memory import keep_freed_memory
from latentlab.training.batches import Batches
from latentlab.training.configure import configure
from latentlab.training.objectives import Moment, build_objective
from latentlab.training.train import beginning, train

IMAGES, BATCH = 12_800, 64
SIDES = {"mnist": (28, "mlp"), "dsprites": (32, "burgess")}
KINDS = ("pythae", "plain", "ours")


def images(side: int, count: int = IMAGES) -> np.ndarray:
    """Binary images (count, side, side) in bytes."""
    return np.random.default_rng(0).integers(0, 2, (count, side, side), np.uint8) * 255


def noise(side: int, count: int) -> np.ndarray:
    """Signals of three channels (count, 3, side)."""
    return np.random.default_rng(0).standard_normal((count, 3, side)).astype(np.float32)


def plain(data: ll.Dataset, network: str, threads: int) -> None:
    """An epoch by the loop that a tutorial shows."""
    torch.set_num_threads(threads)
    config = configure(data, batch_size=BATCH, precision="float32", network=network)
    model, objective = build(config), build_objective(config.objective)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    x = torch.from_numpy(data[:]).float() / 255
    order = torch.randperm(len(x))
    for i in range(0, len(x), BATCH):
        terms = objective.terms(model, x[order[i : i + BATCH]], Moment(i // BATCH, len(x)))
        optimizer.zero_grad()
        terms.loss.backward()
        optimizer.step()


def of_pythae(data: ll.Dataset, network: str, threads: int) -> None:
    """An epoch by pythae's trainer, our network in its encoder's and decoder's place."""
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    torch.set_num_threads(threads)
    own: Any = build(configure(data, batch_size=BATCH, precision="float32", network=network))

    class Encoder(BaseEncoder):
        """Ours."""

        def __init__(self) -> None:
            BaseEncoder.__init__(self)
            self.own = own.encoder

        def forward(self, x: torch.Tensor) -> ModelOutput:
            mean, log_variance = self.own(x).chunk(2, dim=-1)
            return ModelOutput(embedding=mean, log_covariance=log_variance)

    class Decoder(BaseDecoder):
        """Ours."""

        def __init__(self) -> None:
            BaseDecoder.__init__(self)
            self.own = own.decoder

        def forward(self, z: torch.Tensor) -> ModelOutput:
            return ModelOutput(reconstruction=torch.sigmoid(self.own(z)))

    x = torch.from_numpy(data[:]).float() / 255
    settings = VAEConfig(input_dim=tuple(x.shape[1:]), latent_dim=10, reconstruction_loss="bce")
    model = VAE(settings, encoder=Encoder(), decoder=Decoder())
    pairs = [{"data": each} for each in x]
    with tempfile.TemporaryDirectory() as folder:
        options: dict[str, Any] = {"learning_rate": 1e-3, "num_epochs": 1, "no_cuda": True}
        given = BaseTrainerConfig(output_dir=folder, per_device_train_batch_size=BATCH, **options)
        trainer = BaseTrainer(model=model, train_dataset=pairs, training_config=given)
        trainer.train()


def ours(data: ll.Dataset, network: str, threads: int) -> None:
    """An epoch as `latentlab train` runs it."""
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        options: dict[str, Any] = {"steps": len(data) // BATCH, "batch_size": BATCH, "threads": threads}
        train(data, Path(folder) / "run", network=network, **options)


def measured(kind: str, which: str, threads: int) -> None:
    """Print seconds of the clock and of CPU time of an epoch."""
    side, network = SIDES[which]
    work = {"pythae": of_pythae, "plain": plain, "ours": ours}[kind]
    work(ll.data.from_arrays(images(side, 2 * BATCH)), network, threads)
    data = ll.data.from_arrays(images(side))
    wall, cpu = time.perf_counter(), time.process_time()
    work(data, network, threads)
    print("took", time.perf_counter() - wall, time.process_time() - cpu)


def epoch(tries: int, threads: int) -> None:
    """The table of an epoch."""
    print("| images, network | pythae, s (CPU) | plain loop, s (CPU) | ours, s (CPU) | ours / pythae | ours / plain |")
    print("|---|---|---|---|---|---|")
    for which, (side, network) in SIDES.items():
        best = {kind: [np.inf, np.inf] for kind in KINDS}
        for _ in range(tries):
            for kind in KINDS:
                command = [sys.executable, "-W", "ignore", __file__, "measured", kind, which, str(threads)]
                said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                found = said[said.rindex("took") :].split()[1:]
                best[kind] = list(map(min, best[kind], map(float, found)))
        cells = [f"{best[kind][0]:.1f} ({best[kind][1]:.1f})" for kind in KINDS]
        ratios = [f"{best['ours'][0] / best[kind][0]:.2f}" for kind in KINDS[:2]]
        print(f"| {which}, {side}×{side}, {network} | {' | '.join([*cells, *ratios])} |", flush=True)


def umap(tries: int, threads: int) -> None:
    """Our projection beside umap-learn's own call."""
    from umap import UMAP

    from latentlab.codes.codes import Codes
    from latentlab.codes.projections import project

    z = np.random.default_rng(0).normal(size=(5_000, 10)).astype(np.float32)
    ways = {"umap-learn": lambda: UMAP(random_state=0).fit_transform(z), "ours": lambda: project(Codes(z))}
    best = dict.fromkeys(ways, np.inf)
    for turn in range(tries + 1):  # the first compiles
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            best[name] = min(best[name], time.perf_counter() - start) if turn else np.inf
    print("UMAP of 5,000 × 10, s: " + ", ".join(f"{name} {each:.1f}" for name, each in best.items()))


def step(tries: int, threads: int) -> None:
    """What a step takes beside the sum of its operators' own times."""
    torch.set_num_threads(threads)
    keep_freed_memory()  # as train does
    print("| network, side, batch, precision | a step, ms | its operators, ms | ratio | the longest |")
    print("|---|---|---|---|---|")
    cases = [("mlp", 28, b, "float32") for b in (16, 64, 256)]
    cases += [("conv1d", 128, b, "float32") for b in (16, 64, 256)]
    cases += [("burgess", 64, b, p) for b in (16, 64, 256) for p in ("float32", "mixed")]
    cases += [("burgess", side, 64, p) for side in (32, 128) for p in ("float32", "mixed")]
    cases += [("resnet", 32, 64, p) for p in ("float32", "mixed")]
    for network, side, batch, precision in cases:
        kind = {"kind": "signal"} if network == "conv1d" else {}
        data = ll.data.from_arrays(noise(side, batch) if kind else images(side, batch), **kind)
        config = configure(data, batch_size=batch, precision=precision, network=network)
        objective = build_objective(config.objective)
        model, optimizer = beginning(config)
        with closing(Batches(data, config, None)) as batches:
            x = batches[0]

        def one() -> None:
            terms = objective.terms(model, x, Moment(0, len(x)))  # noqa: B023 - called before the next case
            optimizer.zero_grad()  # noqa: B023
            terms.loss.backward()
            optimizer.step()  # noqa: B023

        times, profiles = [], []
        until = time.perf_counter() + tries
        while time.perf_counter() < until or len(times) < 5:
            start = time.perf_counter()
            one()
            times.append(time.perf_counter() - start)
        for _ in range(5):
            with profile(activities=[ProfilerActivity.CPU]) as found:
                one()
            profiles.append(found.key_averages())
        averages = min(profiles, key=lambda each: sum(event.self_cpu_time_total for event in each))
        events = sorted(averages, key=lambda each: -each.self_cpu_time_total)
        kernels = sum(each.self_cpu_time_total for each in events) / 1e3
        whole = 1e3 * min(times)
        longest = ", ".join(f"{each.key.split('::')[-1]} {each.self_cpu_time_total / 1e3:.1f}" for each in events[:3])
        name = f"{network}, {side}, {batch}, {precision}"
        print(f"| {name} | {whole:.1f} | {kernels:.1f} | {whole / kernels:.2f} | {longest} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["measured"]:
        measured(sys.argv[2], sys.argv[3], int(sys.argv[4]))
        sys.exit()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", nargs="*", default=["epoch", "umap", "step"])
    parser.add_argument("--tries", type=int, default=3)
    parser.add_argument("--threads", type=int, default=cores())
    args = parser.parse_args()
    print(f"{processor()}, {cores()} cores, torch {torch.__version__}")
    for figure in args.figures:
        {"epoch": epoch, "umap": umap, "step": step}[figure](args.tries, args.threads)
