"""The names of a run's dimensions, with what each of them detects, and the file ``names.json`` that keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.analysis.names import STAGE
from latentlab.analysis.names.measure import Verdict
from latentlab.codes.symbols import symbol
from latentlab.results import Result, plain
from latentlab.runs.notes import LONGEST_NAME
from latentlab.runs.run import Run
from latentlab.system.files import write_json

if TYPE_CHECKING:
    import pandas as pd

(FILE,) = STAGE.files
TEXTS = ("name", "low", "high", "source", "why")
PAIRS = ("interval", "hard_interval")


@dataclass(frozen=True, eq=False)
class Names(Result):
    """What each latent dimension is called, and how well the name detects.

    Parameters
    ----------
    verdicts : tuple of Verdict
        One per dimension, in their order: the best attribute and whether it earned the name.
    settings : mapping
        How they were found: rows, candidates, and under ``missing`` why attributes of the samples were not measured.
    """

    verdicts: tuple[Verdict, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def earned(self) -> dict[int, str]:
        """The names that were earned, by dimension: ``x position: left to right``.

        Returns
        -------
        dict
            Nothing for dimensions without one.
        """
        return {j: said(each) for j, each in enumerate(self.verdicts) if each.earned}

    def to_json(self) -> dict[str, Any]:
        """The names as JSON.

        Returns
        -------
        dict
            ``verdicts``, one per dimension, and ``settings``; NaN becomes null.
        """
        return {"verdicts": plain([asdict(each) for each in self.verdicts]), "settings": plain(self.settings)}

    def to_frame(self) -> pd.DataFrame:
        """The names as a table.

        Returns
        -------
        DataFrame
            One row per dimension: its best attribute with the words for low and high codes, whether it is ``earned``,
            ``detection`` and ``hard`` (AUROC among all held-out rows, and within pairs that agree in the other
            dimensions) with their 95 % intervals, ``exclusive``, and ``why`` no name was earned.
        """
        import pandas as pd

        rows = []
        for j, each in enumerate(self.verdicts):
            intervals = {f"{what}_{end}": value for what, pair in _intervals(each) for end, value in pair}
            values = {what: getattr(each, what) for what in ("name", "low", "high", "source")}
            numbers = {what: getattr(each, what) for what in ("detection", "hard", "exclusive", "permuted", "rotated")}
            rows.append({"dim": symbol(j), **values, "earned": each.earned, **numbers, **intervals, "why": each.why})
        return pd.DataFrame(rows)


def _intervals(each: Verdict) -> list[tuple[str, list[tuple[str, float]]]]:
    pairs = (("detection", each.interval), ("hard", each.hard_interval))
    return [(what, list(zip(("low", "high"), pair, strict=True))) for what, pair in pairs]


def said(verdict: Verdict) -> str:
    """A name with the words for low and for high codes, as short as a user's own name must be."""
    return f"{verdict.name}: {verdict.low} to {verdict.high}"[:LONGEST_NAME]


def save_names(run: Run, names: Names, inputs: Mapping[str, Any]) -> None:
    """Keep the names of a run in its ``names.json``, with what they were made from."""
    write_json(run.path / FILE, {"format": STAGE.format, "inputs": inputs, **names.to_json()})


def load_names(run: Run) -> Names:
    """The names that the run keeps; where there are none, a `MissingError` says how they are made."""
    found = STAGE.record(run)
    try:
        return Names(tuple(map(_verdict, found["verdicts"])), plain(dict(found["settings"])))
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise STAGE.damaged(run, "it does not contain names of dimensions") from error


def _verdict(entry: Mapping[str, Any]) -> Verdict:
    """One dimension's entry; raises `TypeError` where texts are no texts or numbers no numbers."""
    known = {each.name: entry[each.name] for each in fields(Verdict)}
    if not all(isinstance(known[what], str) for what in TEXTS):
        raise TypeError("a name is text")
    pairs = {what: tuple(map(_number, known[what])) for what in PAIRS}
    if any(len(pair) != 2 for pair in pairs.values()):
        raise TypeError("an interval has two ends")
    numbers = {what: _number(known[what]) for what in ("detection", "hard", "exclusive", "permuted", "rotated")}
    return Verdict(**{**known, **pairs, **numbers, "pairs": int(known["pairs"])})


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)
