"""Codes with projections as AnnData: opens in anndata and scanpy as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from latentlab.codes import mark
from latentlab.errors import InputError
from latentlab.exporters._needs import ending
from latentlab.hdf5 import publishing
from latentlab.runs import Run


def write(run: Run, out: Path) -> Path:
    """A copy of a run's codes with its projections as ``obsm/X_umap`` and ``obsm/X_pca``, NaN where a row has none."""
    ending(out, ".h5ad")
    if out.resolve() == run.codes_path.resolve():
        raise InputError(f"{out} is the run's own file, which scores and projections go by; choose another name")
    row_ids = run.codes().row_ids
    with publishing(out, source=run.codes_path) as file:
        for method, projection in (run.projections() if run.has("project") else {}).items():
            xy = np.full((len(row_ids), 2), np.nan, np.float32)
            xy[np.searchsorted(row_ids, projection.row_ids)] = projection.xy
            mark(file["obsm"].create_dataset(f"X_{method}", data=xy), "array", "0.2.0")
    return out
