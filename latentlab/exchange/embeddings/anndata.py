"""What an ``.h5ad`` of anybody's holds: an embedding in ``obsm``, and the columns of ``obs``; read with h5py alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentlab.data._remarks import say
from latentlab.errors import InputError
from latentlab.exchange.embeddings.tables import matrix
from latentlab.system import chunks
from latentlab.system.hdf5 import check_texts, open_safely

RESAVE = "save it again with a current anndata: adata.write_h5ad"


def read_h5ad(path: Path, key: str, variance: str = "") -> tuple[NDArray[Any], NDArray[Any] | None, pd.DataFrame]:
    """The embedding ``obsm/KEY`` (the only one where no key is given), its variance, and ``obs`` with its index first.

    ``X`` as the key is the matrix X itself. ``variance`` names another element of ``obsm``.
    """
    with open_safely(path) as file:
        try:
            key = key or _only(file, path)
            parts = [_embedding(file, name, path) if name else None for name in (key, variance)]
            codes, found = parts[0], parts[1]
            assert codes is not None
            return codes, found, _frame(file.get("obs"), path)
        except InputError:
            raise
        except Exception as error:  # h5py and a malformed structure raise all kinds
            why = " ".join(str(error).split())[:60] or type(error).__name__
            raise InputError(f"{path} is not a complete AnnData file ({why}); {RESAVE}"[:200]) from error


def _keys(file: Any) -> list[str]:
    return list(file["obsm"]) if isinstance(file.get("obsm"), h5py.Group) else []


def _only(file: Any, path: Path) -> str:
    keys = _keys(file)
    if len(keys) != 1:
        named = ", ".join(keys)[:80] or "nothing"
        raise InputError(f"{path}: obsm has {named}; name the embedding, as in --obsm {keys[0] if keys else 'X'}"[:200])
    return keys[0]


def _embedding(file: Any, key: str, path: Path) -> NDArray[Any]:
    item = file.get("X") if key == "X" else file["obsm"][key] if key in _keys(file) else None
    if item is None:
        raise InputError(f"{path} has no obsm/{key[:40]}; it has: {', '.join(_keys(file)) or 'none'}"[:200])
    if isinstance(item, h5py.Dataset):
        return matrix(chunks.read(item), f"{path}: {item.name}")
    if item.attrs.get("encoding-type") == "dataframe":
        frame = _frame(item, path).iloc[:, 1:]
        return matrix(frame.to_numpy(np.float64), f"{path}: {item.name}")
    raise InputError(f"{path}: {item.name} is sparse; expected a dense embedding: save it with .toarray()")


def _frame(group: Any, path: Path) -> pd.DataFrame:
    """A table of AnnData as a frame: its index as the first column, then the columns in their order."""
    if not isinstance(group, h5py.Group) or "_index" not in group.attrs:
        raise InputError(f"{path}: obs is missing or in an old format; {RESAVE}")
    index = str(group.attrs["_index"])
    found = {"index": _column(group[index], path)}
    left = []
    for name in map(str, group.attrs.get("column-order", ())):
        column = _column(group[name], path)
        if column is None:
            left.append(name[:30])
        else:
            found[name if name != "index" else "index column"] = column
    if left:
        say(f"{path.name}: {len(left)} columns of obs have a kind that is not read: {', '.join(left)}")
    return pd.DataFrame(found)


def _column(item: Any, path: Path) -> pd.Series[Any] | None:
    """A column by its encoding: an array, a categorical, or numbers with a mask; None for any other."""
    if isinstance(item, h5py.Dataset):
        return pd.Series(_array(item, path))
    kind = str(item.attrs.get("encoding-type", ""))
    if kind == "categorical":
        categories = _array(item["categories"], path)
        codes, ordered = chunks.read(item["codes"]), bool(item.attrs.get("ordered", False))
        return pd.Series(pd.Categorical.from_codes(codes.astype(np.int64), categories, ordered=ordered))
    if kind.startswith("nullable-"):
        values = pd.Series(_array(item["values"], path)).astype("object")
        return values.mask(chunks.read(item["mask"]).astype(bool), None).convert_dtypes()
    return None


def _array(dataset: Any, path: Path) -> NDArray[Any]:
    if dataset.ndim != 1:
        raise InputError(f"{path}: {dataset.name[:60]} has shape {dataset.shape}; expected one entry per row")
    if dataset.dtype.kind in "biuf":
        return chunks.read(dataset)
    check_texts(dataset)
    found = chunks.read(dataset).tolist()
    return np.array([text.decode() if isinstance(text, bytes) else str(text) for text in found], object)
