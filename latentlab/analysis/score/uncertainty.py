"""What belongs beside a score: how far fresh rows would move it, what codes that know nothing reach, what factors do.

Everything is recomputed each time, bins, training and pruning included: bin edges follow the extremes of the rows
drawn, so a bootstrap of counts under fixed bins claims an interval seven times too narrow.

- **interval**: 95 %, for the value over all rows where the profile draws some of them, for the value itself
  otherwise. It is laid around that value and reaches as far as redraws lie from their mean. On a full grid redraws
  are the profile's own, so their law is known; around the grid's value it says how far a draw strays, its bias apart.
  Other rows are redrawn by halves without replacement, of all rows or of train and test rows each, whose spread is
  that of a fresh set of all n (their variance is (2/n − 1/n) σ²); repeated rows would bias bins, neighbours and
  whatever trains on one and tests on the other. Halves answer for the metrics of `HALVES` alone, where simulation
  showed that the intervals cover; the others say why not.
- **nulls**: the 95 % quantile of `latentlab.analysis.score.nulls` (the 5 % quantile where lower is better), and the
  mean, over redraws of each.
- **reference**: the factors themselves taken as codes; another code may exceed it.
- **beside**: ``full_grid`` or ``all_rows``, ``active`` (active dimensions only), ``standardised`` (those at deviation
  1: what the rotated null is compared with), ``sampled`` (posterior samples in place of means), ``redraw_mean`` and
  ``redraw_deviation``.

What could not be computed is in ``missing`` with its reason, and takes nothing else with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from latentlab.analysis.score.calls import halved, parted
from latentlab.analysis.score.nulls import (
    MARGINALS,
    Turning,
    factors_as_codes,
    only,
    shuffled,
    standardised,
)
from latentlab.analysis.score.scored import SEED, Scored
from latentlab.errors import InputError
from latentlab.metrics._many import expect_many
from latentlab.results import Score

PARTS = ("split", "draws", "labels")  # needs of metrics that train on some rows and test on others
EXACT = 19  # redraws from which the 95 % quantile lies within them
TAILS = 1.5  # excess kurtosis of a dimension above which a few rows decide its bins, correlations and extremes
HALVES = {  # metrics whose intervals from halves cover, and from how many rows on: docs/scores.md has the simulation
    "beta_vae": 500, "dcimig": 2000, "explicitness": 500, "factorised_support": 3000, "mcc": 500, "mcc_held_out": 600,
    "mig": 2000, "mig_sup": 2000, "modularity": 500, "r2": 500, "rate": 500, "rmig": 2000, "smi": 3000,
}  # fmt: skip
COUNTS = ("active_units", "dimension_types", "t_mex")

Change = Callable[[RandomState], Sequence[Any]]


def is_fast(module: ModuleType) -> bool:
    """Whether hundreds of recomputations take seconds: metrics that train nothing and draw no interventions."""
    return module.METRIC.needs in ("rows", "codes", "posterior")


def with_uncertainty(found: Score, scored: Scored, n: int) -> Score:
    """The score with interval, nulls, reference and what stands beside it, from `n` recomputations each."""
    expect_many()
    scored.missing.update(found.missing)
    beside = dict(found.beside) | _others(scored, found.value)
    settings = {**found.settings, "resamples": n}
    interval = None
    redraws = scored.attempt("interval", lambda: _redrawn(scored, n))
    if redraws is not None:
        exact, shown = _exact(scored), found.replace(beside=beside).shown
        interval = around(shown, redraws, exact=exact, ends=scored.module.METRIC.range)
        settings["interval"] = "draws from the full grid" if exact else "halves of the rows"
        beside |= {"redraw_mean": float(redraws.mean()), "redraw_deviation": float(redraws.std(ddof=1))}
    nulls: dict[str, float] = {}
    reference = found.reference
    if _has_nulls(scored):
        nulls, plain, reference = _judged(scored, n)
        beside |= plain
    if scored.failed:
        settings["failed_redraws"] = scored.failed
    return found.replace(
        interval=interval, nulls=nulls, reference=reference, beside=beside, settings=settings, missing=scored.missing
    )


def around(
    value: float, redraws: NDArray[np.float64], *, exact: bool, ends: tuple[float, float]
) -> tuple[float, float]:
    """The 95 % interval around a value from what redraws of its rows reached.

    `exact` redraws follow the law of the value itself, so it reaches as far to both sides as 95 % of them lie from
    their mean; halves tell the spread alone, and Student's quantile of it. It ends where the metric's range does.
    """
    from scipy.stats import t

    if exact and len(redraws) >= EXACT:
        reach = np.quantile(np.abs(redraws - redraws.mean()), 0.95, method="weibull")
    else:
        reach = t.ppf(0.975, len(redraws) - 1) * redraws.std(ddof=1)
    low, high = np.clip([value - reach, value + reach], *ends)
    return min(float(low), value), max(float(high), value)


def _exact(scored: Scored) -> bool:
    return scored.material.grid is not None and scored.module.METRIC.needs != "posterior"


def _redrawn(scored: Scored, n: int) -> NDArray[np.float64]:
    """Values of the profile's own draws from the grid, or of halves of the rows where halves are known to serve."""
    material = scored.material
    if _exact(scored):
        whole = scored.fellows[0] if scored.fellows else scored  # what it is called with holds what any fellow is
        return scored.redraws("interval", n, lambda random: whole.draw(material, random), asking=_exact)
    _check_halves(scored)
    values = halves(scored, n)
    if values.std() == 0:
        raise InputError("every half of the rows gave the same value, so the spread is unknown")
    return values


