"""``latentlab import``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from latentlab.cli import _console
from latentlab.errors import InputError
from latentlab.system.files import refuse_busy
from latentlab.system.registry import names

PANEL = "Train"


def import_(
    kind: Annotated[
        str | None, typer.Argument(metavar="[FORMAT]", help=", ".join(names("exchange/importers")).replace("_", "-"))
    ] = None,
    path: Annotated[
        Path | None,
        typer.Argument(metavar="[PATH]", help="Folder or file in that format, or zoo:NAME (see latentlab zoo ls)."),
    ] = None,
    out: Annotated[Path | None, _console.folder_to_make("Run folder to create")] = None,
    data: _console.Data = None,
    adapter: _console.Adapter = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            help="With --adapter: file with the weights (.safetensors, .pt, .pth, .bin, .ckpt), or a folder of them."
        ),
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="Key of the weights in the file, such as model.ema; detected by default.")
    ] = None,
    prefix: Annotated[
        str | None,
        typer.Option(help="Prefix to remove from the names of the weights, such as vae.; detected by default."),
    ] = None,
    network: Annotated[
        str | None, typer.Option(help="With state-dict: network; detected from the weights by default.")
    ] = None,
    likelihood: Annotated[
        str | None, typer.Option(help="With state-dict: likelihood of the decoder (bernoulli by default, gaussian, …).")
    ] = None,
    objective: Annotated[
        str | None, typer.Option(help="With --adapter: objective that the model was trained with, for labels.")
    ] = None,
    beta: Annotated[float | None, typer.Option(help="With --adapter: β of the beta-vae objective.", min=0)] = None,
    condition: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="With --adapter: column given to decode(z, condition); may be repeated."),
    ] = None,
    condition_encoder: Annotated[
        bool,
        typer.Option(
            "--condition-encoder", help="With --adapter: the encoder takes the conditions too: encode(x, condition)."
        ),
    ] = False,
    obsm: Annotated[
        str | None,
        typer.Option(help="With codes: key in obsm of an .h5ad file, such as X_scVI; X is the matrix itself."),
    ] = None,
    variance: Annotated[
        str | None, typer.Option(help="With codes: file of posterior variances, or a key in obsm.")
    ] = None,
    factors: Annotated[
        str | None, typer.Option(help="With codes: file with one row per code, or columns such as age,dose.")
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(help="With codes or scvi: column with the classes; with codes, a file is accepted too."),
    ] = None,
    ids: Annotated[
        str | None, typer.Option(help="With codes: column of row ids in the codes and the metadata, or a file of ids.")
    ] = None,
    metadata: Annotated[
        str | None, typer.Option(help="With codes: your own table of the rows, joined by id.", metavar="TABLE")
    ] = None,
    name: Annotated[str | None, typer.Option(help="With codes or scvi: name shown in tables and figures.")] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            help="With codes or scvi: seed that distinguishes this run from others of the same setting.", min=0
        ),
    ] = None,
    header: Annotated[
        bool | None,
        typer.Option(
            "--header/--no-header",
            help="With codes: whether the first line of tables holds column names; detected by default.",
        ),
    ] = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Import a checkpoint in a known format, your own PyTorch model, or codes without a model, as a run.

    Code in a checkpoint is never executed; your adapter is, because you name it. scvi-tools unpickles its files, which
    can execute code: import only scVI models that you trust.

    Example: latentlab import disvae results/betaH_dsprites --out betaH --data dsprites

    Example: latentlab import --adapter my_model.py:model --weights vae.pt --data mnist/ --out mine

    Example: latentlab import codes cells.h5ad --obsm X_scVI --labels cell_type --out study/scvi
    """
    if out is None:
        raise InputError("import needs a folder for the run: --out RUN")
    refuse_busy(out)
    if (adapter is None) == (kind is None):
        raise InputError("import needs either FORMAT PATH or --adapter FILE.py:NAME; see latentlab import --help")
    with_adapter = {"weights": weights, "objective": objective, "beta": beta, "condition": condition}
    options: dict[str, Any] = {
        "network": network, "likelihood": likelihood, "obsm": obsm, "variance": variance, "factors": factors,
        "labels": labels, "ids": ids, "metadata": metadata, "name": name, "seed": seed, "header": header,
    }  # fmt: skip
    for option, value in (with_adapter if adapter is None else options).items():
        if value is not None:
            raise InputError(f"--{option} does not go with {'--adapter' if adapter else kind}; leave it out")
    if adapter is not None:
        told: dict[str, Any] = {"condition": condition or (), "condition_encoder": condition_encoder}
        run = _own(adapter, out, weights, objective, beta, data=data, key=key, prefix=prefix, **told)
    elif path is None:
        raise InputError(f"import {kind} needs the PATH of a checkpoint; see latentlab import --help")
    else:
        from latentlab.exchange.importing import import_run

        options |= {"key": key, "prefix": prefix}
        run = import_run(kind or "", path, out, data=data, **{k: v for k, v in options.items() if v is not None})
    if json:
        _console.show_json({"run": str(run.path), "label": run.config.label, "latent_dim": run.config.latent_dim})
    elif not quiet:
        _console.show(f"Saved run {out}: {run.config.label}, latent size {run.config.latent_dim}")


def _own(
    adapter: str, out: Path, weights: Path | None, objective: str | None, beta: float | None, **options: Any
) -> Any:
    from latentlab.exchange.importing import import_model

    if weights is None:
        raise InputError("import --adapter needs the model's weights: --weights FILE (.safetensors, .pt, .pth, .bin)")
    name = objective or (None if beta is None else "beta-vae")
    record = None if name is None else {"name": name, **({} if beta is None else {"beta": beta})}
    return import_model(adapter, out, weights=weights, objective=record, **options)
