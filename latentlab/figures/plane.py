"""Two latent dimensions against each other, coloured by a factor: the codes themselves, not a projection of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from latentlab.codes.dimensions import dimensions
from latentlab.errors import InputError
from latentlab.figures import _overlays
from latentlab.figures._text import describe
from latentlab.figures.projection import ProjectionData, colouring, drawn_of, names_of, thinned
from latentlab.figures.projection import alt as _alt
from latentlab.figures.projection import interactive as _interactive
from latentlab.figures.projection import numbers as _numbers
from latentlab.figures.projection import static as _static
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Two latent dimensions"
TAKES = "run"


def prepare(
    run: Run,
    *,
    x: int | None = None,
    y: int | None = None,
    by: str | None = None,
    ellipses: int = 0,
    path: int | None = None,
    row: int | str | None = None,
    seed: int = 0,
) -> ProjectionData:
    """Dimensions `x` and `y` (the most important two), coloured by the factor `by`.

    At most 30,000 seeded rows are points; where there are more, the density of all of them lies below. Of `ellipses`
    of the points, one standard deviation of the posterior is drawn. `path` is a dimension whose traversal is laid over
    it, around the row with the id `row` or the mean.
    """
    codes = run.codes()
    table = dimensions(codes, notes=run.named(), draws=0).set_index("index")
    called = (table["dim"] + " " + table["name"]).str.strip()
    if x is None or y is None:
        ranked = table.index.tolist()
        x = ranked[0] if x is None else x
        y = next((j for j in ranked if j != x), x) if y is None else y
    for dimension in (x, y):
        if not 0 <= dimension < codes.latent_dim:
            raise InputError(f"{run.name} has no dimension {dimension}; it has 0 to {codes.latent_dim - 1}")
    every = codes.mean[:, [x, y]]
    chosen, density = thinned(every, seed=seed)
    xy, row_ids = every[chosen], codes.row_ids[chosen]
    values, name, categories, cyclic = colouring(run, codes, by, row_ids)
    overlays: tuple[_overlays.Overlay, ...] = ()
    if ellipses:
        overlays += (_overlays.ellipses(codes, x, y, chosen[:ellipses]),)
    subtitle = [describe(run), f"{len(codes):,} of {codes.of_rows:,} rows", drawn_of(xy, density)]
    subtitle += [f"coloured by {name}"] if name else ["no factors to colour by"]
    subtitle += [each.name for each in overlays]
    if path is not None:
        line = _overlays.traversal(codes, path, row, lambda steps: steps[:, [x, y]])
        overlays, subtitle = (*overlays, line), [*subtitle, _overlays.warning(line)]
    said = " · ".join(text for text in subtitle if text)
    axes = (called[x], called[y])
    rows = names_of(codes, row_ids)
    return ProjectionData(
        xy, row_ids, values, name, categories, cyclic, axes, said, density, overlays, rows, ticked=True
    )


def alt(data: ProjectionData) -> str:
    """The figure in words."""
    return _alt(data).replace("in two dimensions", f"along {data.axes[0]} and {data.axes[1]}")


def interactive(data: ProjectionData) -> Any:
    """The Plotly figure."""
    fig = _interactive(data)
    heading = fig.layout.title.text.partition("</b>")[2]
    fig.update_layout(title_text=f"<b>{TITLE}</b>{heading}", meta={"title": TITLE, "alt": alt(data)})
    return fig


def static(data: ProjectionData, preset: str) -> Any:
    """The Matplotlib figure."""
    return _static(data, preset)


def numbers(data: ProjectionData) -> pd.DataFrame:
    """The numbers: a row per point, with its row's id and its value of the factor."""
    return _numbers(data)
