"""Scores of a run or of arrays, computed once and kept in ``scores.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from latentlab.analysis.score import STAGE
from latentlab.analysis.score.domain import caveats
from latentlab.analysis.score.hold_out import HeldOut, hold_out, named
from latentlab.analysis.score.material import factors_of, material, scored_mean
from latentlab.analysis.score.scoring import Scores, profile_name, score_material, scores_from_json
from latentlab.codes.codes import Codes
from latentlab.errors import InputError
from latentlab.results import version_of
from latentlab.runs.kept import collected, made_from
from latentlab.runs.run import Run
from latentlab.runs.summary import keep_summary, with_summary
from latentlab.system import registry
from latentlab.system.files import sha256, unless_damaged, write_json

if TYPE_CHECKING:
    from latentlab.codes.codes import Codes
    from latentlab.results import Caveat, Score


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

    ``resamples`` redraws give each score its interval, nulls and reference (0 leaves them out); metrics that train
    something get them with ``resample_slow`` alone, for it takes minutes.
    """
    options: dict[str, Any] = {"profile": profile, "resamples": resamples, "resample_slow": resample_slow}
    inputs = {"codes": sha256(run.codes_path) if run.has("encode") else "", **options}

    def known() -> dict[str, Scores]:
        return _by_metric(_of_version(run, profile)) if made_from(run, STAGE, inputs) else {}

    def make(missing: list[str]) -> dict[str, Scores]:
        return _by_metric(score_codes(_unconditioned(run), metrics=missing, **options))

    def write(entries: dict[str, Scores]) -> None:
        found = _joined(entries)
        write_scores(run, found.scores, found.skipped, inputs, found.caveats)

    wanted = metrics or registry.load("analysis/score/profiles", profile).PROTOCOLS
    found = _joined(collected(run, known, list(wanted), make, write))
    keep_summary(run)
    if "caveats" in run.scored or not run.has("encode"):
        return found
    codes = run.codes()
    return replace(found, caveats=caveats(material(codes.mean, codes.variance, codes)))  # scored before they were kept


def _unconditioned(run: Run) -> Codes:
    """The run's codes without the columns that its decoder is told: codes need not know them."""
    codes, conditions = run.codes(), run.config.conditions
    if conditions is None:
        return codes
    kept = [k for k, spec in enumerate(codes.specs) if spec.name not in conditions.names]
    factors = codes.factors[:, kept] if codes.factors is not None and kept else None
    labels = None if "label" in conditions.names else codes.labels
    specs = tuple(codes.specs[k] for k in kept)
    return replace(codes, factors=factors, specs=specs, labels=labels, grid=None)


def score_codes(codes: Codes, **options: Any) -> Scores:
    """Scores of codes under a profile: `latentlab.analysis.score.material.material` says what is scored of them.

    ``options`` are those of `latentlab.analysis.score.scoring.score_material`: ``metrics``, ``profile``, ``resamples``,
    ``resample_slow``.
    """
    return score_material(material(codes.mean, codes.variance, codes), **options)


def hold_out_codes(codes: Codes, levels: Mapping[str, Sequence[str]], **options: Any) -> HeldOut:
    """What `hold_out` computes of codes whose factors have names, the levels by name or value.

    ``options`` are those of `latentlab.analysis.score.hold_out.hold_out`: ``metrics``, ``profile``, ``seed``.
    """
    factors, specs = factors_of(codes)
    if factors is None:
        raise InputError("these codes have no factors, so no combination of levels can be held out")
    mean = scored_mean(codes.mean, codes.variance)
    names, kinds = [spec.name for spec in specs], [spec.kind for spec in specs]
    return hold_out(mean, factors, named(levels, specs), factor_names=names, kinds=kinds, **options)


def _of_version(run: Run, profile: str) -> Scores:
    """The scores that the run keeps, those under the profile's and the metrics' present versions."""
    found = scores_from_json(unless_damaged(lambda: run.scored) or {})
    version = profile_name(registry.load("analysis/score/profiles", profile))
    current = [
        name
        for name, each in found.scores.items()
        if each.settings.get("profile") == version and _is_current(name, each)
    ]
    return found.only([*current, *found.skipped])


def _is_current(name: str, found: Score) -> bool:
    """Whether the metric has not been corrected since; a metric that is no longer there says nothing."""
    known = name in registry.names("metrics")
    return known and version_of(found) == registry.load("metrics", name).METRIC.version


def _by_metric(found: Scores) -> dict[str, Scores]:
    return {name: found.only([name]) for name in [*found.scores, *found.skipped]}


def _joined(entries: Mapping[str, Scores]) -> Scores:
    every = entries.values()
    scores = {name: score for each in every for name, score in each.scores.items()}
    skipped = {name: why for each in every for name, why in each.skipped.items()}
    told = tuple(dict.fromkeys(caveat for each in every for caveat in each.caveats))
    return Scores(scores, skipped, {name: seconds for each in every for name, seconds in each.seconds.items()}, told)


def write_scores(
    run: Run,
    scores: dict[str, Score],
    skipped: dict[str, str],
    inputs: dict[str, Any],
    caveats: Sequence[Caveat] = (),
) -> None:
    """Publish ``scores.json``, together with the hash of the codes that were read and what these come to."""
    found = Scores(scores, skipped, {}, tuple(caveats)).to_json(timings=False)
    record = {"format": STAGE.format, "inputs": inputs, **found}
    write_json(run.scores_path, with_summary(record, run.codes_path) if run.has("encode") else record)
