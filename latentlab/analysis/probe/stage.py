"""Few-label curves of a run, computed once and kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from latentlab.analysis.probe.measure import DRAWS, ESTIMATORS, SIZES, Curve, few_label_curve
from latentlab.analysis.probe.record import FILE as PROBES_FILE
from latentlab.analysis.probe.record import load_probes
from latentlab.errors import InputError
from latentlab.results import plain
from latentlab.runs.run import Run
from latentlab.runs.stage import FORMAT
from latentlab.system.files import MERGE_PATIENCE, kept_json, lock, sha256, write_json


def probe(
    run: Run,
    *,
    factor: str | None = None,
    estimators: Sequence[str] = tuple(ESTIMATORS),
    sizes: Sequence[int] = SIZES,
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, Curve]:
    """Few-label curves of the run's codes, by estimator; kept in ``probes.json`` and not made again while they hold."""
    inputs = {
        "codes": sha256(run.codes_path) if run.has("encode") else "",
        "factor": factor,
        "sizes": list(sizes),
        "draws": draws,
        "seed": seed,
    }
    curves = _curves(run, inputs)
    missing = [name for name in estimators if name not in curves]
    if missing:
        codes = run.codes()
        fresh = {
            name: few_label_curve(codes, factor=factor, estimator=name, sizes=sizes, draws=draws, seed=seed)
            for name in missing
        }
        with lock(run.path, MERGE_PATIENCE):
            curves = _curves(run, inputs) | fresh
            kept = {name: plain(each.to_json()) for name, each in curves.items()}
            write_json(run.path / PROBES_FILE, {"format": FORMAT, "inputs": inputs, "curves": kept})
    return {name: curves[name] for name in estimators}


def _curves(run: Run, inputs: dict[str, Any]) -> dict[str, Curve]:
    """The curves in ``probes.json`` that were made from just that."""
    if kept_json(run.path / PROBES_FILE).get("inputs") != inputs:
        return {}
    try:
        return load_probes(run)
    except InputError:  # not there, or damaged: they are made anew
        return {}
