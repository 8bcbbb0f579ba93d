"""Files of codes by their kind: what each has besides the codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from numpy.typing import NDArray

from latentlab.data._arrays import read_npy
from latentlab.errors import InputError
from latentlab.exchange.embeddings.anndata import read_h5ad
from latentlab.exchange.embeddings.rows import Rows, frame_of, numbers_of
from latentlab.exchange.embeddings.tables import ending, matrix, own_ids, read_arrays, table_of, texts

CODES = ("codes", "z", "mean", "embedding", "latent")
OTHERS = ("variance", "factors", "factor_names", "labels", "ids", "row_ids")


class Asked(NamedTuple):
    """What the user says of a file of codes; ``taken`` are columns of it that are not codes."""

    obsm: str
    variance: str
    ids: str
    taken: tuple[str, ...]
    header: bool | None
    labels: str = ""

    @property
    def named(self) -> tuple[str, str]:
        """The columns whose entries are names."""
        return self.ids, self.labels


class Held(NamedTuple):
    """What a file of codes has: the rows, tables about them, labels, and the names of its own columns."""

    rows: Rows
    tables: tuple[tuple[pd.DataFrame, str], ...] = ()
    labels: Any = None
    columns: tuple[str, ...] = ()


def opened(path: Path, asked: Asked) -> Held:
    """The codes of a file, and whatever else it says of the rows."""
    kind = ending(path)
    if asked.obsm and kind != ".h5ad":
        raise InputError(f"--obsm is for .h5ad files; {path.name[-60:]} has no obsm: leave it out")
    if asked.variance and not is_file(asked.variance) and kind != ".h5ad":
        raise InputError(f"--variance {asked.variance[:60]} is not a file; expected one of the codes' shape")
    if kind == ".h5ad":
        return _anndata(path, asked)
    if kind == ".npz":
        return _arrays(path, asked)
    if kind == ".npy":
        z = matrix(read_npy(path), path.name)
        return Held(Rows.of(z, _ids(asked, len(z)), _variance(asked, len(z)), where=path.name))
    return _table(path, asked)


def _is_number(dtype: Any) -> bool:
    return pd.api.types.is_numeric_dtype(dtype)


def is_file(text: str) -> bool:
    """Whether an option that may be a column or a file is a file."""
    return bool(text) and Path(text).is_file()


def single_column(path: Path, header: bool | None, rows: int) -> pd.Series[Any]:
    """The one column of a file of ids or labels with that many rows; ids of rows beside it do not count."""
    if path.suffix.lower() == ".npy":
        return _series(read_npy(path))
    table = table_of(path, header, rows, named=None)
    if table.shape[1] == 2 and (index := own_ids(table)):
        table = table.drop(columns=index)
    if table.shape[1] != 1:
        raise InputError(f"{path} has {table.shape[1]} columns; expected one, or the whole table as --metadata")
    return table.iloc[:, 0]


def _series(array: NDArray[Any]) -> pd.Series[Any]:
    return pd.Series(texts(array) if array.dtype.kind in "US" else array.ravel().tolist())


def _ids(asked: Asked, rows: int) -> pd.Series[Any] | None:
    return single_column(Path(asked.ids), asked.header, rows) if is_file(asked.ids) else None


def _variance(asked: Asked, rows: int) -> NDArray[Any] | None:
    if not is_file(asked.variance):
        return None
    table = table_of(Path(asked.variance), asked.header, rows)
    index = own_ids(table)
    return matrix((table.drop(columns=index) if index else table).to_numpy(), asked.variance)


def _anndata(path: Path, asked: Asked) -> Held:
    z, variance, obs = read_h5ad(path, asked.obsm, "" if is_file(asked.variance) else asked.variance)
    given = _variance(asked, len(z))
    column = asked.ids if asked.ids in obs.columns else "index"
    ids = _ids(asked, len(z))
    own = [name for name in obs.columns if name.startswith("_scvi")]  # scvi-tools' copies of other columns
    about = obs.drop(columns=[*{column, "index"}, *own])
    rows = Rows.of(z, obs[column] if ids is None else ids, variance if given is None else given, about, path.name)
    return Held(rows, columns=tuple(map(str, obs.columns)))


def _table(path: Path, asked: Asked) -> Held:
    frame = table_of(path, asked.header, named=asked.named)
    ids = _ids(asked, len(frame))
    column = asked.ids if asked.ids in frame.columns else "" if asked.ids else own_ids(frame)
    if asked.ids and not (column or is_file(asked.ids)) and not all(map(_is_number, frame.dtypes)):
        raise InputError(f"{path.name} has no column {asked.ids[:40]!r}; it has: {', '.join(frame.columns)}"[:200])
    about = frame[[name for name in asked.taken if name in frame.columns]]
    z, _ = numbers_of(frame.drop(columns=[*about.columns, *([column] if column else [])]), path.name, indexed=False)
    known = about if about.shape[1] else None
    rows = Rows.of(z, frame[column] if column else ids, _variance(asked, len(z)), known, path.name)
    return Held(rows, columns=tuple(map(str, frame.columns)))


def _arrays(path: Path, asked: Asked) -> Held:
    arrays, every = read_arrays(path, (*CODES, *OTHERS))
    key = next((each for each in CODES if each in arrays), None)
    if key is None:
        raise InputError(f"{path} has arrays {', '.join(every)[:60]}; expected one called {', '.join(CODES)}")
    held = arrays.get("ids", arrays.get("row_ids"))
    rows = len(arrays[key])
    ids = _ids(asked, rows) if is_file(asked.ids) else None if held is None else _series(held)
    variance = _variance(asked, rows) if asked.variance else arrays.get("variance")
    tables: tuple[tuple[pd.DataFrame, str], ...] = ()
    if "factors" in arrays:
        table = frame_of(arrays["factors"], f"{path.name}: factors")
        if "factor_names" in arrays:
            table.columns = pd.Index(texts(arrays["factor_names"]))
        tables = ((table, "factors"),)
    labels = _series(arrays["labels"]) if "labels" in arrays else None
    return Held(Rows.of(arrays[key], ids, variance, where=path.name), tables, labels)
