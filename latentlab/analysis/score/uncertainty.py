"""What belongs beside a score: how far another draw would move it, what codes that know nothing reach, and its ceiling.

Everything is recomputed each time, bins and pruning included: bin edges follow the extremes of the rows drawn, so a
bootstrap of counts under fixed bins claims an interval seven times too narrow.

- **interval**: 95 % for the value over all rows. With θ that value and q the quantiles of redraws, v − (q − θ) is how
  far this draw v may lie from θ (the basic interval). It need not hold v: where plug-in bias makes draws lie to one
  side of θ (modularity 0.84 on 10,000 rows, 0.87 on all), it lies on the other. Rows that were not drawn but taken as
  they stand are redrawn by halves without replacement, whose spread is that of a fresh set of all n (their variance
  is (2/n − 1/n) σ²), with θ the mean of the redraws. Drawing n with replacement will not do: repeated rows bias bins.
- **permuted**: the rows of the codes shuffled against the factors. **rotated**: the active codes standardised and
  turned by a random rotation; a code that does not beat this is not aligned with the axes. Both: the 95 % quantile,
  beside it the mean.
- **ceiling**: the factors themselves taken as codes.
- **beside**: ``full_grid`` or ``all_rows``, ``active`` (active dimensions only), ``sampled`` (posterior samples in
  place of means), ``redraw_mean`` and ``redraw_deviation``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from latentlab.analysis.score.calls import Call, Material
from latentlab.analysis.score.profiles._protocol import Protocol
from latentlab.errors import InputError
from latentlab.metrics._arrays import Floats, blocks
from latentlab.metrics._estimators import unfinished_allowed
from latentlab.metrics._information import count_compiled
from latentlab.results import Score

SEED = 10_000  # streams of redraws start here, far from the seeds that draw a protocol's own rows
ACTIVE = 0.01

Draw = Callable[[Material, RandomState], Call]
Change = Callable[[Sequence[Any], RandomState], list[Any]]


def is_fast(module: ModuleType) -> bool:
    """Whether hundreds of recomputations take seconds: metrics that train nothing and draw no interventions."""
    return module.METRIC.needs in ("rows", "codes")


def with_uncertainty(
    found: Score, name: str, module: ModuleType, material: Material, call: Call, draw: Draw, protocol: Protocol, n: int
) -> Score:
    """The score with interval, nulls, ceiling and what stands beside it, from `n` recomputations each."""
    if module.METRIC.needs not in ("rows", "codes", "split", "draws", "labels"):
        return found
    count_compiled()

    def value(args: Sequence[Any], options: dict[str, Any]) -> float:
        return float(getattr(module, name)(*args, **{**options, **protocol.settings}).value)

    beside = dict(found.beside) | _others(found, material, call, draw, value)
    redraws = _many(n, lambda r: _redrawn(material, call, draw, value, RandomState(SEED + r)))
    if not np.isfinite(redraws).all():
        raise InputError("not every redraw has a finite value, so there is no interval")
    theta = beside.get("full_grid", beside.get("all_rows", found.value if call.drawn else float(redraws.mean())))
    low, high = np.quantile(redraws, [0.025, 0.975])
    bottom, top = module.METRIC.range
    interval = tuple(float(np.clip(found.value - (q - theta), bottom, top)) for q in (high, low))
    beside |= {"redraw_mean": float(redraws.mean()), "redraw_deviation": float(redraws.std(ddof=1))}
    nulls: dict[str, float] = {}
    ceiling = found.ceiling
    if material.factors is not None and module.METRIC.needs != "codes":
        for kind, change in NULLS.items():
            null = _many(n, partial(_changed, change, call, value))
            nulls |= {kind: float(np.quantile(null, 0.95)), f"{kind}_mean": float(null.mean())}
        ceiling = value(perfect(call.args), call.options)
    settings = {**found.settings, "resamples": n}
    return found.replace(
        interval=(interval[0], interval[1]), nulls=nulls, ceiling=ceiling, beside=beside, settings=settings
    )


def _many(n: int, one: Callable[[int], float]) -> NDArray[np.float64]:
    """n values in order; threads change no bits, since each has a stream of its own.

    Filters of warnings are the process's, not a thread's: they are set before the threads, which may set them again.
    """
    with unfinished_allowed(), ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:
        return np.array(list(pool.map(one, range(n))))


def _changed(change: Change, call: Call, value: Callable[..., float], r: int) -> float:
    return value(change(call.args, RandomState(SEED + r)), call.options)


def _redrawn(material: Material, call: Call, draw: Draw, value: Callable[..., float], random: RandomState) -> float:
    """The value of another draw; of rows that were taken as they stand, a half."""
    if call.drawn:
        again = draw(material, random)
        return value(again.args, again.options)
    return value(_half(call.args, random), call.options)


def _half(args: Sequence[Any], random: RandomState) -> list[Any]:
    """Half the rows of (codes, factors, variance) or of each of train and test, drawn without replacement."""
    found: list[Any] = []
    step = 3 if _has_variance(args) else 2
    for start in range(0, len(args), step):
        rows = random.permutation(len(args[start]))[: max(2, len(args[start]) // 2)]
        found += [array[rows] for array in args[start : start + step]]
    return found


def _others(found: Score, material: Material, call: Call, draw: Draw, value: Callable[..., float]) -> dict[str, float]:
    """The same metric on all rows, on active dimensions, and on posterior samples."""
    beside: dict[str, float] = {}
    rows = len(material.codes)
    if call.drawn and len(call.args) < 4:
        whole = [material.codes, material.factors, material.variance][: len(call.args)]
        beside["full_grid" if material.grid is not None else "all_rows"] = value(whole, call.options)
    active = active_dimensions(material)
    if active.sum() > 0:
        beside["active"] = found.value if active.all() else value(_only(call.args, active), call.options)
    if material.variance is not None and len(material.variance) == rows:
        noise = RandomState(SEED).standard_normal(material.codes.shape)
        sampled = (material.codes + np.sqrt(material.variance) * noise).astype(material.codes.dtype)
        again = draw(replace(material, codes=sampled, variance=None), RandomState(0))
        beside["sampled"] = value(again.args, again.options)
    return beside


def active_dimensions(material: Material) -> NDArray[np.bool_]:
    """Dimensions whose mean varies by more than 0.01; relative to the largest variance where there is no posterior."""
    codes, n = material.codes, len(material.codes)
    mean = np.sum([codes[block].sum(axis=0, dtype=np.float64) for block in blocks(n)], axis=0) / n
    spread = np.sum([((codes[block] - mean) ** 2).sum(axis=0) for block in blocks(n)], axis=0) / n
    return np.asarray(spread > ACTIVE * (1.0 if material.variance is not None else spread.max()))


def _has_variance(args: Sequence[Any]) -> bool:
    """Whether the third of the arguments is the posterior variance of the first; test arrays come in twos."""
    return len(args) == 3


def _codes_places(args: Sequence[Any]) -> list[int]:
    """Where codes stand among the arguments: first, and third where that is an array of test codes or the variance."""
    return [0, 2] if len(args) > 2 and isinstance(args[2], np.ndarray) else [0]


def _only(args: Sequence[Any], dimensions: NDArray[np.bool_]) -> list[Any]:
    changed = list(args)
    for place in _codes_places(args):
        changed[place] = changed[place][:, dimensions]
    return changed


def shuffled(args: Sequence[Any], random: RandomState) -> list[Any]:
    """The arguments with the rows of the codes in random order, so that they know nothing of the factors."""
    changed = list(args)
    if _has_variance(args):
        order = random.permutation(len(args[0]))
        return [args[0][order], args[1], args[2][order]]
    for place in _codes_places(args):
        changed[place] = changed[place][random.permutation(len(changed[place]))]
    return changed


def rotated(args: Sequence[Any], random: RandomState) -> list[Any]:
    """The arguments with active codes standardised and turned by one uniformly random rotation.

    A variance is turned as well: of the turned posterior's covariance the diagonal is kept.
    """
    codes: Floats = args[0]
    mean, deviation = codes.mean(axis=0, dtype=np.float64), codes.std(axis=0, dtype=np.float64)
    live = deviation**2 > ACTIVE * (deviation**2).max()
    if not live.any():
        raise InputError("codes are constant; there is nothing to rotate")
    turn, triangle = np.linalg.qr(random.standard_normal((int(live.sum()), int(live.sum()))))
    turn = (turn * np.sign(np.diag(triangle))).astype(codes.dtype)
    changed = list(args)
    if _has_variance(args):
        changed[2] = (args[2][:, live] / deviation[live] ** 2).astype(codes.dtype) @ turn**2
    for place in [0] if _has_variance(args) else _codes_places(args):
        standard = (changed[place][:, live] - mean[live]) / deviation[live]
        changed[place] = standard.astype(codes.dtype) @ turn
    return changed


def perfect(args: Sequence[Any]) -> list[Any]:
    """The arguments with the factors in place of the codes, missing labels at their mean; without any variance."""
    changed = list(args[:2] if _has_variance(args) else args)
    for place in _codes_places(changed):
        factors = args[place + 1]
        changed[place] = np.where(np.isnan(factors), np.nanmean(factors, axis=0), factors)
    return changed


NULLS: dict[str, Change] = {"permuted": shuffled, "rotated": rotated}
