"""``latentlab train``."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from latentlab.cli import _console, _training
from latentlab.system.files import refuse_busy

PANEL = "Train"


def train(
    data: Annotated[str, typer.Option(help=f"{_console.DATA}.")],
    out: Annotated[Path, _console.folder_to_make("Run folder to create")],
    objective: _training.Objective = "beta-vae",
    beta: Annotated[
        float | None, typer.Option(help="Weight of the rate in the loss (beta-tcvae: of the total correlation).")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="An additional setting of the objective; may be repeated."),
    ] = None,
    network: _training.Network = "auto",
    likelihood: Annotated[
        str | None,
        typer.Option(help="Likelihood of the decoder: auto (by kind), bernoulli, gaussian, poisson, …"),
    ] = None,
    sigma: _training.Sigma = None,
    latent_dim: Annotated[int, typer.Option(help="Number of latent dimensions.")] = 10,
    steps: Annotated[int | None, typer.Option(help="Number of training steps; 20,000 by default.")] = None,
    batch_size: _training.BatchSize = 64,
    learning_rate: _training.LearningRate = None,
    decay: _training.Decay = None,
    seed: Annotated[int, _console.seed("Seed for initial weights, order of rows and noise")] = 0,
    split: Annotated[str | None, _console.split("train if it exists, otherwise all")] = None,
    condition: _training.Condition = None,
    condition_encoder: Annotated[
        bool, typer.Option("--condition-encoder", help="Give the conditions to the encoder as well.")
    ] = False,
    weights: Annotated[
        Path | None,
        typer.Option(help="File with the sampling weight of each row (.npy), as written by latentlab debias."),
    ] = None,
    correlate: _console.Correlate = None,
    precision: Annotated[str, typer.Option(help="Precision: auto, float32, mixed or bfloat16.")] = "auto",
    threads: Annotated[int | None, typer.Option(help="Threads per process; one per core by default.")] = None,
    device: _training.Device = "auto",
    log_every: Annotated[int | None, typer.Option(help="Steps between entries in the history; 100 by default.")] = None,
    checkpoint_every: Annotated[int | None, typer.Option(help="Steps between checkpoints; 1,000 by default.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume an unfinished run.")] = False,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Train one model and save it as a run.

    Example: latentlab train --data digits --out artifacts/digits-beta4 --beta 4 --latent-dim 6 --steps 2000
    """
    from latentlab.system.memory import keep_freed_memory

    second = os.environ.get("RANK", "0") != "0"  # under torchrun the first process speaks for all
    if not second:
        refuse_busy(out)  # before what takes seconds to import
    keep_freed_memory()
    from latentlab.runs.run import Run
    from latentlab.training.train import summarise
    from latentlab.training.train import train as fit

    finished = (out / "config.json").is_file() and Run(out).state == "finished"
    options: dict[str, Any] = {
        "objective": objective, "beta": beta, "settings": _console.settings(set_ or []), "network": network,
        "likelihood": likelihood or "auto", "sigma": sigma, "latent_dim": latent_dim, "steps": steps,
        "batch_size": batch_size, "seed": seed, "learning_rate": learning_rate, "decay": decay, "split": split,
        "condition": condition, "condition_encoder": condition_encoder, "correlate": correlate,
        "precision": precision, "threads": threads, "device": device, "log_every": log_every,
        "checkpoint_every": checkpoint_every,
    }  # fmt: skip
    with _console.progress(
        f"train {out}", quiet=quiet or json or second, goes_on="continue it with --resume"
    ) as report:
        run = fit(
            data, out, weights=weights, resume=resume, progress=lambda s, n, line: report(s, n, _note(line)), **options
        )
    if second:
        return
    summary = summarise(run)
    if json:
        _console.show_json(asdict(summary))
        return
    _console.show(
        f"{out} {'was finished already' if finished else 'is trained'}: {run.config.label}, {_note(run.history()[-1])}"
    )


def _note(line: dict[str, Any]) -> str:
    rate = f", rate {line['rate']:.2f}" if line.get("rate") is not None else ""
    return f"distortion {line['distortion']:.2f}{rate} nats"
