"""Codes that are in memory, as a run without a model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from latentlab.data._fingerprint import digest
from latentlab.exchange.embeddings.embedding import publish
from latentlab.exchange.embeddings.rows import Rows, embedded, frame_of
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd


def from_codes(
    z: Any,
    *,
    variance: Any = None,
    factors: Any = None,
    labels: Any = None,
    row_ids: Any = None,
    metadata: pd.DataFrame | None = None,
    ids: str = "",
    out: str | Path | None = None,
    name: str = "codes",
    seed: int = 0,
) -> Run:
    """Import codes without a model as a run.

    Parameters
    ----------
    z : array (n, d) or DataFrame
        Codes; the index of a DataFrame has the ids of the rows unless it is 0 … n − 1.
    variance : array (n, d), optional
        Posterior variance, positive; not its logarithm and not a standard deviation.
    factors : array (n, k) or DataFrame, optional
        What is known of each row, scored against the dimensions.
    labels : array (n,) or str, optional
        Classes, whole numbers or names; or the name of a column of `factors` or `metadata`.
    row_ids : array (n,), optional
        Ids of the rows, all different: whole numbers, or names such as cell barcodes.
    metadata : DataFrame, optional
        A table of your own, joined by its index or by the column `ids`. Columns that can be are factors as well.
    ids : str, optional
        The column of `metadata` that has the rows' ids; its index by default.
    out : str or Path, optional
        The folder; a new temporary one by default.
    name : str, default "codes"
        What tables and figures call this setting. Several embeddings of the same rows, imported into one folder under
        different names, are a study.
    seed : int, default 0
        Which of several runs of one setting this is.

    Returns
    -------
    Run
        It can be analysed, scored, compared, drawn and exported. What needs an encoder or a decoder raises
        `InputError`.

    Raises
    ------
    InputError
        Where rows are not finite, their numbers differ, or ids are missing or repeated. Nothing is written then.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> run = from_codes(rng.normal(size=(40, 2)), labels=["a", "b"] * 20, name="pca")
    >>> run.config.label, run.codes().classes, run.encodes, run.decodes
    ('pca', {0: 'a', 1: 'b'}, False, False)
    """
    held = Rows.of(z, row_ids, variance)
    tables = [(frame_of(table, what), what) for table, what in ((factors, "factors"), (metadata, "metadata"))
              if table is not None]  # fmt: skip
    found = embedded(held, tables, None, labels, ids, name=name, seed=seed)
    content = {"format": "codes", "file": "", "sha256": digest(found.codes.mean), "options": {}}
    return publish(replace(found, recorded=content), Path(out or mkdtemp(prefix="latentlab-")))
