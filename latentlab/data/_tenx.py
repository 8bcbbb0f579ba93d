"""Folders of 10x Genomics: counts in ``matrix.mtx``, features by cells, with ``features.tsv`` and ``barcodes.tsv``.

All three may be packed (``.gz``) and begin alike (``GSM123_matrix.mtx.gz``); ``genes.tsv`` is what older versions of
Cell Ranger write in place of ``features.tsv``.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from latentlab.data._annotated import Annotated, Features, dataset_of
from latentlab.data._fingerprint import Known, of_files
from latentlab.data._packed import read_text
from latentlab.data.dataset import Dataset
from latentlab.errors import InputError
from latentlab.system.limits import check_unpacked
from latentlab.system.regular import check_regular

MATRIX, FEATURES, BARCODES = ("matrix.mtx",), ("features.tsv", "genes.tsv"), ("barcodes.tsv",)
GENES = "Gene Expression"
ENTRY = 16  # bytes of one entry in memory
Names = tuple[str, ...]


def found(folder: Path) -> bool:
    """Whether a folder holds a matrix of 10x Genomics."""
    return bool(_files(folder, MATRIX))


def load(path: Path, *, kind: str = "", top: int = 0) -> Dataset:
    """The counts in a folder of 10x Genomics: a row for each barcode, a column for each gene, named by its symbol.

    Parameters
    ----------
    kind
        ``counts`` or ``table``; by default counts where all values are whole numbers from 0.
    top
        Keep this many genes: those in which log(1 + count) varies most, with each row brought to the median total.

    Raises
    ------
    InputError
        Where one of the three files is missing, damaged, or does not belong to the others.
    """
    files = [_only(path, names) for names in (MATRIX, FEATURES, BARCODES)]
    genes, barcodes = _table(files[1]), _table(files[2])
    if genes.shape[1] < 2:
        raise InputError(f"{files[1]} has {genes.shape[1]} columns; expected id and symbol, parted by tabs")
    matrix = _matrix(files[0], len(genes), len(barcodes))
    kept, said = _genes(genes)
    held = Annotated(
        path.resolve().name,
        {"X": lambda: matrix[:, kept]},
        barcodes[0].to_numpy(np.str_),
        pd.DataFrame(index=range(len(barcodes))),
        Features(genes[1].to_numpy()[kept].tolist(), pd.DataFrame(index=range(len(kept)))),
        source={"name": "10x", "file": files[0].name},
    )
    data = dataset_of(held, kind=kind, top=top)
    digest = lambda: of_files([(each.name, each) for each in files], kind, top)  # noqa: E731
    return replace(data, read=Known(data.read, digest), remarks=(*data.remarks, *said))


def _files(folder: Path, names: Names) -> list[Path]:
    endings = (*names, *(f"{name}.gz" for name in names))
    return sorted(each for each in folder.iterdir() if each.name.endswith(endings) and not each.name.startswith("."))


def _only(folder: Path, names: Names) -> Path:
    files = _files(folder, names)
    if len(files) != 1:
        came = f"{len(files)} files" if files else "no file"
        raise InputError(f"{folder} has {came} {' or '.join(names)}, plain or .gz; expected one of each kind")
    check_regular(files[0])
    return files[0]


def _table(path: Path) -> pd.DataFrame:
    """The columns of a file of tabs without a header, as texts."""
    rows = [line.split("\t") for line in read_text(path)[0].splitlines() if line]
    if not rows or len({len(row) for row in rows}) != 1:
        raise InputError(f"{path} has lines of different lengths, or none; expected a table parted by tabs")
    return pd.DataFrame(rows, dtype=str)


def _matrix(path: Path, genes: int, cells: int) -> Any:
    """The matrix, cells by features (CSR)."""
    from scipy import io

    try:
        *shape, entries, layout, _, _ = io.mminfo(path)
        if (tuple(shape), layout) != ((genes, cells), "coordinate"):
            raise InputError(
                f"{path} is {layout}, {shape[0]:,} × {shape[1]:,}; expected coordinates of {genes:,} features × "
                f"{cells:,} barcodes, as its neighbours have"
            )
        check_unpacked(path, "the matrix", ENTRY * entries, path.stat().st_size)
        return io.mmread(path, spmatrix=False).T.tocsr()
    except (ValueError, OverflowError, TypeError, EOFError, zlib.error, gzip.BadGzipFile, StopIteration) as error:
        if isinstance(error, InputError):
            raise
        why = " ".join(str(error).split())[:60] or type(error).__name__
        raise InputError(f"{path} is not a sound Matrix Market file ({why}); copy it again") from error


def _genes(table: pd.DataFrame) -> tuple[Any, Names]:
    """The rows of the table that are genes, and a word on those of other kinds (antibodies, guides)."""
    if table.shape[1] < 3 or not (table[2] == GENES).any():
        return np.arange(len(table)), ()
    kept = np.flatnonzero(table[2] == GENES)
    others = table[2][table[2] != GENES].value_counts()
    said = tuple(f"left out: {count:,} features of the kind {kind[:40]}" for kind, count in others.items())
    return kept, said
