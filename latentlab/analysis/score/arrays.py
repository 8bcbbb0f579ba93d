"""Arrays of any origin as codes and factors: ``.npy``, ``.npz``, tables as text or Parquet, and our own ``.h5ad``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.h5ad import load_codes
from latentlab.data import PARQUET, Factor, read_columns
from latentlab.data._arrays import NAMES, open_zip, read_member, read_npy
from latentlab.data._dialects import Asked
from latentlab.data._names import column_name, readable
from latentlab.data._packed import PACKED
from latentlab.data.dataset import FactorKind
from latentlab.errors import InputError, MissingError
from latentlab.system.regular import check_regular

if TYPE_CHECKING:
    from latentlab.data._columns import Columns
    from latentlab.data._ids import Texts

CODES_KEYS = ("codes", "z", "mean", "embedding", "latent", "z_train")
FACTORS_KEYS = ("factors", "v", "v_train")
ALONE = "arr_0"  # what NumPy calls an array that np.savez is given without a name
IDS_KEYS = ("ids", "row_ids")
LIMIT = 4 << 30  # bytes that the arrays of an .npz may unpack to
TEXTS = (".csv", ".tsv", ".tab", ".txt", ".dat")
ENDINGS = ".npy, .npz, .csv (or .tsv, .txt; .gz, .zip …), .parquet or .h5ad"


class Arrays(NamedTuple):
    """What a file, or two, gave: ``codes`` (n, d), ``factors`` (n, k) or none, and a test part where there is one.

    ``said`` has a line for each table of text: what was inferred about it, and which words became which levels.
    ``rows`` (n,) are the names or numbers of the rows, where the file has some; ``first`` are what a first column holds
    that is among the numbers but may be one of row numbers. ``specs`` say what the factors' levels are called, where
    the file does; of a file of factors alone, where it has words. ``kinds`` are those of the factors in an
    ``.h5ad``, which stores them. ``twice`` is a name that two rows have, where names repeat.
    """

    codes: NDArray[Any]
    factors: NDArray[Any] | None = None
    test: tuple[NDArray[Any], NDArray[Any]] | None = None
    names: tuple[str, ...] = ()
    grid: tuple[int, ...] | None = None
    said: tuple[str, ...] = ()
    rows: Texts | None = None
    first: Texts | None = None
    specs: tuple[Factor, ...] = ()
    kinds: tuple[FactorKind, ...] | None = None
    twice: str = ""


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
    if asked.index is None:
        _check_first(codes, read, factors, labelled)
    order, how = _joined(codes, read, factors, labelled)
    values = labelled.codes if order is None else labelled.codes[order]
    said = (*read.said, *labelled.said, *how)
    about: dict[str, Any] = {"names": labelled.names, "specs": labelled.specs, "kinds": labelled.kinds}
    return read._replace(factors=values, test=None, grid=None, said=said, **about)


def _check_first(codes: Path, read: Arrays, factors: Path, labelled: Arrays) -> None:
    """Raise an `InputError` where both tables begin with the same column of numbers that all differ: an id's."""
    ours, theirs = read.first, labelled.first
    if ours is None or theirs is None or read.names[0] != labelled.names[0] or set(ours) != set(theirs):
        return _check_named(codes, read, factors, labelled)
    raise InputError(
        f"{codes.name[-40:]} and {factors.name[-40:]} both begin with {read.names[0][:40]!r}, other in every row: pass "
        "--index if it names the rows, or --no-index if it is a dimension and a factor"
    )


def _check_named(codes: Path, read: Arrays, factors: Path, labelled: Arrays) -> None:
    """Raise an `InputError` where one file names its rows, and the other begins with a column that has these names."""
    for path, named, other, unnamed in ((codes, read, factors, labelled), (factors, labelled, codes, read)):
        first = unnamed.first if unnamed.rows is None else None
        if named.rows is not None and first is not None and set(first) >= set(named.rows):
            raise InputError(
                f"{other.name[-40:]} begins with {unnamed.names[0][:40]!r}, which has the row names of "
                f"{path.name[-40:]}: pass --index if it names the rows, or --no-index if it does not"
            )


