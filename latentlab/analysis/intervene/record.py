"""Interventions on a run's codes in ``interventions.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import nan
from typing import TYPE_CHECKING, Any

from latentlab.analysis.intervene import STAGE
from latentlab.analysis.intervene.ablate import Ablation
from latentlab.analysis.intervene.estimate import Estimate
from latentlab.analysis.intervene.measure import Intervention
from latentlab.codes.symbols import symbol
from latentlab.errors import InputError
from latentlab.results import Result, plain
from latentlab.runs.run import Run
from latentlab.system.files import write_json
from latentlab.system.validation import validate

if TYPE_CHECKING:
    import pandas as pd

(FILE,) = STAGE.files
UNKNOWN = Estimate(nan, nan, nan)
OWNED = 0.1  # MIG's gap of a factor from which on it names a dimension


@dataclass(frozen=True, eq=False)
class Interventions(Result):
    """Which part of the code carries each factor, and what each dimension is needed for.

    Parameters
    ----------
    factors : tuple of Intervention
        For each factor that can be read: the part of the code whose swap changes it, with cause and isolation.
    ablations : tuple of Ablation
        For each dimension in use: what setting it to one value costs.
    swaps : tuple of tuple of float
        The cause of every single dimension (a row) for every factor (a column).
    gaps : tuple of float
        The mutual information gap of each factor, over the factor's entropy.
    tops : tuple of int
        The dimension with the most mutual information about each factor.
    settings : mapping
        What it was made from, and the factors left out.

    Raises
    ------
    InputError
        Where the parts are not of as many factors.
    """

    factors: tuple[Intervention, ...]
    ablations: tuple[Ablation, ...]
    swaps: tuple[tuple[float, ...], ...]
    gaps: tuple[float, ...]
    tops: tuple[int, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        k = len(self.factors)
        if {len(self.gaps), len(self.tops), *map(len, self.swaps)} - {k}:
            raise InputError(f"interventions on {k} factors with numbers of another count; expected {k} of each")

    def to_json(self) -> dict[str, Any]:
        """The interventions as JSON.

        Returns
        -------
        dict
            Plain JSON values by field.
        """
        found: dict[str, Any] = plain(asdict(self))
        return found

    def to_frame(self) -> pd.DataFrame:
        """The interventions as a table.

        Returns
        -------
        DataFrame
            One row per factor: what carries it, cause and isolation with intervals, MIG's gap and dimension, and where
            the two disagree.
        """
        import pandas as pd

        rows = [
            {
                "factor": each.factor,
                "carried by": carrier(each),
                **(each.cause or UNKNOWN).columns("cause"),
                **(each.isolation or UNKNOWN).columns("isolation"),
                "other factor moved most": each.into,
                "cause of the whole code": each.whole.value,
                "MIG gap": gap,
                "MIG names": symbol(top) if gap >= OWNED else None,
                "disagreement": disagreement(each, gap, top),
            }
            for each, gap, top in zip(self.factors, self.gaps, self.tops, strict=True)
        ]
        return pd.DataFrame(rows)

    def costs(self) -> pd.DataFrame:
        """What ablations cost, as a table.

        Returns
        -------
        DataFrame
            One row per dimension in use: the rise of distortion in nats with its interval, and the fall of R² of each
            factor.
        """
        import pandas as pd

        rows = [
            {
                "dim": symbol(each.dim),
                **each.distortion.columns("distortion"),
                **{f"R² of {name}": fall.value for name, fall in each.readability.items()},
            }
            for each in self.ablations
        ]
        return pd.DataFrame(rows)


def carrier(found: Intervention) -> str:
    """What carries a factor, in words: ``z1, z4``, ``2 directions``, ``entangled`` or ``absent``."""
    if found.kind == "subspace":
        n = len(found.weights)
        return f"{n} direction{'s' if n > 1 else ''}"
    return ", ".join(symbol(j) for j in found.dims) or found.kind


def disagreement(found: Intervention, gap: float, top: int) -> str:
    """Where mutual information and intervention disagree about a factor, in words; empty where they agree.

    MIG names the dimension with the most information where the gap to the next is at least 0.1 of the factor's
    entropy.
    """
    named = gap >= OWNED
    if not found.found:
        why = "no swap changes the factor" if found.kind == "absent" else "its swap changes other factors as much"
        return f"MIG names {symbol(top)} ({gap:.2f}), but {why}" if named else ""
    if not named:
        return f"MIG names no dimension ({gap:.2f}), but a swap of {carrier(found)} changes the factor"
    if found.dims == (top,):
        return ""
    return f"MIG names {symbol(top)} ({gap:.2f}), but the factor is carried by {carrier(found)}"


def save_interventions(run: Run, found: Interventions, inputs: Mapping[str, Any]) -> None:
    """Keep the interventions on a run's codes in its ``interventions.json``, with what they were made from."""
    content = {"format": STAGE.format, "inputs": inputs, "interventions": found.to_json()}
    write_json(run.path / FILE, content)


def load_interventions(run: Run) -> Interventions:
    """The interventions that the run keeps; where there are none, a `MissingError` says how they are made."""
    record, where, mend = STAGE.record(run), str(run.path / FILE), f"recompute it: `{STAGE.again(run)}`"
    found: Interventions = validate(Interventions, record.get("interventions"), where, mend)
    return found
