"""Arrays of any origin as codes and factors: ``.npy``, ``.npz``, ``.csv`` and our own ``.h5ad``."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentlab.codes import load_codes
from latentlab.errors import InputError, MissingError

CODES_KEYS = ("codes", "z", "mean", "z_train")
FACTORS_KEYS = ("factors", "v", "v_train")


class Arrays(NamedTuple):
    """What a file, or two, gave: ``codes`` (n, d), ``factors`` (n, k) or none, and a test part where there is one."""

    codes: NDArray[np.float64]
    factors: NDArray[np.float64] | None = None
    test: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    names: tuple[str, ...] = ()
    grid: tuple[int, ...] | None = None


def read_arrays(codes: Path, factors: Path | None = None) -> Arrays:
    """Codes and factors from one or two files of plain numbers.

    An ``.npz`` may hold both (``codes``, ``factors``), or four arrays (``z_train``, ``v_train``, ``z_test``,
    ``v_test``). A ``.csv`` has one row a line and may begin with column names. Nothing is ever unpickled.
    """
    found = _read(codes)
    if factors is None:
        return found
    labelled = _read(factors, first=FACTORS_KEYS)
    return found._replace(factors=labelled.codes, names=labelled.names, test=None)


def _read(path: Path, first: tuple[str, ...] = CODES_KEYS) -> Arrays:
    if not path.is_file():
        raise MissingError(f"{path} does not exist; expected a .npy, .npz, .csv or .h5ad file")
    readers = {".npy": _npy, ".npz": _npz, ".csv": _csv, ".h5ad": _h5ad}
    if path.suffix not in readers:
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}; expected .npy, .npz, .csv or .h5ad")
    return readers[path.suffix](path, first)


def _npy(path: Path, first: tuple[str, ...]) -> Arrays:
    try:
        return Arrays(_numbers(np.load(path, allow_pickle=False, mmap_mode="r"), path))
    except (ValueError, EOFError, OSError) as error:
        raise InputError(f"{path} is no readable .npy of numbers ({error}); save it with numpy.save"[:200]) from error


def _npz(path: Path, first: tuple[str, ...]) -> Arrays:
    try:
        with np.load(path, allow_pickle=False) as file:
            named = {key: file[key] for key in file.files}
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is no readable .npz of numbers ({error}); save it with numpy.savez"[:200]) from error
    key = next((key for key in first if key in named), None)
    if key is None:
        raise InputError(f"{path} has arrays {', '.join(named)[:60]}; expected one called {' or '.join(first)}")
    factors = next((_numbers(named[key], path) for key in FACTORS_KEYS if key in named), None)
    test = None
    if "z_test" in named and "v_test" in named:
        test = _numbers(named["z_test"], path), _numbers(named["v_test"], path)
    return Arrays(_numbers(named[key], path), factors, test)


def _csv(path: Path, first: tuple[str, ...]) -> Arrays:
    import pandas as pd

    try:
        table = pd.read_csv(path)
        if all(_is_number(name) for name in table.columns):
            table = pd.read_csv(path, header=None)
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no readable CSV ({error}); expected one row a line"[:200]) from error
    return Arrays(_numbers(table.to_numpy(), path), names=tuple(str(name) for name in table.columns))


def _h5ad(path: Path, first: tuple[str, ...]) -> Arrays:
    codes = load_codes(path)
    return Arrays(codes.mean.astype(np.float64), codes.factors, None, codes.factor_names(), codes.grid)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _numbers(array: NDArray[np.generic], path: Path) -> NDArray[np.float64]:
    if array.dtype.kind not in "biuf":
        raise InputError(f"{path} holds {array.dtype} values; expected numbers, one row an example")
    matrix = np.asarray(array, np.float64)
    return matrix[:, None] if matrix.ndim == 1 else matrix
