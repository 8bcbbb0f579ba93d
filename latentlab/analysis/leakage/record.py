"""The leakage of a run in ``leakage.json``, and the table of several runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.analysis.leakage.measure import FORMAT, _leaks
from latentlab.errors import InputError
from latentlab.results import Score
from latentlab.runs.run import Run
from latentlab.system.files import read_json, write_json

if TYPE_CHECKING:
    import pandas as pd


FILE = "leakage.json"


def table(score: Score) -> pd.DataFrame:
    """One row a dimension: ``dim``, ``target``, ``change`` of it, ``leakage`` (NaN where undefined), ``into``, changes.

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
            "dim": [f"z{j}" for j in range(len(leaks))],
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
    write_json(run.path / FILE, {"format": FORMAT, "inputs": inputs, "leakage": score.to_json()})


def load_leakage(run: Run) -> tuple[Score, dict[str, Any]]:
    """What `save_leakage` kept: the score, and what it was made from. Raises `InputError` where there is none."""
    path = run.path / FILE
    if not run.has("encode"):
        run.codes()  # says what is missing, and how it is made
    if not path.is_file():
        raise InputError(f"{run.path} has no leakage (data without factors have none): `latentlab leakage {run.path}`")
    found = read_json(path)
    try:
        score, inputs = Score.from_json(found["leakage"]), dict(found["inputs"])
        _check(score)
        return score, inputs
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise InputError(f"{path} holds no leakage; measure it anew: `latentlab leakage {run.path}`") from error


def _check(score: Score) -> None:
    """Raise a `TypeError` or a `KeyError` where `table` would."""
    names, left_out = score.settings["factors"], score.settings["left_out"]
    if not isinstance(names, list) or not isinstance(left_out, dict):
        raise TypeError("factors are a list, those left out have their R²")
    if score.matrix is not None:
        known = all(isinstance(score.settings["least_change"][name], int | float) for name in names)
        if not known or score.matrix.ndim != 2 or score.matrix.shape[1] != len(names) or len(names) < 2:
            raise TypeError("a column a factor, two at least")
