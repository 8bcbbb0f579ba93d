"""Where in the picture each latent dimension acts: its derivative, and what changes on its whole path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.analysis.explain.record import effects_of
from latentlab.analysis.explain.table import explained
from latentlab.figures import _images, _sheet
from latentlab.figures._text import describe, number
from latentlab.runs.run import Run
from latentlab.system.png import heat

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Effect of each dimension on the image"
TAKES = "run"
HEADS = ("derivative", "on its path")


@dataclass(frozen=True, eq=False)
class EffectsData:
    """``sheet``: two heat maps a dimension, light where it acts most; ``table``: see `explain.table.explained`."""

    sheet: _sheet.Sheet
    table: pd.DataFrame


def prepare(run: Run, *, top: int = 10) -> EffectsData:
    """The `top` most important dimensions, each kind of map on one scale for all of them."""
    effects = effects_of(run)
    table = explained(run, effects).head(top)
    maps = [effects.local, effects.changed]
    most = [float(each.max()) for each in maps]
    order = table["index"].to_numpy()
    cells = np.stack([[_opaque(heat(each[j], top)) for each, top in zip(maps, most, strict=True)] for j in order])
    told = [
        describe(run),
        f"around {table.attrs['rows']} codes",
        f"left: change for a standard deviation of the code, yellow {most[0]:.2f} of a pixel's range",
        f"right: from its 2.5 % to its 97.5 % quantile, yellow {most[1]:.2f}",
    ]
    labels = tuple(_label(row) for row in table.to_dict("records"))
    return EffectsData(_sheet.Sheet(cells, labels, " · ".join(told), HEADS), table)


def _opaque(colours: Any) -> Any:
    return _images.rgba(np.moveaxis(colours, -1, 0))


def _label(row: dict[Any, Any]) -> str:
    follows = f" {row['top_factor']}" if row["top_factor"] else ""
    return f"{row['dim']}{follows}, straight {number(row['straightness'])}"


def alt(data: EffectsData) -> str:
    """The figure in words."""
    rows = "; ".join(
        f"{row['dim']} strength {row['strength']:.3f}, on {number(row['area'])} of the image"
        for row in data.table.to_dict("records")
    )
    return f"Two heat maps a latent dimension. {data.sheet.subtitle}. {rows}."


def interactive(data: EffectsData) -> Any:
    """The Plotly figure."""
    return _sheet.interactive(data.sheet, TITLE, alt(data))


def static(data: EffectsData, preset: str) -> Any:
    """The Matplotlib figure."""
    return _sheet.static(data.sheet, preset, TITLE, cell=0.55)


def numbers(data: EffectsData) -> pd.DataFrame:
    """The numbers: one row per dimension, as `latentlab explain` tells them."""
    return data.table
