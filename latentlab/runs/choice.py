"""Whether one setting is better than the others by a score, and which runs lie on the rate–distortion frontier."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.errors import InputError
from latentlab.runs.comparison import COSTS
from latentlab.system.registry import load, names

if TYPE_CHECKING:
    import pandas as pd


def superiority(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """P(measure of setting a > measure of setting b) over all pairs of their seeds, a in rows and b in columns.

    A tie counts one half, so the two directions sum to 1 (Vargha and Delaney 2000, the A statistic). With two seeds
    each the values are quarters and 1 is no proof; ``attrs["n"]`` has the seeds of each setting. NaN where a setting
    has none.
    """
    import pandas as pd

    if measure not in table.columns or not pd.api.types.is_numeric_dtype(table[measure]):
        known = ", ".join([*COSTS, *table.attrs.get("metrics", [])])
        raise InputError(f"the runs have no measure {measure!r}; they have: {known}"[:200])
    usable = table[~table["state"].isin(["broken", "diverged"])]
    values = {key: group[measure].dropna().to_numpy(float) for key, group in usable.groupby("setting", sort=False)}
    chance = [[_chance(a, b) for b in values.values()] for a in values.values()]
    found = pd.DataFrame(chance, index=list(values), columns=list(values))
    found.attrs["n"] = {key: len(each) for key, each in values.items()}
    return found


def _chance(a: Any, b: Any) -> float:
    if not len(a) or not len(b):
        return math.nan
    return float(np.mean((a[:, None] > b) + 0.5 * (a[:, None] == b)))


@dataclass(frozen=True)
class Frontier:
    """Where an objective's runs of one latent size collapse as β grows.

    ``safe`` is the largest β below which no seed has collapsed, ``collapsed`` the smallest at which one has; None where
    there is none. The frontier lies between them. ``active`` is the mean number of active units by β.
    """

    family: str
    safe: float | None
    collapsed: float | None
    active: dict[float, float]


def frontiers(table: pd.DataFrame) -> list[Frontier]:
    """The frontier of collapse of every objective and latent size in `compare`'s table that has a β.

    A run has collapsed when none of its units is active: Var_x E[z|x] ≤ 0.01 for all of them. Several of one objective
    are told apart by their latent size. Runs that are broken or diverged are left out.
    """
    known = table[table["beta"].notna() & table["active_units"].notna() & ~table["state"].isin(["broken", "diverged"])]
    sizes = known["latent_dim"].nunique()
    found = []
    for (objective, size), group in known.groupby(["objective", "latent_dim"], sort=False):
        units = group.groupby("beta")["active_units"].agg(["mean", "min"])
        bad = units.index[units["min"] == 0]
        first = float(bad.min()) if len(bad) else None
        good = [float(beta) for beta in units.index if first is None or beta < first]
        name = f"{objective}, latent size {size}" if sizes > 1 else str(objective)
        active = {float(beta): float(mean) for beta, mean in units["mean"].items()}
        found.append(Frontier(name, max(good, default=None), first, active))
    return found


@dataclass(frozen=True)
class Choice:
    """Which setting is best by one measure, or why none can be named.

    ``best`` is crowned; None where seeds cannot tell. ``leader`` has the highest mean, ``rivals`` are the settings
    that its seeds do not all beat. ``reason`` says it in a sentence.
    """

    measure: str
    best: str | None
    leader: str | None
    rivals: tuple[str, ...]
    reason: str


RULE = (
    "A setting is crowned only when every one of its seeds beats every seed of every other setting, and when seeds are "
    "enough that chance alone would part two settings so in at most 1 of 20 draws (3 seeds each)."
)


def better(measure: str) -> str | None:
    """Whether ``"higher"`` or ``"lower"`` is better by a measure; None where neither is, or it is not known."""
    if measure in names("metrics"):
        found: str | None = load("metrics", measure).METRIC.better
        return found
    return {"elbo": "higher", "distortion": "lower"}.get(measure)


def choice(table: pd.DataFrame, measure: str) -> Choice:
    """The setting of `compare`'s table that is surely the best by a measure, if there is one.

    With a and b seeds, one setting's seeds lie all beyond the other's by chance in 1 of (a+b choose a) draws: 1 of 6
    for two seeds each, 1 of 20 for three. No correction is made for comparing several settings.
    """
    direction = better(measure)
    if direction is None:
        raise InputError(f"neither more nor less of {measure} is better, so it cannot choose; judge by another measure")
    chance = superiority(table, measure)
    n = chance.attrs["n"]
    chance = chance if direction == "higher" else chance.T
    usable = table[~table["state"].isin(["broken", "diverged"])]
    means = usable.groupby("setting", sort=False)[measure].mean().dropna()
    if means.empty:
        return Choice(measure, None, None, (), f"no run has a value of {measure}")
    leader = str(means.idxmax() if direction == "higher" else means.idxmin())
    others = [str(other) for other in means.index if other != leader]
    if not others:
        return Choice(measure, None, leader, (), f"{leader} is the only setting, so there is nothing to choose from")
    rivals = tuple(other for other in others if chance.loc[leader, other] < 1)
    if rivals:
        named = ", ".join(rivals[:3]) + (f" and {len(rivals) - 3} more" if len(rivals) > 3 else "")
        reason = f"{leader} has the best mean, but its seeds do not all beat those of {named}"
        return Choice(measure, None, leader, rivals, reason)
    draws = min(math.comb(n[leader] + n[other], n[leader]) for other in others)
    if draws < 20:
        chance_of = f"so few seeds would show that by chance in 1 of {draws} draws"
        reason = f"every seed of {leader} beats all others, but {chance_of}"
        return Choice(measure, None, leader, (), reason)
    return Choice(measure, leader, leader, (), f"every seed of {leader} beats every seed of the other settings")
