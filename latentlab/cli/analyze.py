"""``latentlab analyze``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from latentlab.cli import _console
from latentlab.errors import LatentlabError

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
    json: _console.Json = False,
    quiet: _console.Quiet = False,
) -> None:
    """Turn checkpoints into codes, traversals, projections and scores. What is up to date is left alone.

    Example: latentlab analyze artifacts/digits-study --only encode,score
    """
    from latentlab.memory import keep_freed_memory

    keep_freed_memory()
    from latentlab.analysis import analyze as analyse
    from latentlab.analysis import stages
    from latentlab.registry import choose, names
    from latentlab.runs import open_runs

    runs, wanted = open_runs(paths), _console.metrics(metric)
    chosen = stages(only) if only else None
    choose(profile, names("profiles"), what="profile")
    done: dict[Path, tuple[str, ...]] = {}
    failed: dict[str, LatentlabError] = {}
    for run in runs:
        try:
            with _console.progress(f"analyze {run.name}", quiet=quiet or json) as report:
                done[run.path] = analyse(
                    run,
                    data,
                    split=split,
                    only=chosen,
                    metrics=wanted,
                    profile=profile,
                    resamples=resamples,
                    resample_slow=resample_slow,
                    distortion=distortion,
                    projection_rows=projection_rows,
                    anchor=anchor,
                    adapter=adapter,
                    progress=report,
                )
        except LatentlabError as error:
            if len(runs) == 1:
                raise
            failed[run.name] = error
        else:
            if not json:
                _console.show(f"{run.path} is analysed: {', '.join(done[run.path])}")
    if failed:
        name, first = next(iter(failed.items()))
        raise LatentlabError(f"{len(failed)} of {len(runs)} runs could not be analysed; the first, {name}: {first}")
    if json:
        _console.show_json({"runs": [{"run": str(path), "stages": list(ran)} for path, ran in done.items()]})
