"""Score codes by a profile: every metric gets the rows that it asks for, and none stops the others."""

from __future__ import annotations

import importlib
import platform
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from html import escape
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike

from latentlab.analysis.score.calls import Call, Material, arguments, gather, untyped
from latentlab.analysis.score.domain import caveats
from latentlab.analysis.score.profiles._protocol import BATCH, Protocol
from latentlab.analysis.score.scored import Scored, acquaint
from latentlab.analysis.score.uncertainty import is_fast, with_uncertainty
from latentlab.data.dataset import FactorKind
from latentlab.errors import InputError
from latentlab.results import Caveat, Result, Score
from latentlab.system.machine import process_threads
from latentlab.system.registry import load

if TYPE_CHECKING:
    import pandas as pd

SLOW = "it takes minutes for a metric that trains a model; compute it with --resample-slow"


@dataclass(frozen=True, eq=False)
class Scores(Result):
    """What `score` computed, and what it skipped.

    Parameters
    ----------
    scores : dict of Score
        The score of each metric, by name.
    skipped : dict of str
        Why a metric was not computed, by metric.
    seconds : dict of float
        How many seconds each metric took; one that computes on several threads takes them while others are computed.
        Redraws that several metrics take together count for each by its share.
    caveats : tuple of Caveat
        The ways in which the data lie outside the domain in which scores can be trusted.

    Examples
    --------
    >>> import latentlab as ll
    >>> found = ll.score(np.random.default_rng(0).normal(size=(99, 2)), metrics=["mig"])
    >>> list(found.skipped)
    ['mig']
    """

    scores: dict[str, Score]
    skipped: dict[str, str]
    seconds: dict[str, float]
    caveats: tuple[Caveat, ...] = ()

    @property
    def settings(self) -> Mapping[str, Any]:  # type: ignore[override]
        """The profile that the scores follow."""
        return {"profile": next((str(each.settings.get("profile", "")) for each in self.scores.values()), "")}

    def only(self, names: Sequence[str]) -> Scores:
        """What was computed for some metrics alone.

        Parameters
        ----------
        names : sequence of str
            The metrics; one that was not computed is left out.

        Returns
        -------
        Scores
            Their part.
        """
        chosen = lambda part: {name: part[name] for name in names if name in part}  # noqa: E731
        return Scores(chosen(self.scores), chosen(self.skipped), chosen(self.seconds), self.caveats)

    def _repr_html_(self) -> str:
        told = "".join(f"<li>{escape(str(each))}</li>" for each in self.caveats)
        return super()._repr_html_() + (f"<ul>{told}</ul>" if told else "")

    def to_frame(self) -> pd.DataFrame:
        """The scores as a table.

        Returns
        -------
        DataFrame
            One row per metric: value over all rows, 95 % interval, nulls, reference; skipped metrics have the reason.
        """
        import pandas as pd

        rows = [
            {"metric": name, "value": score.shown}
            | dict(zip(("low", "high"), score.bounds or (np.nan, np.nan), strict=True))
            | {**score.nulls, "reference": score.reference}
            for name, score in self.scores.items()
        ]
        return pd.DataFrame([*rows, *({"metric": name, "skipped": why} for name, why in self.skipped.items())])

    def to_json(self, timings: bool = True) -> dict[str, Any]:
        """The shape of ``scores.json`` and ``score --json``.

        Parameters
        ----------
        timings : bool, default True
            Whether seconds are among them; without them equal input gives equal bytes.

        Returns
        -------
        dict
            ``scores`` and ``skipped`` by metric, and ``caveats``.
        """
        found = {name: score.to_json() for name, score in self.scores.items()}
        if timings:
            found = {name: {**entry, "seconds": round(self.seconds[name], 4)} for name, entry in found.items()}
        return {"scores": found, "skipped": dict(self.skipped), "caveats": [asdict(each) for each in self.caveats]}


