"""Correlation between latent dimensions: what a code with independent dimensions has only on its diagonal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.dimensions import ROWS, dimensions
from latentlab.errors import InputError
from latentlab.figures import _matrix
from latentlab.figures._text import describe, inactive
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Correlation between latent dimensions"
TAKES = "run"
UNIT = "absolute correlation"
METHODS = {"spearman": "Spearman's", "pearson": "Pearson's"}


@dataclass(frozen=True, eq=False)
class Correlation:
    """``values`` (d, d) in [0, 1], NaN for a constant dimension; ``labels`` in order of importance."""

    values: NDArray[np.float64]
    labels: tuple[str, ...]
    inactive: tuple[bool, ...]
    subtitle: str
    names: tuple[str, ...] = ()


def prepare(run: Run, *, method: str = "spearman", top: int = 40, seed: int = 0) -> Correlation:
    """Absolute correlation of the codes, by ``spearman`` (of ranks) or ``pearson``, on at most 20,000 seeded rows."""
    if method not in METHODS:
        raise InputError(f"no correlation is called {method!r}; known: {', '.join(METHODS)}")
    codes = run.codes()
    table = dimensions(codes, notes=run.named(), draws=0).head(top)
    some = codes.sample(ROWS, seed)
    order = table["index"].to_numpy()
    subtitle = [
        describe(run),
        f"absolute value of {METHODS[method]} coefficient",
        f"ranked by {table.attrs['ranked_by']}",
    ]
    subtitle += [f"{len(some):,} of {len(codes):,} rows"] if len(some) < len(codes) else []
    return Correlation(
        correlate(some.mean[:, order], method),
        tuple(table["dim"]),
        inactive(table),
        " · ".join(subtitle),
        tuple(table["name"]),
    )


def correlate(mean: NDArray[Any], method: str) -> NDArray[np.float64]:
    """Absolute correlation between the columns (n, d): (d, d), NaN where a column is constant."""
    from scipy.stats import rankdata

    points = rankdata(mean, axis=0) if method == "spearman" else mean.astype(np.float64)
    centred = points - points.mean(axis=0)
    norm = np.sqrt((centred**2).sum(axis=0))
    norm[norm == 0] = np.nan
    unit = centred / norm
    return np.clip(np.abs(unit.T @ unit), 0, 1)


def alt(data: Correlation) -> str:
    """The figure in words."""
    off = data.values.copy()
    np.fill_diagonal(off, np.nan)
    if not np.isfinite(off).any():
        return f"Matrix of correlations. {data.subtitle}. No two dimensions vary."
    i, j = np.unravel_index(np.nanargmax(off), off.shape)
    most = f"{data.labels[i]} and {data.labels[j]} ({off[i, j]:.2f})"
    return f"Matrix of correlations between {len(data.labels)} latent dimensions. {data.subtitle}. Largest: {most}."


def _grid(data: Correlation) -> _matrix.Matrix:
    return _matrix.Matrix(
        data.values, data.labels, data.labels, data.inactive, data.inactive, UNIT, square=True, row_names=data.names
    )


def interactive(data: Correlation) -> Any:
    """The Plotly figure."""
    return _matrix.interactive(_grid(data), TITLE, data.subtitle, alt(data))


def static(data: Correlation, preset: str) -> Any:
    """The Matplotlib figure."""
    return _matrix.static(_grid(data), preset)


def numbers(data: Correlation) -> pd.DataFrame:
    """The numbers: one row per row of the matrix."""
    return _matrix.numbers(_grid(data))
