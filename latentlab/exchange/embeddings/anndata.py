"""What an ``.h5ad`` of anybody's holds: an embedding in ``obsm``, and the columns of ``obs``; read with h5py alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentlab.data._h5ad import read_frame
from latentlab.errors import InputError
from latentlab.exchange.embeddings.tables import matrix
from latentlab.system import chunks
from latentlab.system.hdf5 import open_safely

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
            return codes, found, _frame(file, "obs")
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
        frame = _frame(file, item.name).iloc[:, 1:]
        return matrix(frame.to_numpy(np.float64), f"{path}: {item.name}")
    raise InputError(f"{path}: {item.name} is sparse; expected a dense embedding: save it with .toarray()")


def _frame(file: Any, name: str) -> pd.DataFrame:
    """A table of AnnData as a frame: its index as the first column, then the columns in their order."""
    if name not in file:
        raise InputError(f"{file.filename}: {name} is missing; {RESAVE}")
    rows, columns = read_frame(file, name)
    return columns.rename(columns={"index": "index column"}).assign(index=rows)[["index", *_others(columns)]]


def _others(columns: pd.DataFrame) -> list[str]:
    return ["index column" if name == "index" else name for name in columns.columns]
