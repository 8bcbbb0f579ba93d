"""Codes as one table, one row per image: opens in pandas, Polars, DuckDB and Embedding Atlas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from latentlab.codes.codes import Codes
from latentlab.codes.h5ad_writer import unlike
from latentlab.codes.labels import as_values
from latentlab.codes.symbols import symbols
from latentlab.exchange.exporters._needs import ending, need
from latentlab.results import plain
from latentlab.runs.projections import projections_of
from latentlab.runs.run import Run
from latentlab.system.files import publish


def write(run: Run, out: Path) -> Path:
    """Columns ``row`` (the row id), ``row_name`` where rows have names, each factor by name (its value, null where
    missing), ``label`` (the class's name, null where a row has none, and its number in ``label_code``; the number where
    classes have no names), ``rate``, ``distortion``, ``z0`` …, ``z0_variance`` …, and ``umap_x``, ``umap_y``,
    ``pca_x``, ``pca_y``, null where a row was not projected. A factor of such a name, also in other capitals, which
    DuckDB does not tell apart, has ``factor`` put before it. The schema's metadata ``latentlab`` says as JSON where it
    all came from.
    """
    ending(out, ".parquet")
    pyarrow, parquet = need("pyarrow", "pyarrow"), need("pyarrow.parquet", "pyarrow")
    codes = run.codes()
    columns = _columns(run, codes)
    about = {"run": run.name, "label": run.config.label, "provenance": plain(codes.provenance)}
    table = pyarrow.table({name: pyarrow.array(values, from_pandas=True) for name, values in columns.items()})
    with publish(out) as temporary:
        parquet.write_table(table.replace_schema_metadata({"latentlab": json.dumps(about)}), temporary)
    return out


def _columns(run: Run, codes: Codes) -> dict[str, Any]:
    """All columns by name; a factor that is called like another column has ``factor`` put before it."""
    others = _others(run, codes)
    found: dict[str, Any] = {"row": codes.row_ids}
    if codes.row_names is not None:
        found["row_name"] = codes.row_names
    if codes.factors is not None:
        taken = [name for name in codes.factor_names() if name.casefold() in {*others, *found}]
        names = unlike(codes.factor_names(), [*others, *found, *taken])
        for name, spec, column in zip(names, codes.specs, codes.factors.T, strict=True):
            found[name] = as_values(spec, column)
    return found | others


def _others(run: Run, codes: Codes) -> dict[str, Any]:
    """The columns after those of the factors."""
    found: dict[str, Any] = {} if codes.labels is None else {"label": codes.labels}
    if codes.labels is not None and codes.classes:
        found = {"label": codes.class_names(), "label_code": codes.labels}
    found |= {name: part for name in ("rate", "distortion") if (part := getattr(codes, name)) is not None}
    dims = symbols(codes.latent_dim)
    found |= dict(zip(dims, codes.mean.T, strict=True))
    if codes.variance is not None:
        found |= {f"{dim}_variance": column for dim, column in zip(dims, codes.variance.T, strict=True)}
    for method, projection in (projections_of(run) if run.has("project") else {}).items():
        xy = np.full((len(codes), 2), np.nan, np.float32)
        xy[codes.positions(projection.row_ids)] = projection.xy
        found |= {f"{method}_x": xy[:, 0], f"{method}_y": xy[:, 1]}
    return found
