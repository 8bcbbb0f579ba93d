"""``latentlab debias``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from latentlab.cli import _console, _runs
from latentlab.system.files import refuse_busy

if TYPE_CHECKING:
    from latentlab.analysis.debias.measure import Commonness
    from latentlab.runs.run import Run

PANEL = "Analyse"


def debias(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Write the weights as .npy, for train.")] = None,
    data: _console.Data = None,
    split: _console.Split = None,
    combine: Annotated[
        Literal["product", "maximum"],
        typer.Option(help="Over the dimensions: the paper's product, or the largest."),
    ] = "product",
    bins: Annotated[int, typer.Option(help="Bins of each dimension's histogram.")] = 10,
    smoothing: Annotated[float, typer.Option(help="α, added to each bin's share: larger makes weights evener.")] = 0.01,
    adapter: _console.Adapter = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Say how common each training row is to the latent space, and weigh rare rows up.

    Example: latentlab debias artifacts/digits -o weights.npy, then latentlab train … --weights weights.npy
    """
    refuse_busy(run)
    from latentlab.analysis.debias.record import save_weights
    from latentlab.analysis.debias.stage import debias as weigh
    from latentlab.analysis.debias.stage import shares
    from latentlab.data import load
    from latentlab.runs.data import trained_rows
    from latentlab.runs.run import Run

    opened = Run(run)
    chosen = None if data is None else load(data)
    with _console.progress(f"debias {opened.name}", quiet=quiet or json) as report:
        found = weigh(
            opened,
            data=chosen,
            split=split,
            combine=combine,
            bins=bins,
            smoothing=smoothing,
            adapter=adapter,
            progress=report,
        )
    if out is not None:
        save_weights(out, found)
    classes = shares(trained_rows(opened, chosen, split), found)
    if json:
        answer = {**found.settings, "effective": found.effective, "largest": found.weights.max(), "classes": classes}
        _runs.Outcome([(opened, answer)], {}).show_json(lambda each: {"weights": out and str(out), **each})
        return
    _show(opened, found)
    if classes and not quiet:
        _console.show("\nWhat drawing by these weights does to the classes, of which nothing was read:")
        _console.table(classes)
    if out is not None:
        _console.show(f"{out} holds the weights; use it as: latentlab train … --weights {out}")


def _show(run: Run, found: Commonness) -> None:
    of = f"{len(found.dimensions)} of {found.settings['of_dimensions']} dimensions count"
    _console.show(
        f"{len(found.weights):,} rows weighed, {of}; the largest weight is {found.weights.max():.3g} × the mean"
    )
    share = found.effective / len(found.weights)
    _console.show(
        f"effective sample size: {found.effective:,.0f} rows ({share:.0%}); extremes: {run.path}/debiasing.h5"
    )
