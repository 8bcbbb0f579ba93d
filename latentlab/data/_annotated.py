"""Annotated matrices, as single-cell tools keep them: rows with columns of their own (``obs``), features with names.

They come from an ``.h5ad`` file (`latentlab.data._h5ad`) or from an AnnData object; here they become a `Dataset`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentlab.data._factors import factors_of, labels_of, unlabelled
from latentlab.data.dataset import Dataset, Rows
from latentlab.data.kinds import Form
from latentlab.errors import InputError
from latentlab.system.limits import rows_at_once

RAW = "raw"
LABELS = ("cell_type", "celltype", "cell_types", "labels", "label", "bulk_labels")  # what classes are usually called
LOOKED = 2000  # rows of a dense matrix, evenly spread, by which counts are recognised
LOGS = 20.0  # the largest logarithm of a count that any sequencer gives
BLOCK = 4096


class Features(NamedTuple):
    """The ``names`` of a matrix's columns and what else is known of each."""

    names: Sequence[str]
    columns: pd.DataFrame


@dataclass(frozen=True)
class Annotated:
    """A data set as AnnData lays it out.

    ``matrices`` are read when they are asked for, by name: ``X``, ``raw`` and the layers; each is a dense array (n, d)
    that is read by rows, or a sparse one of SciPy. ``rows`` (n,) names the rows, ``obs`` are their columns; ``var`` are
    the features of X and of the layers, those of ``raw`` are ``raw_var``.
    """

    name: str
    matrices: Mapping[str, Callable[[], Any]]
    rows: NDArray[np.str_]
    obs: pd.DataFrame
    var: Features
    raw_var: Features | None = None
    source: Mapping[str, Any] = field(default_factory=dict)

    def features(self, layer: str) -> Features:
        """The features of a layer."""
        return self.raw_var if layer == RAW and self.raw_var is not None else self.var


def of_anndata(adata: Any) -> Annotated:
    """An AnnData object, whatever made it."""
    if "latentlab" in adata.uns:
        raise _codes("the AnnData")
    raw = adata.raw
    layers = {name: partial(adata.layers.__getitem__, name) for name in adata.layers}
    matrices: dict[str, Callable[[], Any]] = {} if adata.X is None else {"X": lambda: adata.X}
    matrices |= ({} if raw is None else {RAW: lambda: raw.X}) | layers
    return Annotated(
        "anndata",
        {name: partial(_in_memory, get) for name, get in matrices.items()},
        np.asarray(adata.obs_names, np.str_),
        _columns_of(adata.obs),
        Features([str(name) for name in adata.var_names], _columns_of(adata.var)),
        None if raw is None else Features([str(name) for name in raw.var_names], _columns_of(raw.var)),
        {"name": "anndata"},
    )


def _in_memory(get: Callable[[], Any]) -> Any:
    """A matrix of an AnnData object, which may be a file's."""
    matrix = get()
    return matrix.to_memory() if hasattr(matrix, "to_memory") else matrix


def _columns_of(frame: Any) -> pd.DataFrame:
    return pd.DataFrame(frame).rename(columns=str).reset_index(drop=True)


def dataset_of(
    held: Annotated, *, layer: str = "", kind: str = "", genes: str = "", top: int = 0, labels: str = ""
) -> Dataset:
    """The data set in annotated matrices; the options are those of `latentlab.data._h5ad.load`."""
    layer = _layer(held, layer)
    matrix, features = _by_rows(held.matrices[layer]()), held.features(layer)
    if matrix.shape != (len(held.rows), len(features.names)):
        raise InputError(f"{held.name}: {layer} is {matrix.shape}; expected ({len(held.rows)}, {len(features.names)})")
    counted, about = _look(matrix)
    kind = _kind(held.name, layer, kind, counted, about)
    chosen = _chosen(held.name, matrix, features, genes, top, counted=kind == "counts")
    rows = held.rows if len(set(held.rows.tolist())) == len(held.rows) else None
    nameless = () if rows is not None else ("names of rows repeat, so rows are known by their numbers from 0",)
    names, repeated = unique([str(features.names[j]) for j in chosen])
    read = _reader(matrix, chosen, len(features.names))
    factors = factors_of(held.obs, (), held.name)
    label, label_names, label_said = _labels(held, labels)
    stored: Literal["int32", "float32"] = "int32" if kind == "counts" else "float32"
    form = Form(kind, (len(chosen),), stored, names=names, missing=kind == "table" and about.missing)
    return Dataset(
        name=held.name,
        shape=(len(held.rows), len(chosen)),
        read=read,
        factors=factors.values,
        specs=factors.specs,
        labels=label,
        label_names=label_names,
        source={**held.source, "layer": layer},
        remarks=(_said(layer, kind, counted, about, held), *repeated, *nameless, *label_said, *factors.said("obs")),
        form=form,
        row_names=rows,
    )


