"""Data from ``.h5ad`` files, of any version of AnnData, read with h5py; nothing is unpickled and nothing is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentlab.data._annotated import RAW, Annotated, Features, _codes, dataset_of
from latentlab.data._fingerprint import Known, of_stored
from latentlab.data._names import readable
from latentlab.data._remarks import say
from latentlab.data.dataset import Dataset
from latentlab.errors import InputError


def load(path: Path, *, layer: str = "", kind: str = "", genes: str = "", top: int = 0, labels: str = "") -> Dataset:
    """The data set in an ``.h5ad``: a matrix as samples, columns of ``obs`` as factors and labels.

    Parameters
    ----------
    layer
        ``X`` (the default), ``raw``, or the name of a layer, as in ``layer=counts``.
    kind
        ``counts`` or ``table``; by default counts where all values are whole numbers from 0, a table of Gaussian
        columns otherwise.
    genes
        A column of true and false in ``var``: the features that are kept, as in ``genes=highly_variable``.
    top
        Keep this many features: those of the largest variance, of counts that of log(1 + count) with each row brought
        to the median total.
    labels
        The column of ``obs`` that is the rows' classes; by default one called cell_type, celltype, labels, ….

    Raises
    ------
    InputError
        Where the file is not an ``.h5ad``, holds latentlab's own codes, or lacks what is asked for.
    """
    data = dataset_of(read(path), layer=layer, kind=kind, genes=genes, top=top, labels=labels)
    recipe = f"{data.source['layer']} {kind} {genes} {top}"
    return replace(data, read=Known(data.read, lambda: of_stored(path, data.read, data.shape, recipe)))


def read(path: Path) -> Annotated:
    """What an ``.h5ad`` holds; matrices are read when they are asked for."""
    from latentlab.system.hdf5 import reading

    with reading(path, "annotated data") as file:
        if "uns/latentlab" in file:
            raise _codes(str(path)[-120:])
        if "obs" not in file or "var" not in file:
            raise InputError(f"{path} has no obs and var; expected an .h5ad as AnnData writes it")
        rows, obs = read_frame(file, "obs")
        layers = [f"layers/{name}" for name in file.get("layers", ())]
        raw = next((each for each in ("raw", "raw.X") if each in file), "")
        places = {"X": "X"} if "X" in file else {}
        places |= {RAW: "raw.X" if raw == "raw.X" else "raw/X"} if raw else {}
        places |= {place.removeprefix("layers/"): place for place in layers}
        raw_var = "raw.var" if raw == "raw.X" else "raw/var"
        return Annotated(
            path.stem,
            {name: partial(_matrix, path, place) for name, place in places.items()},
            np.array(rows, np.str_),
            obs,
            Features(*read_frame(file, "var")),
            Features(*read_frame(file, raw_var)) if raw and raw_var in file else None,
            {"name": "h5ad", "file": path.name},
        )


def read_frame(file: Any, name: str) -> tuple[list[str], pd.DataFrame]:
    """A table of a file, as any version of AnnData wrote it: the names of its rows, and its columns in their order.

    Columns are numbers, truth values, words (None where missing) and categories; what is none of them is left out.
    """
    import h5py

    held = file[name]
    if isinstance(held, h5py.Dataset):
        return _old_frame(file, held)
    index = str(held.attrs.get("_index", "_index"))
    keys = [key for key in held if key not in (index, "__categories")]
    order = [str(key) for key in np.atleast_1d(held.attrs.get("column-order", [])) if str(key) in keys]
    columns = {key: column for key in order or keys if (column := _column(held, key)) is not None}
    if left := [key[:24] for key in order or keys if key not in columns]:
        say(f"{file.filename}: {len(left)} columns of {name} have a kind that is not read: {', '.join(left)}")
    rows = _words(held[index])
    return rows, pd.DataFrame(columns, index=range(len(rows)))


def _column(frame: Any, key: str) -> pd.Series[Any] | None:
    """A column: numbers, flags, categories, words; None for what is none of them."""
    import h5py

    from latentlab.system import chunks

    held = frame[key]
    if isinstance(held, h5py.Group):
        if "codes" in held and "categories" in held:
            ordered = bool(held.attrs.get("ordered", False))
            return _categories(chunks.read(held["codes"]), held["categories"], ordered=ordered)
        if "values" in held and "mask" in held:
            values = pd.Series(_entries(held["values"]))
            return values.astype("object").mask(chunks.read(held["mask"]).astype(bool), None).convert_dtypes()
        return None
    if held.shape is None or held.ndim != 1:
        return None
    if f"__categories/{key}" in frame:
        return _categories(chunks.read(held), frame[f"__categories/{key}"])
    entries = _entries(held)
    return None if entries is None else pd.Series(entries)


def _entries(held: Any) -> NDArray[Any] | None:
    """A column's numbers and flags as they are, its words with None where there is none; None for anything else."""
    import h5py

    from latentlab.system import chunks

    if h5py.check_string_dtype(held.dtype) is not None or held.dtype.kind == "S":
        return np.array([word or None for word in _words(held)], object)
    return chunks.read(held) if held.dtype.kind in "biuf" else None


