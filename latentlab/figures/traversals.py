"""What each latent dimension does: one row per dimension, ranked, its value moved from left to right, all others
kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.decodings import Decodings
from latentlab.codes.dimensions import dimensions
from latentlab.errors import InputError
from latentlab.figures import _images, _panels, _style
from latentlab.figures._kinds import drawing
from latentlab.figures._text import describe, inactive, number, of_rows, short
from latentlab.runs.run import Run
from latentlab.system.numbers import percent

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Latent traversals"
TAKES = "run"
SHOWN = 20
COLUMNS = (-216, -176, -126)  # pixels left of the images at which name, weight and factor begin
SCREEN_LETTERS, GIF_LETTERS = 40, 36
BOLD = (1.1, 1.0)  # how much wider than regular type the first columns are
EDGE = 0.04  # inches around what is drawn
TEXT = 0.6  # of the width, the most that the columns of text take
MOVING = 1.05  # inches between two images that move


@dataclass(frozen=True, eq=False)
class Traversals(_images.Cells):
    """``cells`` (rows, steps, h, w, 4) with inactive rows faded, ``values`` (rows, steps) of the dimension that moves,
    ``anchor`` (rows,) the column nearest to the anchor's own value, ``table`` the rows' dimensions. Samples that are no
    pictures are drawn in ``panels``, ``moved`` being their numbers."""

    values: NDArray[np.float64]
    anchor: NDArray[np.int64]
    table: pd.DataFrame
    subtitle: str
    panels: _panels.Panels | None = None
    moved: pd.DataFrame | None = None
    plural: str = "images"


def prepare(run: Run, *, over: str | None = None, top: int = SHOWN, model: Any = None) -> Traversals:
    """The run's traversals of the `top` most important dimensions, over the ``prior`` or the ``aggregate`` range.

    A `model` decodes them again: ``ll.live(run).at({"batch": "B"})``, at that level of what the decoder is told.
    """
    decodings, codes = run.decodings(), run.codes()
    part, over = _part(run, decodings, over)
    if model is not None:
        part = replace(part, images=model.decode(part.codes))
    table = dimensions(codes, notes=run.named()).head(top)
    order = table["index"].to_numpy()
    values, centre = _values(part), _anchor(part)
    faded = inactive(table)
    cells = np.stack(
        [
            _images.rgba(part.pictures(part.images[j]), _images.FADED if f else 255)
            for j, f in zip(order, faded, strict=True)
        ]
    )
    settings = part.settings
    shown = f"{len(table)} of {codes.latent_dim} dimensions" if len(table) < codes.latent_dim else ""
    ends = "prior range, −2 to 2" if over == "prior" else "2.5 % to 97.5 % of the codes"
    drawn = drawing(part.form)
    marked = ", whose position is marked" if drawn is None else ""
    around = f"around row {codes.naming(settings['anchor_row'])}{marked}" if "anchor_row" in settings else ""
    subtitle = [describe(run), ends, around, f"ranked by {table.attrs['ranked_by']}", shown, of_rows(table.attrs)]
    made = Traversals(
        cells,
        values[order],
        np.abs(values - centre[:, None]).argmin(axis=1)[order],
        table,
        " · ".join(text for text in subtitle if text),
    )
    if drawn is None:
        return made
    strips = part.images[order]
    panels = drawn.traversals(part.form, strips, _headings(made), faded)
    return replace(made, panels=panels, moved=drawn.moved(part.form, strips))


def _part(run: Run, decodings: dict[str, Decodings], over: str | None) -> tuple[Decodings, str]:
    known = [name.removeprefix("traversals-") for name in decodings if name.startswith("traversals-")]
    if not known:
        raise InputError(f"{run.path} has no traversals; compute them: `latentlab analyze {run.path} --only traverse`")
    chosen = over or ("prior" if "prior" in known else known[0])
    if chosen not in known:
        raise InputError(f"{run.name} has no traversals over {chosen!r}; it has: {', '.join(known)}")
    return decodings[f"traversals-{chosen}"], chosen


def _values(part: Decodings) -> NDArray[np.float64]:
    d = len(part.codes)
    return part.codes[np.arange(d), :, np.arange(d)].astype(np.float64)


def _anchor(part: Decodings) -> NDArray[np.float64]:
    """The anchor's own code (d,): in every row but its own, a dimension keeps the anchor's value."""
    d = len(part.codes)
    if d == 1:
        return np.zeros(1)
    each = np.arange(d)
    return part.codes[(each + 1) % d, 0, each].astype(np.float64)


def _facts(data: Traversals) -> list[tuple[str, str, str]]:
    """Per row: its name, its KL or share of the variance, its top factor."""
    found = []
    none = "none" if data.table.attrs["factors"] else "–"
    for row, dead in zip(data.table.itertuples(), inactive(data.table), strict=True):
        weight = f"{row.kl:.2f}" if np.isfinite(row.kl) else percent(row.share)
        factor = f"{row.top_factor} {number(row.mi)}" if row.top_factor is not None else none
        found.append((row.dim, weight, row.name or ("inactive" if dead else factor)))
    return found


def _headings(data: Traversals) -> list[str]:
    """Per row: what stands above its panel."""
    what, _ = _heads(data)
    facts = [(dim, f"{what} {weight}", *([] if factor == "–" else [factor])) for dim, weight, factor in _facts(data)]
    return [" · ".join(fact) for fact in facts]


def alt(data: Traversals) -> str:
    """The figure in words."""
    rows = "; ".join(f"{dim} {weight} {what}" for dim, weight, what in _facts(data))
    how = "Grid of" if data.panels is None else "Panels of"
    steps = data.cells.shape[1]
    return f"{how} decoded {data.plural}, {steps} steps per latent dimension. {data.subtitle}. Rows: {rows}."


def _cut(facts: Sequence[tuple[str, str, str]], letters: int) -> list[tuple[str, str, str]]:
    """The facts with what the last column has too much for a line of that many letters left out."""
    room = letters - sum(max(len(fact[k]) for fact in facts) for k in (0, 1)) - 5
    return [(dim, weight, short(what, max(8, room))) for dim, weight, what in facts]


def _heads(data: Traversals) -> tuple[str, str]:
    named = "name, or " if (data.table["name"] != "").any() else ""
    return ("KL" if data.table["kl"].notna().any() else "variance"), f"{named}factor, MI"


def interactive(data: Traversals) -> Any:
    """The Plotly figure."""
    import plotly.graph_objects as go

    if data.panels is not None:
        return _panels.interactive(data.panels, TITLE, data.subtitle, alt(data))
    picture, facts = data.picture, _cut(_facts(data), SCREEN_LETTERS)
    height = 96 + round(min(44, 900 / max(1, len(facts)) + 24) * len(facts))
    fig = _style.plotly(TITLE, data.subtitle, alt(data), height=height)
    fig.update_layout(margin={"l": -COLUMNS[0] + 8, "r": 10, "b": 10})
    fig.add_trace(_images.image_trace(picture))
    x, y = np.meshgrid(data.columns, data.rows)
    names = np.repeat([dim for dim, _, _ in facts], len(data.columns))
    fig.add_trace(
        go.Scatter(
            x=x.ravel(),
            y=y.ravel(),
            mode="markers",
            marker={"opacity": 0, "size": 18},
            customdata=np.column_stack([names, np.round(data.values.ravel(), 2)]),
            hovertemplate="%{customdata[0]} = %{customdata[1]}<extra></extra>",
            showlegend=False,
        )
    )
    h, w = data.cells.shape[2:4]
    for column, row in zip(data.columns[data.anchor], data.rows, strict=True):
        box = {"x0": column - w / 2, "x1": column + w / 2, "y0": row - h / 2, "y1": row + h / 2}
        fig.add_shape(type="rect", line={"color": _style.OKABE_ITO[1], "width": 1.5}, **box)
    heads, grey = ("", *_heads(data)), {"color": _style.GREY, "size": 11}
    for column, said in _ends(data):
        fig.add_annotation(x=column, text=said, yref="paper", y=1, yanchor="bottom", showarrow=False, font=grey)
    for k, shift in enumerate(COLUMNS):
        place = {"xref": "paper", "x": 0, "xanchor": "left", "xshift": shift, "showarrow": False, "align": "left"}
        for row, fact, dead in zip(data.rows, facts, inactive(data.table), strict=True):
            tone = {"color": _style.GREY} if dead else {}
            fig.add_annotation(text=fact[k] if k else f"<b>{fact[k]}</b>", y=row, font=tone, **place)
        fig.add_annotation(text=heads[k], yref="paper", y=1, yanchor="bottom", font=grey, **place)
    fig.update_xaxes(visible=False, range=[-0.5, picture.shape[1] - 0.5], constrain="domain", constraintoward="left")
    fig.update_yaxes(visible=False, range=[picture.shape[0] - 0.5, -0.5], constrain="domain", constraintoward="top")
    return fig


def static(data: Traversals, preset: str) -> Any:
    """The Matplotlib figure."""
    from matplotlib.patches import Rectangle

    if data.panels is not None:
        return _panels.static(data.panels, preset)
    chosen, picture = _style.preset(preset), data.picture
    facts, widths = _columns(data, chosen)
    left = sum(widths)
    image_width = chosen.width - left - EDGE
    height = image_width * picture.shape[0] / picture.shape[1]
    head = chosen.size / 72 * 1.5
    total = height + head + EDGE
    fig = _style.canvas(preset, total, arranged=False)
    axes = fig.add_axes((left / chosen.width, EDGE / total, image_width / chosen.width, height / total))
    axes.imshow(picture, aspect="auto")
    axes.set_axis_off()
    h, w = data.cells.shape[2:4]
    for column, row in zip(data.columns[data.anchor], data.rows, strict=True):
        axes.add_patch(
            Rectangle((column - w / 2, row - h / 2), w, h, fill=False, lw=0.9, ec=_style.OKABE_ITO[1], clip_on=False)
        )
    places = (np.cumsum([EDGE, *widths[:2]]) - left) / image_width
    text: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center", "size": chosen.size - 0.5}
    for row, fact, grey in zip(data.rows, facts, inactive(data.table), strict=True):
        for place, cell, weight in zip(places, fact, ("bold", "normal", "normal"), strict=True):
            axes.text(place, row, cell, weight=weight, color=_style.GREY if grey else _style.INK, **text)
    small: dict[str, Any] = {"va": "bottom", "size": chosen.size - 1.5, "color": _style.GREY}
    above = {"transform": axes.get_xaxis_transform(), "ha": "center"}
    for place, said in zip(places[1:], _heads(data), strict=True):
        axes.text(place, 1.005, said, **small | {"transform": axes.transAxes})
    for column, said in _ends(data):
        axes.text(column, 1.005, said, **small | above)
    return fig


def _columns(data: Traversals, chosen: _style.Preset) -> tuple[list[tuple[str, str, str]], list[float]]:
    """Each row's texts, the last cut where it would be too long, and the inches that the columns of them take."""
    facts, gap = _facts(data), 0.6 * chosen.size / 72
    heads = ("", *_heads(data))
    first = [
        max(_style.wide(each, chosen) for each in (heads[k], *(fact[k] for fact in facts))) * BOLD[k] + gap
        for k in (0, 1)
    ]
    room = TEXT * chosen.width - sum(first) - gap
    last = [_style.fitting(fact[2], chosen, room, 0.5) for fact in facts]
    widest = max(_style.wide(each, chosen, 0.5) for each in (*last, heads[2]))
    return [(*fact[:2], said) for fact, said in zip(facts, last, strict=True)], [*first, widest + 1.6 * gap]


