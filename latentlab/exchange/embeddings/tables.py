"""A file of codes or about codes as a pandas frame, one row per code: text in any dialect, Parquet, NumPy arrays."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentlab.analysis.score.arrays import TEXTS
from latentlab.data import PARQUET
from latentlab.data._arrays import open_zip, read_member, read_npy
from latentlab.data._columns import parquet_frame
from latentlab.data._dialects import COUNTERS, UNNAMED, Asked
from latentlab.data._names import one_level, readable
from latentlab.data._packed import PACKED
from latentlab.data._remarks import say
from latentlab.data._textual import Table, read_table
from latentlab.errors import InputError, MissingError
from latentlab.system.regular import check_regular

ENDINGS = ".npy, .npz, .csv (or .tsv, .txt; .gz, .zip …), .parquet or .h5ad"
PICKLES = {
    ".pkl": "np.save('z.npy', pickle.load(open('{name}', 'rb')))",
    ".pickle": "np.save('z.npy', pickle.load(open('{name}', 'rb')))",
    ".joblib": "np.save('z.npy', joblib.load('{name}'))",
    ".pt": "np.save('z.npy', torch.load('{name}').numpy())",
    ".pth": "np.save('z.npy', torch.load('{name}').numpy())",
}
UNPACKED = 4 << 30  # bytes that the arrays of an .npz may unpack to


def ending(path: Path) -> str:
    """The ending by which a file is read, ``.csv`` for text packed or not; an `InputError` for what is never read."""
    check_regular(path)
    if not path.is_file():
        came = "is a folder" if path.is_dir() else "does not exist"
        raise MissingError(f"{path} {came}; expected a file {ENDINGS}")
    suffix = path.suffix.lower()
    inner = Path(path.stem).suffix.lower() if suffix in PACKED else suffix
    if how := PICKLES.get(inner):
        how = how.format(name=path.name[-40:])
        raise InputError(f"{path.name[-40:]} is a pickle, which can run code and is never read; convert it: {how}")
    if inner in TEXTS or (suffix in PACKED and not inner):
        return ".csv"
    if suffix in PARQUET:
        return ".parquet"
    if suffix not in (".npy", ".npz", ".h5ad"):
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}; expected {ENDINGS}")
    return suffix


def table_of(
    path: Path, header: bool | None = None, rows: int | None = None, named: Collection[str] | None = ()
) -> pd.DataFrame:
    """The columns of a file by name, in its own order of rows; row names or numbers are a column ``index``.

    ``header`` says whether a text begins with names, ``rows`` how many rows it must have, where that is known. Entries
    of the columns ``named`` (None: of all) are names of something, and stay as they are written (007).
    """
    kind = ending(path)
    if kind == ".csv":
        return _text(path, Asked(header=header, index=False, rows=rows), named)
    if kind == ".parquet":
        return with_index(parquet_frame(path))
    if kind == ".npy":
        values = matrix(read_npy(path), path.name)
        return pd.DataFrame(values, columns=_numbered(values.shape[1]))
    raise InputError(f"{path} is not a table; expected .csv, .parquet or .npy, one row per code")


def _numbered(count: int) -> list[str]:
    return [f"column {k + 1}" for k in range(count)]


def _text(path: Path, asked: Asked, named: Collection[str] | None) -> pd.DataFrame:
    table = read_table(path, asked)
    say(f"{path.name}: {', '.join([*table.said, f'{len(table.frame):,} rows × {len(table.frame.columns):,} columns'])}")
    told_apart = {name: _told_apart(table, name, named) for name in table.written}
    if not table.names:
        called = _numbered(len(table.frame.columns))
        told_apart = {called[k]: column for k, column in told_apart.items()}
        table.frame.columns = pd.Index(called)
        if counts_rows(table.frame.iloc[:, 0]):
            raise InputError(f"{path}: the first of its nameless columns counts the rows; add a line of column names")
    return table.frame.assign(**told_apart)


def _told_apart(table: Table, name: Any, named: Collection[str] | None) -> pd.Series[Any]:
    """A column of whole numbers, or its texts where it is one of names, all differ, or numbers would merge some."""
    texts = table.named(name)
    return texts if named is None or name in named or texts.is_unique else table.told_apart(name)


def with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame under texts as names, its index as a first column unless it only counts the rows."""
    frame = one_level(frame)
    if not frame.columns.is_unique:
        raise InputError(f"two columns are called {frame.columns[frame.columns.duplicated()][0]!r:.40}; name each once")
    if isinstance(frame.index, pd.RangeIndex):
        return frame
    if isinstance(frame.index, pd.MultiIndex):
        raise InputError("the rows have an index of several levels; reset it, and name one column of ids")
    name = str(frame.index.name or "index")
    return frame.reset_index(names=name if name not in frame.columns else f"{name} of rows")


def counts_rows(column: pd.Series[Any]) -> bool:
    """Whether whole numbers count up from 0 or 1 by one, as row numbers do."""
    if len(column) < 3 or not pd.api.types.is_integer_dtype(column) or column.isna().any():
        return False
    values = column.to_numpy(np.int64)
    return bool(values[0] in (0, 1) and (np.diff(values) == 1).all())


def own_ids(frame: pd.DataFrame) -> str:
    """The first column, where its name says that it holds ids, or the file's row names; else nothing.

    >>> own_ids(pd.DataFrame({"id": ["b", "a"], "z0": [0.1, 0.2]})), own_ids(pd.DataFrame({"z0": [0.1, 0.2]}))
    ('id', '')
    """
    name = str(frame.columns[0])
    column = frame[name]
    called = name in UNNAMED or name.lower() in COUNTERS
    alike = column.is_unique and not column.isna().any() and not pd.api.types.is_float_dtype(column)
    return name if called and alike else ""


def matrix(array: NDArray[Any], where: str) -> NDArray[Any]:
    """Plain numbers (n, k); a single column (n,) becomes (n, 1)."""
    if array.dtype.kind not in "biuf":
        raise InputError(f"{where} holds {array.dtype} values; expected numbers, one row per code")
    if array.ndim not in (1, 2) or not array.size:
        raise InputError(f"{where} holds an array of shape {array.shape}; expected (rows, columns)")
    return array[:, None] if array.ndim == 1 else array


def read_arrays(path: Path, wanted: tuple[str, ...]) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """Those of the wanted arrays that an ``.npz`` holds, and the names of all that it holds."""
    with open_zip(path) as archive:
        sizes = {info.filename.removesuffix(".npy"): info.file_size for info in archive.infolist()}
        chosen = [key for key in sizes if key in wanted]
        if sum(sizes[key] for key in chosen) > UNPACKED:
            raise InputError(f"{path} unpacks to more than {UNPACKED:,} bytes; save codes and factors alone")
        return {key: read_member(path, archive, key) for key in chosen}, list(sizes)


def texts(array: NDArray[Any]) -> list[str]:
    """The entries of an array of texts, bytes or numbers as texts."""
    return readable(array.ravel().tolist())
