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
FIELD = {key: name for name, key in JSON_KEY.items()} | {"ceiling": "reference"}  # its name up to 2026-11
METRIC = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)
NAMED = ("parts", "per_factor", "nulls", "beside")  # fields of numbers by name
SHOWN = 20  # rows of a table that a notebook shows


class Result(ABC):
    """The answer to one question: a frozen dataclass with ``settings``, as a table, as JSON, and in a notebook."""

    settings: Mapping[str, Any]

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """The answer as a table.

        Returns
        -------
        DataFrame
            One row per thing that the answer is about.
        """

    def to_json(self) -> dict[str, Any]:
        """The answer as JSON.

        Returns
        -------
        dict
            Plain JSON values by field; NaN becomes null.
        """
        return {each.name: plain(getattr(self, each.name)) for each in dataclasses.fields(self)}  # type: ignore[arg-type]

    def _repr_html_(self) -> str:
        table = self.to_frame()
        more = f", the first {SHOWN} of {len(table):,} rows" if len(table) > SHOWN else ""
        shown = {key: value for key, value in self.settings.items() if isinstance(value, str | int | float)}
        said = ", ".join(f"{key} = {value}" for key, value in shown.items())
        body = table.head(SHOWN).to_html(index=False, border=0, float_format="{:.4g}".format, na_rep="–")
        return f"<p><b>{type(self).__name__}</b> {escape(said + more)}</p>{body}"


@dataclass(frozen=True, slots=True)
class Caveat:
    """Why numbers may mislead: ``which`` condition holds, ``why`` (what was seen), and the ``remedy``, what to do."""

    which: str
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.which}: {self.why}; {self.remedy}"

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Caveat:
        """The caveat of an entry in JSON; keys of a newer version are ignored. Raises `TypeError` for other values."""
        texts = [found.get(each.name) for each in dataclasses.fields(cls)]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("a caveat must be text")
        return cls(*texts)  # type: ignore[arg-type]


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
        """The answer as JSON.

        Returns
        -------
        dict
            Plain JSON values by name, the settings among them; NaN becomes null.
        """
        return {key: plain(value) for key, value in self._entries().items()}


