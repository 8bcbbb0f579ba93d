"""Score codes by a profile: rows are drawn as it says, every metric gets what it needs, and none stops the others.

Three situations, told apart by what is given, and said in each score's settings under ``rows_from``:

- ``grid``: the codes are those of a full grid in row-major order; rows are drawn by the profile's protocol;
- ``test``: train and test arrays are scored as they stand;
- neither: rows are split with a seed, and interventions draw rows that share a factor's value.
"""

from __future__ import annotations

import importlib
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike

from latentlab.data.dataset import FactorKind
from latentlab.errors import InputError
from latentlab.metrics._arrays import Floats, Ints, check_codes, check_factors, kind_of
from latentlab.metrics._draws import Draws, draw_alike, draw_pairs
from latentlab.metrics._metric import Metric
from latentlab.profiles._protocol import BATCH, Protocol, draw_fixed, draw_rows, draw_shared, levels_of_rows
from latentlab.registry import load, names
from latentlab.score import Score
from latentlab.uncertainty import is_fast, with_uncertainty


class Scores(NamedTuple):
    """What `score` found: ``scores`` by metric, ``skipped`` metric → why not, ``seconds`` by metric."""

    scores: dict[str, Score]
    skipped: dict[str, str]
    seconds: dict[str, float]

    def only(self, names: Sequence[str]) -> Scores:
        """What was found about those metrics alone."""
        return Scores(*({name: part[name] for name in names if name in part} for part in self))  # type: ignore[arg-type]

    def to_json(self, timings: bool = True) -> dict[str, Any]:
        """The shape of ``scores.json`` and ``score --json``; without timings equal input gives equal bytes."""
        found = {name: score.to_json() for name, score in self.scores.items()}
        if timings:
            found = {name: {**entry, "seconds": round(self.seconds[name], 4)} for name, entry in found.items()}
        return {"scores": found, "skipped": dict(self.skipped)}


@dataclass(frozen=True, slots=True)
class Material:
    """Checked arrays to score: ``codes`` (n, d), ``factors`` (n, k) or none, and what is known about the rows."""

    codes: Floats
    factors: Floats | None = None
    grid: tuple[int, ...] | None = None
    test_codes: Floats | None = None
    test_factors: Floats | None = None
    variance: Floats | None = None
    names: tuple[str, ...] = ()
    kinds: tuple[FactorKind, ...] | None = None
    dropped: tuple[str, ...] = ()


class Call(NamedTuple):
    """Arguments of a metric's function, where the rows came from, the share of test rows that were also trained on,
    and whether another draw would choose other rows."""

    args: tuple[Any, ...]
    options: dict[str, Any]
    rows_from: str
    overlap: float | None = None
    drawn: bool = False


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
    """Scores of codes (n, d) under a profile, each with its settings.

    ``factors`` (n, k), NaN where missing; without them only what needs none is computed. ``grid`` gives the levels per
    factor where the rows are the full grid in row-major order (factors then follow from it). ``test`` is a pair of
    test codes and test factors: all four arrays are taken as they stand. ``variance`` (n, d) is the posterior variance.
    With `resamples` (200 is plenty) interval, nulls, ceiling and the values beside are computed as well, for metrics
    that train nothing; for the others, which take minutes, only with `resample_slow`. See `latentlab.uncertainty`.
    ``metrics`` names which to compute (all of the profile by default). What the arrays cannot support is in
    ``skipped`` with its reason. Raises `InputError` for arrays that do not belong together and for unknown names.

    >>> import numpy as np
    >>> levels = np.stack(np.unravel_index(np.arange(64), (4, 4, 4)), axis=1)
    >>> found = score(levels.astype(float), grid=(4, 4, 4), metrics=["mig"])
    >>> round(found.scores["mig"].value, 3)
    1.0
    """
    rules = load("profiles", profile)
    material = gather(codes, factors, grid, test, variance, factor_names, kinds)
    if not rules.TYPED:
        material = replace(material, kinds=untyped(material))
    found = Scores({}, {}, {})
    for name in metrics if metrics is not None else rules.PROTOCOLS:
        module = load("metrics", name)
        key = module.__name__.rpartition(".")[2]
        start = time.perf_counter()
        try:
            n = resamples if resample_slow or is_fast(module) else 0
            found.scores[key] = score_one(key, module, material, rules, n)
        except InputError as error:
            found.skipped[key] = str(error)
        found.seconds[key] = time.perf_counter() - start
    return found


def score_one(name: str, module: ModuleType, material: Material, rules: ModuleType, resamples: int = 0) -> Score:
    """One metric under a profile, drawn with the profile's own seed."""
    protocol = rules.PROTOCOLS.get(name, Protocol())

    def draw(source: Material, random: RandomState, batch: int | None = None) -> Call:
        return arguments(module.METRIC, source, protocol, random, batch or protocol.train)

    call = draw(material, RandomState(rules.SEED), BATCH)
    found = getattr(module, name)(*call.args, **{**call.options, **protocol.settings})
    if resamples:
        try:
            found = with_uncertainty(found, name, module, material, call, draw, protocol, resamples)
        except InputError as error:  # the score itself stands
            found = found.replace(settings={**found.settings, "not_resampled": str(error)})
    return described(found, call, material, profile_name(rules))


