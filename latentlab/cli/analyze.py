"""``latentlab analyze``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from latentlab.cli import _console, _runs
from latentlab.errors import InputError, LatentlabError
from latentlab.runs.stage import stages
from latentlab.system.files import refuse_busy

if TYPE_CHECKING:
    from latentlab.runs.run import Run


UNBOUNDED = ("own", "gaussian", "gaussian-learned")  # likelihoods whose means may lie outside [0, 1]
PANEL = "Analyse"


def analyze(
    paths: _console.Paths,
    data: _console.RunData = None,
    split: Annotated[str | None, _console.split("test if it exists, otherwise all")] = None,
    only: Annotated[
        str | None, typer.Option(help=f"Stages to compute: {', '.join(stages())}. By default the first four.")
    ] = None,
    metric: Annotated[str | None, typer.Option(help="Metrics to compute, such as mig,dci; all by default.")] = None,
    profile: Annotated[str, typer.Option(help="Protocol that the scores follow.")] = "dlib",
    resamples: _console.Resamples = 200,
    resample_slow: _console.ResampleSlow = False,
    distortion: Annotated[
        Literal["sample", "all", "none"], typer.Option(help="Rows whose distortion is computed.")
    ] = "sample",
    projection_rows: Annotated[
        int, typer.Option(help="Maximum number of rows to project, chosen at random.", min=4)
    ] = 20_000,
    adapter: _console.Adapter = None,
    anchor: Annotated[
        str | None, typer.Option(help="Row to start traversals from, by id or name; a typical row by default.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Number of processes that share several runs; one per core by default.", min=1, max=1024),
    ] = None,
    shard: _console.Shard = None,
    cluster: _console.Cluster = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Compute codes, traversals, projections and scores of runs. Results that are up to date are kept.

    Example: latentlab analyze artifacts/digits --only encode,score
    """
    refuse_busy(*paths)
    from latentlab.system.memory import keep_freed_memory

    keep_freed_memory()
    silent = quiet or json
    from latentlab.analysis.analyze import analyze as analyse
    from latentlab.analysis.analyze import analyze_on_cluster, named_stages
    from latentlab.analysis.analyze_many import analyze_side_by_side, number_of_processes
    from latentlab.runs.shards import read_shard, shard_runs
    from latentlab.runs.study import open_runs
    from latentlab.system.registry import choose, names

    choose(profile, names("analysis/score/profiles"), what="profile")
    options: dict[str, Any] = {
        "data": data, "split": split, "only": named_stages(only) if only is not None else None,
        "metrics": _console.metrics(metric), "profile": profile, "resamples": resamples, "resample_slow": resample_slow,
        "distortion": distortion, "projection_rows": projection_rows, "anchor": anchor, "adapter": adapter,
    }  # fmt: skip
    part = read_shard(shard) if shard is not None else None
    taken: Callable[[list[Run]], list[Run]] = list if part is None else partial(shard_runs, part)
    if cluster is not None:
        if workers is not None:
            raise InputError("workers and cluster exclude each other; leave one out")
        outcome = _at_once(paths, taken, partial(analyze_on_cluster, address=cluster, **options), silent, options)
    elif (processes := number_of_processes(taken(open_runs(paths)[0]), workers, adapter)) > 1:
        outcome = _at_once(paths, taken, partial(analyze_side_by_side, processes=processes, **options), silent, options)
    else:
        outcome = _runs.each_run(
            paths, "analyze", lambda run, report: analyse(run, progress=report, **options), quiet=silent, choose=taken
        )
    if json:
        outcome.show_json(lambda done: {"stages": list(done)})
    else:
        _show(outcome, f"shard {shard} has no run" if shard is not None else "")
    outcome.end()


def _at_once(
    paths: Sequence[Path],
    taken: Callable[[list[Run]], list[Run]],
    spread: Callable[..., dict[str, str]],
    quiet: bool,
    options: dict[str, Any],
) -> _runs.Outcome[tuple[str, ...]]:
    """The same of all runs at once, on the workers of a cluster or in processes of this machine."""
    from latentlab.analysis.analyze import stages_of
    from latentlab.runs.study import open_runs

    opened, failed = open_runs(paths)
    runs = taken(opened)
    with _console.progress(
        f"analyze {len(runs)} runs", quiet=quiet, goes_on="run the command again to continue"
    ) as say:
        why = spread(runs, progress=say)
    done = [(run, stages_of(run, options["only"])) for run in runs if str(run.path) not in why]
    return _runs.Outcome(done, failed | {Path(path): LatentlabError(each) for path, each in why.items()})


def _show(found: _runs.Outcome[tuple[str, ...]], nothing: str) -> None:
    for run, done in found.done:
        _console.show(f"{run.path} analysed: {', '.join(done)}")
        if run.config.likelihood in UNBOUNDED and "traverse" in done:
            _tell_cut(run)
    if nothing and not found.done and not found.failed:
        _console.show(nothing)


def _tell_cut(run: Run) -> None:
    from latentlab.codes.decodings import cut_told

    told = cut_told(run.decodings())
    if told:
        _console.show(f"{run.path}: {told}")
