"""From a checkpoint to everything that is known of it: the stages of ``latentlab analyze``, in order.

This is where the two halves meet: torch functions fill codes and decodings, NumPy functions read them. Each stage keeps
a file of its own with the hashes of what it read, and is not redone while they hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.analysis.project.stage import project_run
from latentlab.analysis.score.stage import RESAMPLES, score_run
from latentlab.codes.projections import ROWS
from latentlab.data import Dataset, load
from latentlab.errors import InputError
from latentlab.runs.data import data_of
from latentlab.runs.handing import expect, hand_over, take_over
from latentlab.runs.images import changed
from latentlab.runs.run import Run
from latentlab.runs.stage import STAGES
from latentlab.system import cluster
from latentlab.system.registry import choose

if TYPE_CHECKING:
    from latentlab.models import Model
    from latentlab.models.encoding import Distortion

Progress = Callable[[float, float, str], None]


def stages(only: str | None) -> tuple[str, ...]:
    """The stages that ``--only encode,score`` names, in the order they run; all of them for None."""
    if only is None:
        return tuple(STAGES)
    named = {choose(name.strip(), STAGES, what="stage") for name in only.split(",")}
    return tuple(stage for stage in STAGES if stage in named)


def analyze(
    run: Run,
    data: Dataset | str | Path | None = None,
    *,
    split: str | None = None,
    only: Sequence[str] | None = None,
    metrics: Sequence[str] | None = None,
    profile: str = "dlib",
    resamples: int = RESAMPLES,
    resample_slow: bool = False,
    distortion: Distortion = "sample",
    projection_rows: int = ROWS,
    anchor: int | None = None,
    adapter: str | Model | None = None,
    progress: Progress | None = None,
) -> tuple[str, ...]:
    """Run the stages of an analysis on one run, encode, traverse, project and score, and return which were run.

    ``data`` is by default what the run was trained on, ``only`` all stages that the model allows: without a decoder
    nothing is traversed. ``adapter`` is what a run of a user's own model needs, ``FILE.py:NAME`` or the model. Every
    stage that is up to date is left alone.
    """
    from latentlab.analysis.encode.stage import write_codes
    from latentlab.analysis.traverse.stage import decode_run
    from latentlab.models import check_adapter

    if adapter is not None:
        check_adapter(run, adapter)  # also where every stage turns out to be up to date
    say = progress or (lambda done, total, note: None)
    dataset = None if data is None else load(data)
    chosen = stages_of(run, only)
    if "encode" not in chosen:
        _check_current(run, dataset, split)
    total = len(chosen)
    for number, stage in enumerate(chosen):
        say(number, total, stage)
        if stage == "encode":
            note = lambda done, rows: say(number + done / rows, total, f"encode {done:,} of {rows:,}")  # noqa: E731,B023
            write_codes(run, dataset, split=split, distortion=distortion, adapter=adapter, progress=note)
        elif stage == "traverse":
            decode_run(run, dataset, split=split, anchor=anchor, adapter=adapter)
        elif stage == "project":
            project_run(run, rows=projection_rows)
        else:
            score_run(run, metrics=metrics, profile=profile, resamples=resamples, resample_slow=resample_slow)
    say(total, total, "")
    return chosen


def _check_current(run: Run, data: Dataset | None, split: str | None) -> None:
    """Raise an `InputError` where the codes, which are not to be recomputed, are not those of the data as they are."""
    if not run.encodes or not run.has("encode"):
        return
    if parts := changed(run, data.split(split) if data is not None and split else data):
        what = f"{' and '.join(parts)} of {run.name[-40:]} changed since its codes were made"
        raise InputError(f"{what}; encode again: `latentlab analyze {str(run.path)[-40:]}` with encode among --only")


def stages_of(run: Run, only: Sequence[str] | None = None) -> tuple[str, ...]:
    """The stages that an analysis of this run has: those asked for, or all that its model allows."""
    return tuple(stage for stage in STAGES if stage != "traverse" or run.decodes) if only is None else tuple(only)


def analyze_on_cluster(
    runs: Sequence[Run], address: str, *, progress: Callable[[int], None] | None = None, **options: Any
) -> dict[str, str]:
    """`analyze` on the workers of the Dask scheduler at `address`, one task a run; why runs failed, by folder.

    ``options`` are those of `analyze` that can be written down, an adapter as ``FILE.py:NAME``. Data are opened here
    first: a worker refuses what is called like them there and holds something else. ``progress`` is called with how
    many runs are done.
    """
    if options.get("data") is not None:
        options["data"] = hand_over(load(options["data"]))
    jobs = {}
    for run in runs:
        folder = run.path.resolve()
        jobs[str(run.path)] = cluster.Job(
            "latentlab.analysis.analyze:analyze_member", {"run": str(folder), **options}, folder
        )
    return cluster.spread(address, jobs, progress)


def analyze_member(run: str, data: Mapping[str, Any] | None = None, **options: Any) -> None:
    """What the process of one run does."""
    opened = Run(Path(run))
    if data is None and opened.encodes and {"encode", "traverse"} & set(stages_of(opened, options.get("only"))):
        expect(data_of(opened), opened.config.source)
    analyze(opened, None if data is None else take_over(data), **options)