def score(
    codes: ArrayLike,
    factors: ArrayLike | None = None,
    *,
    grid: Sequence[int] | None = None,
    test: tuple[ArrayLike, ArrayLike] | None = None,
    variance: ArrayLike | None = None,
    factor_names: Sequence[str] = (),
    kinds: Sequence[FactorKind] | None = None,
    metrics: Sequence[str] | None = None,
    profile: str = "dlib",
    resamples: int = 0,
    resample_slow: bool = False,
) -> Scores:
    """Score codes under a profile: every metric that the arrays support, each with its settings.

    Parameters
    ----------
    codes : array (n, d)
        Codes, one row per sample.
    factors : array (n, k) or DataFrame, optional
        Factors, NaN where missing, words as levels; without them only what needs none is computed.
    grid : sequence of int, optional
        The levels per factor where the rows are the full grid in row-major order (factors then follow from it).
    test : pair of arrays, optional
        Test codes and test factors: all four arrays are taken as they stand.
    variance : array (n, d), optional
        The posterior variance.
    factor_names : sequence of str
        A name for each column of ``factors``; by default those of a DataFrame.
    kinds : sequence of str, optional
        What each factor is: ``categorical``, ``ordinal``, ``continuous`` or ``circular``.
    metrics : sequence of str, optional
        Which to compute; all of the profile by default.
    profile : str, default "dlib"
        The protocol that scores follow, one of ``ll.profiles``.
    resamples : int, default 0
        How many redraws to make; 200 is plenty. With some, interval, nulls, reference and the values beside are
        computed as well, for metrics that train nothing. See `latentlab.analysis.score.uncertainty`.
    resample_slow : bool, default False
        Whether the same is computed for the other metrics, which take minutes.

    Returns
    -------
    Scores
        By metric; what the arrays cannot support is in ``skipped`` with its reason. Data outside the domain of scores
        (correlated, copied or derived factors, many codes, few rows, …) are not refused: ``caveats`` name what was seen
        and what to do; see `latentlab.analysis.score.domain`.

    Raises
    ------
    InputError
        For arrays that do not belong together, and for unknown names.

    Examples
    --------
    >>> import numpy as np
    >>> levels = np.stack(np.unravel_index(np.arange(64), (4, 4, 4)), axis=1)
    >>> found = score(levels.astype(float), grid=(4, 4, 4), metrics=["mig"])
    >>> round(found.scores["mig"].value, 3)
    1.0
    """
    return score_material(
        gather(codes, factors, grid, test, variance, factor_names, kinds),
        metrics=metrics,
        profile=profile,
        resamples=resamples,
        resample_slow=resample_slow,
    )


def score_material(
    material: Material,
    *,
    metrics: Sequence[str] | None = None,
    profile: str = "dlib",
    resamples: int = 0,
    resample_slow: bool = False,
) -> Scores:
    """What `score` computes, of arrays that are checked."""
    rules = load("analysis/score/profiles", profile)
    wanted = list(metrics if metrics is not None else rules.PROTOCOLS)
    found = each_metric(material, wanted, rules, resamples, resample_slow, SLOW if resamples else "")
    return replace(found, caveats=caveats(material))


def each_metric(
    material: Material,
    metrics: Sequence[str],
    rules: ModuleType,
    resamples: int = 0,
    resample_slow: bool = False,
    why: str = "",
) -> Scores:
    """Every metric of checked arrays under a profile; `why` says why one that is not resampled has no interval."""
    classes = material if rules.TYPED else replace(material, kinds=untyped(material))
    modules = {name: load("metrics", name) for name in metrics}

    # What a profile does not know of, it does not make classes for: r2 would read them as numbers.
    given = {name: classes if _key(module) in rules.PROTOCOLS else material for name, module in modules.items()}
    again = {name: resamples if resample_slow or is_fast(module) else 0 for name, module in modules.items()}
    known = _acquainted({name: (modules[name], given[name]) for name, n in again.items() if n}, rules)

    def one(name: str) -> tuple[Score | str, float]:
        """The score of a metric, or why there is none, and the seconds that it took."""
        module, start = modules[name], time.perf_counter()
        try:
            score: Score | str = score_one(_key(module), module, given[name], rules, again[name], why, known.get(name))
        except InputError as error:
            score = str(error)
        return score, time.perf_counter() - start

    apart = [name for name in modules if process_threads() > 1 and modules[name].METRIC.threaded]
    with ThreadPoolExecutor(1) as pool:
        begun = {name: pool.submit(one, name) for name in apart}
        done = {name: one(name) for name in modules if name not in begun}
        done |= {name: each.result() for name, each in begun.items()}
    found = Scores({}, {}, {})
    for name in metrics:
        key, (score, seconds) = _key(modules[name]), done[name]
        found.seconds[key] = seconds - (known[name].lent if name in known else 0)
        if isinstance(score, str):
            found.skipped[key] = score
        else:
            found.scores[key] = score
    return found


