"""Codes alone, without the model they came from: an array, a table or an element of AnnData, and tables about the rows.

A pickle is never read. Rows of other tables are joined by the ids that they share with the codes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from latentlab.errors import InputError
from latentlab.exchange.embeddings.embedding import Embedding
from latentlab.exchange.embeddings.files import Asked, is_file, opened, single_column
from latentlab.exchange.embeddings.rows import embedded
from latentlab.exchange.embeddings.tables import table_of


def read(
    path: Path,
    obsm: str = "",
    variance: str = "",
    factors: str = "",
    labels: str = "",
    ids: str = "",
    metadata: str = "",
    name: str = "",
    seed: int = 0,
    header: bool | None = None,
) -> Embedding:
    """The codes in a file, with what its own columns, ``factors``, ``labels`` and ``metadata`` say of the rows.

    ``factors`` and ``labels`` are files with one row per code, or names of columns; ``ids`` is the column of ids in the
    codes' own table, in ``metadata`` or in both, or a file of ids.
    """
    columns = [] if not factors or is_file(factors) else [each.strip() for each in factors.split(",")]
    taken = columns + ([labels] if labels and not is_file(labels) else [])
    names = bool(taken) or bool(ids and not is_file(ids))  # columns are named, so the first line has names
    headed = True if names and header is None else header
    held = opened(path, Asked(obsm, variance, ids, tuple(taken), headed, labels))
    if ids and not metadata and not is_file(ids) and ids not in held.columns:
        known = ", ".join(held.columns)[:80] or "none"
        raise InputError(f"--ids {ids[:60]} is neither a file nor a column of {path.name[-40:]}; its columns: {known}")
    tables, rows = list(held.tables), len(held.rows.z)
    if factors and not columns:
        tables = [(table_of(Path(factors), header, rows), "factors")]
    if metadata:
        table = table_of(Path(metadata), header is None or header, named=(ids, labels))
        tables.append((table, Path(metadata).name))
    stem = path.name.partition(".")[0]
    found = embedded(
        held.rows,
        tables,
        columns or None,
        single_column(Path(labels), header, rows) if is_file(labels) else labels or held.labels,
        "" if is_file(ids) else ids,
        name=name or obsm or stem,
        rows=Path(metadata).name.partition(".")[0] if metadata else stem if path.suffix.lower() == ".h5ad" else "codes",
        seed=seed,
    )
    return replace(found, file=path)
