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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from latentlab.analysis.score.calls import Call, Material, halved, parted
from latentlab.analysis.score.nulls import (
    MARGINALS,
    active_dimensions,
    factors_as_codes,
    only,
    rotated,
    shuffled,
    standardised,
)
from latentlab.analysis.score.profiles._protocol import Protocol
from latentlab.errors import InputError
from latentlab.metrics._estimators import unfinished_allowed
from latentlab.metrics._many import expect_many
from latentlab.results import Score
from latentlab.system.machine import process_threads

SEED = 10_000  # streams of redraws start here, far from the seeds that draw a protocol's own rows
PARTS = ("split", "draws", "labels")  # needs of metrics that train on some rows and test on others
KEPT = 0.9  # of the redraws must have a value
EXACT = 19  # redraws from which the 95 % quantile lies within them
TAILS = 1.5  # excess kurtosis of a dimension above which a few rows decide its bins, correlations and extremes
HALVES = {  # metrics whose intervals from halves cover, and from how many rows on: docs/scores.md has the simulation
    "beta_vae": 500, "dcimig": 2000, "explicitness": 500, "factorised_support": 3000, "mcc": 500, "mcc_held_out": 600,
    "mig": 2000, "mig_sup": 2000, "modularity": 500, "r2": 500, "rate": 500, "rmig": 2000, "smi": 3000,
}  # fmt: skip
COUNTS = ("active_units", "dimension_types", "t_mex")

Draw = Callable[[Material, RandomState], Call]
Change = Callable[[Sequence[Any], RandomState], list[Any]]


def is_fast(module: ModuleType) -> bool:
    """Whether hundreds of recomputations take seconds: metrics that train nothing and draw no interventions."""
    return module.METRIC.needs in ("rows", "codes", "posterior")


@dataclass(frozen=True, slots=True)
class Scored:
    """A metric on its arguments: its ``name`` and ``module``, what it was called with, and how to call it again."""

    name: str
    module: ModuleType
    material: Material
    call: Call
    draw: Draw
    protocol: Protocol
    missing: dict[str, str] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)

    def value(self, args: Sequence[Any], options: dict[str, Any] | None = None) -> float:
        """The metric's value on other arguments."""
        told = self.call.options if options is None else options
        return float(getattr(self.module, self.name)(*args, **{**told, **self.protocol.settings}).value)

    def again(self, source: Material, random: RandomState) -> float:
        """The metric's value on rows drawn again from `source`."""
        call = self.draw(source, random)
        return self.value(call.args, call.options)

    def attempt(self, key: str, compute: Callable[[], Any]) -> Any:
        """What was computed; None where it could not be, and then the reason is kept under `key`."""
        try:
            return compute()
        except InputError as error:
            self.missing[key] = str(error)
            return None

    def redraws(self, key: str, n: int, one: Callable[[RandomState], float]) -> NDArray[np.float64]:
        """The finite values of n redraws, in order; those that fail are counted, and a tenth of them may.

        Threads change no bits, since each redraw has a stream of its own. Filters of warnings are the process's, not
        a thread's: they are set before the threads, which may set them again.
        """
        with unfinished_allowed(), ThreadPoolExecutor(min(process_threads(), 8)) as pool:
            tried = list(pool.map(lambda r: _tried(one, RandomState(SEED + r)), range(n)))
        values = np.array([value for value, _ in tried])
        kept = values[np.isfinite(values)]
        if len(kept) < max(2, KEPT * n):
            why = next((why for _, why in tried if why), "the value is not finite")
            raise InputError(f"{n - len(kept)} of {n} redraws failed: {why}" if len(kept) else why)
        if len(kept) < n:
            self.failed[key] = n - len(kept)
        return kept


def _tried(one: Callable[[RandomState], float], random: RandomState) -> tuple[float, str]:
    try:
        return one(random), ""
    except InputError as error:
        return np.nan, str(error)


def with_uncertainty(
    found: Score, name: str, module: ModuleType, material: Material, call: Call, draw: Draw, protocol: Protocol, n: int
) -> Score:
    """The score with interval, nulls, reference and what stands beside it, from `n` recomputations each."""
    expect_many()
    scored = Scored(name, module, material, call, draw, protocol, dict(found.missing))
    beside = dict(found.beside) | _others(scored, found.value)
    settings = {**found.settings, "resamples": n}
    interval = None
    redraws = scored.attempt("interval", lambda: _redrawn(scored, n))
    if redraws is not None:
        exact, shown = _exact(scored), found.replace(beside=beside).shown
        interval = around(shown, redraws, exact=exact, ends=module.METRIC.range)
        settings["interval"] = "draws from the full grid" if exact else "halves of the rows"
        beside |= {"redraw_mean": float(redraws.mean()), "redraw_deviation": float(redraws.std(ddof=1))}
    nulls: dict[str, float] = {}
    reference = found.reference
    if material.factors is not None and module.METRIC.needs not in ("codes", "posterior"):
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
        return scored.redraws("interval", n, lambda random: scored.again(material, random))
    _check_halves(scored)
    values = halves(scored, n)
    if values.std() == 0:
        raise InputError("every half of the rows gave the same value, so the spread is unknown")
    return values


def halves(scored: Scored, n: int) -> NDArray[np.float64]:
    """Values of n halves of all rows, or of the train and the test rows each where the metric trains."""
    if scored.module.METRIC.needs in PARTS:
        parts = parted(scored.material, scored.protocol, RandomState(0))
        return scored.redraws("interval", n, lambda random: scored.again(halved(parts, random), random))
    args = _all_rows(scored)
    return scored.redraws("interval", n, lambda random: scored.value(_half(args, random)))


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
    active = active_dimensions(material)
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
    args = scored.call.args
    nulls = _null(scored, "permuted", n, lambda random: scored.value(shuffled(args, random)))
    beside: dict[str, float] = {}
    if scored.module.METRIC.turns:
        live, marginals = active_dimensions(scored.material), scored.name in MARGINALS
        nulls |= _null(
            scored, "rotated", n, lambda random: scored.value(rotated(args, random, live, marginals=marginals))
        )
        if "rotated" in nulls:
            plain = scored.attempt("standardised", lambda: scored.value(standardised(args, live)))
            beside = {} if plain is None else {"standardised": plain}
    else:
        scored.missing["rotated"] = "no rotation changes what this metric measures"
    return nulls, beside, scored.attempt("reference", lambda: scored.value(factors_as_codes(args)))


def _null(scored: Scored, kind: str, n: int, one: Callable[[RandomState], float]) -> dict[str, float]:
    """The 95 % quantile and the mean of a null; a quantile that at most one value in twenty exceeds, however few.

    Where lower is better it is the 5 % quantile, which at most one in twenty falls below.
    """
    values = scored.attempt(kind, lambda: scored.redraws(kind, n, one))
    if values is None:
        return {}
    lower = scored.module.METRIC.better == "lower"
    end = np.quantile(values, 0.05, method="lower") if lower else np.quantile(values, 0.95, method="higher")
    return {kind: float(end), f"{kind}_mean": float(values.mean())}