def _joined(codes: Path, read: Arrays, factors: Path, labelled: Arrays) -> tuple[NDArray[np.int64] | None, list[str]]:
    """Which rows of the factors are those of the codes, by the names that both files give their rows; and a word on it.

    None is all in their order: where a file has no names of rows, or where one side's only count.
    """
    for path, other, arrays in ((codes, factors, read), (factors, codes, labelled)):
        if arrays.twice:
            raise InputError(
                f"{path.name[-40:]} has two rows called {arrays.twice[:40]!r}, so it cannot be joined to "
                f"{other.name[-40:]}; remove one, or the column of row names"
            )
    ours, theirs = read.rows, labelled.rows
    if ours is None or theirs is None:
        return None, _in_order(codes, ours, factors, theirs)
    if np.array_equal(ours, theirs):
        return None, []
    from latentlab.data._ids import places_of

    places, _ = places_of(ours, theirs)
    if (places >= 0).all():
        spare = len(theirs) - len(ours)
        more = f"; {spare:,} of its rows have no code" if spare else ""
        in_order = not spare and np.array_equal(places, np.arange(len(ours)))
        return (None, []) if in_order else (places, [f"{factors.name}: rows joined by their names or numbers{more}"])
    if len(ours) == len(theirs) and (_count(ours) or _count(theirs)) and not (_counted(ours) or _counted(theirs)):
        return None, [f"{factors.name}: its rows are taken to be in the order of {codes.name}"]
    first = str(ours[places < 0][0])[:40]
    raise InputError(
        f"{int((places < 0).sum()):,} of {len(ours):,} rows of {codes.name[-40:]} are not in {factors.name[-40:]} "
        f"(first: {first!r}); complete it, or remove the column of row names from one of them"
    )


def _in_order(codes: Path, ours: Texts | None, factors: Path, theirs: Texts | None) -> list[str]:
    """A word on rows taken in their order because one file alone names them; refused where its numbers say another."""
    named, path, other = (ours, codes, factors) if theirs is None else (theirs, factors, codes)
    if named is None or _count(named):
        return []
    if _counted(named):
        raise InputError(
            f"{path.name[-40:]} numbers its rows in another order than they are in, but {other.name[-40:]} does not "
            "name its rows: give both row numbers, or sort both alike and remove them"
        )
    return [f"{other.name} does not name its rows: they are taken to be in the order of {path.name}"]


def _count(rows: Texts) -> bool:
    """Whether row numbers say no more than the order of the rows."""
    return any(np.array_equal(rows, np.arange(low, low + len(rows)).astype(np.str_)) for low in (0, 1))


def _counted(rows: Texts) -> bool:
    """Whether row numbers are 0 … n − 1 or 1 … n in another order, which says which row is which."""
    return not _count(rows) and _count(np.array(sorted(rows.tolist(), key=lambda row: (len(row), row)), np.str_))


class Levels(NamedTuple):
    """Factors (n, k) as numbers, their names, and which words are the levels of those that have some."""

    factors: Any
    names: Sequence[str]
    specs: tuple[Factor, ...] = ()


def levels_of(factors: Any, names: Sequence[str]) -> Levels:
    """Factors (n, k) and their names: columns of words become levels by the rule for all columns, others stay.

    >>> found = levels_of(np.array([["b"], ["a"], ["b"]]), ())
    >>> found.factors.ravel().tolist(), found.names, found.specs[0].values
    ([1.0, 0.0, 1.0], ('factor_0',), ('a', 'b'))
    """
    if not hasattr(factors, "columns"):
        array = factors if hasattr(factors, "dtype") else np.asarray(factors)
        if getattr(array.dtype, "kind", "") not in ("O", "U") or array.ndim not in (1, 2):
            return Levels(factors, names)
        import pandas as pd

        frame = pd.DataFrame(array)
        factors = frame.set_axis([f"factor_{j}" for j in range(len(frame.columns))], axis=1)
    named = tuple(names) or tuple(map(column_name, factors.columns))
    if all(dtype.kind in "biuf" for dtype in factors.dtypes):
        return Levels(factors.to_numpy(), named)
    from latentlab.data._columns import of_frame

    columns = of_frame("factors", factors)
    return Levels(columns.values, named, specs_of(columns._replace(names=named)))


def specs_of(columns: Columns) -> tuple[Factor, ...]:
    """What is known of the factors in a table's columns: their names, and the words that are levels."""
    names = columns.names or [f"factor_{j}" for j in range(len(columns.levels))]
    return tuple(Factor(name, values=words) for name, words in zip(names, columns.levels, strict=True))


