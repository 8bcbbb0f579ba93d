"""Arrays of any origin as codes and factors: ``.npy``, ``.npz``, ``.csv`` and our own ``.h5ad``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from latentlab.codes import load_codes
from latentlab.data._arrays import open_zip, read_member, read_npy
from latentlab.errors import InputError, MissingError
from latentlab.regular import check_regular

CODES_KEYS = ("codes", "z", "mean", "z_train")
FACTORS_KEYS = ("factors", "v", "v_train")
LIMIT = 4 << 30  # bytes that the arrays of an .npz may unpack to


class Arrays(NamedTuple):
    """What a file, or two, gave: ``codes`` (n, d), ``factors`` (n, k) or none, and a test part where there is one."""

    codes: NDArray[Any]
    factors: NDArray[Any] | None = None
    test: tuple[NDArray[Any], NDArray[Any]] | None = None
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
    return found._replace(factors=labelled.codes, names=labelled.names, test=None, grid=None)


def _read(path: Path, first: tuple[str, ...] = CODES_KEYS) -> Arrays:
    check_regular(path)
    if not path.is_file():
        raise MissingError(f"{path} does not exist; expected a .npy, .npz, .csv or .h5ad file")
    readers = {".npy": _npy, ".npz": _npz, ".csv": _csv, ".h5ad": _h5ad}
    if path.suffix not in readers:
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}; expected .npy, .npz, .csv or .h5ad")
    return readers[path.suffix](path, first)


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
        raise InputError(f"{path} has z_test or v_test alone; they go together")
    test = (named["z_test"], named["v_test"]) if "z_test" in named else None
    return Arrays(named[key], factors, test)


def _csv(path: Path, first: tuple[str, ...]) -> Arrays:
    import pandas as pd

    try:
        table = pd.read_csv(path, low_memory=False, float_precision="round_trip")
        if all(_is_number(name) for name in table.columns):
            table = pd.read_csv(path, header=None, float_precision="round_trip")
    except (ValueError, UnicodeDecodeError) as error:
        why = " ".join(str(error).split())[:60]
        raise InputError(f"{path} is no readable CSV ({why}); expected one row a line") from error
    return Arrays(_numbers(table.to_numpy(), path), names=tuple(str(name) for name in table.columns))


def _h5ad(path: Path, first: tuple[str, ...]) -> Arrays:
    codes = load_codes(path)
    if first is CODES_KEYS:
        return Arrays(codes.mean, codes.factors, None, codes.factor_names(), codes.grid)
    if codes.factors is None:
        raise InputError(f"{path} has no factors; give a file that has them")
    return Arrays(codes.factors, names=codes.factor_names())


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _numbers(array: NDArray[Any], path: Path) -> NDArray[Any]:
    """Two-dimensional numbers in their own type, since bin edges follow it; those of an ``.npy`` stay on the disk."""
    if array.dtype.kind not in "biuf":
        raise InputError(f"{path} holds {array.dtype} values; expected numbers, one row an example")
    if array.ndim not in (1, 2) or not array.size:
        raise InputError(f"{path} holds an array of shape {array.shape}; expected (rows, columns)")
    return array[:, None] if array.ndim == 1 else array
