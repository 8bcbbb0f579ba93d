"""The effects of a run's dimensions, computed once and kept in ``effects.h5``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from latentlab.analysis.explain import record
from latentlab.analysis.explain.record import Effects, load_effects, save_effects
from latentlab.errors import InputError
from latentlab.runs.run import Run, model_hash
from latentlab.system.files import MERGE_PATIENCE, lock, sha256
from latentlab.system.hdf5 import made_from

if TYPE_CHECKING:
    from latentlab.models import Model


def explain(
    run: Run,
    *,
    rows: int | None = None,
    steps: int | None = None,
    seed: int = 0,
    adapter: str | Model | None = None,
) -> Effects:
    """What each latent dimension does to the picture; kept in ``effects.h5`` and not made again while it holds."""
    from latentlab.analysis.explain.compute import ROWS as AROUND
    from latentlab.analysis.explain.compute import STEPS, measure
    from latentlab.models import load_model

    if not run.decodes:
        raise InputError(f"{run.path} has no decoder, so what a dimension does to the picture cannot be computed")
    path, rows, steps = run.path / record.FILE, rows or AROUND, steps or STEPS
    codes = run.codes()
    inputs = {
        "model": model_hash(run),
        "codes": sha256(run.codes_path),
        "rows": rows,
        "steps": steps,
        "seed": seed,
    }
    if made_from(path) != inputs:
        found = measure(load_model(run, adapter), codes, rows=rows, steps=steps, seed=seed)
        with lock(run.path, MERGE_PATIENCE):
            save_effects(path, found, inputs)
    return load_effects(path)
