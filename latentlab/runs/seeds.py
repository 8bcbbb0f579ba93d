"""The values of a measure by setting and seed: whether they may be compared, and whether they beat their nulls."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from latentlab.errors import InputError
from latentlab.runs.row import COSTS
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

PARTS = ("data", "factors", "labels")  # what a fingerprint tells apart


def check_measure(table: pd.DataFrame, measure: str) -> None:
    """Raise an `InputError` where the runs have no such number."""
    import pandas as pd

    if measure not in table.columns or not pd.api.types.is_numeric_dtype(table[measure]):
        known = ", ".join([*COSTS, *table.attrs.get("metrics", [])])
        raise InputError(f"the runs do not have the measure {measure!r}; available: {known}"[:200])


def usable(table: pd.DataFrame) -> pd.DataFrame:
    """The runs that count: neither broken nor diverged."""
    return table[~table["state"].isin(["broken", "diverged"])]


def first_seeds(table: pd.DataFrame) -> tuple[Run, ...]:
    """A run of each setting: the first that counts and was trained."""
    good = usable(table)
    good = good[(good["state"] != "empty") & good["path"].notna()]
    return tuple(Run(path) for path in good.groupby("setting", sort=False)["path"].first())


def distance(first: Run, other: Run) -> tuple[bool | float, ...]:
    """How far a run is from being the next β of the same seed: what is compared where nothing was chosen.

    Parameters
    ----------
    first, other : Run
        Two runs.

    Returns
    -------
    tuple
        Smaller for a run that is a better partner of the first.

    Examples
    --------
    >>> from latentlab.runs.study import Study
    >>> from latentlab.system.resources import shipped_study
    >>> study = Study(shipped_study())
    >>> min(study, key=lambda run: distance(study["beta1-seed0"], run)).config.seed
    0
    """
    own, beta = first.config.beta or 0.0, other.config.beta
    far = (False, 0.0) if beta is None else (beta <= own, abs(beta - own))
    same = other.config.label == first.config.label
    return same, not other.config.stochastic, beta is None, other.config.seed != first.config.seed, *far


def by_seed(table: pd.DataFrame, measure: str) -> dict[str, dict[int, float]]:
    """The values of a measure by setting and seed; settings without any are left out.

    Runs of one setting and one seed are one training, or copies of it, and count once, by their mean. Runs whose seed
    is not known get keys below 0 that no other run has.
    """
    found: dict[str, dict[int, list[float]]] = {}
    columns = [key for key in ("setting", "seed", measure) if key in table]
    for place, row in enumerate(usable(table)[columns].to_dict("records")):
        seed, value = row.get("seed"), row[measure]
        if isinstance(row["setting"], str) and math.isfinite(value):
            key = int(seed) if isinstance(seed, int | float | np.integer) and math.isfinite(seed) else -1 - place
            found.setdefault(row["setting"], {}).setdefault(key, []).append(float(value))
    return {name: {seed: float(np.mean(each)) for seed, each in seeds.items()} for name, seeds in found.items()}


def incomparable(table: pd.DataFrame, measure: str) -> str:
    """Why the values of a measure may not be compared: other data, another profile, another scale; "" where they may.

    >>> import pandas as pd
    >>> rows = {"state": "finished", "mig": 0.1, "mig_profile": ["dlib@1", "dlib@2"], "setting": ["a", "b"]}
    >>> incomparable(pd.DataFrame(rows), "mig")
    'the runs differ in profiles, so mig cannot be compared: a dlib@1, b dlib@2'
    """
    rows = usable(table)
    rows = rows[rows[measure].notna()]
    columns = {f"{measure}_profile": "profiles", "data": "data"}
    columns |= {"scale": "scales of likelihood"} if measure in COSTS else {}
    if "fingerprint" in rows and rows["fingerprint"].fillna("").ne("").all():
        columns = {("fingerprint" if key == "data" else key): said for key, said in columns.items()}
    for column, said in columns.items():
        first = rows.dropna(subset=column).drop_duplicates(column).head(2) if column in rows else rows[:0]
        if len(first) > 1:
            told = first.to_dict("records")
            if column == "fingerprint":
                named = " and ".join(str(row["setting"]) for row in told)
                said = _different(*(str(row[column]) for row in told))
                return f"the runs differ in {said}, so {measure} cannot be compared: {named}"
            named = ", ".join(f"{row['setting']} {str(row[column])[:40]}" for row in told)
            return f"the runs differ in {said}, so {measure} cannot be compared: {named}"
    flags = rows["flags"].fillna("") if "flags" in rows else []
    if any("mixed files" in each for each in flags):
        return "some runs have files of two trainings: `latentlab doctor` names them"
    if any("stale" in each for each in flags):
        return "some codes or scores are stale: they were made from different weights or codes than the current ones"
    return ""


def _different(first: str, second: str) -> str:
    """Which parts of two fingerprints, 16 digits each, are others: the rows, or what is known of them."""
    at = [k for k, _ in enumerate(PARTS) if first[16 * k : 16 * k + 16] != second[16 * k : 16 * k + 16]]
    if 0 in at or not at:
        return PARTS[0]
    return f"{' and '.join(PARTS[k] for k in at)} of the same rows (score all against the same columns)"


def below_nulls(rows: pd.DataFrame, measure: str) -> pd.Series[bool]:
    """Which runs do not exceed what permuted codes reach or, standardised, what rotated codes reach; higher is better.

    A null that was not computed, or that no rotation can tell from the value, holds nobody back.
    """
    unknown = float("nan")
    below = rows[measure] <= rows.get(f"{measure}_permuted", unknown)
    standardised = rows.get(f"{measure}_standardised", rows[measure])
    return below | (standardised <= rows.get(f"{measure}_null", unknown))


def missed_nulls(rows: pd.DataFrame, measure: str) -> tuple[int, int]:
    """How many runs with a value do not exceed their nulls, and how many have a value."""
    scored = rows[rows[measure].notna()]
    return int(below_nulls(scored, measure).sum()), len(scored)


def without_value(table: pd.DataFrame, measure: str, settings: Collection[str]) -> int:
    """How many runs of these settings have diverged or have no value: what is left out may be what went wrong."""
    rows = table[table["setting"].isin(settings)]
    return len(rows) - int(usable(rows)[measure].notna().sum())
