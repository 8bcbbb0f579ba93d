"""Scores on combinations of factor levels that nothing was fitted to, compared with other rows that nothing was.

Rows that have all the named levels together are held out. What a metric fits it fits to two thirds of the other rows,
once, and scores twice: on the last third of them, and on the rows held out. Which rows a model was trained on is not
changed by that: it asks what can be read off the codes of combinations that the reader never met.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray

from latentlab.analysis.score.arrays import levels_of
from latentlab.analysis.score.calls import Material, gather, untyped
from latentlab.analysis.score.profiles._protocol import Protocol
from latentlab.analysis.score.scoring import profile_name, versions
from latentlab.data.dataset import Factor, FactorKind
from latentlab.errors import InputError
from latentlab.metrics._arrays import survey
from latentlab.results import Result, Score
from latentlab.system.registry import load

if TYPE_CHECKING:
    import pandas as pd

METRICS = ("sap", "dci", "explicitness", "snc", "linear_probe")
FITTED = ("split", "labels")  # needs of metrics that fit on some rows and score others
LEAST = 20  # rows held out, and rows to score beside them
Levels = Mapping[str, Sequence[float | str]]


@dataclass(frozen=True, eq=False)
class HeldOut(Result):
    """What `hold_out` computed.

    Parameters
    ----------
    scores : dict of dict
        By metric: ``in_distribution`` and ``held_out``, the metric's number on either rows, ``difference``, the second
        less the first, the ``factors`` that they are means over, and ``parts``: the same three of every part that the
        rows scored change.
    skipped : dict of str
        Why a metric was not computed, by metric.
    settings : mapping
        Profile, levels held out, rows of each part, seed and versions.

    Examples
    --------
    >>> HeldOut({}, {"mig": "it fits nothing"}, {}).to_frame()["metric"].tolist()
    ['mig']
    """

    scores: dict[str, dict[str, Any]]
    skipped: dict[str, str]
    settings: Mapping[str, Any]

    def to_frame(self) -> pd.DataFrame:
        """The scores as a table.

        Returns
        -------
        DataFrame
            One row per metric and per part: both numbers and their difference; skipped metrics have the reason.
        """
        import pandas as pd

        rows = []
        for name, entry in self.scores.items():
            rows += [{"metric": name, "part": "", **{key: entry[key] for key in NUMBERS}}]
            rows += [{"metric": name, "part": part, **numbers} for part, numbers in entry["parts"].items()]
        return pd.DataFrame([*rows, *({"metric": name, "skipped": why} for name, why in self.skipped.items())])


NUMBERS = ("in_distribution", "held_out", "difference")


class Parts(NamedTuple):
    """Rows to fit on, to score in distribution, and held out."""

    train: NDArray[np.int64]
    same: NDArray[np.int64]
    out: NDArray[np.int64]


def hold_out(
    codes: ArrayLike,
    factors: ArrayLike,
    levels: Levels,
    *,
    factor_names: Sequence[str] = (),
    kinds: Sequence[FactorKind] | None = None,
    metrics: Sequence[str] | None = None,
    profile: str = "dlib",
    seed: int = 0,
) -> HeldOut:
    """Score codes on combinations of levels that were left out when metrics were fitted, and on the others.

    Parameters
    ----------
    codes : array (n, d)
        Codes, one row per sample.
    factors : array (n, k) or DataFrame
        Factors, NaN where missing, words as levels: a row without a label in a named factor is not held out.
    levels : mapping of str to sequence of float or str
        Levels of some factors, as in ``{"shape": ["heart"], "scale": [4, 5]}``, words where the factors have
        words: rows that have one of the values in every factor named are held out. Each level must occur in other
        combinations.
    factor_names : sequence of str
        A name for each column of ``factors``; by default those of a DataFrame, or ``factor_0``, ….
    kinds : sequence of str, optional
        What each factor is: ``categorical``, ``ordinal``, ``continuous`` or ``circular``.
    metrics : sequence of str, optional
        Metrics that are fitted to rows; by default sap, dci, explicitness, snc and linear_probe.
    profile : str, default "dlib"
        The profile whose settings the metrics have.
    seed : int, default 0
        Of the split of the other rows, 2:1.

    Returns
    -------
    HeldOut
        Both numbers of each metric and their difference. They are means over factors that vary among the rows held out,
        but for probes, whose accuracy needs no spread.

    Raises
    ------
    InputError
        For factors that are unknown or continuous, levels that are not there or occur in no other combination, and
        where fewer than 20 rows are held out or left to score.

    Notes
    -----
    Metrics are fitted to two thirds of the other rows (at most 10,000) and score the third and the rows held out (at
    most 5,000 each).

    Examples
    --------
    >>> import numpy as np
    >>> v = np.stack(np.unravel_index(np.arange(256) % 16, (4, 4)), axis=1)
    >>> found = hold_out(v.astype(float), v, {"factor_0": [3], "factor_1": [2, 3]}, metrics=["linear_probe"])
    >>> found.settings["rows"]
    {'train': 150, 'in_distribution': 74, 'held_out': 32}
    """
    rules = load("analysis/score/profiles", profile)
    known = levels_of(factors, factor_names)
    material = gather(codes, known.factors, factor_names=known.names, kinds=kinds)
    numbers = named(levels, known.specs)
    parts = _parts(material, numbers, seed)
    classes = material if rules.TYPED else replace(material, kinds=untyped(material))
    constant = _constant(material, parts.out)
    compared, skipped = dict[str, dict[str, Any]](), dict[str, str]()
    for name in metrics or METRICS:
        module = load("metrics", name)
        key = module.__name__.rpartition(".")[2]
        given = classes if key in rules.PROTOCOLS else material
        options = rules.PROTOCOLS.get(key, Protocol()).settings
        try:
            compared[key] = _compared(key, module, given, parts, options, constant)
        except InputError as error:
            skipped[key] = str(error)
    settings: dict[str, Any] = {
        "profile": profile_name(rules),
        "held_out": numbers,
        "rows": {"train": len(parts.train), "in_distribution": len(parts.same), "held_out": len(parts.out)},
        "seed": seed,
        "constant_among_held_out": [material.names[j] for j in constant],
        "versions": versions(),
    }
    return HeldOut(compared, skipped, settings)


def named(levels: Levels, specs: Sequence[Factor]) -> dict[str, list[float]]:
    """Levels as they are typed, by name or value, as the numbers that the factors' columns hold; numbers stay.

    >>> named({"shape": ["heart"], "size": ["2"]}, [Factor("shape", values=("square", "heart")), Factor("size")])
    {'shape': [1.0], 'size': [2.0]}
    """
    known = {spec.name: [str(value) for value in spec.values] for spec in specs}
    for name, given in levels.items():
        if isinstance(given, str) or not hasattr(given, "__iter__"):
            came = f"{given!r:.40}"
            raise InputError(f"levels of {name[:60]} are {came}; expected several in brackets, as in [{came}]")
    return {name: [_number(name, each, known.get(name, [])) for each in given] for name, given in levels.items()}


def _number(name: str, text: float | str, values: Sequence[str]) -> float:
    if not isinstance(text, str):
        return float(text)
    alike = [value for value in values if value == text] or [v for v in values if v.casefold() == text.casefold()]
    if len(alike) == 1:
        return float(values.index(alike[0]))
    try:
        if not values:
            return float(text)
        return float([float(value) for value in values].index(float(text)))
    except ValueError as error:
        shown = ", ".join(values[:12]) or "numbers"
        raise InputError(f"{text[:40]!r} is not a level of factor {name[:40]}; expected {shown}"[:200]) from error


def _parts(material: Material, levels: Mapping[str, Sequence[float]], seed: int) -> Parts:
    """The rows of each part; `InputError` where a level is unknown or too few rows are left."""
    factors = np.asarray(material.factors, np.float64)
    if not levels:
        raise InputError("hold-out names no factor; expected levels, as in {'shape': [2], 'scale': [4, 5]}")
    out = np.ones(len(factors), dtype=bool)
    for name, values in levels.items():
        out &= np.isin(factors[:, _column(material, name, values)], np.asarray(values, np.float64))
    random = RandomState(seed)
    rest, held = random.permutation(np.flatnonzero(~out)), random.permutation(np.flatnonzero(out))
    cut = len(rest) - len(rest) // 3
    limits = Protocol()
    parts = Parts(np.sort(rest[:cut][: limits.train]), np.sort(rest[cut:][: limits.test]), np.sort(held[: limits.test]))
    for what, rows in (("held out", parts.out), ("left to score in distribution", parts.same)):
        if len(rows) < LEAST:
            raise InputError(f"{len(rows)} rows are {what}; expected at least {LEAST}: choose other levels")
    for name, values in levels.items():
        _check_trained(factors[parts.train, _column(material, name, values)], name, values)
    return parts


def _check_trained(column: NDArray[np.float64], name: str, values: Sequence[float]) -> None:
    never = [value for value in values if not (column == value).any()]
    if never:
        raise InputError(
            f"level {never[0]:g} of {name[:60]} occurs in no other combination, so nothing can be fitted to it; "
            "hold out fewer levels, or name a second factor"
        )


def _column(material: Material, name: str, values: Sequence[float]) -> int:
    """The column of a factor that has levels, all of those values among them."""
    if name in material.dropped:
        raise InputError(f"factor {name[:80]} has one level in all rows; hold out levels of factors that vary")
    if name not in material.names:
        raise InputError(f"no factor is called {name[:60]!r}; the factors are: {', '.join(material.names)}"[:200])
    j = material.names.index(name)
    column = np.asarray(material.factors, np.float64)[:, j]
    if (material.kinds and material.kinds[j] == "continuous") or not survey(column[:, None])[0].whole:
        raise InputError(f"factor {name[:60]} is continuous and has no levels to hold out; name another factor")
    known = np.unique(column[~np.isnan(column)])
    if not len(values) or not np.isin(values, known).all():
        wrong = next((value for value in values if value not in known), None)
        came = "no level is named" if wrong is None else f"{wrong:g} is not a level"
        shown = ", ".join(f"{value:g}" for value in known[:12])
        raise InputError(f"{came} of factor {name[:60]}; its levels: {shown}{' …' if len(known) > 12 else ''}")
    return j


def _constant(material: Material, rows: NDArray[np.int64]) -> list[int]:
    """Factors that have one value, or none, among those rows."""
    held = np.asarray(material.factors, np.float64)[rows]
    return [j for j, column in enumerate(survey(held)) if not column.low < column.high]


def _compared(
    name: str, module: ModuleType, material: Material, parts: Parts, settings: Mapping[str, Any], constant: list[int]
) -> dict[str, Any]:
    """A metric fitted once and scored on either rows."""
    if module.METRIC.needs not in FITTED:
        raise InputError("it fits nothing that other rows could be held out from")
    z, v = material.codes, np.asarray(material.factors)
    both = []
    for rows in (parts.same, parts.out):
        options = {"kinds": material.kinds, **settings}
        both.append(getattr(module, name)(z[parts.train], v[parts.train], z[rows], v[rows], **options))
    left_out = [] if module.METRIC.needs == "labels" else constant
    same, out = (_over(each, left_out) for each in both)
    if not np.isfinite([same, out]).all():
        raise InputError("undefined: no factor varies among the rows held out")
    return {
        **_numbers(same, out),
        "factors": [each for j, each in enumerate(material.names) if j not in left_out],
        "parts": _changed(*both),
    }


def _over(score: Score, left_out: list[int]) -> float:
    """The value over the factors that are not left out, where it is a mean or a sum over factors."""
    each = np.array(list(score.per_factor.values()))
    kept = np.delete(each, left_out)
    if not left_out:
        return score.value
    if np.isfinite(score.value) and np.isclose(each.sum(), score.value):
        return float(kept.sum())
    if np.isfinite(score.value) and not np.isclose(each.mean(), score.value):
        return score.value
    return float(kept.mean()) if len(kept) else float("nan")


def _changed(same: Score, out: Score) -> dict[str, dict[str, float]]:
    """Parts on which the rows scored have an effect; those of the rows fitted to are equal on both."""
    pairs = {part: (same.parts[part], out.parts[part]) for part in same.parts}
    return {part: _numbers(*pair) for part, pair in pairs.items() if np.isfinite(pair).all() and pair[0] != pair[1]}


def _numbers(same: float, out: float) -> dict[str, float]:
    return {"in_distribution": float(same), "held_out": float(out), "difference": float(out - same)}
