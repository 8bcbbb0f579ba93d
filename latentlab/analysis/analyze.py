"""From a checkpoint to everything that is known of it: the stages of ``latentlab analyze``, in order.

This is where the two halves meet: torch functions fill codes and decodings, NumPy functions read them. Each stage keeps
a file of its own with the hashes of what it read, and is not redone while they hold.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.analysis.score.stage import RESAMPLES
from latentlab.codes.codes import position_of
from latentlab.codes.projections import ROWS
from latentlab.data import Dataset, load
from latentlab.errors import InputError
from latentlab.runs.data import analysed, data_of
from latentlab.runs.data_for_workers import expect, hand_over, take_over
from latentlab.runs.images import changed
from latentlab.runs.run import Run
from latentlab.runs.stage import Stage, stage, stages
from latentlab.runs.weights import check_model
from latentlab.system import cluster
from latentlab.system.progress import Progress, silent
from latentlab.system.registry import resolve

if TYPE_CHECKING:
    from latentlab.models import Model
    from latentlab.models.encoding import Distortion


def named_stages(only: str | None) -> tuple[str, ...]:
    """The stages that ``--only encode,score`` names, in the order they run; for None those of every analysis."""
    if only is None:
        return tuple(name for name, each in stages().items() if each.place is not None)
    named = {stage(name.strip().replace("-", "_")).name for name in only.split(",")}
    return tuple(name for name in stages() if name in named)


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
    anchor: int | str | None = None,
    adapter: str | Model | None = None,
    progress: Progress = silent,
) -> tuple[str, ...]:
    """Run stages of an analysis on one run: ``encode``, ``traverse``, ``project``, ``score``.

    Every stage that is up to date is left alone.

    Parameters
    ----------
    run : Run
        The run, or the path of its folder.
    data : Dataset, str or Path, optional
        By default what the run was trained on.
    split : str, optional
        A published part of the data: ``train``, ``test``, or ``all``. By default the part that `encode` takes.
    only : sequence of str, optional
        Names of stages, questions such as ``support`` among them. By default the four, as far as the model allows:
        without a decoder nothing is traversed.
    metrics : sequence of str, optional
        Metrics to compute; by default all of the profile.
    profile : str, default "dlib"
        The protocol that scores follow, one of ``ll.profiles``.
    resamples : int
        Redraws for the intervals of scores; 0 computes none.
    resample_slow : bool, default False
        Whether metrics that train a model, which take minutes, get intervals as well.
    distortion : {"sample", "all", "none"}
        For which rows −log p(x|z) is computed, as in `encode`.
    projection_rows : int
        At most how many rows a projection shows.
    anchor : int or str, optional
        The id or name of the row around which dimensions are traversed; by default the row nearest to the median code.
    adapter : str or Model, optional
        What a run of a user's own model needs: ``FILE.py:NAME``, or the model.
    progress : callable
        Called with work done, work to do, and what is worked on.

    Returns
    -------
    tuple of str
        The stages that the analysis has, in the order in which they ran.

    Raises
    ------
    InputError
        For an unknown stage, one that needs more than a run and its data, an adapter or data that do not fit the run,
        and data that changed since the codes were made where these are not to be recomputed.
    MissingError
        Where a file that a stage reads is not there.

    Examples
    --------
    >>> from latentlab.runs.study import Study
    >>> from latentlab.system.resources import shipped_study
    >>> analyze(Study(shipped_study())[0], only=[])
    ()
    """
    from latentlab.models import check_adapter

    if adapter is not None:
        check_adapter(run, adapter)  # also where every stage turns out to be up to date
    if data is not None or split is not None:
        check_model(run)
    dataset = None if data is None else load(data)
    chosen = [stage(name) for name in stages_of(run, only)]
    _check_asked(run, chosen)
    if "encode" not in (each.name for each in chosen) and any(each.place is not None for each in chosen):
        _check_current(run, dataset, split)
    if anchor is not None and "traverse" in (each.name for each in chosen):
        _check_anchor(run, dataset, split, anchor, encoded="encode" in (each.name for each in chosen))
    common = {"data": dataset, "split": split, "adapter": adapter}
    own: dict[str, dict[str, Any]] = {
        "encode": {"distortion": distortion},
        "traverse": {"anchor": anchor},
        "project": {"rows": projection_rows},
        "score": {"metrics": metrics, "profile": profile, "resamples": resamples, "resample_slow": resample_slow},
    }
    for number, each in enumerate(chosen):
        progress(number, len(chosen), each.name)
        part = partial(_part, progress, number, len(chosen), each.name)
        _make(each, run, common | own.get(each.name, {}) | {"progress": part})
    progress(len(chosen), len(chosen), "")
    return tuple(each.name for each in chosen)


def _make(each: Stage, run: Run, options: Mapping[str, Any]) -> None:
    """Have a stage made with those of the options that it knows."""
    make = resolve(each.make)
    known = inspect.signature(make).parameters
    make(run, **{name: value for name, value in options.items() if name in known})


def _part(progress: Progress, number: int, stages: int, name: str, done: float, total: float, note: str = "") -> None:
    """Say how far one stage of so many is."""
    progress(number + done / max(total, 1), stages, f"{name} {note or f'{done:,.0f} of {total:,.0f}'}")


def _check_asked(run: Run, chosen: Sequence[Stage]) -> None:
    """Raise an `InputError` where a stage must be given more than a run and its data."""
    for each in chosen:
        if each.asks:
            raise InputError(f"{each.name} needs {each.asks}; use its own command: `{each.again(run)}`")


def _check_current(run: Run, data: Dataset | None, split: str | None) -> None:
    """Raise an `InputError` where the codes, which are not to be recomputed, are not those of the data as they are."""
    if not run.encodes or not run.has("encode"):
        return
    if parts := changed(run, data.split(split) if data is not None and split else data):
        what = f"{' and '.join(parts)} of {run.name[-40:]} changed since its codes were made"
        raise InputError(f"{what}; encode again: `latentlab analyze {str(run.path)[-40:]}` with encode among --only")


def _check_anchor(run: Run, data: Dataset | None, split: str | None, anchor: int | str, *, encoded: bool) -> None:
    """Raise an `InputError` where no row of the codes, which may be encoded only now, has that id or name."""
    if encoded and run.encodes:
        rows = analysed(run, data, split)
        position_of(anchor, rows.row_ids, rows.row_names)
    elif run.has("encode"):
        run.codes().position(anchor)


def stages_of(run: Run, only: Sequence[str] | None = None) -> tuple[str, ...]:
    """The stages that an analysis of this run has: those asked for, or all that its model allows."""
    if only is not None:
        return tuple(only)
    left = () if run.config.has_model else ("encode",)
    return tuple(name for name in named_stages(None) if not stage(name).lacks(run) and name not in left)


def analyze_on_cluster(
    runs: Sequence[Run], address: str, *, progress: Progress = silent, **options: Any
) -> dict[str, str]:
    """`analyze` on the workers of the Dask scheduler at `address`, one task per run; why runs failed, by folder.

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
    return cluster.spread(address, jobs, lambda done: progress(done, len(jobs)))


def analyze_member(run: str, data: Mapping[str, Any] | None = None, **options: Any) -> None:
    """What the process of one run does."""
    opened = Run(Path(run))
    makes = [resolve(stage(name).make) for name in stages_of(opened, options.get("only"))]
    if data is None and opened.encodes and any("data" in inspect.signature(make).parameters for make in makes):
        expect(data_of(opened), opened.config.source)
    analyze(opened, None if data is None else take_over(data), **options)
