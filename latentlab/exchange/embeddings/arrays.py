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
    """A run that holds codes without a model, in the folder `out` (a new temporary one by default).

    Parameters
    ----------
    z
        Codes (n, d): an array, or a DataFrame of numbers, whose index has the ids of the rows unless it only counts.
    variance
        Posterior variance (n, d), positive; not its logarithm and not a standard deviation.
    factors
        What is known of each row, scored against the dimensions: an array (n, k), or a DataFrame.
    labels
        Classes (n,), whole numbers or names; or the name of a column of `factors` or `metadata`.
    row_ids
        Ids (n,) of the rows, all different: whole numbers, or names such as cell barcodes.
    metadata
        A table of your own, joined by its index or by the column `ids`. Columns that can be are factors as well.
    name
        What tables and figures call this setting. Several embeddings of the same rows, imported into one folder under
        different names, are a study.
    seed
        Which of several runs of one setting this is.

    Returns
    -------
    Run
        It can be analysed, scored, compared, drawn and exported. Whatever needs an encoder or a decoder refuses.

    Raises
    ------
    InputError
        Where rows are not finite, their numbers differ, or ids are missing or there twice. Nothing is written then.

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
