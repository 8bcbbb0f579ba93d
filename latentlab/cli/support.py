"""``latentlab support``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentlab.cli import _console, _runs
from latentlab.system.files import refuse_busy

if TYPE_CHECKING:
    from latentlab.runs.run import Run


PANEL = "Ask one question"


def support(
    paths: _console.Paths,
    data: _console.RunData = None,
    samples: Annotated[int, typer.Option(help="Number of samples from each source, and of real rows.", min=100)] = 5000,
    seed: Annotated[int, _console.seed("Seed for samples and rows")] = 0,
    adapter: _console.Adapter = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Measure whether a latent space can be sampled from: coverage, holes, continuity, fit to the prior, memorisation.

    Example: latentlab support artifacts/digits
    """
    refuse_busy(*paths)
    from latentlab.data import load
    from latentlab.system.memory import keep_freed_memory

    keep_freed_memory()
    from latentlab.analysis.support.stage import support as measure

    images = None if data is None else load(data)
    options: dict[str, Any] = {"samples": samples, "seed": seed, "adapter": adapter}
    outcome = _runs.each_run(
        paths, "support", lambda run, report: measure(run, data=images, progress=report, **options), quiet=quiet or json
    )
    if json:
        outcome.show_json(lambda numbers: numbers)
    elif outcome.done:
        _tables(outcome.done)
    outcome.end()


def _tables(found: Sequence[tuple[Run, Mapping[str, Any]]]) -> None:
    from latentlab.analysis.support.record import ARMS

    rows: list[dict[str, Any]] = [
        {"run": run.name, "setting": run.config.label, "drawn from": ARMS[arm]}
        | {key: _with_interval(each, key) for key in ("precision", "density", "coverage", "holes")}
        for run, numbers in found
        for arm, each in numbers["arms"].items()
    ]
    _console.show("Samples against real data")
    _console.table(rows)
    _console.show("\nInformation in the codes (needed to interpret the rest), and paths between codes")
    _console.table([_known(run, numbers) for run, numbers in found])
    said = {name: why for _, numbers in found for name, why in numbers["undefined"].items()}
    for name, why in said.items():
        _console.show(f"{name}: {why}")
    bare = {name: why for _, numbers in found for name, why in numbers["no_interval"].items()}
    for name, why in bare.items():
        _console.show(f"{name} without an interval: {why}")


def _with_interval(measures: Mapping[str, Any], key: str) -> str | None:
    """A measure, and between which ends its 95 % interval lies where there is one."""
    value, ends = measures.get(key), [measures.get(f"{key}_{end}") for end in ("low", "high")]
    if value is None or None in ends:
        return None if value is None else _console.cell(value)
    return f"{_console.cell(value)} ({_console.cell(ends[0])} to {_console.cell(ends[1])})"


def _known(run: Run, each: Mapping[str, Any]) -> dict[str, Any]:
    known, between, fit, memory = (each[key] or {} for key in ("information", "between", "fit", "memory"))
    columns = {"rate": known, "active_units": known, "probe": known, "detour": between, "jump": between}
    columns |= {"distinctions": between, "widths": between, "gradient": between, "mmd": fit, "gap": memory}
    return {"run": run.name} | {key: where.get(key) for key, where in columns.items()}
