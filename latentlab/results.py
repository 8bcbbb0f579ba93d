"""A score: the result of a metric, with what is needed to judge it."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

JSON_KEY = {"nulls": "null"}
FIELD = {key: name for name, key in JSON_KEY.items()}
METRIC = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)
NAMED = ("parts", "per_factor", "nulls", "beside")  # fields of numbers by name


@dataclass(frozen=True, slots=True)
class Score:
    """What a metric found, and what is needed to judge the number.

    ``value`` is the headline in the metric's own range; NaN where it is undefined (``settings`` then says why
    under ``"undefined"``). ``parts`` holds the numbers of a metric that is several. ``per_factor`` has one number a
    factor, ``matrix`` one row a latent dimension and one column a factor. ``interval`` is a 95 % interval over redraws
    of the protocol; ``nulls`` names the values reached by codes that know nothing (``"permuted"``) or are not aligned
    with the axes (``"rotated"``); ``ceiling`` is what a perfect code reaches under the same settings.
    """

    value: float
    parts: Mapping[str, float] = field(default_factory=dict)
    per_factor: Mapping[str, float] = field(default_factory=dict)
    matrix: NDArray[np.float64] | None = None
    interval: tuple[float, float] | None = None
    nulls: Mapping[str, float] = field(default_factory=dict)
    ceiling: float | None = None
    beside: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __float__(self) -> float:
        return float(self.value)

    def _repr_html_(self) -> str:
        rows: dict[str, Any] = {str(self.settings.get("profile", "value")): self.value, **self.parts}
        if "undefined" in self.settings:
            rows["undefined"] = escape(str(self.settings["undefined"]))
        if self.interval is not None:
            rows["95 % interval"] = "{:.4g} to {:.4g}".format(*self.interval)
        rows |= {f"{kind} codes reach": value for kind, value in self.nulls.items()}
        rows |= {} if self.ceiling is None else {"ceiling": self.ceiling}
        rows |= {f"{name} (beside)": value for name, value in self.beside.items()}
        rows |= {f"of {name}": value for name, value in self.per_factor.items()}
        cells = ((escape(name), value if isinstance(value, str) else f"{value:.4g}") for name, value in rows.items())
        lines = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in cells)
        return f"<table>{lines}</table>"

    def replace(self, **changes: Any) -> Score:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; NaN becomes null, what was not computed is left out."""
        found = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {JSON_KEY.get(key, key): plain(value) for key, value in found.items() if key == "value" or _given(value)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Score:
        """The inverse of `to_json`; keys of a newer version are ignored. Raises `TypeError` for what is no number."""
        known = {f.name for f in dataclasses.fields(cls)}
        named = {FIELD.get(key, key): value for key, value in found.items()}
        kept: dict[str, Any] = {key: value for key, value in named.items() if key in known}
        kept["value"] = _number(kept.get("value"))
        if kept.get("matrix") is not None:
            kept["matrix"] = np.array(kept["matrix"], dtype=float)
        _check(kept)
        if kept.get("interval") is not None:
            kept["interval"] = tuple(_number(end) for end in kept["interval"])
        for key in NAMED:
            if key in kept:
                kept[key] = {name: _number(value) for name, value in kept[key].items()}
        return cls(**kept)


def check_scores(found: Any) -> None:
    """Refuse a ``scores.json`` of another shape than `runs.write_scores` gives it.

    Raises `TypeError`, `KeyError`, `AttributeError` or `ValueError`: the caller knows the file and names it.
    """
    profiles = [Score.from_json(score).settings.get("profile", "") for score in found["scores"].values()]
    parts = [found.get(key) or {} for key in ("inputs", "skipped")]
    texts = [*profiles, *parts[1].values()]
    if not all(isinstance(part, dict) for part in parts) or not all(isinstance(text, str) for text in texts):
        raise TypeError("what they were made from is named, and why some are not there is said")
    if not all(METRIC.fullmatch(name) for name in found["scores"]):
        raise ValueError("a metric is called by a word")


def _number(value: Any) -> Any:
    """JSON's null is NaN here: what a metric could not say."""
    return math.nan if value is None else value


def _check(fields: Mapping[str, Any]) -> None:
    """Numbers where numbers belong, null for what is undefined; two of them in an interval."""
    interval = fields.get("interval")
    ends = (None, None) if interval is None else tuple(interval)
    numbers = [fields["value"], fields.get("ceiling"), *ends]
    for key in NAMED:
        numbers += list(fields.get(key, {}).values())
    for number in numbers:
        if number is not None and (type(number) not in (int, float) or math.isinf(number)):
            raise TypeError(f"{str(number)[:20]!r} is no number")
    if len(ends) != 2 or not isinstance(fields.get("settings", {}), Mapping):
        raise TypeError("an interval has two ends, and settings are named")


def _given(value: Any) -> bool:
    return value is not None and not (isinstance(value, Mapping) and not value)


def plain(value: Any) -> Any:
    """NumPy and nested values as JSON knows them; NaN and infinities become null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
