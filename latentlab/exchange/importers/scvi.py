"""A trained scVI model of scvi-tools: its posterior means and variances of the cells in an ``.h5ad``, not the model.

scvi-tools itself loads the model and encodes the cells; it unpickles ``model.pt``, which runs whatever code is in it.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from latentlab.errors import InputError, LatentlabError, MissingError
from latentlab.exchange.embeddings.embedding import Embedding
from latentlab.exchange.embeddings.rows import Rows, embedded
from latentlab.exchange.embeddings.tables import with_index
from latentlab.exchange.importers._foreign import folder

LIBRARY_SIZE = "library size"
MODEL = "model.pt"


def read(
    path: Path, cells: str | Path | None, labels: str = "", factors: str = "", name: str = "", seed: int = 0
) -> Embedding:
    """The codes of ``cells`` under the model in the folder `path`, with the columns of ``obs`` and the library size.

    ``labels`` and ``factors`` name columns of ``obs``; by default every column that can be is a factor.
    """
    folder(path, MODEL)
    if cells is None or not Path(cells).is_file():
        raise MissingError(f"{cells or 'no file'} holds no cells; name the .h5ad that the model was set up on: --data")
    scvi, anndata = _needed("scvi"), _needed("anndata")
    model, data = _loaded(scvi, anndata, path, Path(cells))
    mean, variance = model.get_latent_representation(return_dist=True)
    obs = data.obs[[key for key in data.obs.columns if not str(key).startswith("_scvi")]].assign(
        **{LIBRARY_SIZE: _library(model)}
    )
    table = with_index(obs.rename_axis("index"))
    held = Rows.of(mean, table["index"], variance, table.drop(columns="index"), Path(cells).name)
    chosen = [each.strip() for each in factors.split(",")] if factors else None
    found = embedded(held, (), chosen, labels or None, "", name=name or "scVI", rows=Path(cells).stem, seed=seed)
    return replace(found, file=path / MODEL, recorded=_settings(model))


def _needed(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise LatentlabError("import scvi needs scvi-tools; install it: pip install 'latentlab[scvi]'") from error


def _loaded(scvi: Any, anndata: Any, path: Path, cells: Path) -> tuple[Any, Any]:
    """The model with its cells; what scvi-tools raises is said in one line."""
    try:
        data = anndata.read_h5ad(cells)
        return scvi.model.SCVI.load(str(path), adata=data, accelerator="cpu"), data
    except Exception as error:  # scvi-tools and anndata raise all kinds
        why = " ".join(str(error).split())[:90]
        raise InputError(f"scvi-tools cannot load {path.name[-40:]} with {cells.name[-40:]}: {why}") from error


def _library(model: Any) -> Any:
    """Each cell's library size: the posterior mean where the model has one, otherwise the observed counts."""
    try:
        found = model.get_latent_library_size(give_mean=True)
    except RuntimeError:  # the model was given the observed sizes
        found = model.get_latent_library_size(give_mean=False)
    return np.asarray(found, np.float64).ravel()


def _settings(model: Any) -> dict[str, Any]:
    """How the model was made: its likelihood, and the columns that it was conditioned on."""
    settings = dict((getattr(model, "init_params_", {}) or {}).get("non_kwargs", {}))
    batch = model.adata_manager.get_state_registry("batch").get("original_key")
    return {**settings, "batch": None if str(batch).startswith("_scvi") else batch}
