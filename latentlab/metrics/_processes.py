"""Every level of every factor as a process of its own, and what similarities of dimensions with them come to."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import InputError
from latentlab.metrics._arrays import by_factor
from latentlab.metrics._information import top_two_gap
from latentlab.metrics.mcc import assigned
from latentlab.results import Score

Matrix = NDArray[np.float64]


def aggregated(similar: list[Matrix], settings: dict[str, Any]) -> Score:
    """The score of similarities (d, levels), one matrix per factor: LMS, with MSAS and MSGS as parts.

    LMS gives each dimension to at most one process and each process to at most one dimension, so that their sum is
    largest, and divides by the number of processes; MSAS is the mean of each process' largest similarity, MSGS that of
    its gap to the second.
    """
    sizes = [matrix.shape[1] for matrix in similar]
    if not sum(sizes):
        raise InputError("no level of any factor has two rows; give more rows")
    whole = np.concatenate(similar, axis=1)
    dimension, process = assigned(whole)
    matched = np.zeros(whole.shape[1])
    matched[process] = whole[dimension, process]
    parts = {
        "most_similar_averaging": float(whole.max(axis=0).mean()),
        "most_similar_gap": float(top_two_gap(whole).mean()),
    }
    ends = np.cumsum(sizes)[:-1]
    return Score(
        value=float(matched.mean()),
        parts=parts,
        per_factor=by_factor([_mean(each) for each in np.split(matched, ends)]),
        matrix=np.stack([matrix.mean(axis=1) if matrix.size else np.zeros(len(matrix)) for matrix in similar], axis=1),
        settings={"processes": sizes, **settings},
    )


def _mean(values: Matrix) -> float:
    return float(values.mean()) if len(values) else float("nan")
