"""``latentlab support``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentlab.cli import _console, _runs
from latentlab.system.files import refuse_busy

if TYPE_CHECKING:
    from latentlab.runs.run import Run


PANEL = "Analyse"


def support(
    paths: _console.Paths,
    data: _console.Data = None,
    draws: Annotated[int, typer.Option(help="Samples of each kind, and real images.", min=100)] = 5000,
    seed: Annotated[int, typer.Option(help="Fixes samples and rows.")] = 0,
    adapter: _console.Adapter = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Measure whether a latent space can be sampled from: coverage, holes, continuity, fit to the prior, memory.

    Example: latentlab support artifacts/mnist
    """
    refuse_busy(*paths)
    from latentlab.data import load
    from latentlab.system.memory import keep_freed_memory

    keep_freed_memory()
    from latentlab.analysis.support.stage import support as measure

    images = None if data is None else load(data)
    options: dict[str, Any] = {"draws": draws, "seed": seed, "adapter": adapter}
    found = _runs.each_run(
        paths, "support", lambda run, report: measure(run, data=images, progress=report, **options), quiet=quiet or json
    )
    if json:
        found.show_json(lambda numbers: numbers)
    elif found.done:
        _tables(found.done)
    found.end()


def _tables(found: Sequence[tuple[Run, Mapping[str, Any]]]) -> None:
    from latentlab.analysis.support.record import ARMS

    rows = [
        {"run": run.name, "setting": run.config.label, "drawn from": ARMS[arm]}
        | {key: each.get(key) for key in ("precision", "density", "coverage", "holes")}
        for run, numbers in found
        for arm, each in numbers["arms"].items()
    ]
    _console.show("Samples against real images")
    _console.table(rows)
    _console.show("\nWhat the codes know, without which the rest means nothing; and the ways between codes")
    _console.table([_known(run, numbers) for run, numbers in found])
    said = {name: why for _, numbers in found for name, why in numbers["undefined"].items()}
    for name, why in said.items():
        _console.show(f"{name}: {why}")


def _known(run: Run, each: Mapping[str, Any]) -> dict[str, Any]:
    known, between, fit, memory = (each[key] or {} for key in ("information", "between", "fit", "memory"))
    columns = {"rate": known, "active_units": known, "probe": known, "detour": between, "jump": between}
    columns |= {"distinctions": between, "widths": between, "gradient": between, "mmd": fit, "gap": memory}
    return {"run": run.name} | {key: where.get(key) for key, where in columns.items()}