def untyped(material: Material) -> tuple[FactorKind, ...] | None:
    """Kinds under a profile that takes whole-numbered factors as classes, whatever their kind."""
    if material.factors is None:
        return None
    return tuple(
        "categorical" if kind_of(column, None) == "categorical" else (kind or "continuous")
        for column, kind in zip(material.factors.T, material.kinds or [None] * len(material.names), strict=True)
    )


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


def gather(
    codes: ArrayLike,
    factors: ArrayLike | None = None,
    grid: Sequence[int] | None = None,
    test: tuple[ArrayLike, ArrayLike] | None = None,
    variance: ArrayLike | None = None,
    factor_names: Sequence[str] = (),
    kinds: Sequence[FactorKind] | None = None,
) -> Material:
    """Arrays checked against each other; factors that have one value are left out, by name."""
    z = check_codes(codes)
    sizes = None if grid is None else _check_grid(grid, len(z), test)
    if sizes is not None and factors is None:
        factors = levels_of_rows(np.arange(len(z), dtype=np.int64), sizes)
    spread = None if variance is None else check_codes(variance, "variance")
    if spread is not None and spread.shape != z.shape:
        raise InputError(f"variance has shape {spread.shape} but codes has {z.shape}; give the two of one encoding")
    if factors is None:
        return Material(z, variance=spread, test_codes=None if test is None else check_codes(test[0], "test codes"))
    return _with_factors(Material(z, grid=sizes, variance=spread), factors, test, factor_names, kinds)


def _with_factors(
    material: Material,
    factors: ArrayLike,
    test: tuple[ArrayLike, ArrayLike] | None,
    factor_names: Sequence[str],
    kinds: Sequence[FactorKind] | None,
) -> Material:
    z, v = material.codes, check_factors(factors)
    if len(z) != len(v):
        raise InputError(f"codes has {len(z)} rows but factors has {len(v)}; were both made from the same split?")
    named = tuple(factor_names) or tuple(f"factor_{j}" for j in range(v.shape[1]))
    if len(named) != v.shape[1] or (kinds is not None and len(kinds) != v.shape[1]):
        raise InputError(f"factors has {v.shape[1]} columns but {len(named)} names were given; name each column once")
    keep = [j for j in range(v.shape[1]) if _varies(v[:, j])]
    tz = tv = None
    if test is not None:
        tz, tv = check_codes(test[0], "test codes"), check_factors(test[1], "test factors")
        if tz.shape[1] != z.shape[1] or tv.shape[1] != v.shape[1]:
            raise InputError(f"train has (d, k) = {(z.shape[1], v.shape[1])} but test {(tz.shape[1], tv.shape[1])}")
    return Material(
        codes=z,
        factors=v[:, keep],
        grid=material.grid,
        test_codes=tz,
        test_factors=None if tv is None else tv[:, keep],
        variance=material.variance,
        names=tuple(named[j] for j in keep),
        kinds=None if kinds is None else tuple(kinds[j] for j in keep),
        dropped=tuple(named[j] for j in range(v.shape[1]) if j not in keep),
    )


def _varies(column: Floats) -> bool:
    known = column[~np.isnan(column)]
    return len(known) > 0 and bool(known.min() < known.max())


def _check_grid(grid: Sequence[int], n: int, test: object) -> tuple[int, ...]:
    sizes = tuple(int(size) for size in grid)
    if min(sizes, default=0) < 1 or int(np.prod(sizes)) != n:
        raise InputError(f"grid {'×'.join(map(str, sizes))} has {int(np.prod(sizes))} cells but codes has {n} rows")
    if test is not None:
        raise InputError("grid and test were both given; a grid draws its own test rows, so give one of them")
    return sizes


def arguments(metric: Metric, material: Material, protocol: Protocol, random: RandomState, batch: int = BATCH) -> Call:
    """What the metric's function is called with: rows drawn as the profile says, or as the arrays allow.

    Rows of a grid are drawn `batch` at a time, which changes which rows a seed draws, not how likely they are.
    """
    if metric.needs == "codes":
        return _codes_alone(material, protocol, random, batch)
    if metric.needs == "posterior":
        if material.variance is None:
            raise InputError("needs the posterior variance; these codes have none (an AE's codes, or plain arrays)")
        return Call((material.codes, material.variance), {}, f"all {len(material.codes)} rows")
    if metric.needs in ("runs", "projection"):
        what = "the codes of several runs" if metric.needs == "runs" else "a projection"
        raise InputError(f"needs {what}; it is not a score of one run's codes")
    if material.factors is None:
        raise InputError("needs factors; none were given")
    if material.factors.shape[1] == 0:
        raise InputError(f"needs a factor that varies; {', '.join(material.dropped)} has one value in every row")
    if metric.needs == "draws":
        return _draws(material, protocol, random)
    if not metric.posterior:
        material = replace(material, variance=None)
    return _rows(material, protocol, random, batch, parts=metric.needs in ("split", "labels"))


