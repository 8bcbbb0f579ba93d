"""Projections of a run's codes, computed once and kept in ``projections.h5``."""

from __future__ import annotations

from collections.abc import Sequence

from latentlab.codes.projections import ROWS, Projection, project, save_projections
from latentlab.runs.run import Run
from latentlab.system.files import lock, sha256
from latentlab.system.hdf5 import made_from


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