def _ends(data: Traversals) -> list[tuple[float, str]]:
    """What stands above the steps: the values where all rows share them, otherwise which end is which."""
    if np.ptp(data.values, axis=0).max() < 1e-6:
        pairs = zip(data.columns, data.values[0], strict=True)
        return [(float(column), f"{value:.2g}".replace("-", "−")) for column, value in pairs]
    return [(float(data.columns[0]), "low"), (float(data.columns[-1]), "high")]


def numbers(data: Traversals) -> pd.DataFrame:
    """The numbers: a row per (dimension, step) with the value that the dimension has there.

    Of samples that are no pictures a row per (dimension, step, point) or (dimension, feature) with what is drawn.
    """
    import pandas as pd

    if data.moved is not None:
        rows = data.table[["dim", "top_factor"]].iloc[data.moved["row"]].reset_index(drop=True)
        return pd.concat([rows, data.moved.drop(columns="row")], axis=1)
    kept = data.table[["dim", "index", "name", "kl", "variance_of_mean", "active", "top_factor", "mi"]]
    steps = data.values.shape[1]
    found = kept.loc[kept.index.repeat(steps)].reset_index(drop=True)
    moved = pd.DataFrame({"step": np.tile(np.arange(steps), len(kept)), "value": data.values.ravel()})
    return pd.concat([found, moved], axis=1)


