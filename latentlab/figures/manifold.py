"""The manifold of two latent dimensions: a grid through the inverse normal CDF, decoded (Kingma and Welling, 2014)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.dimensions import dimensions
from latentlab.codes.paths import manifold
from latentlab.errors import InputError
from latentlab.figures import _images, _style
from latentlab.figures._kinds import drawing
from latentlab.figures._text import describe, number, plain
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

    from latentlab.models.live import Live

TITLE = "Manifold of two latent dimensions"
TAKES = "run"
PICTURES, OTHERS = 20, 8


@dataclass(frozen=True, eq=False)
class Manifold:
    """``cells`` (steps up, steps across, h, w, 4), the values of the two dimensions, and their names."""

    cells: _images.Picture
    across: NDArray[np.float64]
    up: NDArray[np.float64]
    axes: tuple[str, str]
    subtitle: str
    plural: str = "images"
    smooth: bool = False

    @property
    def picture(self) -> _images.Picture:
        """All cells as one picture (h, w, 4), without gaps."""
        return _images.mosaic(self.cells, 0)

    def ticks(self) -> list[tuple[list[float], list[str]]]:
        """For either axis: where the first column or row, 0 and the last one lie, and their values."""
        found = []
        for values, size in ((self.across, self.cells.shape[3]), (self.up, self.cells.shape[2])):
            places = _images.centres(len(values), size, 0)
            ticks = {float(places[k]): plain(values[k]) for k in (0, -1)}
            if values.min() < 0 < values.max():  # 0 may lie between two columns
                ticks[float(np.interp(0, np.sort(values), places[np.argsort(values)]))] = "0"
            found.append((list(ticks), list(ticks.values())))
        return found


def prepare(
    run: Run,
    *,
    model: Live,
    x: int | None = None,
    y: int | None = None,
    steps: int | None = None,
    row: int | str | None = None,
) -> Manifold:
    """`steps` × `steps` samples over the dimensions `x` and `y` (the most important two), equal in the prior's mass.

    There are 20 steps of images and 8 of other samples where no number is said.

    All other dimensions are at the prior's mean (an autoencoder's: at the mean code), or at the code of the row `row`.
    """
    codes = run.codes()
    if codes.latent_dim < 2:
        raise InputError(f"{run.name} has one latent dimension; a manifold needs two. Plot its traversals instead")
    steps = steps or steps_of(run)
    if not 2 <= steps <= 50:
        raise InputError(f"steps is {steps}; expected 2 to 50")
    table = dimensions(codes, notes=run.named(), draws=2).set_index("index")
    called = (table["dim"] + " " + table["name"]).str.strip()
    if x is None or y is None:
        ranked = table.index.tolist()
        x = next(k for k in ranked if k != y) if x is None else x
        y = next(k for k in ranked if k != x) if y is None else y
    place = None if row is None else codes.position(row)
    grid = manifold(codes, x, y, steps, None if place is None else codes.mean[place])
    prior = run.config.stochastic or not run.encodes
    at = "the mean" if place is None else f"row {codes.called([place])[0]}"
    rest = "" if codes.latent_dim == 2 else f"others at {at}"
    subtitle = [
        describe(run),
        f"{steps} × {steps} equal parts of the prior" if prior else "equal parts of a normal fitted to the codes",
        rest,
    ]
    cells = _images.rgba(run.config.form.picture(model.decode(grid)))
    said = " · ".join(text for text in subtitle if text)
    return Manifold(cells, grid[0, :, x].astype(float), grid[:, 0, y].astype(float), (called[x], called[y]), said)


def steps_of(run: Run) -> int:
    """Steps along either dimension where no number is said: drawn curves and bars need more room than pictures."""
    return PICTURES if drawing(run.config.form) is None else OTHERS


def alt(data: Manifold) -> str:
    """The figure in words."""
    ends = [
        f"{name} from {number(values.min(), 1)} to {number(values.max(), 1)}"
        for name, values in zip(data.axes, (data.across, data.up), strict=True)
    ]
    size = f"{data.cells.shape[0]} × {data.cells.shape[1]}"
    return f"Grid of {size} decoded {data.plural}: {', '.join(ends)}. {data.subtitle}."


def interactive(data: Manifold) -> Any:
    """The Plotly figure."""
    picture, (across, up) = data.picture, data.ticks()
    fig = _style.plotly(TITLE, data.subtitle, alt(data), height=680, margin={"l": 60, "r": 10, "t": 64, "b": 44})
    fig.add_trace(_images.image_trace(picture))
    bare: dict[str, Any] = {"showgrid": False, "showline": False, "constrain": "domain"}
    fig.update_xaxes(
        title=data.axes[0], range=[-0.5, picture.shape[1] - 0.5], tickvals=across[0], ticktext=across[1],
        constraintoward="left", **bare,
    )  # fmt: skip
    fig.update_yaxes(title=data.axes[1], range=[picture.shape[0] - 0.5, -0.5], tickvals=up[0], ticktext=up[1], **bare)
    return fig


def static(data: Manifold, preset: str) -> Any:
    """The Matplotlib figure."""
    picture, (across, up) = data.picture, data.ticks()
    chosen = _style.preset(preset)
    fig = _style.canvas(preset, (chosen.width - 0.45) * picture.shape[0] / picture.shape[1] + 0.4)
    axes = fig.add_subplot()
    axes.imshow(picture, interpolation=_images.interpolation(data.smooth))
    axes.set(xlabel=data.axes[0], ylabel=data.axes[1], anchor="W")
    axes.set_xticks(across[0], across[1])
    axes.set_yticks(up[0], up[1])
    _style.bare(axes)
    return fig


def numbers(data: Manifold) -> pd.DataFrame:
    """The numbers: one row per image, with the values of the two dimensions."""
    import pandas as pd

    across, up = np.meshgrid(data.across, data.up)
    return pd.DataFrame({data.axes[0]: across.ravel(), data.axes[1]: up.ravel()})
