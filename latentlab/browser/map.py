"""All rows of a picture of the codes, packed for ``map.js``, which draws and filters them in the browser."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.regions import Levels, Region
from latentlab.errors import InputError
from latentlab.figures._style import LONG

FINEST = 65_535  # places across the picture
MISSING = 255
NAMED = 20_000
ORDERED = ("#440154", "#3E4A89", "#26828E", "#35B779", "#B5DE2B", "#FDE725")  # viridis


def content(
    xy: NDArray[np.floating],
    row_ids: NDArray[np.integer],
    factors: Mapping[str, Levels],
    labels: Sequence[Region] = (),
    unordered: Collection[str] = (),
    names: NDArray[np.str_] | None = None,
) -> dict[str, Any]:
    """What `mountMap` draws: points, the rows' ids, the level of each factor, and labels of regions.

    Parameters
    ----------
    xy : array (n, 2)
        A point for each row.
    row_ids : array (n,)
        Their ids.
    factors : mapping
        By name, each row's level (n,), −1 where it is missing, and the texts of at most 254 levels.
    labels : sequence of Region
        What is written over the points.
    unordered : collection of str
        The factors whose values have no order: their colours are as in figures, those of others go along a scale.
    names : array (n,), optional
        What the rows are called; of more than `NAMED` rows they are left out, since texts take much room.

    Returns
    -------
    dict
        Numbers and texts for JSON. Arrays: base64 of their bytes, 8 per row (12 where ids need it) and one per factor.
        The rows are in a random order, so that no value is drawn over another.

    Raises
    ------
    InputError
        Where the numbers of points and ids differ, or there are none.

    Examples
    --------
    >>> found = content(np.array([[0.0, 0.0], [2.0, 1.0]]), np.array([7, 9]), {"shape": (np.array([0, 1]), ["a", "b"])})
    >>> found["n"], found["low"], found["span"], found["factors"][0]["values"]
    (2, [0.0, 0.0], 2.0, ['a', 'b'])
    """
    if len(xy) != len(row_ids) or not len(xy):
        raise InputError(f"the map has {len(xy)} points and {len(row_ids)} row ids; expected one id for each point")
    order = np.random.default_rng(0).permutation(len(xy))
    low = np.asarray(xy.min(axis=0), np.float64)
    span = float(np.ptp(xy, axis=0).max()) or 1.0
    placed = np.round((xy[order] - low) / span * FINEST).astype("<u2")
    whole = "<u4" if row_ids.min() >= 0 and row_ids.max() < 2**32 else "<f8"
    known = [(name, each) for name, each in factors.items() if len(each[1]) < MISSING]
    return {
        "n": len(xy),
        "low": low.tolist(),
        "span": span,
        "high": float(np.ptp(xy[:, 1])) / span,
        "points": _text(placed),
        "rows": _text(row_ids[order].astype(whole)),
        "names": names[order].tolist() if names is not None and len(names) <= NAMED else [],
        "factors": [_factor(name, levels[order], values, name in unordered) for name, (levels, values) in known],
        "labels": [region._asdict() for region in labels],
    }


def _factor(name: str, levels: NDArray[np.integer], values: list[str], unordered: bool) -> dict[str, Any]:
    coded = np.where(levels < 0, MISSING, levels).astype(np.uint8)
    return {"name": name, "values": values, "colours": _colours(len(values), unordered), "levels": _text(coded)}


def _colours(count: int, unordered: bool) -> list[str]:
    if unordered:
        return [LONG[k % len(LONG)] for k in range(count)]
    stops = np.array([[int(tone[i : i + 2], 16) for i in (1, 3, 5)] for tone in ORDERED])
    places = np.linspace(0, len(stops) - 1, count)
    mixed = [np.interp(places, np.arange(len(stops)), channel).round().astype(int) for channel in stops.T]
    return [f"#{r:02X}{g:02X}{b:02X}" for r, g, b in zip(*mixed, strict=True)]


def _text(array: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
