"""Where in the picture each latent dimension acts: its derivative, and what changes on its whole path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.analysis.explain.record import Effects, effects_of
from latentlab.analysis.explain.table import explained, features
from latentlab.figures import _images, _panels, _sheet
from latentlab.figures._kinds import drawing
from latentlab.figures._text import describe, inactive, number
from latentlab.runs.run import Run
from latentlab.system.png import heat

if TYPE_CHECKING:
    from types import ModuleType

    import pandas as pd

TITLE = "Effect of each dimension on the image"
SIGNED = "Effect of each dimension"
TAKES = "run"
HEADS = ("derivative", "on its path")


@dataclass(frozen=True, eq=False)
class EffectsData:
    """``sheet``: two heat maps per dimension, light where it acts most; ``table``: see `explain.table.explained`.

    ``grey`` are the inactive dimensions. Samples that are no pictures are drawn in ``panels`` instead, and ``table`` is
    `explain.table.features`.
    """

    sheet: _sheet.Sheet
    table: pd.DataFrame
    grey: tuple[bool, ...] = ()
    panels: _panels.Panels | None = None

    @property
    def title(self) -> str:
        """What the figure is called."""
        return TITLE if self.panels is None else SIGNED

    @property
    def subtitle(self) -> str:
        """What is said of it."""
        return self.sheet.subtitle


def prepare(run: Run, *, top: int = 10) -> EffectsData:
    """The `top` most important dimensions, each kind of map on one scale for all of them."""
    effects = effects_of(run)
    table = explained(run, effects).head(top)
    drawn = drawing(run.config.form)
    if drawn is not None:
        return _signed(run, effects, table, drawn)
    maps = [effects.local, effects.changed]
    most = [float(each.max()) for each in maps]
    order = table["index"].to_numpy()
    cells = np.stack([[_opaque(heat(each[j], top)) for each, top in zip(maps, most, strict=True)] for j in order])
    subtitle = [
        describe(run),
        f"around {table.attrs['rows']} codes",
        f"left: change per standard deviation of the code, yellow {most[0]:.2f} of a pixel's range",
        f"right: from its 2.5 % to its 97.5 % quantile, yellow {most[1]:.2f}",
        "straightness: 1 is a cross-fade, less is motion",
    ]
    labels = tuple(_label(row) for row in table.to_dict("records"))
    dead = inactive(table)
    cells[list(dead), ..., 3] = _images.FADED
    return EffectsData(_sheet.Sheet(cells, labels, " · ".join(subtitle), HEADS), table, dead)


def _signed(run: Run, effects: Effects, table: pd.DataFrame, drawn: ModuleType) -> EffectsData:
    """How samples that are no pictures change along each dimension, with signs."""
    form, order = run.config.form, table["index"].to_numpy()
    labels = [_label(row) for row in table.to_dict("records")]
    panels = drawn.effects(form, effects, order, labels, inactive(table))
    subtitle = [
        describe(run),
        "from the 2.5 % to the 97.5 % quantile of the code",
        f"mean around {table.attrs['rows']} codes, 95 % intervals",
    ]
    sheet = _sheet.Sheet(_images.blank(1, 1, 1, 1, 4), ("",), " · ".join(subtitle), plural=form.plural)
    return EffectsData(sheet, features(run, effects), panels=panels)


def _opaque(colours: Any) -> Any:
    return _images.rgba(np.moveaxis(colours, -1, 0))


def _label(row: dict[Any, Any]) -> str:
    follows = row["name"] or row["top_factor"]
    return f"{row['dim']}{f' {follows}' if follows else ''}, straightness {number(row['straightness'])}"


def alt(data: EffectsData) -> str:
    """The figure in words."""
    if data.panels is not None:
        first = data.table[data.table["rank"] == 1]
        moved = "; ".join(f"{row.dim} {row.direction} most {row.feature}" for row in first.itertuples())
        return f"Effects on {data.sheet.plural}, one panel per latent dimension. {data.sheet.subtitle}. {moved}."
    rows = "; ".join(
        f"{row['dim']} strength {row['strength']:.3f}, on {number(row['area'])} of the image"
        for row in data.table.to_dict("records")
    )
    return f"Two heat maps per latent dimension. {data.sheet.subtitle}. {rows}."


def interactive(data: EffectsData) -> Any:
    """The Plotly figure."""
    if data.panels is not None:
        return _panels.interactive(data.panels, SIGNED, data.sheet.subtitle, alt(data))
    return _sheet.interactive(data.sheet, TITLE, alt(data))


def static(data: EffectsData, preset: str) -> Any:
    """The Matplotlib figure."""
    if data.panels is not None:
        return _panels.static(data.panels, preset)
    return _sheet.tiles(data.sheet, preset, data.grey)


def numbers(data: EffectsData) -> pd.DataFrame:
    """The numbers: one row per dimension, as `latentlab explain` tells them."""
    return data.table
