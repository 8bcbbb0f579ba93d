"""From a checkpoint to everything that is known of it: the stages of ``latentlab analyze``, in order.

This is where the two halves meet: torch functions fill codes and decodings, NumPy functions read them. Each stage keeps
a file of its own with the hashes of what it read, and is not redone while they hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab import cluster, registry
from latentlab.codes import Codes
from latentlab.data import Dataset, Factor, load
from latentlab.errors import InputError
from latentlab.files import MERGE_PATIENCE, lock, sha256
from latentlab.handing import expect, hand_over, take_over
from latentlab.hdf5 import made_from
from latentlab.labels import as_factor
from latentlab.originals import changed
from latentlab.projections import ROWS, Projection, project, save_projections
from latentlab.registry import choose
from latentlab.runs import STAGES, Run, data_of, write_scores
from latentlab.scoring import Scores, profile_name, score, scores_from_json

if TYPE_CHECKING:
    from latentlab.encoding import Distortion
    from latentlab.models import Model

RESAMPLES = 200
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
    from latentlab.decoding import decode_run
    from latentlab.encoding import write_codes
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
        jobs[str(run.path)] = cluster.Job("latentlab.analysis:analyze_member", {"run": str(folder), **options}, folder)
    return cluster.spread(address, jobs, progress)


def analyze_member(run: str, data: Mapping[str, Any] | None = None, **options: Any) -> None:
    """What the process of one run does."""
    opened = Run(Path(run))
    if data is None and opened.encodes and {"encode", "traverse"} & set(stages_of(opened, options.get("only"))):
        expect(data_of(opened), opened.config.source)
    analyze(opened, None if data is None else take_over(data), **options)


def project_run(
    run: Run, *, methods: Sequence[str] = ("pca", "umap"), rows: int = ROWS, seed: int = 0
) -> dict[str, Projection]:
    """PCA and UMAP of a run's codes, kept in its ``projections.h5``."""
    codes = run.codes()
    inputs = {"codes": sha256(run.codes_path), "methods": list(methods), "rows": rows, "seed": seed}
    if made_from(run.projections_path) == inputs:
        return run.projections()
    with lock(run.path):
        found = {method: project(codes, method, rows=rows, seed=seed) for method in methods}
        save_projections(run.projections_path, found, inputs)
    return found


def score_run(
    run: Run,
    *,
    metrics: Sequence[str] | None = None,
    profile: str = "dlib",
    resamples: int = RESAMPLES,
    resample_slow: bool = False,
) -> Scores:
    """Scores of a run's codes, kept in its ``scores.json``; what is there of the same codes is not computed again.

    ``resamples`` redraws give each score its interval, nulls and ceiling (0 leaves them out); metrics that train
    something get them with ``resample_slow`` alone, for it takes minutes.
    """
    inputs = {
        "codes": sha256(run.codes_path) if run.has("encode") else "",
        "profile": profile,
        "resamples": resamples,
        "resample_slow": resample_slow,
    }
    found = _scored_from(run, inputs)
    known = found.scores.keys() | found.skipped.keys()
    wanted = [name for name in metrics or registry.load("profiles", profile).PROTOCOLS if name not in known]
    if wanted:
        fresh = score_codes(
            run.codes(), metrics=wanted, profile=profile, resamples=resamples, resample_slow=resample_slow
        )
        with lock(run.path, MERGE_PATIENCE):
            found = _scored_from(run, inputs)  # again: another process may have added its own meanwhile
            found = Scores(found.scores | fresh.scores, found.skipped | fresh.skipped, found.seconds | fresh.seconds)
            write_scores(run, found.scores, found.skipped, inputs)
    return found


def score_codes(codes: Codes, **options: Any) -> Scores:
    """Scores of codes under a profile. Labels serve as one categorical factor where there are no others.

    ``options`` are those of `latentlab.scoring.score`: ``metrics``, ``profile``, ``resamples``, …. The codes of a
    deterministic encoder are standardised first, for thresholds mean nothing on a free scale.
    """
    factors, specs = codes.factors, codes.specs
    if factors is None and codes.labels is not None:
        factors, specs = as_factor(codes.labels), (Factor("label", "categorical"),)
    mean = codes.mean.astype(np.float64)
    if codes.variance is None:
        spread = mean.std(axis=0)
        mean = (mean - mean.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return score(
        mean,
        factors,
        grid=codes.grid,
        variance=codes.variance,
        factor_names=[spec.name for spec in specs],
        kinds=[spec.kind for spec in specs] if specs else None,
        **options,
    )


def _scored_from(run: Run, inputs: Mapping[str, Any]) -> Scores:
    """The scores that are there, as far as they were made of these inputs under the profile's present version."""
    if not run.has("score"):
        return Scores({}, {}, {})
    try:
        found = run.scored
    except InputError:  # damaged: they are made anew
        return Scores({}, {}, {})
    if not _agrees(found["inputs"], inputs):
        return Scores({}, {}, {})
    scores = scores_from_json(found)
    version = profile_name(registry.load("profiles", inputs["profile"]))
    return scores._replace(
        scores={name: each for name, each in scores.scores.items() if each.settings.get("profile") == version}
    )


def _agrees(recorded: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
    """Whether what was recorded says the same of every input; a shared copy of a run records more than that."""
    return all(recorded.get(key) == value for key, value in inputs.items())
