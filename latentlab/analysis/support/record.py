"""What a survey left in a run's folder, and many of them as one table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, field_validator

from latentlab.analysis.support import STAGE
from latentlab.codes.decodings import Decodings, load_decodings
from latentlab.results import Record
from latentlab.runs.comparison import settings_of
from latentlab.runs.run import Run
from latentlab.runs.verdicts import in_words
from latentlab.system.validation import validate

if TYPE_CHECKING:
    import pandas as pd

NUMBERS, SHEETS = STAGE.files
SHEET = 24
ARMS = {
    "prior": "N(0, I)",
    "gaussian": "normal fitted to the codes",
    "aggregate": "aggregate posterior",
    "real": "real training data",
    "constant": "one constant sample",
}
WIDTHS = ("narrowest", "widest")
PASSES = 0.5
Measures = dict[str, int | float | None]
SHARES = ("precision", "coverage", "holes")


@dataclass(frozen=True, eq=False)
class Support(Record):
    """Whether a latent space can be sampled from.

    Parameters
    ----------
    information : mapping
        Rate, active units and how well labels are read from the codes, without which none of it means anything.
    arms : mapping
        Precision, density, coverage and holes for samples of each source, compared with real training data and one
        constant image.
    between : mapping
        The continuity of the decoder on straight lines between codes.
    fit : mapping or None
        The aggregate posterior against the prior.
    memory : mapping or None
        Train and test ELBO, and how near samples are to training images.
    widths : mapping or None
        The posteriors' widths.
    undefined : mapping
        What the model does not have, and why.
    no_interval : mapping
        Which numbers have no interval, and why.
    settings : mapping
        What it was made from.
    """

    information: Mapping[str, Any]
    arms: Mapping[str, Mapping[str, Any]]
    between: Mapping[str, Any]
    fit: Mapping[str, Any] | None
    memory: Mapping[str, Any] | None
    widths: Mapping[str, Any] | None
    undefined: Mapping[str, str]
    no_interval: Mapping[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def to_frame(self) -> pd.DataFrame:
        """The numbers as a table.

        Returns
        -------
        DataFrame
            One row per source of samples.
        """
        import pandas as pd

        return pd.DataFrame([{"source": ARMS[name], **numbers} for name, numbers in self.arms.items()])


class _Widths(BaseModel):
    model_config = ConfigDict(extra="allow")
    median: float
    low: float
    high: float


class _Fit(BaseModel):
    model_config = ConfigDict(extra="allow")
    mmd: float | None = None
    mmd_null: float | None = None
    gaussian_tc: float | None = None
    gaussian_kl: float | None = None


class _Kept(BaseModel):
    """What is read of a ``support.json``; the rest is handed on."""

    model_config = ConfigDict(extra="allow")
    format: int
    information: Measures
    arms: dict[Literal["prior", "gaussian", "aggregate", "real", "constant"], Measures]
    between: Measures
    fit: _Fit | None
    memory: Measures | None
    widths: _Widths | None
    undefined: dict[str, str]
    no_interval: dict[str, str] | None = None

    @field_validator("arms")
    @classmethod
    def _whole(cls, arms: dict[str, Measures]) -> dict[str, Measures]:
        for name in ARMS:
            needed = {"precision", "coverage"} | (set() if name == "constant" else {"to_training"})
            if missing := needed - arms.get(name, {}).keys():
                raise ValueError(f"{name} has no {min(missing)}")
        return arms


def read_support(run: Run) -> Support:
    """The numbers of `latentlab support`; a `MissingError` says how to make them."""
    found: _Kept = validate(_Kept, STAGE.record(run), str(run.path / NUMBERS), f"recompute it: `{STAGE.again(run)}`")
    numbers = found.model_dump() if found.no_interval is not None else _without_intervals(found.model_dump())
    named = {key: numbers.pop(key) for key in Support.__dataclass_fields__ if key in numbers}
    return Support(**named, settings=numbers)


def _without_intervals(found: dict[str, Any]) -> dict[str, Any]:
    """A survey of before 2026-12 without the intervals of its arms, which covered 47 to 91 % where 95 % were said."""
    arms = {
        name: {key: value for key, value in each.items() if not key.endswith(("_low", "_high"))}
        for name, each in found["arms"].items()
    }
    why = "an earlier version computed it, whose intervals covered too little; measure again with `latentlab support`"
    return found | {"arms": arms, "no_interval": {"precision, coverage, holes": why}}


def read_sheet(run: Run) -> dict[str, Decodings]:
    """The pictures of `latentlab support`: samples by source, ways between codes, widest and narrowest rows."""
    path = STAGE.path(run, SHEETS)
    parts = load_decodings(path)
    needed = {"samples-prior", "samples-gaussian", "samples-aggregate"} | (
        set(WIDTHS) if set(WIDTHS) & set(parts) else set()
    )
    if missing := needed - set(parts):
        raise STAGE.damaged(run, f"it has no {min(missing)}", SHEETS)
    for name, part in parts.items():
        single = name.startswith("samples-") or name in WIDTHS
        if single and (
            part.images.ndim != 1 + part.form.ndim
            or part.originals is None
            or part.originals.shape != part.images.shape
        ):
            raise STAGE.damaged(run, f"{name} lacks images or their originals", SHEETS)
        if name in WIDTHS and len(validate(list[float], part.settings.get("width"), str(path))) != len(part.images):
            raise STAGE.damaged(run, f"{name} does not have a width for each image", SHEETS)
    return parts


def support_table(runs: Sequence[Run]) -> pd.DataFrame:
    """One row per run: what its codes know, then each arm's measures as ``prior.coverage`` and so on; missing is NaN.

    ``run``, ``setting``, ``seed``; ``rate``, ``active_units``, ``probe``; precision, density, coverage and holes of
    every arm, with ``_low`` and ``_high`` where they have an interval; ``detour``, ``jump``, ``distinctions``,
    ``widths``, ``gradient`` of the ways between codes; ``mmd``, ``gaussian_tc``, ``gaussian_kl`` of the fit to the
    prior; ``gap``, the test loss less the training loss in nats. Runs that were not measured are left out; where
    none was, a `MissingError` says how.
    """
    import pandas as pd

    measured = [run for run in runs if (run.path / NUMBERS).is_file()]
    if not measured:
        STAGE.path(runs[0])  # says how it is made
    settings = dict(zip(runs, settings_of(runs), strict=True))
    return pd.DataFrame([_row(run, settings[run], read_support(run)) for run in measured])


def by_setting(table: pd.DataFrame) -> list[dict[str, Any]]:
    """One entry per setting of `support_table`: each measure's ``_mean``, ``_min`` and ``_max`` over its ``n``
    seeds."""
    measures = [key for key in table.columns if key not in ("run", "setting", "seed")]
    found = []
    for setting, group in table.groupby("setting", sort=False):
        row: dict[str, Any] = {"setting": setting, "n": len(group)}
        for key in measures:
            row |= {f"{key}_mean": group[key].mean(), f"{key}_min": group[key].min(), f"{key}_max": group[key].max()}
        found.append(row)
    return found


def verdict(table: pd.DataFrame) -> tuple[str, str]:
    """A sentence on `support_table` and what it rests on: how much of the real images N(0, I) reaches by setting.

    A setting passes where its samples reach half of what real training data reach; that line is a convention.
    """
    rows = by_setting(table)
    share = {row["setting"]: row["prior.coverage_mean"] / row["real.coverage_mean"] for row in rows}
    good = [name for name, value in share.items() if value >= PASSES]
    said = ", ".join(f"{100 * value:.0f} % ({name})" for name, value in share.items())
    head = (
        f"Samples from N(0, I) reach the coverage threshold with {in_words(good)}"
        if good
        else "No setting reaches the coverage threshold with samples from N(0, I)"
    )
    return (
        f"{head}.",
        f"Coverage by samples, relative to real training data: {said}. The threshold is {100 * PASSES:.0f} %.",
    )


def _row(run: Run, setting: str, found: Support) -> dict[str, Any]:
    config = run.config
    row: dict[str, Any] = {"run": run.name, "setting": setting, "seed": config.seed, "beta": config.beta}
    row |= {key: _number(found["information"].get(key)) for key in ("rate", "active_units", "probe", "knn")}
    row["prior.holes"] = math.nan  # where a deterministic encoder's scale is free
    for arm in ARMS:
        row |= {f"{arm}.{key}": _number(value) for key, value in found["arms"][arm].items()}
    row |= {key: _number(value) for key, value in found["between"].items()}
    row |= {key: _number((found["fit"] or {}).get(key)) for key in ("mmd", "mmd_null", "gaussian_tc", "gaussian_kl")}
    row |= {key: _number((found["memory"] or {}).get(key)) for key in ("gap", "gap_low", "gap_high")}
    return row | {"width": _number((found["widths"] or {}).get("median"))}


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