def frames(data: Traversals, preset: str) -> Iterator[Any]:
    """The Matplotlib figure at each step, all dimensions moving at once."""
    chosen, facts = _style.preset(preset), _cut(_facts(data), GIF_LETTERS)
    across = min(len(facts), max(1, int(chosen.width / MOVING)))
    down = -(-len(facts) // across)
    line = chosen.size / 72 * 1.5
    image = min(chosen.width / across - 0.12, MOVING)
    cell = image * data.cells.shape[2] / data.cells.shape[3] + 2.4 * line
    fig = _style.canvas(preset, cell * down + 2 * line, arranged=False)
    total = fig.get_figheight()
    shown = []
    for k, (fact, grey) in enumerate(zip(facts, inactive(data.table), strict=True)):
        left, bottom = (k % across) * chosen.width / across + 0.04, (down - 1 - k // across) * cell + 2.2 * line
        axes = fig.add_axes((left / chosen.width, bottom / total, image / chosen.width, (cell - 2.4 * line) / total))
        axes.set(xticks=[], yticks=[])
        for spine in axes.spines.values():
            spine.set(edgecolor=_style.OKABE_ITO[1], linewidth=1.5)
        shown.append((axes, axes.imshow(data.cells[k, 0], aspect="auto")))
        tone = _style.GREY if grey else _style.INK
        weight = f"{_heads(data)[0]} {fact[1]}"
        for row, text in enumerate((f"{fact[0]}  {weight}", fact[2])):
            axes.text(
                0, -0.03, "\n" * row + text, transform=axes.transAxes, va="top", size=chosen.size - 0.5, color=tone
            )
    said = fig.text(0.99, 1 - 0.3 * line / total, "", ha="right", va="top", size=chosen.size)
    shared = np.ptp(data.values, axis=0).max() < 1e-6
    for step in range(data.cells.shape[1]):
        for (axes, picture), cells, anchor in zip(shown, data.cells, data.anchor, strict=True):
            picture.set_data(cells[step])
            for spine in axes.spines.values():
                spine.set_visible(step == anchor)
        value = number(float(data.values[0, step]), 1) if shared else f"step {step + 1} of {data.cells.shape[1]}"
        said.set_text(value)
        yield fig
