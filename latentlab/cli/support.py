"""``latentlab support``."""

from typing import Annotated, Any

import typer

from latentlab.cli import _console
from latentlab.errors import LatentlabError
from latentlab.system.files import refuse_busy

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
    from latentlab.runs.study import open_runs
    from latentlab.system.memory import keep_freed_memory

    keep_freed_memory()
    from latentlab.analysis.support.stage import survey

    runs, images = open_runs(paths), None if data is None else load(data)
    found: dict[str, dict[str, Any]] = {}
    failed: dict[str, str] = {}
    for run in runs:
        try:
            with _console.progress(f"support {run.name}", quiet=quiet or json) as report:
                found[run.name] = survey(run, images, draws=draws, seed=seed, adapter=adapter, progress=report)
        except LatentlabError as error:
            if len(runs) == 1:
                raise
            failed[run.name] = str(error)
    if json:
        _console.show_json({"runs": found, "failed": failed})
    else:
        _tables([run for run in runs if run.name in found], found)
    for name, why in failed.items():
        _console.fail(f"{name} was left out: {why}", 1)
    if failed:
        raise LatentlabError(f"{len(failed)} of {len(runs)} runs could not be measured")


def _tables(runs: list[Any], found: dict[str, dict[str, Any]]) -> None:
    from latentlab.analysis.support.record import ARMS

    rows = [
        {"run": run.name, "setting": run.config.label, "drawn from": ARMS[arm]}
        | {key: each.get(key) for key in ("precision", "density", "coverage", "holes")}
        for run in runs
        for arm, each in found[run.name]["arms"].items()
    ]
    _console.show("Samples against real images")
    _console.table(rows)
    _console.show("\nWhat the codes know, without which the rest means nothing; and the ways between codes")
    _console.table([_known(run, found[run.name]) for run in runs])
    said = {name: why for each in found.values() for name, why in each["undefined"].items()}
    for name, why in said.items():
        _console.show(f"{name}: {why}")


def _known(run: Any, each: dict[str, Any]) -> dict[str, Any]:
    known, between, fit, memory = (each[key] or {} for key in ("information", "between", "fit", "memory"))
    columns = {"rate": known, "active_units": known, "probe": known, "detour": between, "jump": between}
    columns |= {"distinctions": between, "widths": between, "gradient": between, "mmd": fit, "gap": memory}
    return {"run": run.name} | {key: where.get(key) for key, where in columns.items()}