def halves(scored: Scored, n: int) -> NDArray[np.float64]:
    """Values of n halves of all rows, or of the train and the test rows each where the metric trains."""
    if scored.module.METRIC.needs in PARTS:
        parts = parted(scored.material, scored.protocol, RandomState(0))
        return scored.redraws("interval", n, lambda random: scored.draw(halved(parts, random), random))
    args = _all_rows(scored)
    return scored.redraws("interval", n, lambda random: scored.on(_half(args, random)))


def _check_halves(scored: Scored) -> None:
    """Refuse an interval from halves where simulation did not show that it covers."""
    if scored.name in COUNTS:
        raise InputError("it is a count, whose spread halves of the rows do not show")
    if scored.protocol.share is not None:
        raise InputError("this profile trains and tests on rows as they stand; its intervals were not simulated")
    if scored.name not in HALVES:
        raise InputError("without a full grid its intervals did not cover 93 to 97 % in simulation")
    rows = len(scored.material.codes)
    if rows < HALVES[scored.name]:
        raise InputError(f"{rows} rows; its intervals cover from {HALVES[scored.name]} rows on")
    codes = np.asarray(scored.material.codes, np.float64)
    deviation = codes.std(axis=0)
    live = deviation > 0
    standard = (codes[:, live] - codes[:, live].mean(axis=0)) / deviation[live]
    if live.any() and (excess := float((standard**4).mean(axis=0).max()) - 3) > TAILS:
        raise InputError(f"the codes have heavy tails (excess kurtosis {excess:.1f}): a few rows decide the value")


def _all_rows(scored: Scored) -> tuple[Any, ...]:
    """The arguments with every row, where the profile drew some."""
    material, count = scored.material, len(scored.call.args)
    if not scored.call.drawn:
        return scored.call.args
    return (material.codes, material.factors, material.variance)[:count]


def _half(args: Sequence[Any], random: RandomState) -> list[Any]:
    """Half the rows of every array, the same rows of each, without replacement."""
    rows = random.permutation(len(args[0]))[: max(2, len(args[0]) // 2)]
    return [array[rows] for array in args]


def _others(scored: Scored, value: float) -> dict[str, float]:
    """The same metric on all rows, on active dimensions, on those standardised, and on posterior samples."""
    material, call = scored.material, scored.call
    beside: dict[str, float | None] = {}
    if call.drawn and scored.module.METRIC.needs not in PARTS:
        key = "full_grid" if material.grid is not None else "all_rows"
        beside[key] = scored.attempt(key, lambda: scored.value(_all_rows(scored)))
    if scored.module.METRIC.needs == "posterior":
        return {}
    active = scored.active()
    if active.any():
        whole = active.all()
        beside["active"] = value if whole else scored.attempt("active", lambda: scored.value(only(call.args, active)))
    if material.variance is not None:
        beside["sampled"] = scored.attempt("sampled", lambda: _sampled(scored))
    return {key: each for key, each in beside.items() if each is not None}


def _sampled(scored: Scored) -> float:
    """The value of one posterior sample a row in place of the mean."""
    material = scored.material
    noise = RandomState(SEED).standard_normal(material.codes.shape)
    codes = (material.codes + np.sqrt(material.variance) * noise).astype(material.codes.dtype)  # type: ignore[arg-type]
    return scored.again(replace(material, codes=codes, variance=None), RandomState(0))


def _judged(scored: Scored, n: int) -> tuple[dict[str, float], dict[str, float], float | None]:
    """The nulls, the standardised value that the rotated one is compared with, and what the factors reach as codes."""
    args, marginals = scored.call.args, scored.name in MARGINALS
    nulls = _null(scored, "permuted", n, lambda: lambda random: shuffled(args, random), _has_nulls)
    beside: dict[str, float] = {}
    if scored.module.METRIC.turns:
        live = scored.active()
        nulls |= _null(
            scored,
            "rotated",
            n,
            lambda: Turning(args, live, marginals=marginals).turned,
            lambda each: _has_nulls(each) and each.module.METRIC.turns and (each.name in MARGINALS) == marginals,
        )
        if "rotated" in nulls:
            plain = scored.attempt("standardised", lambda: scored.value(standardised(args, live)))
            beside = {} if plain is None else {"standardised": plain}
    else:
        scored.missing["rotated"] = "no rotation changes what this metric measures"
    return nulls, beside, scored.attempt("reference", lambda: scored.value(factors_as_codes(args)))


def _has_nulls(scored: Scored) -> bool:
    return scored.material.factors is not None and scored.module.METRIC.needs not in ("codes", "posterior")


def _null(
    scored: Scored, kind: str, n: int, changing: Callable[[], Change], asking: Callable[[Scored], bool]
) -> dict[str, float]:
    """The 95 % quantile and the mean of a null; a quantile that at most one value in twenty exceeds, however few.

    Where lower is better it is the 5 % quantile, which at most one in twenty falls below. ``changing`` prepares what
    draws the arguments, and may find that there is no such null.
    """

    def values() -> NDArray[np.float64]:
        change = changing()
        return scored.redraws(kind, n, lambda random: scored.on(change(random)), asking=asking)

    found = scored.attempt(kind, values)
    if found is None:
        return {}
    lower = scored.module.METRIC.better == "lower"
    end = np.quantile(found, 0.05, method="lower") if lower else np.quantile(found, 0.95, method="higher")
    return {kind: float(end), f"{kind}_mean": float(found.mean())}
