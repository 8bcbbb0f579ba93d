"""A metric's card: its words, from the metric's own file, and what was measured, from ``cards/NAME.json``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.errors import MissingError
from latentlab.metrics._metric import Metric
from latentlab.results import Result, plain
from latentlab.system.files import read_record
from latentlab.system.registry import choose, load, names

if TYPE_CHECKING:
    import pandas as pd

MEASURED = Path(__file__).parent / "cards"  # written by benchmarks/cards.py
ROWS = 10_000  # of the evaluations that were measured
WORDS = ("assumes", "too_high", "too_low")
CHANGES = {
    "order": "order of dimensions",
    "sign": "mirrored dimensions",
    "scale": "one scale for all dimensions",
    "scales": "a scale for each dimension",
    "shift": "shifts",
    "monotone": "increasing functions of a dimension",
    "rotation": "rotations",
    "linear": "invertible linear maps",
}
NOTABLE = {  # the cases that a card shows, as codes of factors
    "clean codes": ("independent", "scaled"),
    "curved codes": ("independent", "curved"),
    "lossless dense mixing": ("independent", "mixed"),
    "half of the factors missing": ("independent", "reduced"),
    "repeated codes": ("independent", "repeated"),
    "sine and cosine codes": ("independent", "circled"),
    "Gaussian noise": ("independent", "gaussian"),
    "clean codes of correlated factors": ("correlated", "scaled"),
    "clean codes of copied factors": ("copied", "scaled"),
    "clean codes of derived factors": ("derived", "scaled"),
}


@dataclass(frozen=True, eq=False)
class Card(Result):
    """What a metric assumes, which changes leave it as it is, how it errs, and how reliable one evaluation is.

    Parameters
    ----------
    name : str
        The metric.
    metric : Metric
        The declaration in the metric's file.
    measured : mapping
        The numbers of `benchmarks/cards.py` (see there), none for a metric that was not measured.
    """

    name: str
    metric: Metric
    measured: Mapping[str, Any]

    @property
    def settings(self) -> Mapping[str, Any]:  # type: ignore[override]
        """The metric and the version that was measured."""
        return {"metric": self.name, "version": self.metric.version}

    def entries(self) -> Iterator[tuple[str, str]]:
        """The whole card, entry by entry.

        Returns
        -------
        iterator of pair of str
            A heading and a text each.
        """
        metric = self.metric
        low, high = (f"{end:g}".replace("inf", "∞").replace("-", "−") for end in metric.range)
        yield "title", metric.title
        yield "range", f"{low} to {high}, {metric.better or 'neither direction'} is better"
        yield "needs", f"{metric.needs}; factors: {', '.join(metric.kinds)}"
        yield "assumes", metric.assumes
        yield "unchanged by", ", ".join(CHANGES[each] for each in metric.unchanged_by)
        yield "misleadingly high", metric.too_high
        yield "misleadingly low", metric.too_low
        if self.measured:
            yield from self._measurements()
        else:
            yield "measured", f"nothing of this version: python benchmarks/cards.py --only {self.name}"
        yield "source", metric.source

    def _measurements(self) -> Iterator[tuple[str, str]]:
        of = self.measured
        yield (
            "changes with",
            ", ".join(
                f"{CHANGES[each]} ({move:.2g})"
                for each, move in of["changes"].items()
                if each not in self.metric.unchanged_by and move > 0
            ),
        )
        yield "value by rows", _listed(of["rows"])
        yield "value of noise by rows", _listed(of["noise"])
        yield "value by dimensions", _listed(of["dimensions"])
        yield "along a synthetic trajectory", ", ".join(map(_shown, of["trajectory"]))
        yield (
            "discriminability",
            f"{_shown(of['discriminability'])} of its eleven points distinguished from the one before (0.5 is chance)",
        )
        yield "reseed coefficient of variation", _shown(of["cv"])
        yield "smallest reliable difference", f"{_shown(of['smallest_difference'])} at {ROWS:,} rows"
        cases = of["cases"]
        if cases:
            yield "cases", ", ".join(f"{what} {_shown(cases[f][c])}" for what, (f, c) in NOTABLE.items())

    @property
    def summary(self) -> str:
        """What to know of the metric while reading a value of it."""
        least = self.measured.get("smallest_difference")
        said = f"Assumes: {self.metric.assumes} Too high: {self.metric.too_high} Too low: {self.metric.too_low}"
        return said + ("" if least is None else f" Smallest reliable difference at {ROWS:,} rows: {least:.2g}.")

    def row(self) -> dict[str, Any]:
        """The card as one row of a table of metrics.

        Returns
        -------
        dict
            Values by column.
        """
        of, metric = self.measured, self.metric
        return {
            "metric": self.name,
            "title": metric.title,
            "better": metric.better,
            "cv": of.get("cv"),
            "told": of.get("discriminability"),
            "least difference": of.get("smallest_difference"),
            "300 rows": of.get("rows", {}).get("300"),
            "10,000 rows": of.get("rows", {}).get("10000"),
            "noise": of.get("noise", {}).get("10000"),
        }

    def to_frame(self) -> pd.DataFrame:
        """The card as a table.

        Returns
        -------
        DataFrame
            One row per entry of the card.
        """
        import pandas as pd

        return pd.DataFrame(self.entries(), columns=["entry", "text"])

    def to_json(self) -> dict[str, Any]:
        """The card as JSON.

        Returns
        -------
        dict
            The declaration's fields with ``name`` and ``measured``.
        """
        declared = {key: getattr(self.metric, key) for key in Metric.__dataclass_fields__}
        content: dict[str, Any] = plain({"name": self.name, **declared, "measured": self.measured})
        return content


def card(name: str) -> Card:
    """The card of a metric.

    Parameters
    ----------
    name : str
        Name of a metric, as in ``"mig"``.

    Returns
    -------
    Card
        Its words and what was measured.

    Raises
    ------
    InputError
        If no metric has that name.

    Examples
    --------
    >>> card("mig").metric.unchanged_by
    ('order', 'sign', 'scale', 'scales', 'shift')
    """
    key = choose(name.replace("-", "_"), names("metrics"), what="metric")
    metric: Metric = load("metrics", key).METRIC
    found = measured(key)
    return Card(key, metric, found if found.get("version") == metric.version else {})


def cards() -> tuple[Card, ...]:
    """The card of every metric, by name."""
    return tuple(card(name) for name in names("metrics"))


@cache
def measured(name: str) -> Mapping[str, Any]:
    """What `benchmarks/cards.py` measured of a metric; empty where it did not."""
    try:
        return read_record(MEASURED / f"{name}.json")
    except MissingError:
        return {}


def smallest_difference(name: str, rows: int) -> float | None:
    """Below which 95 % of differences between two evaluations of equal codes lie, where `rows` rows are evaluated.

    The spread that was measured at 10,000 rows, taken to fall with their root. None where nothing was measured.
    """
    found = card(name).measured.get("smallest_difference") if name in names("metrics") else None
    return None if found is None else float(found) * math.sqrt(ROWS / rows)


def _listed(numbers: Mapping[str, float | None]) -> str:
    return ", ".join(f"{int(at):,}: {_shown(value)}" for at, value in numbers.items())


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"
