"""``latentlab analyze``."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from latentlab.cli import _console
from latentlab.errors import LatentlabError
from latentlab.system.files import refuse_busy

UNBOUNDED = ("own", "gaussian", "gaussian-learned")  # likelihoods whose means may lie outside [0, 1]
PANEL = "Analyse"


def analyze(
    paths: _console.Paths,
    data: _console.Data = None,
    split: _console.Split = None,
    only: Annotated[str | None, typer.Option(help="Stages: encode,traverse,project,score.")] = None,
    metric: Annotated[str | None, typer.Option(help="Metrics to score, as in mig,dci; all by default.")] = None,
    profile: Annotated[str, typer.Option(help="The scores' protocol.")] = "dlib",
    resamples: _console.Resamples = 200,
    resample_slow: _console.ResampleSlow = False,
    distortion: Annotated[
        Literal["sample", "all", "none"], typer.Option(help="Rows to compute the distortion of.")
    ] = "sample",
    projection_rows: Annotated[int, typer.Option(help="Rows to project, seeded.", min=4)] = 20_000,
    adapter: _console.Adapter = None,
    anchor: Annotated[int | None, typer.Option(help="Row id to traverse around; a typical row by default.")] = None,
    shard: _console.Shard = None,
    cluster: _console.Cluster = None,
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Turn checkpoints into codes, traversals, projections and scores. What is up to date is left alone.

    Example: latentlab analyze artifacts/digits-study --only encode,score
    """
    refuse_busy(*paths)
    from latentlab.system.memory import keep_freed_memory

    keep_freed_memory()
    from latentlab.analysis.analyze import analyze as analyse
    from latentlab.analysis.analyze import analyze_on_cluster, stages, stages_of
    from latentlab.runs.shards import read_shard, shard_runs
    from latentlab.runs.study import open_runs
    from latentlab.system.registry import choose, names

    runs, wanted = open_runs(paths), _console.metrics(metric)
    if shard is not None:
        runs = shard_runs(read_shard(shard), runs)
        if not runs and not json:
            _console.show(f"shard {shard} has no run")
    choose(profile, names("analysis/score/profiles"), what="profile")
    options: dict[str, Any] = {
        "data": data, "split": split, "only": stages(only) if only else None, "metrics": wanted, "profile": profile,
        "resamples": resamples, "resample_slow": resample_slow, "distortion": distortion,
        "projection_rows": projection_rows, "anchor": anchor, "adapter": adapter,
    }  # fmt: skip
    failed: dict[str, str] = {}
    if cluster is not None:
        with _console.progress(
            f"analyze {len(runs)} runs", quiet=quiet or json, goes_on="called again it goes on"
        ) as say:
            failed = analyze_on_cluster(runs, cluster, progress=lambda done: say(done, len(runs)), **options)
    done = []
    for run in runs:
        try:
            if cluster is None:
                with _console.progress(f"analyze {run.name}", quiet=quiet or json) as report:
                    analyse(run, progress=report, **options)
        except LatentlabError as error:
            if len(runs) == 1:
                raise
            failed[str(run.path)] = str(error)
        if str(run.path) not in failed:
            done.append({"run": str(run.path), "stages": list(stages_of(run, options["only"]))})
            if not json:
                _console.show(f"{run.path} is analysed: {', '.join(done[-1]['stages'])}")
                if run.config.likelihood in UNBOUNDED and "traverse" in done[-1]["stages"]:
                    _tell_cut(run)
    if failed:
        path, first = next(iter(failed.items()))
        raise LatentlabError(
            f"{len(failed)} of {len(runs)} runs could not be analysed; the first, {Path(path).name}: {first}"
        )
    if json:
        _console.show_json({"runs": done})


def _tell_cut(run: Any) -> None:
    from latentlab.codes.decodings import cut_told

    told = cut_told(run.decodings())
    if told:
        _console.show(f"{run.path}: {told}")
