"""``latentlab sweep``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from latentlab.cli import _console, _training
from latentlab.errors import InputError
from latentlab.system.files import refuse_busy

PANEL = "Train"


def sweep(
    context: typer.Context,
    plan: Annotated[
        Path | None, typer.Argument(metavar="[STUDY.toml]", help="Study file to use instead of options.")
    ] = None,
    data: _console.Data = None,
    out: Annotated[Path, _console.folder_to_make("Study folder to create or continue")] = Path("artifacts/study"),
    objective: _training.Objective = "beta-vae",
    beta: Annotated[
        str | None, typer.Option(help="Values of β; ae is a plain autoencoder. By default ae,1,4,16 for beta-vae.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE,…",
            help="Values of an additional setting of the objective; all combinations are trained.",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Number of seeds per setting, starting at 0.")] = 1,
    network: _training.Network = "auto",
    likelihood: Annotated[
        str, typer.Option(help="Likelihood of the decoder: auto (by kind), bernoulli, gaussian, poisson, …")
    ] = "auto",
    condition: _training.Condition = None,
    sigma: _training.Sigma = None,
    latent_dim: Annotated[str, typer.Option(help="Numbers of latent dimensions, such as 10 or 2,5,10.")] = "10",
    steps: Annotated[int | None, typer.Option(help="Number of training steps per run; 20,000 by default.")] = None,
    batch_size: _training.BatchSize = 64,
    learning_rate: _training.LearningRate = None,
    decay: _training.Decay = None,
    correlate: _console.Correlate = None,
    device: _training.Device = "auto",
    workers: Annotated[
        int | None, typer.Option(help="Number of runs trained at the same time; one per core by default.")
    ] = None,
    together: Annotated[
        bool | None,
        typer.Option(
            "--together/--apart",
            help="Train runs with the same network in one pass, or each run alone; one pass is the default on cuda.",
        ),
    ] = None,
    shard: _console.Shard = None,
    cluster: _console.Cluster = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Train a study: every setting with every seed. Run it again to train what is missing.

    Example: latentlab sweep --data digits --out artifacts/digits --beta ae,1,4 --seeds 2 --steps 2000

    Another objective: latentlab sweep --data digits --objective factor-vae --set gamma=10,35 --seeds 2
    """
    refuse_busy(out)  # a member that is busy does not keep the others from being trained
    from latentlab.system.memory import keep_freed_memory

    keep_freed_memory()
    from latentlab.training.plan import read_plan
    from latentlab.training.sweep import sweep as train_study

    options: dict[str, Any] = {
        "objective": objective, "beta": beta.split(",") if beta is not None else None, "settings": _lists(set_ or []),
        "seeds": seeds, "network": network, "likelihood": likelihood, "sigma": sigma, "steps": steps,
        "latent_dim": _sizes(latent_dim), "batch_size": batch_size, "learning_rate": learning_rate, "decay": decay,
        "correlate": correlate, "condition": condition,
        "device": device,
    }  # fmt: skip
    if plan is not None:
        _refuse_both(context, plan)
        read = read_plan(plan)
        data, options = read.data, read.options
    if data is None:
        raise InputError("sweep needs --data SPEC or a study file; try: latentlab sweep --data digits")

    with _console.progress(f"sweep {out}", quiet=quiet or json, goes_on="run the command again to continue") as report:

        def note(done: Any, total: int) -> None:
            running = sum(1 for steps in done.values() if steps)
            report(sum(done.values()), total, f"{running} of {len(done)} runs started")

        where: dict[str, Any] = {"workers": workers, "together": together, "shard": shard, "cluster": cluster}
        study = train_study(data, out, progress=note, **where, **options)
    rows = [
        {"run": run.name, "setting": run.config.label, "seed": run.config.seed, "state": run.state} for run in study
    ]
    if json:
        _console.show_json({"study": str(out), "runs": rows})
    else:
        _console.table(rows)


ABOUT_THE_WORK = {"plan", "out", "workers", "together", "shard", "cluster", "json", "quiet"}


def _refuse_both(context: typer.Context, plan: Path) -> None:
    """A study file says all that determines the runs; an option beside it would be ignored, or make it a lie."""
    for name in context.params.keys() - ABOUT_THE_WORK:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            option = name.rstrip("_").replace("_", "-")
            raise InputError(f"--{option} cannot be combined with {plan}; write it into the file, or leave it out")


def _sizes(text: str) -> list[int]:
    try:
        return [int(size) for size in text.split(",")]
    except ValueError as error:
        raise InputError(f"--latent-dim is {text!r}; expected whole numbers, as in 10 or 2,5,10") from error


def _lists(pairs: list[str]) -> dict[str, list[Any]]:
    """``["gamma=10,35"]`` as ``{"gamma": ["10", "35"]}``."""
    found: dict[str, list[Any]] = {}
    for pair in pairs:
        key, sign, values = pair.partition("=")
        if not sign or not key.strip() or key.strip() in found:
            raise InputError(f"--set got {pair!r}; expected KEY=VALUE,… and each key once, as in --set gamma=10,35")
        found[key.strip()] = values.split(",")
    return found