def _layer(held: Annotated, layer: str) -> str:
    layer = layer or "X"
    if layer not in held.matrices:
        raise InputError(f"{held.name} has no layer {layer[:40]!r}; it has: {', '.join(held.matrices)[:100]}")
    return layer


def _by_rows(matrix: Any) -> Any:
    """A matrix that rows are read from: a dense one as it is, a sparse one by rows."""
    return matrix.tocsr() if hasattr(matrix, "tocsr") else matrix


class _Values(NamedTuple):
    """What the values of a matrix are like, as far as it was looked at."""

    low: float
    high: float
    whole: bool
    missing: bool


def _look(matrix: Any) -> tuple[bool, _Values]:
    """Whether a matrix holds counts (whole numbers from 0), and what was seen of its values."""
    if hasattr(matrix, "indptr"):
        values = [matrix.data, np.zeros(1)]
    else:
        n = matrix.shape[0]
        rows = np.unique(np.linspace(0, n - 1, min(n, LOOKED)).astype(np.int64))
        step = rows_at_once(8 * matrix.shape[1], BLOCK)
        values = [np.asarray(matrix[rows[start : start + step]]) for start in range(0, len(rows), step)]
    missing = any(bool(np.isnan(block).any()) for block in values if block.dtype.kind == "f")
    low, high = min(float(np.nanmin(b)) for b in values if b.size), max(float(np.nanmax(b)) for b in values if b.size)
    whole = not missing and all(bool((block == np.round(block)).all()) for block in values)
    return whole and low >= 0, _Values(low, high, whole, missing)


def _kind(name: str, layer: str, kind: str, counted: bool, about: _Values) -> str:
    if kind not in ("", "counts", "table"):
        raise InputError(f"kind is {kind[:40]!r}; expected counts or table")
    if kind == "counts" and not counted:
        what = "missing values" if about.missing else f"{'fractions' if not about.whole else 'numbers'} from"
        ends = "" if about.missing else f" {about.low:.4g} to {about.high:.4g}"
        raise InputError(f"{name}: {layer} holds {what}{ends}; counts are whole numbers from 0: choose a layer=")
    return kind or ("counts" if counted else "table")


def _said(layer: str, kind: str, counted: bool, about: _Values, held: Annotated) -> str:
    """What the matrix was taken for, in a sentence."""
    ends = f"from {about.low:.4g} to {about.high:.4g}"
    if counted:
        return f"{layer} holds whole numbers {ends}, read as {'counts' if kind == 'counts' else 'a table'}"
    look = " as of log-normalised counts" if about.low >= 0 and about.high < LOGS and not about.missing else ""
    others = [name for name in held.matrices if name != layer]
    mend = f"; other layers: {', '.join(others)[:60]}" if others else ""
    numbers = "numbers" if about.whole else "fractions"
    return f"{layer} holds {numbers} {ends}{look}, read as a table of Gaussian columns{mend}"


def _chosen(name: str, matrix: Any, features: Features, genes: str, top: int, *, counted: bool) -> Rows:
    """Which columns are kept."""
    d = len(features.names)
    if genes and top:
        raise InputError(f"{name}: genes={genes[:40]} and top={top} both choose features; give one")
    if genes:
        flags = [str(name) for name, values in features.columns.items() if pd.api.types.is_bool_dtype(values)]
        column = features.columns[genes].fillna(False) if genes in flags else None
        if column is None or not column.any():
            raise InputError(
                f"{name}: genes={genes[:40]} is not a column of true and false with some true; it has: "
                f"{', '.join(flags)[:60] or 'none'}"
            )
        return np.flatnonzero(column.to_numpy(bool))
    if not isinstance(top, int) or not 0 <= top <= d:
        raise InputError(f"{name}: top is {str(top)[:40]}; expected how many of the {d:,} features to keep")
    return np.sort(np.argsort(-_spread(matrix, counted=counted), kind="stable")[:top]) if top else np.arange(d)


