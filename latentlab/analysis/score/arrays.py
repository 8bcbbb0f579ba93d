"""Arrays of any origin as codes and factors: ``.npy``, ``.npz``, tables as text or Parquet, and our own ``.h5ad``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.h5ad import load_codes
from latentlab.data import PARQUET, read_columns
from latentlab.data._arrays import open_zip, read_member, read_npy
from latentlab.data._dialects import Asked
from latentlab.data._packed import PACKED
from latentlab.errors import InputError, MissingError
from latentlab.system.regular import check_regular

CODES_KEYS = ("codes", "z", "mean", "z_train")
FACTORS_KEYS = ("factors", "v", "v_train")
LIMIT = 4 << 30  # bytes that the arrays of an .npz may unpack to
TEXTS = (".csv", ".tsv", ".tab", ".txt", ".dat")
ENDINGS = ".npy, .npz, .csv (or .tsv, .txt; .gz, .zip …), .parquet or .h5ad"


class Arrays(NamedTuple):
    """What a file, or two, gave: ``codes`` (n, d), ``factors`` (n, k) or none, and a test part where there is one.

    ``said`` has a line for each table of text: what was inferred about it, and which words became which levels.
    """

    codes: NDArray[Any]
    factors: NDArray[Any] | None = None
    test: tuple[NDArray[Any], NDArray[Any]] | None = None
    names: tuple[str, ...] = ()
    grid: tuple[int, ...] | None = None
    said: tuple[str, ...] = ()


def read_arrays(codes: Path, factors: Path | None = None, asked: Asked = Asked()) -> Arrays:  # noqa: B008
    """Codes and factors from one or two files of plain numbers.

    An ``.npz`` may hold both (``codes``, ``factors``), or four arrays (``z_train``, ``v_train``, ``z_test``,
    ``v_test``). A table (``.csv``, ``.parquet``, …) has one row per example, and may have names, row numbers, and words
    for factors; `asked` says what cannot be told from it. Nothing is ever unpickled.
    """
    read = _read(codes, CODES_KEYS, asked)
    if factors is None:
        return read
    labelled = _read(factors, FACTORS_KEYS, replace(asked, rows=len(read.codes)))
    said = (*read.said, *labelled.said)
    return read._replace(factors=labelled.codes, names=labelled.names, test=None, grid=None, said=said)


def levels_of(factors: Any, names: Sequence[str]) -> tuple[Any, Sequence[str]]:
    """Factors (n, k) and their names: columns of words become levels by the rule for all columns, others stay.

    >>> levels_of(np.array([["b"], ["a"], ["b"]]), ())
    (array([[1.],
           [0.],
           [1.]]), ('factor_0',))
    """
    if not hasattr(factors, "columns"):
        array = factors if hasattr(factors, "dtype") else np.asarray(factors)
        if getattr(array.dtype, "kind", "") not in ("O", "U") or array.ndim > 2:
            return factors, names
        import pandas as pd

        frame = pd.DataFrame(array)
        factors = frame.set_axis([f"factor_{j}" for j in range(len(frame.columns))], axis=1)
    named = tuple(names) or tuple(map(str, factors.columns))
    if all(dtype.kind in "biuf" for dtype in factors.dtypes):
        return factors.to_numpy(), named
    from latentlab.data._columns import of_frame

    return of_frame("factors", factors).values, named


def _read(path: Path, first: tuple[str, ...], asked: Asked) -> Arrays:
    """The arrays of a file: codes or factors, by whose keys stand in `first`."""
    check_regular(path)
    if not path.is_file():
        raise MissingError(f"{path} does not exist; expected a file {ENDINGS}")
    suffix = path.suffix.lower()
    inner = Path(path.stem).suffix.lower() if suffix in PACKED else suffix
    if inner in TEXTS or suffix in PARQUET or (suffix in PACKED and not inner):
        columns = read_columns(path, asked, words=first is FACTORS_KEYS)
        return Arrays(_numbers(columns.values, path), names=columns.names, said=(columns.said,))
    readers = {".npy": _npy, ".npz": _npz, ".h5ad": _h5ad}
    if suffix not in readers:
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}; expected {ENDINGS}")
    return readers[suffix](path, first)


def _npy(path: Path, first: tuple[str, ...]) -> Arrays:
    return Arrays(_numbers(read_npy(path), path))


def _npz(path: Path, first: tuple[str, ...]) -> Arrays:
    with open_zip(path) as archive:
        sizes = {info.filename.removesuffix(".npy"): info.file_size for info in archive.infolist()}
        wanted = [key for key in sizes if key in {*CODES_KEYS, *FACTORS_KEYS, "z_test", "v_test"}]
        if sum(sizes[key] for key in wanted) > LIMIT:
            raise InputError(f"{path} unpacks to more than {LIMIT:,} bytes; give codes and factors alone")
        named = {key: _numbers(read_member(path, archive, key), path) for key in wanted}
    key = next((key for key in first if key in named), None)
    if key is None:
        raise InputError(f"{path} has arrays {', '.join(sizes)[:60]}; expected one called {' or '.join(first)}")
    factors = next((named[key] for key in FACTORS_KEYS if key in named), None)
    if ("z_test" in named) != ("v_test" in named):
        raise InputError(f"{path} has z_test or v_test alone; give both")
    test = (named["z_test"], named["v_test"]) if "z_test" in named else None
    return Arrays(named[key], factors, test)


def _h5ad(path: Path, first: tuple[str, ...]) -> Arrays:
    codes = load_codes(path)
    if first is CODES_KEYS:
        return Arrays(codes.mean, codes.factors, None, codes.factor_names(), codes.grid)
    if codes.factors is None:
        raise InputError(f"{path} has no factors; give a file that has them")
    return Arrays(codes.factors, names=codes.factor_names())


def _numbers(array: NDArray[Any], path: Path) -> NDArray[Any]:
    """Two-dimensional numbers in their own type, since bin edges follow it; those of an ``.npy`` stay on the disk."""
    if array.dtype.kind not in "biuf":
        raise InputError(f"{path} holds {array.dtype} values; expected numbers, one row per example")
    if array.ndim not in (1, 2) or not array.size:
        raise InputError(f"{path} holds an array of shape {array.shape}; expected (rows, columns)")
    return array[:, None] if array.ndim == 1 else array
