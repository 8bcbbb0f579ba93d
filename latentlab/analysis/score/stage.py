"""Scores of a run or of arrays, computed once and kept in ``scores.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.analysis.score.scoring import Scores, profile_name, score, scores_from_json
from latentlab.codes.codes import Codes
from latentlab.codes.labels import as_factor
from latentlab.data import Factor
from latentlab.errors import InputError
from latentlab.runs.run import SCORES_FORMAT, Run
from latentlab.system import registry
from latentlab.system.files import MERGE_PATIENCE, lock, sha256, write_json

if TYPE_CHECKING:
    from latentlab.codes.codes import Codes
    from latentlab.results import Score


RESAMPLES = 200


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
    wanted = [
        name for name in metrics or registry.load("analysis/score/profiles", profile).PROTOCOLS if name not in known
    ]
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

    ``options`` are those of `latentlab.analysis.score.scoring.score`: ``metrics``, ``profile``, ``resamples``, …. The
    codes of a
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
    version = profile_name(registry.load("analysis/score/profiles", inputs["profile"]))
    return scores._replace(
        scores={name: each for name, each in scores.scores.items() if each.settings.get("profile") == version}
    )


def _agrees(recorded: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
    """Whether what was recorded says the same of every input; a shared copy of a run records more than that."""
    return all(recorded.get(key) == value for key, value in inputs.items())


def write_scores(run: Run, scores: dict[str, Score], skipped: dict[str, str], inputs: dict[str, Any]) -> None:
    """Publish ``scores.json``, together with the hash of the codes that were read."""
    found = {name: score.to_json() for name, score in scores.items()}
    write_json(run.scores_path, {"format": SCORES_FORMAT, "inputs": inputs, "scores": found, "skipped": skipped})