def _spread(matrix: Any, *, counted: bool) -> NDArray[np.float64]:
    """The variance of each feature (d,): of counts that of log(1 + count), each row brought to the median total."""
    n, d = matrix.shape
    step = rows_at_once(8 * d, BLOCK)
    spans = [slice(start, min(start + step, n)) for start in range(0, n, step)]
    blocks = lambda: (_dense(matrix, np.arange(n)[span]) for span in spans)  # noqa: E731
    totals = np.concatenate([block.sum(axis=1) for block in blocks()])
    scale = np.median(totals) / np.maximum(totals, 1) if counted else np.ones(n)
    logs = np.log1p if counted else np.asarray
    mean = sum(logs(block * scale[span, None]).sum(axis=0) for block, span in zip(blocks(), spans, strict=True)) / n
    square = sum(
        ((logs(block * scale[span, None]) - mean) ** 2).sum(axis=0) for block, span in zip(blocks(), spans, strict=True)
    )
    return np.nan_to_num(np.asarray(square / n, np.float64))


def _dense(matrix: Any, rows: Rows) -> NDArray[np.float64]:
    block = matrix[rows]
    return np.asarray(block.toarray() if hasattr(block, "toarray") else block, np.float64)


def _reader(matrix: Any, chosen: Rows, d: int) -> Callable[[Rows], NDArray[Any]]:
    """What reads rows; of a sparse matrix only they become dense."""
    if hasattr(matrix, "indptr"):
        kept = matrix if len(chosen) == d else matrix[:, chosen]
        return lambda rows: np.asarray(kept[rows].toarray())

    def read(rows: Rows) -> NDArray[Any]:
        unique_rows, inverse = np.unique(rows, return_inverse=True)  # HDF5 reads rows in ascending order, each once
        return np.asarray(matrix[unique_rows])[inverse][:, chosen]

    return read


def unique(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names, later ones of a kind numbered as scanpy does (``A``, ``A-1``), and a sentence where there were any.

    >>> unique(["A", "B", "A", "A-1"])[0]
    ('A', 'B', 'A-2', 'A-1')
    """
    taken, seen, found, renamed = set(names), set[str](), [], 0
    for name in names:
        new, number = name, 0
        while new in seen or (new != name and new in taken):
            number += 1
            new = f"{name}-{number}"
        renamed += new != name
        seen.add(new)
        found.append(new)
    twice = next((name for name in names if names.count(name) > 1), "") if renamed else ""
    said = (f"{renamed:,} feature names repeat ({twice[:24]}, …); numbered as {twice[:24]}-1",) if renamed else ()
    return tuple(found), said


def _labels(held: Annotated, asked: str) -> tuple[NDArray[np.int64] | None, tuple[str, ...], tuple[str, ...]]:
    """The column that labels the rows, −1 where missing: the one asked for, or one of words with a usual name."""
    words = [name for name, column in held.obs.items() if not pd.api.types.is_numeric_dtype(column)]
    name = asked or next((each for each in LABELS if each in words), "")
    if not name:
        return None, (), ()
    if name not in held.obs:
        raise InputError(
            f"{held.name} has no column {name[:40]!r} in obs; columns of words: {', '.join(words)[:80] or 'none'}"
        )
    found, names = labels_of(held.obs[name], f"{held.name}: labels={name[:40]}")
    missing = unlabelled(found, held.obs[name])
    chosen = () if asked else (f"labels are {name}; labels=COLUMN chooses others",)
    return found, names, (*chosen, *((missing,) if missing else ()))


def _codes(what: str) -> InputError:
    return InputError(f"{what} holds latentlab's codes, not data; pass the run, or score them: latentlab score")