def _key(module: ModuleType) -> str:
    """A metric's name, where it may have been given by a file."""
    return module.__name__.rpartition(".")[2]


def score_one(
    name: str,
    module: ModuleType,
    material: Material,
    rules: ModuleType,
    resamples: int = 0,
    why: str = "",
    scored: Scored | None = None,
) -> Score:
    """One metric under a profile, drawn with the profile's own seed; without resamples `why` says why.

    ``scored`` is the metric with its arguments, where they are drawn already.
    """
    scored = scored or _scored(name, module, material, rules)
    found = scored.score()
    if resamples:
        found = with_uncertainty(found, scored, resamples)
    elif why:
        found = found.replace(missing={**found.missing, "interval": why})
    return described(found, scored.call, material, profile_name(rules))


def _scored(name: str, module: ModuleType, material: Material, rules: ModuleType) -> Scored:
    protocol = rules.PROTOCOLS.get(name, Protocol())

    def draw(source: Material, random: RandomState, batch: int | None = None) -> Call:
        return arguments(module.METRIC, source, protocol, random, batch or protocol.train)

    call = draw(material, RandomState(rules.SEED), BATCH)
    return Scored(name, module, material, call, draw, protocol)


def _acquainted(given: Mapping[str, tuple[ModuleType, Material]], rules: ModuleType) -> dict[str, Scored]:
    """Metrics with their arguments, those that take the same redraws as fellows; without those that cannot be had."""
    found = {}
    for name, (module, material) in given.items():
        with suppress(InputError):  # which is raised again, and told, when its score is computed
            found[name] = _scored(_key(module), module, material, rules)
    acquaint(list(found.values()))
    return found


def profile_name(rules: ModuleType) -> str:
    """A profile with its version: ``dlib@1``."""
    return f"{rules.__name__.rpartition('.')[2]}@{rules.VERSION}"


def described(found: Score, call: Call, material: Material, profile: str) -> Score:
    """The score with the factors' names put in, and with where its rows came from and under what it was computed."""
    per_factor = {material.names[int(key)]: value for key, value in found.per_factor.items()}
    settings = {"profile": profile, **found.settings, "rows_from": call.rows_from, "versions": versions()}
    if material.dropped:
        settings["factors_left_out"] = list(material.dropped)
    beside = {**found.beside, **({} if call.overlap is None else {"overlap": call.overlap})}
    return found.replace(per_factor=per_factor, settings=settings, beside=beside)


def versions() -> dict[str, str]:
    """Versions of what scores are computed with."""
    modules = ("numpy", "scipy", "sklearn")
    return {"python": platform.python_version()} | {name: importlib.import_module(name).__version__ for name in modules}


def scores_from_json(found: Mapping[str, Any]) -> Scores:
    """The inverse of `Scores.to_json`."""
    entries = found.get("scores", {})
    seconds = {name: float(entry.get("seconds", np.nan)) for name, entry in entries.items()}
    told = tuple(map(Caveat.from_json, found.get("caveats", ())))
    scores = {name: Score.from_json(entry) for name, entry in entries.items()}
    return Scores(scores, dict(found.get("skipped", {})), seconds, told)
