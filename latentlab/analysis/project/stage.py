"""Projections of a run's codes, computed once and kept in ``projections.h5``."""

from __future__ import annotations

from collections.abc import Sequence

from latentlab.analysis.project import STAGE
from latentlab.codes.projections import ROWS, Projection, project, save_projections
from latentlab.runs.kept import kept
from latentlab.runs.run import Run
from latentlab.system.files import sha256


def project_run(
    run: Run, *, methods: Sequence[str] = ("pca", "umap"), rows: int = ROWS, seed: int = 0
) -> dict[str, Projection]:
    """PCA and UMAP of a run's codes, kept in its ``projections.h5``."""
    codes = run.codes()
    inputs = {"codes": sha256(run.codes_path), "methods": list(methods), "rows": rows, "seed": seed}
    return kept(
        run,
        STAGE,
        inputs,
        lambda: {method: project(codes, method, rows=rows, seed=seed) for method in methods},
        lambda found: save_projections(run.projections_path, found, inputs),
    )
