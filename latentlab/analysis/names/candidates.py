"""What may name a dimension: the known factors, or else attributes measured on the samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.codes import Codes
from latentlab.codes.dimensions import factors_of
from latentlab.data import Factor
from latentlab.data.attributes import Attribute
from latentlab.data.dataset import angles
from latentlab.metrics._arrays import angles_of

BINS = 20  # into which numbers without levels are cut, with as many rows in each; and the circle


def known(codes: Codes) -> list[Attribute]:
    """The factors of the codes that vary; the label is one where there are no others."""
    columns, names, _ = factors_of(codes)
    specs = {spec.name: spec for spec in codes.specs} if codes.factors is not None else {}
    label = Factor("label", "categorical", codes.label_names)
    return [as_attribute(specs.get(name, label), column) for name, column in zip(names, columns.T, strict=True)]


def as_attribute(factor: Factor, column: NDArray[np.float64]) -> Attribute:
    """A factor and its column (n,) as an attribute, with its values as words.

    >>> as_attribute(Factor("shape", values=("square", "heart")), np.array([0.0, 1.0])).labels
    ('square', 'heart')
    """
    values, labels = _turned(factor, column) if factor.kind == "circular" else _levels(factor, column)
    return Attribute(factor.name, values, kind=factor.kind, labels=labels, source="factor")


def _levels(factor: Factor, column: NDArray[np.float64]) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    here = np.isfinite(column)
    distinct, place = np.unique(column[here], return_inverse=True)
    if factor.kind == "continuous" and not factor.levels and len(distinct) > BINS:
        edges = np.unique(np.quantile(column[here], np.arange(1, BINS) / BINS))
        place = np.searchsorted(edges, column[here], side="right")
        distinct = np.array([np.median(column[here][place == k]) for k in np.unique(place)])
        place = np.unique(place, return_inverse=True)[1]
    levels = np.full(len(column), np.nan)
    levels[here] = place
    return levels, tuple(_word(factor, value) for value in distinct.tolist())


def _word(factor: Factor, value: float) -> str:
    named = factor.levels and value == int(value) and 0 <= value < factor.levels
    found = factor.values[int(value)] if named else value
    return found if isinstance(found, str) else f"{found:.3g}"


def _turned(factor: Factor, column: NDArray[np.float64]) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """The levels of a circle cut into `BINS`, and what each is in degrees; its own levels where it has fewer."""
    radians = angles(factor, column) if factor.levels else angles_of(column)
    count = min(BINS, factor.levels) if factor.levels else BINS
    named = 0 < factor.levels <= BINS
    levels = column if named else np.round(radians / (2 * np.pi) * count) % count
    labels = factor.values if named else [f"{360 * k / count:g}°" for k in range(count)]
    return levels, tuple(each if isinstance(each, str) else f"{each:.3g}" for each in labels)
