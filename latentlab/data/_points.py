"""The axis of signals where nobody called it so: the names of a table's columns, or an array beside the samples."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# What people call the array of an axis; each in the singular and in the plural.
NAMES = ("axis", "wavelength", "wavenumber", "frequency", "freq", "raman_shift", "time", "mz", "ppm")
PLURALS = {f"{name}s" for name in NAMES} | {"axes", "frequencies"}
WITHIN = re.compile(r"(?P<before>\D*?)(?P<number>-?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?)(?P<after>(?:[^\d.,].*)?)")
FEWEST = 3  # names that are alike but for their number, at least


class Points(NamedTuple):
    """The columns whose names are numbers, those ``numbers`` by name, and the ``unit`` that stands behind all of them.

    ``counts`` is whether they only count: they are then in order, and are no axis.
    """

    numbers: dict[str, float]
    unit: str = ""
    counts: bool = False

    @property
    def plain(self) -> bool:
        """Whether these are numbers of a scale, and not those of numbered things, as GENE7 is."""
        return bool(self.unit) or any(_number(name) is not None or number % 1 for name, number in self.numbers.items())

    @property
    def axis(self) -> list[float]:
        """The numbers, where they run one way and do more than count."""
        found = list(self.numbers.values())
        return found if len(found) > 1 and _one_way(np.array(found)) and not self.counts else []


def points_of(names: Sequence[str]) -> Points:
    """The numbers that columns are called by: plain ones, or those between the same letters in most names.

    >>> points_of(["site", "900.5 nm", "901 nm", "902.5 nm"])
    Points(numbers={'900.5 nm': 900.5, '901 nm': 901.0, '902.5 nm': 902.5}, unit='nm', counts=False)
    >>> points_of(["p1", "p2", "p3", "dose"]).axis, points_of(["1.5", "2", "dose"]).axis
    ([], [1.5, 2.0])
    """
    plain = {name: number for name in names if (number := _number(name)) is not None}
    if 2 * len(plain) >= len(names):
        return Points(plain)
    found = {name: match for name in names if (match := WITHIN.fullmatch(name.strip()))}
    around = Counter((match["before"], match["after"]) for match in found.values())
    frame, times = around.most_common(1)[0] if around else (("", ""), 0)
    if times < FEWEST or 2 * times < len(names):
        return Points(plain)
    alike = {name: match for name, match in found.items() if (match["before"], match["after"]) == frame}
    numbers = {name: float(match["number"].replace(",", ".")) for name, match in alike.items()}
    values = list(numbers.values())
    counts = any(values == list(range(low, low + len(values))) for low in (0, 1))
    unit = frame[1].strip(" _()[]") if re.match(r"[\s_(\[]|[^\W\d_]", frame[1]) else ""
    return Points(numbers, unit, counts)


def _one_way(values: NDArray[np.float64]) -> bool:
    steps = np.diff(values)
    return bool((steps > 0).all() or (steps < 0).all())


def _number(name: str) -> float | None:
    try:
        number = float(name)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def is_named(key: str) -> bool:
    """Whether an array is called as an axis is.

    >>> is_named("Wavelengths"), is_named("x")
    (True, False)
    """
    return key.lower().replace(" ", "_") in {*NAMES, *PLURALS}


def axis_among(arrays: Mapping[str, Any], shape: Sequence[int]) -> str:
    """The array of a file that is the axis of its samples (n, …): by its name, and by having a value for each point.

    The values run one way. Others may be something of each sample.

    >>> axis_among({"x": np.zeros((4, 9)), "wavelengths": np.arange(9.0)}, (4, 9))
    'wavelengths'
    >>> axis_among({"x": np.zeros((3, 3)), "time": np.array([1.0, 0.0, 2.0])}, (3, 3))
    ''
    """
    if "axis" in arrays:
        return "axis"
    sides = [*shape[1:]] if len(shape) in (2, 3) else []
    fitting = [
        key
        for key, array in arrays.items()
        if is_named(key)
        and len(array.shape) == 1
        and array.dtype.kind in "iuf"
        and array.shape[0] in sides
        and _one_way(np.asarray(array[...], np.float64))
    ]
    return fitting[0] if len(fitting) == 1 else ""