@dataclass(frozen=True)
class Score(Result):
    """What a metric found, and what is needed to judge the number.

    Parameters
    ----------
    value : float
        The metric's value, in the range and direction that the metric declares; NaN where it is undefined
        (``settings`` then says why under ``"undefined"``).
    parts : mapping
        The numbers of a metric that has several, by name.
    per_factor : mapping
        One number per factor.
    matrix : array (d, k), optional
        One row per latent dimension and one column per factor.
    interval : pair of float, optional
        A 95 % interval for `shown`, the value over all rows where a protocol draws some of them.
    nulls : mapping
        The values that codes reach without information (``"permuted"``) or without alignment with the axes
        (``"rotated"``).
    reference : float, optional
        The value of the factors themselves taken as codes; other codes may exceed it.
    beside : mapping
        Further values of the same metric, by name: over all rows, of standardised codes.
    settings : mapping
        The profile and the settings that it was computed under.
    missing : mapping
        Why an interval, null or reference was not computed, by its name.

    Examples
    --------
    >>> float(Score(0.5, parts={"sum": 1.0}))
    0.5
    """

    value: float
    parts: Mapping[str, float] = field(default_factory=dict)
    per_factor: Mapping[str, float] = field(default_factory=dict)
    matrix: NDArray[np.float64] | None = None
    interval: tuple[float, float] | None = None
    nulls: Mapping[str, float] = field(default_factory=dict)
    reference: float | None = None
    beside: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def whole(self) -> float | None:
        """The value over the full grid or all rows, where ``value`` is that of a draw from them."""
        return self.beside.get("full_grid", self.beside.get("all_rows"))

    @property
    def shown(self) -> float:
        """The value that the interval is for: over all rows where a protocol draws some of them."""
        return self.value if self.whole is None else self.whole

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The interval, where it may stand beside `shown`.

        Intervals of earlier versions were laid elsewhere: one that does not hold the value is not to be shown, nor
        one of redraws without a value over all rows.
        """
        earlier = "resamples" in self.settings and "interval" not in self.settings
        if self.interval is None or (earlier and self.whole is None):
            return None
        low, high = self.interval
        return self.interval if low <= self.shown <= high else None

    @property
    def no_interval(self) -> str:
        """Why there is no interval; empty where there is one."""
        if self.bounds is not None:
            return ""
        earlier = "it was computed by an earlier version, whose intervals cover too little; score again"
        return self.missing.get("interval", earlier if self.interval is not None else "it was not computed")

    @property
    def aligned(self) -> bool | None:
        """Whether the value exceeds both nulls, permuted and rotated; None where too little is known to say so.

        Rotated codes are standardised, so the standardised code is what they are compared with.
        """
        held = {"permuted": self.value, "rotated": self.beside.get("standardised", self.value)}
        exceeded = [value > self.nulls[kind] for kind, value in held.items() if kind in self.nulls]
        return all(exceeded) if len(exceeded) == len(held) or not all(exceeded) else None

    def __float__(self) -> float:
        return float(self.value)

    def _repr_html_(self) -> str:
        rows: dict[str, Any] = {str(self.settings.get("profile", "value")): self.value, **self.parts}
        if "undefined" in self.settings:
            rows["undefined"] = escape(str(self.settings["undefined"]))
        if self.bounds is not None:
            label = "95 % interval" if self.whole is None else "95 % interval over all rows"
            rows[label] = "{:.4g} to {:.4g}".format(*self.bounds)
        elif self.missing or self.interval is not None:
            rows["no interval"] = escape(self.no_interval)
        rows |= {f"no {name}": escape(why) for name, why in self.missing.items() if name != "interval"}
        rows |= {f"{kind} codes reach": value for kind, value in self.nulls.items()}
        rows |= {} if self.reference is None else {"factors as codes": self.reference}
        rows |= {f"{name} (beside)": value for name, value in self.beside.items()}
        rows |= {f"of {name}": value for name, value in self.per_factor.items()}
        cells = ((escape(name), value if isinstance(value, str) else f"{value:.4g}") for name, value in rows.items())
        lines = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in cells)
        return f"<table>{lines}</table>"

    def to_frame(self) -> pd.DataFrame:
        """The score as a table.

        Returns
        -------
        DataFrame
            One row per number: the value and its parts, the number of each factor, interval, nulls and reference.
        """
        import pandas as pd

        ends = {} if self.bounds is None else dict(zip(("interval low", "interval high"), self.bounds, strict=True))
        rows = {"value": self.value, **self.parts, **{f"of {name}": value for name, value in self.per_factor.items()}}
        rows |= ends | {f"{kind} codes": value for kind, value in self.nulls.items()} | dict(self.beside)
        rows |= {} if self.reference is None else {"reference": self.reference}
        return pd.DataFrame({"number": list(rows), "value": list(rows.values())})

    def replace(self, **changes: Any) -> Score:
        """A copy with some fields changed.

        Parameters
        ----------
        **changes
            New values by field.

        Returns
        -------
        Score
            The copy.
        """
        return dataclasses.replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """The score as JSON.

        Returns
        -------
        dict
            Plain JSON values; NaN becomes null, what was not computed is left out.
        """
        found = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {JSON_KEY.get(key, key): plain(value) for key, value in found.items() if key == "value" or _given(value)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Score:
        """The inverse of `to_json`.

        Parameters
        ----------
        found : mapping
            Values by field; keys of a newer version are ignored.

        Returns
        -------
        Score
            The score.

        Raises
        ------
        TypeError
            For other values than a score has.
        """
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


def with_half_width(value: float, low: float, high: float, digits: int = 2) -> tuple[str, str]:
    """A value and half of its interval as text, with as many decimals as it takes for the half to be no bare zero.

    >>> with_half_width(0.19, 0.186, 0.194), with_half_width(-1.0, -1.5, -0.5), with_half_width(0.5, 0.5, 0.5)
    (('0.190', '± 0.004'), ('−1.00', '± 0.50'), ('0.50', '± 0.00'))
    """
    half = (high - low) / 2
    if half > 0:
        digits = max(digits, min(6, -math.floor(math.log10(half))))
    return f"{value:,.{digits}f}".replace("-", "−"), f"± {half:.{digits}f}"


def version_of(score: Score) -> int:
    """By which version of its metric a score was computed; settings say it from 2 on."""
    return int(score.settings.get("version", 1))


def check_scores(found: Any) -> None:
    """Refuse a ``scores.json`` of another shape than `runs.write_scores` gives it.

    Raises `TypeError`, `KeyError`, `AttributeError` or `ValueError`: the caller knows the file and names it.
    """
    profiles = [Score.from_json(score).settings.get("profile", "") for score in found["scores"].values()]
    parts = [found.get(key) or {} for key in ("inputs", "skipped")]
    texts = [*profiles, *parts[1].values()]
    if not all(isinstance(part, dict) for part in parts) or not all(isinstance(text, str) for text in texts):
        raise TypeError("inputs must be an object, and reasons for skipped metrics must be text")
    for each in found.get("caveats") or ():
        Caveat.from_json(each)
    if not all(METRIC.fullmatch(name) for name in found["scores"]):
        raise ValueError("the name of a metric must be text")


def _number(value: Any) -> Any:
    """JSON's null is NaN here: what a metric could not say."""
    return math.nan if value is None else value


def _check(fields: Mapping[str, Any]) -> None:
    """Numbers where numbers belong, null for what is undefined; two of them in an interval."""
    interval = fields.get("interval")
    ends = (None, None) if interval is None else tuple(interval)
    numbers = [fields["value"], fields.get("reference"), *ends]
    for key in NAMED:
        numbers += list(fields.get(key, {}).values())
    for number in numbers:
        if number is not None and (type(number) not in (int, float) or math.isinf(number)):
            raise TypeError(f"{str(number)[:20]!r} is not a number")
    if len(ends) != 2 or not isinstance(fields.get("settings", {}), Mapping):
        raise TypeError("an interval must have two ends, and settings must be named")
    if not all(isinstance(why, str) for why in fields.get("missing", {}).values()):
        raise TypeError("reasons for missing values must be text")


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