def _categories(codes: NDArray[Any], categories: Any, *, ordered: bool = False) -> pd.Series[Any]:
    from latentlab.system import chunks

    names = _words(categories) if categories.dtype.kind in "SO" else chunks.read(categories).tolist()
    found = np.asarray(codes, np.int64)
    if found.size and not -1 <= found.min() <= found.max() < len(names):
        raise InputError(
            f"{categories.file.filename}: {categories.name[:60]} lacks levels that are used; save it again"
        )
    if len(set(names)) < len(names):
        raise InputError(f"{categories.file.filename}: {categories.name[:60]} names a level twice; save it again")
    return pd.Series(pd.Categorical.from_codes(found, names, ordered=ordered))


def _words(held: Any) -> list[str]:
    """A column of texts."""
    from latentlab.system import chunks
    from latentlab.system.hdf5 import read_texts

    if held.dtype.kind == "O":
        return readable(read_texts(held))
    values = chunks.read(held)
    return readable(values.tolist()) if values.dtype.kind == "S" else [str(value) for value in values.tolist()]


def _old_frame(file: Any, held: Any) -> tuple[list[str], pd.DataFrame]:
    """A table as AnnData wrote it before 0.7: one array of records, levels' names in ``uns``."""
    from latentlab.system import chunks

    records = chunks.read(held)
    fields = records.dtype.names or ()
    index = next((name for name in ("index", "_index") if name in fields), fields[0] if fields else "")
    if not index:
        raise InputError(f"{file.filename}: {held.name} is not a table with names of rows; save it with AnnData again")
    columns: dict[str, Any] = {}
    for name in fields:
        values = records[name]
        if name == index:
            continue
        if f"uns/{name}_categories" in file:
            columns[name] = _categories(values, file[f"uns/{name}_categories"])
        elif values.dtype.kind == "S":
            columns[name] = np.array([word or None for word in readable(values.tolist())], object)
        elif values.dtype.kind in "biuf":
            columns[name] = values
    rows = readable(records[index].tolist())
    return rows, pd.DataFrame(columns, index=range(len(rows)))


def _matrix(path: Path, place: str) -> Any:
    """A matrix of a file: a dense one is read by rows, a sparse one is held as such."""
    import h5py

    from latentlab.system.chunks import Checked
    from latentlab.system.hdf5 import open_safely

    file = open_safely(path)  # stays open: rows of a dense matrix are read by index
    held = file[place]
    if isinstance(held, h5py.Dataset):
        if held.ndim != 2 or held.dtype.kind not in "biuf":
            raise InputError(f"{path}: {place} is {held.dtype} {held.shape}; expected a matrix of numbers")
        return Checked(held)
    with file:
        return _sparse(path, place, held)


def _sparse(path: Path, place: str, group: Any) -> Any:
    """A CSR or CSC matrix by rows; an `InputError` where its indices are none."""
    from scipy import sparse

    from latentlab.system import chunks

    attributes: Mapping[str, Any] = group.attrs
    shape = attributes.get("shape", attributes.get("h5sparse_shape"))
    layout = str(attributes.get("encoding-type", attributes.get("h5sparse_format", "")))
    kinds = {"csr_matrix": sparse.csr_array, "csr": sparse.csr_array, "csc_matrix": sparse.csc_array,
             "csc": sparse.csc_array}  # fmt: skip
    if shape is None or layout not in kinds:
        raise InputError(f"{path}: {place} is laid out as {layout[:40]!r}; expected a dense, CSR or CSC matrix")
    try:
        data, indices, indptr = (chunks.read(group[key]) for key in ("data", "indices", "indptr"))
        found = kinds[layout]((data, indices, indptr), shape=tuple(int(size) for size in shape))
        found.check_format(full_check=True)
    except (KeyError, ValueError, TypeError) as error:
        why = " ".join(str(error).split())[:60]
        raise InputError(f"{path}: {place} is not a sound sparse matrix ({why}); save it again") from error
    found.sum_duplicates()
    return found.tocsr()
