"""Annotated matrices, as single-cell tools keep them: rows with columns of their own (``obs``), features with names.

They come from an ``.h5ad`` file (`latentlab.data._h5ad`) or from an AnnData object; here they become a `Dataset`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentlab.data.dataset import Dataset, Factor, Rows
from latentlab.data.kinds import Form
from latentlab.errors import InputError
from latentlab.system.limits import rows_at_once
from latentlab.system.precision import as_floats

RAW = "raw"
LABELS = ("cell_type", "celltype", "cell_types", "labels", "label", "bulk_labels")  # what classes are usually called
FEW = 20  # levels that whole numbers, or words that are all different, may have
LOOKED = 2000  # rows of a dense matrix, evenly spread, by which counts are recognised
LOGS = 20.0  # the largest logarithm of a count that any sequencer gives
NAMED = 5  # columns that are named among what is left out
BLOCK = 4096


class Levels(NamedTuple):
    """A column of words: ``codes`` (n,) into ``names``, −1 where missing."""

    codes: NDArray[np.int64]
    names: tuple[str, ...]


Column = NDArray[Any] | Levels


class Features(NamedTuple):
    """The ``names`` of a matrix's columns and what else is known of each."""

    names: Sequence[str]
    columns: Mapping[str, Column]


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
    obs: Mapping[str, Column]
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


def _columns_of(frame: Any) -> dict[str, Column]:
    import pandas as pd

    found: dict[str, Column] = {}
    for name, column in frame.items():
        if isinstance(column.dtype, pd.CategoricalDtype):
            words = tuple(str(each) for each in column.cat.categories)
            found[str(name)] = Levels(column.cat.codes.to_numpy(np.int64), words)
        elif pd.api.types.is_bool_dtype(column) and not column.isna().any():
            found[str(name)] = column.to_numpy(bool)
        elif pd.api.types.is_numeric_dtype(column):
            whole = pd.api.types.is_integer_dtype(column) and not column.isna().any()
            found[str(name)] = column.to_numpy(np.int64 if whole else np.float64, na_value=0 if whole else np.nan)
        else:
            found[str(name)] = leveled(["" if word is None or word != word else str(word) for word in column])
    return found


def leveled(words: Sequence[str]) -> Levels:
    """Words as levels in alphabetical order; an empty one is missing."""
    names = sorted(set(words) - {""})
    place = {name: i for i, name in enumerate(names)} | {"": -1}
    return Levels(np.array([place[word] for word in words], np.int64), tuple(names))


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
    names, repeated = unique([str(features.names[j]) for j in chosen])
    read = _reader(matrix, chosen, len(features.names))
    factors, specs, left = _factors(held)
    label, label_said = _labels(held, labels)
    stored: Literal["int32", "float32"] = "int32" if kind == "counts" else "float32"
    form = Form(kind, (len(chosen),), stored, names=names, missing=kind == "table" and about.missing)
    return Dataset(
        name=held.name,
        shape=(len(held.rows), len(chosen)),
        read=read,
        factors=factors,
        specs=specs,
        labels=None if label is None else label.codes,
        label_names=() if label is None else label.names,
        source={**held.source, "layer": layer},
        remarks=(_said(layer, kind, counted, about, held), *repeated, *label_said, *left),
        form=form,
        row_names=held.rows,
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
    return f"{layer} holds fractions {ends}{look}, read as a table of Gaussian columns{mend}"


def _chosen(name: str, matrix: Any, features: Features, genes: str, top: int, *, counted: bool) -> Rows:
    """Which columns are kept."""
    d = len(features.names)
    if genes and top:
        raise InputError(f"{name}: genes={genes[:40]} and top={top} both choose features; give one")
    if genes:
        column = features.columns.get(genes)
        if isinstance(column, Levels) or column is None or column.dtype != np.bool_ or not column.any():
            flags = [each for each, values in features.columns.items() if getattr(values, "dtype", None) == np.bool_]
            raise InputError(
                f"{name}: genes={genes[:40]} is not a column of true and false with some true; it has: "
                f"{', '.join(flags)[:60] or 'none'}"
            )
        return np.flatnonzero(column)
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


def _factors(held: Annotated) -> tuple[NDArray[np.float64] | None, tuple[Factor, ...], tuple[str, ...]]:
    """The columns of the rows as factors, and a sentence on those that are none."""
    values, specs, left = [], [], []
    for name, column in held.obs.items():
        factor = _factor(name, column)
        if factor is None:
            left.append(name)
        else:
            specs.append(factor[0])
            values.append(factor[1])
    named = ", ".join(name[:24] for name in left[:NAMED]) + (", …" if len(left) > NAMED else "")
    said = (f"{len(left)} of {len(held.obs)} columns of obs left out (constant, or texts): {named}",) if left else ()
    return (np.column_stack(values) if values else None), tuple(specs), said


def _factor(name: str, column: Column) -> tuple[Factor, NDArray[np.float64]] | None:
    """A column as a factor and its values; None where it never varies, or is of words that are nearly all different."""
    if not isinstance(column, Levels) and column.dtype == np.bool_:
        column = Levels(column.astype(np.int64), ("false", "true"))
    if not isinstance(column, Levels) and column.dtype.kind in "iu" and len(np.unique(column)) <= FEW:
        levels, codes = np.unique(column, return_inverse=True)
        column = Levels(codes.astype(np.int64), tuple(map(str, levels.tolist())))
    if isinstance(column, Levels):
        used = len(np.unique(column.codes[column.codes >= 0]))
        if used < 2 or used > max(FEW, len(column.codes) // 2):
            return None
        return Factor(name, "categorical", column.names), np.where(column.codes < 0, np.nan, column.codes)
    values = as_floats(column)
    known = values[np.isfinite(values)]
    if not len(known) or known.min() == known.max():
        return None
    return Factor(name, "continuous"), np.where(np.isfinite(values), values, np.nan)


def _labels(held: Annotated, asked: str) -> tuple[Levels | None, tuple[str, ...]]:
    """The column that labels the rows: the one asked for, or one with a usual name; no row may lack its label."""
    name = asked or next((each for each in LABELS if isinstance(held.obs.get(each), Levels)), "")
    if not name:
        return None, ()
    column = held.obs.get(name)
    if column is None:
        words = ", ".join(each for each, values in held.obs.items() if isinstance(values, Levels))
        raise InputError(f"{held.name} has no column {name[:40]!r} in obs; columns of words: {words[:80] or 'none'}")
    if not isinstance(column, Levels):
        factor = _factor(name, column)
        if factor is None or not factor[0].levels:
            raise InputError(f"{held.name}: labels={name[:40]} are numbers; expected a column of words or few numbers")
        column = Levels(factor[1].astype(np.int64), tuple(map(str, factor[0].values)))
    if (column.codes < 0).any():
        return (None, (f"{name[:40]} lacks {int((column.codes < 0).sum()):,} labels, so it is a factor alone",))
    return column, (() if asked else (f"labels are {name}; labels=COLUMN chooses others",))


def _codes(what: str) -> InputError:
    return InputError(f"{what} holds latentlab's codes, not data; pass the run, or score them: latentlab score")
