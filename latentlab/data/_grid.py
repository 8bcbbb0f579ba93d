"""What data sets share that are drawn on the spot: a full grid of factors, or a coarser one, rendered row by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from latentlab.data._fingerprint import Known, digest
from latentlab.data.dataset import Dataset, Factor, Images, Rows
from latentlab.errors import InputError

Render = Callable[[Rows, int], Images]
VERSION = 1  # of what is drawn: raise it where a change to a renderer changes a pixel


def drawn(
    name: str,
    specs: Sequence[Factor],
    render: Render,
    *,
    channels: int,
    size: int,
    grid: Any,
    periods: Mapping[str, int],
) -> Dataset:
    """All combinations of the factors' levels as a `Dataset` whose images ``render(rows, size)`` draws when read.

    ``grid`` asks for fewer levels per factor, evenly spaced. A circular factor in ``periods`` meets its first level
    again after that many steps; fewer levels of it are spread over the half-open circle, so that none appears twice.
    """
    full = tuple(spec.levels for spec in specs)
    levels = [
        _spread(wanted, spec.levels, periods.get(spec.name))
        for spec, wanted in zip(specs, _counts(grid, full), strict=True)
    ]
    shape = tuple(len(chosen) for chosen in levels)
    n = int(np.prod(shape))
    source: dict[str, object] = {"name": f"{name}-rendered", "size": size, "grid": list(shape)}
    if shape != full:
        source |= {"levels": [chosen.tolist() for chosen in levels], "row_ids": "positions in this smaller grid"}

    def read(rows: Rows) -> Images:
        indices = np.unravel_index(rows, shape)
        chosen = [each[index] for each, index in zip(levels, indices, strict=True)]
        return render(np.ravel_multi_index(chosen, full), size)

    return Dataset(
        name=name,
        shape=(n, channels, size, size),
        read=Known(read, lambda: digest(VERSION, name, size, *levels)),
        factors=np.indices(shape).reshape(len(shape), n).T.astype(np.float64),
        specs=tuple(
            Factor(spec.name, spec.kind, tuple(spec.values[i] for i in chosen))
            for spec, chosen in zip(specs, levels, strict=True)
        ),
        grid=shape,
        source=source,
    )


def checked_rows(rows: Any, n: int, name: str) -> Rows:
    """Row numbers (k,) of a grid of `n` rows."""
    found = np.asarray(rows, dtype=np.int64).reshape(-1)
    if len(found) and not (found.min() >= 0 and found.max() < n):
        raise InputError(f"{name} rows run from 0 to {n - 1:,}; got {found.min():,} to {found.max():,}")
    return found


def check_size(size: Any, sizes: range, name: str) -> None:
    """Raise an `InputError` where images of that size cannot be drawn."""
    if size not in sizes:
        raise InputError(f"{name} can be drawn at sizes {sizes.start} to {sizes.stop - 1}; got size={str(size)[:40]}")


def _counts(grid: Any, full: tuple[int, ...]) -> tuple[int, ...]:
    counts = tuple(grid) if isinstance(grid, tuple | list) and all(isinstance(wanted, int) for wanted in grid) else ()
    if len(counts) != len(full) or not all(1 <= wanted <= has for wanted, has in zip(counts, full, strict=True)):
        asked, whole, few = (
            "x".join(map(str, part)) if isinstance(part, tuple | list) else str(part)
            for part in (grid, full, [min(has, 3) for has in full])
        )
        raise InputError(
            f"grid={asked[:40]} must ask for 1 to {whole} levels of the {len(full)} factors, as in grid={few}"
        )
    return counts


def _spread(wanted: int, has: int, period: int | None) -> Rows:
    """Which of the levels a coarser grid has."""
    if period is None or wanted == has:
        return np.linspace(0, has - 1, wanted).round().astype(np.int64)
    return (np.arange(wanted) * period / wanted).round().astype(np.int64)
