"""Codes with projections as AnnData: opens in anndata and scanpy as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from latentlab.codes.codes import Codes
from latentlab.codes.h5ad import mark
from latentlab.errors import InputError
from latentlab.exchange.exporters._needs import ending
from latentlab.runs.projections import projections_of
from latentlab.runs.run import Run
from latentlab.system.hdf5 import publishing


def write(run: Run, out: Path) -> Path:
    """A copy of a run's codes with its projections as ``obsm/X_umap`` and ``obsm/X_pca``, NaN where a row has none.

    Where classes have names, ``obs["label"]`` is categorical with those and ``obs["label_code"]`` has their numbers.
    """
    ending(out, ".h5ad")
    if out.resolve() == run.codes_path.resolve():
        raise InputError(f"{out} is the run's own file, which scores and projections depend on; choose another name")
    codes = run.codes()
    with publishing(out, source=run.codes_path) as file:
        _name_classes(file["obs"], codes)
        for method, projection in (projections_of(run) if run.has("project") else {}).items():
            xy = np.full((len(codes), 2), np.nan, np.float32)
            xy[codes.positions(projection.row_ids)] = projection.xy
            mark(file["obsm"].create_dataset(f"X_{method}", data=xy), "array", "0.2.0")
    return out


def _name_classes(obs: Any, codes: Codes) -> None:
    """Write the labels as a categorical column of the classes' names, and their numbers as a column of their own."""
    if codes.labels is None or not codes.classes or "label_code" in obs:  # an older file may have a factor of that name
        return
    del obs["label"]
    mark(obs.create_dataset("label_code", data=codes.labels), "array", "0.2.0")
    group = mark(obs.create_group("label"), "categorical", "0.2.0")
    group.attrs["ordered"] = False
    places = np.searchsorted(list(codes.classes), codes.labels)
    places = np.where(codes.labels >= 0, places, -1).astype(np.int32)  # AnnData's mark of a missing category
    mark(group.create_dataset("codes", data=places), "array", "0.2.0")
    texts = [name.replace("\0", "␀") for name in codes.classes.values()]
    names = group.create_dataset("categories", data=texts, dtype=h5py.string_dtype())
    mark(names, "string-array", "0.2.0")
    columns = [*obs.attrs["column-order"], "label_code"]
    obs.attrs["column-order"] = np.array(columns, dtype=h5py.string_dtype())
