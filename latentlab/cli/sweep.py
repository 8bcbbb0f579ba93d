"""``latentlab sweep``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from latentlab.cli import _console
from latentlab.errors import InputError
from latentlab.system.files import LOCK, refuse_busy

PANEL = "Train"


def sweep(
    context: typer.Context,
    plan: Annotated[
        Path | None, typer.Argument(metavar="[STUDY.toml]", help="A study file, instead of options.")
    ] = None,
    data: _console.Data = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="The study folder to make.")] = Path("artifacts/study"),
    objective: Annotated[str, typer.Option(help="What is minimised, as for train.")] = "beta-vae",
    beta: Annotated[
        str | None, typer.Option(help="Values of β, with ae for a plain autoencoder (ae,1,4,16 for beta-vae).")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE,…", help="Values of another setting; all are crossed."),
    ] = None,
    seeds: Annotated[int, typer.Option(help="How many seeds of each, from 0 on.")] = 1,
    network: Annotated[str, typer.Option(help="mlp, burgess, resnet, or auto: burgess from 64×64 on.")] = "auto",
    likelihood: Annotated[str, typer.Option(help="bernoulli, gaussian, gaussian-learned.")] = "bernoulli",
    latent_dim: Annotated[str, typer.Option(help="Latent sizes, as in 10 or 2,5,10.")] = "10",
    steps: Annotated[int | None, typer.Option(help="Training steps of each member (20,000).")] = None,
    batch_size: Annotated[int, typer.Option(help="Images a step.")] = 64,
    learning_rate: Annotated[float | None, typer.Option(help="Adam's step size (0.001 for mlp, else 0.0005).")] = None,
    decay: Annotated[
        float | None, typer.Option(help="Last part of the steps, over which the rate falls to 0 (0.2).")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, mps.")] = "auto",
    workers: Annotated[int | None, typer.Option(help="Members trained at a time (one a core).")] = None,
    together: Annotated[
        bool | None,
        typer.Option(
            "--together/--apart", help="Members of one network in one pass, or each alone (together on cuda)."
        ),
    ] = None,
    shard: _console.Shard = None,
    cluster: _console.Cluster = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Train a study: every setting with every seed. Called again, it does what is missing.

    Example: latentlab sweep --data digits --out artifacts/digits-study --beta ae,1,4 --seeds 2 --steps 2000

    Another objective: latentlab sweep --data digits --objective factor-vae --set gamma=10,35 --seeds 2
    """
    # Parts of one study are trained at the same time; otherwise nobody else may write its members.
    refuse_busy(out, *(path.parent for path in sorted(out.glob(f"*/{LOCK}")) if shard is None))
    from latentlab.system.memory import keep_freed_memory

    keep_freed_memory()
    from latentlab.training.plan import read_plan
    from latentlab.training.sweep import sweep as train_study

    options: dict[str, Any] = {
        "objective": objective, "beta": beta.split(",") if beta is not None else None, "settings": _lists(set_ or []),
        "seeds": seeds, "network": network, "likelihood": likelihood, "steps": steps, "latent_dim": _sizes(latent_dim),
        "batch_size": batch_size, "learning_rate": learning_rate, "decay": decay, "device": device,
    }  # fmt: skip
    if plan is not None:
        _refuse_both(context, plan)
        read = read_plan(plan)
        data, options = read.data, read.options
    if data is None:
        raise InputError("sweep needs --data SPEC or a study file; try: latentlab sweep --data digits")

    with _console.progress(f"sweep {out}", quiet=quiet or json, goes_on="called again it goes on") as report:

        def note(done: Any, total: int) -> None:
            running = sum(1 for steps in done.values() if steps)
            report(sum(done.values()), total, f"{running} of {len(done)} members begun")

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
            raise InputError(f"--{option} was given beside {plan}; write it into the file, or leave it out")


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
