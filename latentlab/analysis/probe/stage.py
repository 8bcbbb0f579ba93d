"""Few-label curves of a run, computed once and kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from latentlab.analysis.probe import STAGE
from latentlab.analysis.probe.measure import DRAWS, ESTIMATORS, SIZES, Curve, few_label_curve
from latentlab.analysis.probe.record import FILE, Probes, load_probes
from latentlab.results import plain
from latentlab.runs.kept import collected, made_from
from latentlab.runs.run import Run
from latentlab.system.files import sha256, unless_damaged, write_json


def probe(
    run: Run,
    *,
    factor: str | None = None,
    estimators: Sequence[str] = tuple(ESTIMATORS),
    sizes: Sequence[int] = SIZES,
    draws: int = DRAWS,
    seed: int = 0,
) -> Probes:
    """Few-label curves of the run's codes, by estimator; kept in ``probes.json`` and not made again while they hold."""
    inputs = {
        "codes": sha256(run.codes_path) if run.has("encode") else "",
        "factor": factor,
        "sizes": list(sizes),
        "draws": draws,
        "seed": seed,
    }

    def known() -> dict[str, Curve]:
        return dict((unless_damaged(lambda: load_probes(run)) if made_from(run, STAGE, inputs) else None) or {})

    def make(missing: list[str]) -> dict[str, Curve]:
        options: dict[str, Any] = {"factor": factor, "sizes": sizes, "draws": draws, "seed": seed}
        codes = run.codes()
        return {name: few_label_curve(codes, estimator=name, **options) for name in missing}

    def write(curves: dict[str, Curve]) -> None:
        entries = {name: plain(each.to_json()) for name, each in curves.items()}
        write_json(run.path / FILE, {"format": STAGE.format, "inputs": inputs, "curves": entries})

    curves = collected(run, known, estimators, make, write)
    return Probes({name: curves[name] for name in estimators}, inputs)
