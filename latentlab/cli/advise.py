"""``latentlab advise``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentlab.cli import _console

if TYPE_CHECKING:
    from latentlab.runs.advice import Advice

PANEL = "Train"
NEXT = 9  # thresholds that are shown after the first
WITHOUT_END = (
    "inf: so many components are kept that they leave no variance, and the σ that the decoder learns falls to 0; "
    "fewer latent dimensions than columns leave some."
)


def advise(
    data: Annotated[str, typer.Argument(metavar="DATA", help=f"{_console.DATA}.")],
    study: Annotated[
        Path | None,
        typer.Option(help="Study of the same data: compare the prediction with its runs, and correct it."),
    ] = None,
    want: Annotated[int | None, typer.Option(help="Find the β that leaves this number of active units.")] = None,
    latent_dim: Annotated[
        int | None, typer.Option(help="Number of latent dimensions; by default it is suggested.")
    ] = None,
    network: Annotated[
        str,
        typer.Option(
            help="Network that will be trained. Predictions are exact for linear; other networks use fewer units."
        ),
    ] = "auto",
    likelihood: Annotated[
        str,
        typer.Option(
            help="Likelihood of the decoder: bernoulli, gaussian, gaussian-learned, poisson or auto (by kind)."
        ),
    ] = "auto",
    sigma: Annotated[float, typer.Option(help="Standard deviation σ of the Gaussian likelihood.")] = 1.0,
    seeds: Annotated[
        int | None,
        typer.Option(help="Number of seeds per setting in the suggested command; by default 4, or 1 with --want."),
    ] = None,
    seed: Annotated[int, _console.seed("Seed for the choice of rows")] = 0,
    out: Annotated[
        Path | None, _console.file_to_write("File to write", ".json (everything)", ".csv (the table)")
    ] = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Suggest β and a latent size before training, from the spectrum of the data: how much a VAE can encode at each β.

    After a sweep, --study compares the prediction with the measurement and names under-trained runs.

    Example: latentlab advise digits --want 4

    Example: latentlab advise dsprites --study artifacts/dsprites
    """
    from latentlab.data import load
    from latentlab.runs.advice import advise as ask
    from latentlab.runs.study import Study

    advice = ask(
        load(data), study=None if study is None else Study(study), want=want, latent_dim=latent_dim, network=network,
        likelihood=likelihood, sigma=sigma, seeds=seeds, seed=seed,
    )  # fmt: skip
    if out is not None:
        from latentlab.system.files import write_bytes

        write_bytes(out, _as_json(advice) if out.suffix == ".json" else _as_csv(advice))
    if json:
        _console.show_json(advice.to_json())
    else:
        _show(advice, quiet=quiet)


def _as_json(advice: Advice) -> bytes:
    import json

    return (json.dumps(advice.to_json(), indent=1, allow_nan=False) + "\n").encode()


def _as_csv(advice: Advice) -> bytes:
    from latentlab.runs.comparison import csv_of

    return csv_of(advice.to_frame())


def _show(advice: Advice, *, quiet: bool) -> None:
    first = advice.thresholds[0]
    _console.show(
        f"All dimensions are expected to collapse above β = {first:.3g}, the threshold of the first component."
    )
    _console.show(f"{_of_the_next(advice.thresholds[1:].tolist())}\n")
    _console.table([_measured(each) for each in advice.measured] or [_predicted(each) for each in advice.predictions])
    if any(math.isinf(each.rate) for each in advice.predictions):
        _console.show(f"\n{WITHOUT_END}")
    if not quiet:
        _console.show(f"\n{advice.assumption}")
    if advice.want is not None:
        reached = f"{advice.reached} has it already; another is " if advice.reached else ""
        _console.show(f"\n{advice.want} active units: {reached}β = {advice.beta:g}")
    else:
        _console.show(f"\n{len(advice.grid)} values of β, {advice.latent_dim} latent dimensions:")
    _console.show(advice.command)


def _of_the_next(thresholds: Sequence[float]) -> str:
    if not thresholds:
        return "There is no other component."
    shown = ", ".join(f"{each:.3g}" for each in thresholds[:NEXT])
    return f"Thresholds of the next: {shown}{', …' * (len(thresholds) > NEXT)}"


def _predicted(each: Any) -> dict[str, Any]:
    return {
        "β": each.beta,
        "components": each.components,
        "expected active units": round(each.active),
        "rate of a linear VAE": each.rate,
    }


def _measured(each: Any) -> dict[str, Any]:
    return {
        "run": each.run,
        "expected": round(each.expected),
        "in use": each.in_use,
        "active units": each.active,
        "rate": each.rate,
        "of a linear VAE": each.linear_rate,
        "signs of under-training": "; ".join(each.signs) or "none",
    }
