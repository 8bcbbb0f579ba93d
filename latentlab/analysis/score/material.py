"""Codes with what is known of their rows, as the arrays that metrics are called with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.analysis.score.calls import Material, gather
from latentlab.codes.codes import Codes
from latentlab.codes.labels import as_factor
from latentlab.data import Dataset, Factor
from latentlab.metrics._arrays import Floats


def material(mean: NDArray[Any], variance: NDArray[Any] | None, rows: Codes | Dataset) -> Material:
    """Codes (n, d) of `rows`, whose factors are scored; labels serve as one categorical factor where there are none."""
    factors, specs = factors_of(rows)
    return gather(
        scored_mean(mean, variance),
        factors,
        rows.grid,
        variance=variance,
        factor_names=[spec.name for spec in specs],
        kinds=[spec.kind for spec in specs] or None,
    )


def factors_of(rows: Codes | Dataset) -> tuple[NDArray[np.float64] | None, tuple[Factor, ...]]:
    """The factors (n, k) of rows and what they are; labels serve as one where there are none."""
    if rows.factors is None and rows.labels is not None:
        return as_factor(rows.labels, rows.label_names), (Factor("label", "categorical"),)
    return rows.factors, rows.specs


def scored_mean(mean: NDArray[Any], variance: NDArray[Any] | None) -> Floats:
    """Codes (n, d) as they are scored: those of a deterministic encoder at mean 0 and standard deviation 1.

    It has no variance, and thresholds mean nothing on its free scale. A constant dimension of it is 0.
    """
    codes = mean.astype(np.float64)
    if variance is not None:
        return codes
    spread = codes.std(axis=0)
    return np.asarray((codes - codes.mean(axis=0)) / np.where(spread > 0, spread, 1))
