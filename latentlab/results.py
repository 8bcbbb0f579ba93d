"""Results: a score with what is needed to judge it, and what every answer about a latent space can do."""

from __future__ import annotations

import dataclasses
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

JSON_KEY = {"nulls": "null"}
FIELD = {key: name for name, key in JSON_KEY.items()}
METRIC = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)
NAMED = ("parts", "per_factor", "nulls", "beside")  # fields of numbers by name
SHOWN = 20  # rows of a table that a notebook shows


class Result(ABC):
    """The answer to one question: a frozen dataclass with ``settings``, as a table, as JSON, and in a notebook."""

    settings: Mapping[str, Any]

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """The answer as a table."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values by field; NaN becomes null."""
        return {each.name: plain(getattr(self, each.name)) for each in dataclasses.fields(self)}  # type: ignore[arg-type]

    def _repr_html_(self) -> str:
        table = self.to_frame()
        more = f", the first {SHOWN} of {len(table):,} rows" if len(table) > SHOWN else ""
        shown = {key: value for key, value in self.settings.items() if isinstance(value, str | int | float)}
        said = ", ".join(f"{key} = {value}" for key, value in shown.items())
        body = table.head(SHOWN).to_html(index=False, border=0, float_format="{:.4g}".format, na_rep="–")
        return f"<p><b>{type(self).__name__}</b> {escape(said + more)}</p>{body}"


class Record(Result, Mapping[str, Any]):
    """A result whose fields and settings can also be read by name, as in ``found["arms"]``."""

    def __getitem__(self, key: str) -> Any:
        return self._entries()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries())

    def __len__(self) -> int:
        return len(self._entries())

    def _entries(self) -> dict[str, Any]:
        names = [each.name for each in dataclasses.fields(self) if each.name != "settings"]  # type: ignore[arg-type]
        return {**{name: getattr(self, name) for name in names}, **self.settings}

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values by name, the settings among them; NaN becomes null."""
        return {key: plain(value) for key, value in self._entries().items()}


@dataclass(frozen=True)
class Score(Result):
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

    def to_frame(self) -> pd.DataFrame:
        """One row per number: the value and its parts, the number of each factor, interval, nulls and ceiling."""
        import pandas as pd

        ends = {} if self.interval is None else dict(zip(("interval low", "interval high"), self.interval, strict=True))
        rows = {"value": self.value, **self.parts, **{f"of {name}": value for name, value in self.per_factor.items()}}
        rows |= ends | {f"{kind} codes": value for kind, value in self.nulls.items()} | dict(self.beside)
        rows |= {} if self.ceiling is None else {"ceiling": self.ceiling}
        return pd.DataFrame({"number": list(rows), "value": list(rows.values())})

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
    """NumPy, nested values and results as JSON knows them; NaN and infinities become null."""
    if isinstance(value, Result):
        return value.to_json()
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