def _codes_alone(material: Material, protocol: Protocol, random: RandomState, batch: int) -> Call:
    if material.factors is not None and material.factors.shape[1]:
        call = _rows(material, protocol, random, batch, parts=False)
        return Call(call.args[:1], {}, call.rows_from, drawn=call.drawn)
    n = len(material.codes)
    if n <= protocol.train or material.test_codes is not None:
        return Call((material.codes,), {}, f"all {n} rows as given")
    chosen = np.sort(random.permutation(n)[: protocol.train])
    return Call(
        (material.codes[chosen],), {}, f"{protocol.train} of {n} rows, drawn with the profile's seed", drawn=True
    )


def _rows(material: Material, protocol: Protocol, random: RandomState, batch: int, parts: bool) -> Call:
    """Codes and factors of the rows, then their posterior variance where there is one, or what to test on."""
    z, v = material.codes, _factors(material)
    options = {"kinds": material.kinds}
    if material.test_codes is not None:
        held_out = (material.test_codes, material.test_factors) if parts else _spread(material, slice(None))
        return Call(
            (z, v, *held_out), options, "train and test arrays as they stand" if parts else "train array as it stands"
        )
    train, test, rows_from, overlap = _choose(material, protocol, random, batch, parts)
    drawn = parts or len(train) < len(z) or material.grid is not None
    held_out = (z[test], v[test]) if parts else _spread(material, train)
    return Call((z[train], v[train], *held_out), options, rows_from, overlap, drawn)


def _spread(material: Material, rows: Any) -> tuple[Floats, ...]:
    return () if material.variance is None else (material.variance[rows],)


def _choose(
    material: Material, protocol: Protocol, random: RandomState, batch: int, parts: bool
) -> tuple[Ints, Ints, str, float | None]:
    """Train and test rows of a grid by protocol, or of any rows by a split without overlap."""
    n, none = len(material.codes), np.empty(0, dtype=np.int64)
    if material.grid is not None:
        train = draw_rows(material.grid, protocol.train, random, batch)
        test = draw_rows(material.grid, protocol.test, random, batch) if parts else none
        overlap = float(np.isin(test, train).mean()) if parts else None
        counts = f"{len(train)} + {len(test)}" if parts else f"{len(train)}"
        return train, test, f"{counts} rows drawn from the full grid of {n}", overlap
    if not parts and n <= protocol.train:
        return np.arange(n), none, f"all {n} rows as given", None
    cut = min(protocol.train, n - max(1, n // 3)) if parts else protocol.train
    order = random.permutation(n)
    train, test = np.sort(order[:cut]), np.sort(order[cut : cut + protocol.test]) if parts else none
    counts = f"{len(train)} + {len(test)}" if parts else f"{len(train)}"
    return train, test, f"{counts} of {n} rows, split without overlap by the profile's seed", None


def _draws(material: Material, protocol: Protocol, random: RandomState) -> Call:
    z, v = material.codes, _factors(material)
    options: dict[str, Any] = {"kinds": material.kinds}
    if material.grid is not None:
        if not protocol.pairs:
            options["spread_rows"] = draw_rows(material.grid, protocol.train, random, batch=protocol.train)
        draw = draw_shared if protocol.pairs else draw_fixed
        train = draw(material.grid, protocol.train, protocol.batch, random)
        test = draw(material.grid, protocol.test, protocol.batch, random)
        return Call(
            (z, v, train, test), options, f"{len(train.fixed)} + {len(test.fixed)} draws from the full grid", drawn=True
        )
    if material.test_codes is not None and material.test_factors is not None:
        pool, values = np.concatenate([z, material.test_codes]), np.concatenate([v, material.test_factors])
        train_rows, test_rows = np.arange(len(z)), np.arange(len(z), len(pool))
    else:
        pool, values = z, v
        train_rows, test_rows, *_ = _choose(material, protocol, random, BATCH, parts=True)
    alike = draw_pairs if protocol.pairs else draw_alike
    drawn = []
    for rows, count in ((train_rows, protocol.train), (test_rows, protocol.test)):
        fixed, chosen = alike(values[rows], count, protocol.batch, random, material.kinds)
        drawn.append(Draws(fixed, rows[chosen]))
    if not protocol.pairs:
        options["spread_rows"] = train_rows
    return Call(
        (pool, values, *drawn), options, "no grid: draws of given rows that share the factor's value", drawn=True
    )


def _factors(material: Material) -> Floats:
    if material.factors is None:
        raise InputError("needs factors; none were given")
    return material.factors


def known_metrics() -> dict[str, Metric]:
    """The declaration of every metric in the folder, by name."""
    return {name: load("metrics", name).METRIC for name in names("metrics")}


def scores_from_json(found: Mapping[str, Any]) -> Scores:
    """The inverse of `Scores.to_json`."""
    entries = found.get("scores", {})
    seconds = {name: float(entry.get("seconds", np.nan)) for name, entry in entries.items()}
    return Scores(
        {name: Score.from_json(entry) for name, entry in entries.items()}, dict(found.get("skipped", {})), seconds
    )
