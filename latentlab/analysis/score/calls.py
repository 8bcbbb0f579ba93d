"""What a metric is called with: arrays checked against each other, and rows drawn from them as a profile says.

Three situations, told apart by what is given, and said of each call under ``rows_from``:

- ``grid``: the codes are those of a full grid in row-major order; rows are drawn by the profile's protocol;
- ``test``: train and test arrays are taken as they stand;
- neither: rows are split with a seed, and interventions draw rows that share a factor's value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike

from latentlab.analysis.score.arrays import levels_of
from latentlab.analysis.score.profiles._protocol import (
    BATCH,
    Protocol,
    draw_fixed,
    draw_rows,
    draw_shared,
    levels_of_rows,
)
from latentlab.data._memory import check_order
from latentlab.data.dataset import FactorKind, is_grid
from latentlab.errors import InputError
from latentlab.metrics._arrays import Floats, Ints, check_codes, check_factors, check_finite, kind_of, survey
from latentlab.metrics._draws import Draws, draw_alike, draw_pairs
from latentlab.metrics._metric import Metric


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
    check_order("score", codes, {"factors": factors, "variance": variance}, "codes")
    z = check_codes(codes)
    if factors is not None:
        factors, factor_names, _ = levels_of(factors, factor_names)
    sizes = None if grid is None else _check_grid(grid, len(z), test)
    if sizes is not None and factors is None:
        factors = levels_of_rows(np.arange(len(z), dtype=np.int64), sizes)
    spread = None if variance is None else check_finite(variance, "variance")
    if spread is not None and spread.shape != z.shape:
        raise InputError(
            f"variance has shape {spread.shape} but codes has {z.shape}; give mean and variance of the same encoding"
        )
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
    z, v = material.codes, check_factors(factors, widen=False)
    if len(z) != len(v):
        raise InputError(f"codes has {len(z)} rows but factors has {len(v)}; were both made from the same split?")
    named = tuple(factor_names) or tuple(f"factor_{j}" for j in range(v.shape[1]))
    if len(named) != v.shape[1] or (kinds is not None and len(kinds) != v.shape[1]):
        raise InputError(f"factors has {v.shape[1]} columns but {len(named)} names were given; name each column once")
    if not is_grid(material.grid, len(v), v):
        cells = "×".join(map(str, material.grid or ()))
        raise InputError(f"the rows are not the grid {cells} in row-major order, as factors show; leave the grid out")
    keep = [j for j, column in enumerate(survey(v)) if column.low < column.high]
    tz = tv = None
    if test is not None:
        tz, tv = check_codes(test[0], "test codes"), check_factors(test[1], "test factors", widen=False)
        if tz.shape[1] != z.shape[1] or tv.shape[1] != v.shape[1]:
            raise InputError(f"train has (d, k) = {(z.shape[1], v.shape[1])} but test {(tz.shape[1], tv.shape[1])}")
    return Material(
        codes=z,
        factors=_columns(v, keep),
        grid=material.grid,
        test_codes=tz,
        test_factors=None if tv is None else _columns(tv, keep),
        variance=material.variance,
        names=tuple(named[j] for j in keep),
        kinds=None if kinds is None else tuple(kinds[j] for j in keep),
        dropped=tuple(named[j] for j in range(v.shape[1]) if j not in keep),
    )


def _columns(factors: Floats, keep: list[int]) -> Floats:
    """Those columns; the array as it stands, perhaps on disk, where they are all."""
    return factors if len(keep) == factors.shape[1] else factors[:, keep]


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
        raise InputError(f"needs {what}; it cannot be computed from one run's codes")
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
    chosen = np.sort(_some(n, protocol.train, random))
    return Call(
        (material.codes[chosen],), {}, f"{protocol.train} of {n} rows, drawn with the profile's seed", drawn=True
    )


def _rows(material: Material, protocol: Protocol, random: RandomState, batch: int, parts: bool) -> Call:
    """Codes and factors of the rows, then their posterior variance where there is one, or what to test on."""
    z, v = material.codes, _factors(material)
    options = {"kinds": material.kinds}
    if material.test_codes is not None:
        held_out = (material.test_codes, material.test_factors) if parts else _spread(material, slice(None))
        return Call((z, v, *held_out), options, "train and test arrays as given" if parts else "train array as given")
    train, test, rows_from, overlap = _choose(material, protocol, random, batch, parts)
    split = parts and protocol.share is None
    drawn = split or material.grid is not None or len(np.union1d(train, test)) < len(z)
    held_out = (z.take(test, axis=0), v.take(test, axis=0)) if parts else _spread(material, train)
    return Call((z.take(train, axis=0), v.take(train, axis=0), *held_out), options, rows_from, overlap, drawn)


def _spread(material: Material, rows: Any) -> tuple[Floats, ...]:
    return () if material.variance is None else (material.variance[rows],)


def _choose(
    material: Material, protocol: Protocol, random: RandomState, batch: int, parts: bool
) -> tuple[Ints, Ints, str, float | None]:
    """Train and test rows of a grid by protocol, or of any rows by a split without overlap."""
    if parts and protocol.share is not None:
        rows, _, rows_from, _ = _choose(material, protocol, random, batch, parts=False)
        cut = int(len(rows) * protocol.share)
        held_out = rows if cut == len(rows) else rows[cut:]
        return rows[:cut], held_out, f"{rows_from}: {cut} to train on, {len(held_out)} to test on", None
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
    order = _some(n, cut + (protocol.test if parts else 0), random)
    train, test = np.sort(order[:cut]), np.sort(order[cut : cut + protocol.test]) if parts else none
    counts = f"{len(train)} + {len(test)}" if parts else f"{len(train)}"
    return train, test, f"{counts} of {n} rows, split without overlap by the profile's seed", None


def parted(material: Material, protocol: Protocol, random: RandomState) -> Material:
    """The material with its rows as train and test arrays, split as the protocol splits them where they are not."""
    if material.test_codes is not None:
        return material
    z, v = material.codes, _factors(material)
    train, test, *_ = _choose(material, protocol, random, BATCH, parts=True)
    return replace(material, codes=z[train], factors=v[train], test_codes=z[test], test_factors=v[test], variance=None)


def halved(material: Material, random: RandomState) -> Material:
    """Half the train rows and half the test rows of a material that has both, drawn without replacement."""
    if material.test_codes is None or material.test_factors is None:
        raise InputError("these rows have no test part to be halved")
    train, test = (random.permutation(n)[: max(2, n // 2)] for n in (len(material.codes), len(material.test_codes)))
    return replace(
        material,
        codes=material.codes[train],
        factors=_factors(material)[train],
        test_codes=material.test_codes[test],
        test_factors=material.test_factors[test],
        variance=None,
    )


def _some(n: int, size: int, random: RandomState) -> Ints:
    """`size` different rows of n in random order; a few of very many without an order of all of them."""
    if n < 50 * size:
        return random.permutation(n)[:size]
    return np.random.default_rng(random.randint(2**31 - 1)).choice(n, size, replace=False)


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


def untyped(material: Material) -> tuple[FactorKind, ...] | None:
    """Kinds under a profile that takes whole-numbered factors as classes, whatever their kind."""
    if material.factors is None:
        return None
    return tuple(
        "categorical" if kind_of(column, None) == "categorical" else (kind or "continuous")
        for column, kind in zip(material.factors.T, material.kinds or [None] * len(material.names), strict=True)
    )
