"""Rows picked out of a picture of the codes: which they are, and what they have more of than the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.codes.codes import Codes
from latentlab.codes.dimensions import factors_of
from latentlab.codes.h5ad_writer import unlike
from latentlab.codes.labels import as_values
from latentlab.codes.symbols import symbols
from latentlab.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

BINS = 10
MARKED = 2_000


def inside(polygon: Sequence[Sequence[float]], xy: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which points (n, 2) lie inside a polygon of (x, y) corners: a ray from them crosses its edges oddly often.

    >>> inside([(0, 0), (2, 0), (2, 2), (0, 2)], np.array([[1.0, 1.0], [3.0, 1.0]])).tolist()
    [True, False]
    """
    corners = np.asarray(polygon, np.float64)
    if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < 3 or not np.isfinite(corners).all():
        raise InputError(f"the polygon is {corners.shape}; expected at least three corners (x, y)")
    found = np.zeros(len(xy), bool)
    # Only points in the polygon's box can be inside, and are tested against its edges.
    near = np.flatnonzero(((xy >= corners.min(axis=0)) & (xy <= corners.max(axis=0))).all(axis=1))
    x, y = np.asarray(xy[near], np.float64).T
    crossed = np.zeros(len(near), bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        crossed ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    found[near[crossed]] = True
    return found


def present(known: ArrayLike, row_ids: ArrayLike) -> NDArray[np.int64]:
    """The positions (m,) among the known ids (n,) of those row ids that are there: a shared copy of a run holds fewer.

    >>> present([10, 20, 30], [30, 10, 99]).tolist()
    [0, 2]
    """
    return np.flatnonzero(np.isin(known, row_ids))


def area_text(polygons: Sequence[Sequence[Sequence[float]]], corners: int = 60) -> str:
    """Polygons as a text short enough for an address: at most `corners` of each, evenly picked, to four digits.

    >>> area_text([[(0, 0), (1, 0), (0.33333, 1)]])
    '0 0,1 0,0.3333 1'
    """
    picked = [polygon[:: max(1, -(-len(polygon) // corners))] for polygon in polygons]
    return ";".join(",".join(f"{x:.4g} {y:.4g}" for x, y in polygon) for polygon in picked)


def areas(text: str) -> list[list[tuple[float, float]]]:
    """The polygons that `area_text` wrote; an `InputError` where it is not such a text.

    >>> areas("0 0,1 0,0.3333 1")
    [[(0.0, 0.0), (1.0, 0.0), (0.3333, 1.0)]]
    """
    try:
        found = [[tuple(map(float, corner.split(" "))) for corner in part.split(",")] for part in text.split(";")]
    except ValueError:
        found = []
    if not found or any(len(polygon) < 3 or any(len(corner) != 2 for corner in polygon) for polygon in found):
        raise InputError("the address names an invalid area: draw it again")
    return [[(corner[0], corner[1]) for corner in polygon] for polygon in found]


def within(polygons: Sequence[Sequence[Sequence[float]]], xy: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which points (n, 2) lie inside any of the polygons."""
    found = np.zeros(len(xy), bool)
    for polygon in polygons:
        found |= inside(polygon, xy)
    return found


def named(codes: Codes, text: str) -> NDArray[np.int64]:
    """The positions (m,) of the row ids that a text names, in order: ``"5, 17, 100-120"``.

    A single id must be there; of a range ``a-b``, both ends included, whatever lies in it counts. Rows that have names
    are named by these, ``"AAACCTGA-1, AAACGGGA-1"``, or by a single id unless a row has it as its name.

    >>> named(Codes(np.zeros((4, 1), np.float32), row_ids=np.array([10, 20, 30, 40])), "40, 15-30").tolist()
    [1, 2, 3]
    """
    if codes.row_names is not None:
        return _by_name(codes, codes.row_names, text)
    chosen = np.zeros(len(codes), bool)
    for part in filter(None, re.split(r"[,;\s]+", re.sub(r"\s*[-–]\s*", "-", text.strip()))):
        ends = re.fullmatch(r"(\d{1,18})(?:-(\d{1,18}))?", part)
        if ends is None:
            raise InputError(f"{part[:40]!r} is not a row id; expected ids and ranges, such as 5, 17, 100-120")
        low, high = int(ends[1]), int(ends[2] or ends[1])
        found = (codes.row_ids >= low) & (codes.row_ids <= high)
        if not found.any():
            nearest = codes.row_ids[np.abs(codes.row_ids - low).argmin()]
            raise InputError(f"no row has an id of {part}; these are {len(codes):,} rows, the nearest id is {nearest}")
        chosen |= found
    return np.flatnonzero(chosen)


def _by_name(codes: Codes, names: NDArray[np.str_], text: str) -> NDArray[np.int64]:
    """The positions (m,) of names or ids between commas, or between spaces where no name has one."""
    chosen = np.zeros(len(names), bool)
    parts = [part.strip() for part in re.split(r"[,;\n]", text)]
    words = [[part] if (names == part).any() else part.split() for part in parts]
    for word in (each for part in words for each in part):
        found = names == word
        chosen[found if found.any() else codes.position(word)] = True
    return np.flatnonzero(chosen)


def holding(codes: Codes, factor: str, value: str) -> NDArray[np.int64]:
    """The positions (m,) of the rows whose factor has that value, both as `composition` writes them."""
    columns, names, _ = factors_of(codes)
    if factor not in names:
        raise InputError(f"the codes have no varying factor {factor!r}; they have: {', '.join(names) or 'none'}"[:200])
    labels, texts = _texts(codes, columns[:, names.index(factor)], factor)
    if value not in texts:
        raise InputError(f"no row has {factor} = {value}; it takes: {', '.join(texts)}"[:200])
    return np.flatnonzero(labels == texts.index(value))


def passing(codes: Codes, filters: Mapping[str, Sequence[str]]) -> NDArray[np.int64]:
    """The positions (m,) of the rows that have one of the values given for each of several factors.

    >>> passing(Codes(np.zeros((3, 1), np.float32), labels=np.array([5, 5, 7])), {"label": ["5"]}).tolist()
    [0, 1]
    """
    kept = np.ones(len(codes), bool)
    for factor, values in filters.items():
        held = np.zeros(len(codes), bool)
        held[together(*(holding(codes, factor, value) for value in values))] = True
        kept &= held
    return np.flatnonzero(kept)


def facts(codes: Codes, position: int) -> str:
    """The factor values of a row in words, or its class.

    >>> facts(Codes(np.zeros((2, 1), np.float32), labels=np.array([1, 0]), label_names=("cat", "dog")), 0)
    'dog'
    """
    if codes.factors is None:
        return "" if codes.labels is None or not codes.classes else codes.classes.get(int(codes.labels[position]), "")
    known = [pair for pair in zip(codes.specs, codes.factors[position], strict=True) if np.isfinite(pair[1])]
    return ", ".join(f"{spec.name} {_text(spec.values[int(value)] if spec.values else value)}" for spec, value in known)


def rows_of(codes: Codes, text: str, notes: dict[str, Any]) -> NDArray[np.int64]:
    """The positions (m,) of the rows that a text means: a kept selection's name, ``factor=value``, or row ids.

    >>> rows_of(Codes(np.zeros((3, 1), np.float32)), "rare", {"selections": {"rare": {"rows": [2]}}}).tolist()
    [2]
    """
    kept = selections_of(notes)
    if text in kept:
        return present(codes.row_ids, kept[text])
    factor, sign, value = text.partition("=")
    if sign:
        return holding(codes, factor.strip(), value.strip())
    if not text.strip()[:1].isdigit():
        known = ", ".join(kept) or "none"
        raise InputError(f"there is no selection called {text[:40]!r} (kept: {known}); a value is FACTOR=VALUE"[:200])
    return named(codes, text)


def levels(codes: Codes) -> dict[str, tuple[NDArray[np.int64], list[str]]]:
    """Each row's value of every factor: its number (n,) among the factor's texts, −1 where it is missing, and these.

    >>> levels(Codes(np.zeros((3, 1), np.float32), labels=np.array([5, 5, 7])))["label"][0].tolist()
    [0, 0, 1]
    """
    columns, names, _ = factors_of(codes)
    return {name: _texts(codes, columns[:, k], name) for k, name in enumerate(names)}


def values_of(codes: Codes, factor: str) -> list[str]:
    """The values that `holding` knows of a factor, in order."""
    columns, names, _ = factors_of(codes)
    return _texts(codes, columns[:, names.index(factor)], factor)[1] if factor in names else []


def neighbours(codes: Codes, position: int, count: int) -> NDArray[np.int64]:
    """The positions (count,) of the rows whose codes are nearest to that of the row at `position`, itself the first.

    The distance is Euclidean in the codes, in units of each dimension's spread where the encoder is deterministic: the
    scale of an autoencoder's dimensions is free.

    >>> neighbours(Codes(np.array([[0.0], [5.0], [1.0]], np.float32), np.ones((3, 1), np.float32)), 0, 2).tolist()
    [0, 2]
    """
    spread = codes.mean.std(axis=0) if codes.variance is None else np.ones(codes.latent_dim)
    apart = (codes.mean - codes.mean[position]) / np.where(spread > 0, spread, 1)
    distance = np.einsum("ij,ij->i", apart, apart)
    distance[position] = -1
    few = min(count, len(codes))
    nearest = np.argpartition(distance, few - 1)[:few]
    return nearest[np.argsort(distance[nearest], kind="stable")]


def together(*parts: ArrayLike) -> NDArray[np.int64]:
    """The positions (m,) that are in any of the parts, each once and in order.

    >>> together([3, 1], [1, 2], []).tolist()
    [1, 2, 3]
    """
    every = np.concatenate([np.empty(0, np.int64), *(np.asarray(part, np.int64) for part in parts)])
    every.sort(kind="stable")  # parts are mostly in order; np.unique takes 30 times as long for a million rows
    return every[np.diff(every, prepend=every[:1] - 1) > 0]


def marks(xy: NDArray[np.floating], ids: NDArray[np.int64], chosen: NDArray[np.int64]) -> NDArray[np.floating]:
    """Where chosen row ids lie in a picture (m, 2) with those `ids`: at most `MARKED` of them, evenly picked.

    Rows that the picture does not have are left out.
    """
    here = np.flatnonzero(np.isin(ids, chosen))
    return xy[here[:: max(1, -(-len(here) // MARKED))]]


def extremes(values: NDArray[np.floating], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the `count` lowest and the `count` highest of values (n,) are, the most extreme first; none is in both.

    Equal values keep their order, so that the answer is the same every time.

    >>> [part.tolist() for part in extremes(np.array([3.0, 1.0, 2.0, 5.0]), 1)]
    [[1], [3]]
    """
    order = np.argsort(values, kind="stable")
    few = min(count, len(order) // 2)
    return order[:few], order[len(order) - few :][::-1]


def composition(codes: Codes, rows: NDArray[np.int64]) -> pd.DataFrame:
    """What the rows at these positions have more or less of than all rows: a line a (factor, value).

    ``share`` is the value's share of the selection, ``share_of_all`` that of all rows, ``lift`` the first over the
    second: 1 where the selection is like the rest. A continuous factor's values are put into 10 bins of equal counts.
    """
    import pandas as pd

    columns, names, _ = factors_of(codes)
    found = []
    for k, name in enumerate(names):
        labels, texts = _texts(codes, columns[:, k], name)
        every = np.bincount(labels[labels >= 0], minlength=len(texts))
        here = np.bincount(labels[rows][labels[rows] >= 0], minlength=len(texts))
        share, of_all = here / max(here.sum(), 1), every / max(every.sum(), 1)
        found += [
            {
                "factor": name,
                "value": text,
                "rows": int(n),
                "share": s,
                "share_of_all": a,
                "lift": s / a if a else np.nan,
            }
            for text, n, s, a in zip(texts, here, share, of_all, strict=True)
        ]
    return pd.DataFrame(found, columns=["factor", "value", "rows", "share", "share_of_all", "lift"])


def _texts(codes: Codes, column: NDArray[np.float64], factor: str) -> tuple[NDArray[np.int64], list[str]]:
    spec = codes.spec(factor)
    return _levels(column, spec.values if spec else ())


def _levels(column: NDArray[np.float64], values: Sequence[float | str]) -> tuple[NDArray[np.int64], list[str]]:
    known = np.isfinite(column)
    labels = np.full(len(column), -1, np.int64)
    distinct = np.unique(column[known])
    named = len(values) > distinct.max() and (distinct == np.floor(distinct)).all() and distinct.min() >= 0
    if len(distinct) <= 4 * BINS:
        labels[known] = np.searchsorted(distinct, column[known])
        return labels, [_text(values[int(level)] if named else level) for level in distinct]
    edges = np.quantile(column[known], np.linspace(0, 1, BINS + 1), method="nearest" if named else "linear")
    labels[known] = np.clip(np.searchsorted(edges, column[known], side="right") - 1, 0, BINS - 1)
    ends = [_text(values[int(edge)] if named else edge) for edge in edges]
    return labels, [f"{low} … {high}" for low, high in pairwise(ends)]


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.3g}".replace("-", "−")


def as_table(codes: Codes, rows: NDArray[np.int64]) -> pd.DataFrame:
    """Those rows as a table to take along: row id and name, factors by value, label by name, codes."""
    import pandas as pd

    others: dict[str, Any] = {} if codes.labels is None else {"label": codes.labels[rows]}
    if codes.labels is not None and codes.classes:
        others = {"label": codes.class_names(rows), "label_code": codes.labels[rows]}
    others |= dict(zip(symbols(codes.latent_dim), codes.mean[rows].T, strict=True))
    found: dict[str, Any] = {"row": codes.row_ids[rows]}
    if codes.row_names is not None:
        found["row_name"] = codes.row_names[rows]
    for k, name in enumerate(unlike(codes.factor_names(), [*found, *others])):
        found[name] = [] if codes.factors is None else as_values(codes.specs[k], codes.factors[rows, k])
    return pd.DataFrame(found | others)


def selections_of(notes: dict[str, Any]) -> dict[str, NDArray[np.int64]]:
    """The row ids (m,) of each selection in a run's notes, by name and in the order of the names.

    >>> {name: ids.tolist() for name, ids in selections_of({"selections": {"rare": {"rows": [7, 3]}}}).items()}
    {'rare': [3, 7]}
    """
    found = notes.get("selections", {})
    try:
        return {str(name): np.unique(np.asarray(found[name]["rows"], np.int64)) for name in sorted(found)}
    except (TypeError, KeyError, ValueError, OverflowError) as error:
        raise InputError(
            "notes.json does not contain selections in latentlab's format; restore or remove it"
        ) from error
