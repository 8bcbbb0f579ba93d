"""``latentlab debias``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from latentlab.cli import _console, _runs
from latentlab.system.files import refuse_busy
from latentlab.system.numbers import percent

if TYPE_CHECKING:
    from latentlab.analysis.debias.measure import Commonness
    from latentlab.runs.run import Run
    from latentlab.system.progress import Progress

    Weighed = tuple[Commonness, list[dict[str, Any]]]

PANEL = "Ask one question"


def debias(
    paths: _console.Paths,
    out: Annotated[
        Path | None,
        _console.file_to_write(
            "File to write: sampling weights of a single run (.npy), to use with train --weights", ".npy"
        ),
    ] = None,
    data: _console.RunData = None,
    split: Annotated[str | None, _console.split("the rows that the run was trained on")] = None,
    combine: Annotated[
        Literal["product", "maximum"],
        typer.Option(help="How dimensions are combined: product (as in Amini et al. 2019) or maximum."),
    ] = "product",
    bins: Annotated[int, typer.Option(help="Number of histogram bins per dimension.")] = 10,
    smoothing: Annotated[
        float, typer.Option(help="α, added to each bin's share; a larger value makes the weights more even.")
    ] = 0.01,
    adapter: _console.Adapter = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Estimate how rare each training row is in latent space, and write sampling weights that favour rare rows.

    Example: latentlab debias artifacts/digits/beta1-seed0 -o weights.npy

    Then: latentlab train … --weights weights.npy
    """
    refuse_busy(*paths)
    from latentlab.analysis.debias.record import save_weights, weighed_images
    from latentlab.analysis.debias.stage import debias as weigh
    from latentlab.analysis.debias.stage import shares
    from latentlab.data import load
    from latentlab.runs.data import trained_rows

    if out is not None:
        _runs.check_single(paths, "--out")
    chosen = None if data is None else load(data)
    options: dict[str, Any] = {"combine": combine, "bins": bins, "smoothing": smoothing, "adapter": adapter}

    def weighed(run: Run, report: Progress) -> Weighed:
        weights = weigh(run, data=chosen, split=split, progress=report, **options)
        if out is not None:
            save_weights(out, weights, weighed_images(run, chosen, split))
        return weights, shares(trained_rows(run, chosen, split), weights)

    outcome = _runs.each_run(paths, "debias", weighed, quiet=quiet or json)
    if json:
        outcome.show_json(lambda each: {"weights": out and str(out), **_numbers(*each)})
    for run, (weights, classes) in [] if json else outcome.done:
        _show(run, weights, [] if quiet else classes)
    if out is not None and not json:
        _console.show(f"Saved weights to {out}; use them with: latentlab train … --weights {out}")
    outcome.end()


def _numbers(found: Commonness, classes: list[dict[str, Any]]) -> dict[str, Any]:
    return {**found.settings, "effective": found.effective, "largest": found.weights.max(), "classes": classes}


def _show(run: Run, found: Commonness, classes: list[dict[str, Any]]) -> None:
    weighed = f"{run.path}: {len(found.weights):,} rows weighted"
    of = f"{len(found.dimensions)} of {found.settings['of_dimensions']} dimensions were used"
    _console.show(f"{weighed}, {of}; the largest weight is {found.weights.max():.3g} × the mean")
    share = found.effective / len(found.weights)
    _console.show(
        f"effective sample size: {found.effective:,.0f} rows ({percent(share)}); extremes: {run.path}/debiasing.h5"
    )
    if classes:
        _console.show("\nClass shares under these weights (the weights do not use labels):")
        _console.table(classes)
        _console.show("")