def _read(path: Path, first: tuple[str, ...], asked: Asked) -> Arrays:
    """The arrays of a file: codes or factors, by whose keys stand in `first`."""
    check_regular(path)
    if not path.is_file():
        why = "is a folder" if path.is_dir() else "does not exist"
        raise MissingError(f"{path} {why}; expected a file {ENDINGS}")
    suffix = path.suffix.lower()
    inner = Path(path.stem).suffix.lower() if suffix in PACKED else suffix
    if inner in TEXTS or suffix in PARQUET or (suffix in PACKED and not inner):
        columns = read_columns(path, asked, words=first is FACTORS_KEYS)
        values, specs = _numbers(columns.values, path), specs_of(columns)
        about: dict[str, Any] = {"rows": columns.rows, "first": columns.first, "twice": columns.twice}
        return Arrays(values, names=columns.names, said=(columns.said,), specs=specs, **about)
    readers = {".npy": _npy, ".npz": _npz, ".h5ad": _h5ad}
    if suffix not in readers:
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}; expected {ENDINGS}")
    return readers[suffix](path, first)


def _npy(path: Path, first: tuple[str, ...]) -> Arrays:
    return Arrays(_numbers(read_npy(path), path))


def _npz(path: Path, first: tuple[str, ...]) -> Arrays:
    with open_zip(path) as archive:
        sizes = {info.filename.removesuffix(".npy"): info.file_size for info in archive.infolist()}
        first = (*first, ALONE) if set(sizes) == {ALONE} else first
        wanted = [key for key in sizes if key in {*first, *CODES_KEYS, *FACTORS_KEYS, "z_test", "v_test"}]
        if sum(sizes[key] for key in wanted) > LIMIT:
            raise InputError(f"{path} unpacks to more than {LIMIT:,} bytes; give codes and factors alone")
        named = {key: _numbers(read_member(path, archive, key), path) for key in wanted}
        names = tuple(readable(read_member(path, archive, NAMES).ravel().tolist())) if NAMES in sizes else ()
        ids = next((_ids(path, read_member(path, archive, each)) for each in IDS_KEYS if each in sizes), None)
    key = next((key for key in first if key in named), None)
    if key is None:
        raise InputError(f"{path} has arrays {', '.join(sizes)[:60]}; expected one called {' or '.join(first)}")
    factors = next((named[key] for key in FACTORS_KEYS if key in named), None)
    if factors is not None and names and (len(names) != factors.shape[1] or len(set(names)) < len(names)):
        raise InputError(f"{path}: {NAMES} are {', '.join(names)[:60]}; expected a name of its own for each factor")
    if ("z_test" in named) != ("v_test" in named):
        raise InputError(f"{path} has z_test or v_test alone; give both")
    test = (named["z_test"], named["v_test"]) if "z_test" in named else None
    if ids is not None and len(ids) != len(named[key]):
        raise InputError(f"{path} has {len(ids):,} ids for {len(named[key]):,} rows; expected one for each")
    return Arrays(named[key], factors, test, names=names, said=_left_out(path, set(sizes) - {key}), rows=ids)


def _ids(path: Path, array: NDArray[Any]) -> Texts:
    """The names of the rows in an array of an ``.npz``."""
    import pandas as pd

    from latentlab.data._ids import ids_of

    return ids_of(pd.Series(array.ravel().tolist()), f"{path}: ids")


def _left_out(path: Path, held: Iterable[str]) -> tuple[str, ...]:
    """A line on the arrays of an ``.npz`` that are neither codes nor factors."""
    others = sorted(set(held) - {*CODES_KEYS, *FACTORS_KEYS, *IDS_KEYS, NAMES, "z_test", "v_test"})
    return (f"{path.name}: skipped {', '.join(others)[:100]}",) if others else ()


def _h5ad(path: Path, first: tuple[str, ...]) -> Arrays:
    codes = load_codes(path)
    rows = codes.row_ids.astype(np.str_) if codes.row_names is None else codes.row_names
    about: dict[str, Any] = {"names": codes.factor_names(), "rows": rows, "specs": codes.specs}
    if codes.factors is not None:
        about["kinds"] = tuple(spec.kind for spec in codes.specs)
    if first is CODES_KEYS:
        return Arrays(codes.mean, codes.factors, grid=codes.grid, **about)
    if codes.factors is None:
        raise InputError(f"{path} has no factors; give a file that has them")
    return Arrays(codes.factors, **about)


def _numbers(array: NDArray[Any], path: Path) -> NDArray[Any]:
    """Two-dimensional numbers in their own type, since bin edges follow it; those of an ``.npy`` stay on the disk."""
    if array.dtype.kind not in "biuf":
        raise InputError(f"{path} holds {array.dtype} values; expected numbers, one row per example")
    if array.ndim not in (1, 2) or not array.size:
        raise InputError(f"{path} holds an array of shape {array.shape}; expected (rows, columns)")
    return array[:, None] if array.ndim == 1 else array
