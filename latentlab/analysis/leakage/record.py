"""The leakage of a run in ``leakage.json``, and the table of several runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.analysis.leakage import STAGE
from latentlab.analysis.leakage.measure import _leaks
from latentlab.codes.symbols import symbols
from latentlab.results import Score
from latentlab.runs.run import Run
from latentlab.system.files import write_json

if TYPE_CHECKING:
    import pandas as pd


(FILE,) = STAGE.files


def table(score: Score) -> pd.DataFrame:
    """One row per dimension: ``dim``, ``target``, ``change`` of it, ``leakage`` (NaN where undefined), ``into``,
    changes.

    ``into`` is the factor that changes most besides the target; the last columns are the changes of all factors.
    """
    import pandas as pd

    if score.matrix is None:
        return pd.DataFrame(columns=["dim", "target", "change", "leakage", "into"])
    names = list(score.settings["factors"])
    least = np.array([score.settings["least_change"][name] for name in names])
    leaks, order = _leaks(score.matrix, least), np.argsort(-score.matrix, axis=1, kind="stable")
    known = np.isfinite(leaks)
    found = pd.DataFrame(
        {
            "dim": symbols(len(leaks)),
            "target": [names[k] if ok else None for k, ok in zip(order[:, 0], known, strict=True)],
            "change": np.where(known, score.matrix.max(axis=1), np.nan),
            "leakage": leaks,
            "into": [names[k] if ok else None for k, ok in zip(order[:, 1], known, strict=True)],
        }
    )
    return pd.concat([found, pd.DataFrame(score.matrix, columns=[f"change of {name}" for name in names])], axis=1)


def tables(scores: Mapping[str, Score]) -> pd.DataFrame:
    """`table` of several runs, whose names stand in the column ``run``."""
    import pandas as pd

    return pd.concat([table(score).assign(run=name) for name, score in scores.items()], ignore_index=True)


def save_leakage(run: Run, score: Score, inputs: dict[str, Any]) -> None:
    """Keep the leakage of a run in its ``leakage.json``, with what it was made from."""
    write_json(run.path / FILE, {"format": STAGE.format, "inputs": inputs, "leakage": score.to_json()})


def load_leakage(run: Run) -> Score:
    """The leakage that the run keeps; where there is none, a `MissingError` says how it is measured."""
    found = STAGE.record(run)
    try:
        score = Score.from_json(found["leakage"])
        _check(score)
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise STAGE.damaged(run, "it does not contain a leakage score") from error
    return score


def _check(score: Score) -> None:
    """Raise a `TypeError` or a `KeyError` where `table` would."""
    names, left_out = score.settings["factors"], score.settings["left_out"]
    if not isinstance(names, list) or not isinstance(left_out, dict):
        raise TypeError("factors are a list, those left out have their R²")
    if score.matrix is not None:
        known = all(isinstance(score.settings["least_change"][name], int | float) for name in names)
        if not known or score.matrix.ndim != 2 or score.matrix.shape[1] != len(names) or len(names) < 2:
            raise TypeError("one column per factor, at least two")
