"""Out-of-distribution detection of a run in ``outliers.json``, one entry per pair of data sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from latentlab.analysis.outliers import STAGE
from latentlab.analysis.outliers.measure import Detection
from latentlab.results import Record
from latentlab.runs.run import Run
from latentlab.system.validation import validate

if TYPE_CHECKING:
    import pandas as pd

(FILE,) = STAGE.files


@dataclass(frozen=True, eq=False)
class Outliers(Record):
    """How well a run detects data of another kind, compared with baselines that need no model.

    Parameters
    ----------
    own : str
        The name of the run's own data.
    against : str
        The name of the other data.
    scores : mapping
        For each score its AUROC with a 95 % interval, its AUPRC and whether it needs the model.
    best_baseline : pair of str and float
        The best score without a model and its AUROC.
    beyond_baselines : tuple of str
        The scores of the model that are significantly better.
    settings : mapping
        What it was made from and what has to be known to read it, such as ``inverted`` and
        ``own_rows_were_trained_on``.
    """

    own: str
    against: str
    scores: Mapping[str, Mapping[str, Any]]
    best_baseline: tuple[str, float]
    beyond_baselines: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def to_frame(self) -> pd.DataFrame:
        """The scores as a table.

        Returns
        -------
        DataFrame
            One row per score.
        """
        import pandas as pd

        return pd.DataFrame([{"score": name, **numbers} for name, numbers in self.scores.items()])

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Outliers:
        """The result in an entry of ``outliers.json``.

        Parameters
        ----------
        entry : mapping
            The entry.

        Returns
        -------
        Outliers
            The result.
        """
        named = ("own", "against", "scores", "best_baseline", "beyond_baselines")
        settings = {key: value for key, value in entry.items() if key not in named}
        return cls(**{key: entry[key] for key in named if key in entry}, settings=settings)


class _Entry(BaseModel):
    """What is read of one entry of an ``outliers.json``; the rest is handed on."""

    model_config = ConfigDict(extra="allow")
    own: str
    against: str
    best_baseline: tuple[str, float]
    beyond_baselines: tuple[str, ...] = ()
    scores: dict[str, Detection]


class _Kept(BaseModel):
    entries: dict[str, _Entry]


def load_outliers(run: Run) -> dict[str, Outliers]:
    """What ``outliers.json`` of a run keeps: one entry per pair of data sets.

    An entry from before the balance of its pairs was recorded has no ``matched``: it compared all rows of both sets.
    """
    found: _Kept = validate(_Kept, STAGE.record(run), str(run.path / FILE), f"recompute it: `{STAGE.again(run)}`")
    return {key: Outliers.of(_current(entry.model_dump())) for key, entry in found.entries.items()}


def _current(entry: dict[str, Any]) -> dict[str, Any]:
    for each in entry["scores"].values():
        if each["brighter"] is None:
            each |= {"matched": None, "matched_interval": None}
    return entry
