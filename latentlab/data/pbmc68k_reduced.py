"""700 blood cells of ten types, counts of 765 genes (10x PBMC 68k: Zheng et al., 2017)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from latentlab.data._annotated import RAW, Annotated, dataset_of
from latentlab.data._installed import shipped
from latentlab.data.dataset import Dataset
from latentlab.errors import InputError

PACKAGE = "scanpy"
FILE = "datasets/10x_pbmc68k_reduced.h5ad"
TARGET = 1e4  # counts to which each cell was brought before the logarithm
CLOSE = 0.25  # how far a recovered count may lie from a whole number


def load(*, layer: str = "counts", genes: str = "", top: int = 0, labels: str = "bulk_labels") -> Dataset:
    """The counts, with the cell types as labels, and what scanpy kept of each cell as factors.

    The file has no counts: its ``raw`` holds log(1 + 10⁴ · count / total) to three decimals, which the totals
    (``n_counts``) turn back into whole numbers. ``layer=raw`` and ``layer=X`` (standardised) are read as they are.
    """
    from latentlab.data._h5ad import read

    path = shipped(PACKAGE, FILE)
    held = read(path)
    counts, off = recovered(held)
    held = replace(
        held,
        name="pbmc68k-reduced",
        matrices={**held.matrices, "counts": lambda: counts},
        source={"name": "pbmc68k-reduced", "package": PACKAGE, "file": path.name},
    )
    data = dataset_of(held, layer=layer, genes=genes, top=top, labels=labels)
    said = f"counts are recovered from raw and n_counts, at most {off:.2f} from whole numbers; the file has none"
    return replace(data, remarks=(*data.remarks, said)) if layer == "counts" else data


def recovered(held: Annotated) -> tuple[Any, float]:
    """The counts behind log-normalised ones, sparse, and how far from whole numbers they were at most."""
    logs, totals = held.matrices[RAW](), np.asarray(held.obs["n_counts"], np.float64)
    counts = logs.astype(np.float64)
    counts.data = np.expm1(counts.data) * np.repeat(totals, np.diff(counts.indptr)) / TARGET
    whole = np.round(counts.data)
    off = float(np.abs(counts.data - whole).max(initial=0))
    if off > CLOSE:
        raise InputError(f"pbmc68k-reduced: raw is not log-normalised by n_counts (off by {off:.2f}); choose layer=raw")
    counts.data = whole
    return counts, off
