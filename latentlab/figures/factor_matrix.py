"""What each latent dimension knows of each factor: mutual information over the factor's entropy, beyond chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.codes import Codes
from latentlab.codes.dimensions import ROWS, beyond, chance, dimensions, entropies, knowledge
from latentlab.errors import InputError, MissingError
from latentlab.figures import _matrix
from latentlab.figures._text import describe, inactive
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Which factors each dimension encodes"
TAKES = "run"


@dataclass(frozen=True, eq=False)
class FactorMatrix:
    """``values`` (d, k) in [0, 1]: I(z_j; v_k) / H(v_k) beyond chance, dimensions in order of importance."""

    values: NDArray[np.float64]
    dims: tuple[str, ...]
    factors: tuple[str, ...]
    inactive: tuple[bool, ...]
    subtitle: str
    names: tuple[str, ...] = ()


def prepare(run: Run, *, top: int = 40) -> FactorMatrix:
    """The matrix of the run's MIG score where it has one; measured on its codes otherwise."""
    codes = run.codes()
    table = dimensions(codes, notes=run.named(), draws=0).head(top)
    values, factors, source = _scored(run, codes) or _measured(codes)
    if not factors:
        raise InputError(
            f"the codes of {run.name} have no factors; a factor matrix needs data with known factors or labels"
        )
    subtitle = [
        describe(run),
        "mutual information over the factor's entropy, beyond chance",
        f"ranked by {table.attrs['ranked_by']}",
        source,
    ]
    order = table["index"].to_numpy()
    return FactorMatrix(
        values[order], tuple(table["dim"]), factors, inactive(table), " · ".join(subtitle), tuple(table["name"])
    )


Found = tuple[NDArray[np.float64], tuple[str, ...], str]


def _scored(run: Run, codes: Codes) -> Found | None:
    try:
        score = run.scores().get("mig")
    except MissingError:
        return None
    if score is None or score.matrix is None:
        return None
    factors, known = tuple(score.per_factor), entropies(codes)
    if score.matrix.shape != (codes.latent_dim, len(factors)) or not set(factors) <= set(known):
        return None
    nats = np.array([known[name] for name in factors])
    rows = score.settings.get("rows")
    order = [list(known).index(name) for name in factors]
    used = min(rows or ROWS, len(codes))
    by_chance = chance(codes, rows=used)[:, order] * used / max(rows or 0, used)  # it falls as 1/n
    shares = beyond(score.matrix / nats, by_chance)
    return shares, factors, "of the MIG score" + (f", {rows:,} rows" if rows else "")


def _measured(codes: Codes) -> Found:
    found = knowledge(codes)
    return found.normalised, found.factors, f"{found.rows:,} of {found.of_rows:,} rows"


def alt(data: FactorMatrix) -> str:
    """The figure in words."""
    best = data.values.argmax(axis=0)
    most = "; ".join(
        f"{name}: {data.dims[j]} {data.values[j, k]:.2f}"
        for k, (name, j) in enumerate(zip(data.factors, best, strict=True))
    )
    return (
        f"Matrix of {len(data.dims)} latent dimensions by {len(data.factors)} factors. {data.subtitle}. Most on {most}."
    )


def _grid(data: FactorMatrix) -> _matrix.Matrix:
    none = (False,) * len(data.factors)
    return _matrix.Matrix(
        data.values, data.dims, data.factors, data.inactive, none, "MI / entropy of the factor", row_names=data.names
    )


def interactive(data: FactorMatrix) -> Any:
    """The Plotly figure."""
    return _matrix.interactive(_grid(data), TITLE, data.subtitle, alt(data))


def static(data: FactorMatrix, preset: str) -> Any:
    """The Matplotlib figure."""
    return _matrix.static(_grid(data), preset)


def numbers(data: FactorMatrix) -> pd.DataFrame:
    """The numbers: one row per row of the matrix."""
    return _matrix.numbers(_grid(data))
