"""Runs side by side: their latent dimensions matched, and each pair moved through the same row in every decoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.alignment import shared_row
from latentlab.codes.codes import Codes
from latentlab.codes.dimensions import dimensions
from latentlab.codes.matching import MATCHED, alongside, match
from latentlab.codes.paths import sweeps
from latentlab.codes.symbols import symbol, turned
from latentlab.errors import InputError
from latentlab.figures import _images, _style
from latentlab.figures._text import number
from latentlab.runs.comparison import settings_of, told_apart
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

    from latentlab.models.live import Live

TITLE = "Matched dimensions side by side"
TAKES = "runs"
MOST = 4
STEPS = {2: 9, 3: 7, 4: 5}  # by the number of runs: so many fit into a column
REACH = 2.0
EDGE = 0.04  # inches around what is drawn
LINE = 1.5  # heights of type that a line above strips takes
GAP = 8  # pixels on the screen
ALONE = "no partner"


@dataclass(frozen=True, eq=False)
class Strip:
    """One dimension of a run: ``cells`` (steps, h, w, 4) at its ``values`` (steps,), `name`d, matched by ``rho``."""

    index: int
    name: str
    cells: _images.Picture
    values: NDArray[np.float64]
    rho: float
    matched: bool

    @property
    def beside(self) -> str:
        """How it was matched with the first run's dimension; nothing for that one itself."""
        if np.isnan(self.rho):
            return ""
        return f"{'|ρ|' if self.matched else 'unmatched'} {number(abs(self.rho))}"


@dataclass(frozen=True, eq=False)
class Compared:
    """``rows``: a strip per run, or none where a dimension has no partner; ``titles`` name the runs."""

    rows: tuple[tuple[Strip | None, ...], ...]
    titles: tuple[str, ...]
    runs: tuple[str, ...]
    subtitle: str
    plural: str = "images"
    smooth: bool = False

    def picture(self, strip: Strip) -> _images.Picture:
        """A strip as one picture (h, w, 4)."""
        return _images.mosaic(strip.cells[None], _images.gap_of(strip.cells.shape[2]))

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of a strip's picture."""
        first = next(strip for row in self.rows for strip in row if strip is not None)
        return self.picture(first).shape[0], self.picture(first).shape[1]


def prepare(
    runs: Sequence[Run],
    *,
    model: Callable[[Run], Live],
    row: int | str | None = None,
    top: int = 6,
    steps: int | None = None,
) -> Compared:
    """The `top` dimensions that 2 to 4 runs share most, each moved from −2 to 2 standard deviations.

    More runs are cut to the first seed of each setting, at most four. All start from the code of the `row` with that id
    (one that all have), and each is decoded by its own model, ``model(run)``: give ``ll.live``. A strip whose partner
    has the opposite sign runs the other way, so that equal columns can be compared.
    """
    chosen = able(runs)
    if len(chosen) < 2:
        raise InputError(
            f"{len(chosen)} of {len(runs)} runs are encoded and have a model; expected 2 to {MOST} to compare"
        )
    steps = steps or STEPS[len(chosen)]
    if not (2 <= steps <= 50 and top >= 1):
        raise InputError(f"steps is {steps} and top {top}; expected 2 to 50 steps and a dimension or more")
    codes = [run.codes() for run in chosen]
    wanted = None if row is None else int(codes[0].row_ids[codes[0].position(row)])
    anchor = shared_row(codes, wanted)
    if anchor is None or (row is not None and anchor != wanted):
        raise InputError(f"no row {'' if row is None else f'{row} '}is in all runs; encode the same data with each")
    matches = [match(codes[0], other) for other in codes[1:]]
    table = alongside(matches).head(top)
    if table.empty:
        raise InputError(f"no run of {', '.join(run.name for run in chosen)} has an active dimension to match"[:200])
    columns = [
        _strips(run, each, _places(table, k), model(run), anchor, steps)
        for k, (run, each) in enumerate(zip(chosen, codes, strict=True))
    ]
    pairs = sum(int(table[f"matched{k}"].sum()) for k in range(1, len(chosen)))
    subtitle = [
        f"row {codes[0].naming(anchor)} moved in each run, −2 to 2 standard deviations",
        f"matched by rank correlation |ρ| over {alongside(matches).attrs['rows']:,} rows",
        f"{pairs} of {len(table) * (len(chosen) - 1)} pairs shown reach {MATCHED:g}, the others are faded",
        "−z: turned, as its sign is opposite" if (table.filter(regex="^rho") < 0).any(axis=None) else "",
        f"{len(chosen)} of {len(runs)} runs" if len(chosen) < len(runs) else "",
    ]
    return Compared(
        tuple(zip(*columns, strict=True)),
        tuple(told_apart(chosen)),
        tuple(run.name for run in chosen),
        " · ".join(text for text in subtitle if text),
    )


def able(runs: Sequence[Run]) -> list[Run]:
    """The runs that can be decoded: all where they are few, otherwise the first of each setting, autoencoders last."""
    known = [run for run in runs if run.has("encode") and run.decodes and not run.sampled]
    if len(known) <= MOST:
        return known
    first: dict[str, Run] = {}
    for run, setting in zip(known, settings_of(known), strict=True):
        first.setdefault(setting, run)
    return sorted(first.values(), key=lambda run: not run.config.stochastic)[:MOST]


Place = tuple[int, float, bool]


def _places(table: pd.DataFrame, k: int) -> list[Place]:
    """The dimension, rank correlation and match of the k-th run in each row; of the first whether any is matched."""
    if k:
        columns = [table[f"{name}{k}"] for name in ("other", "rho", "matched")]
        return [(int(j), float(rho), bool(known)) for j, rho, known in zip(*columns, strict=True)]
    known = table[[name for name in table if str(name).startswith("matched")]].any(axis=1)
    return [(int(j), float("nan"), bool(some)) for j, some in zip(table["first"], known, strict=True)]


def _strips(
    run: Run, codes: Codes, places: Sequence[Place], model: Live, anchor: int, steps: int
) -> list[Strip | None]:
    """The run's strips, decoded at once: none where a row has no dimension of it."""
    names, order = _names(run, codes), [j for j, _, _ in places if j >= 0]
    if not order:
        return [None] * len(places)
    paths = sweeps(codes, codes.mean[codes.position(anchor)], order, steps, REACH)
    pictures = dict(
        zip(order, zip(paths, _images.rgba(run.config.form.picture(model.decode(paths))), strict=True), strict=True)
    )
    return [None if j < 0 else _strip(j, names[j], *pictures[j], rho, known) for j, rho, known in places]


def _strip(index: int, name: str, path: NDArray[Any], cells: _images.Picture, rho: float, known: bool) -> Strip:
    turn = -1 if rho < 0 else 1
    cells = cells[::turn].copy()
    cells[..., 3] = 255 if known else _images.FADED
    said = turned(name) if rho < 0 else name
    return Strip(index, said, cells, path[::turn, index].astype(np.float64), rho, known)


def _names(run: Run, codes: Codes) -> Mapping[int, str]:
    """Each dimension with its name, or the factor that it knows most about."""
    table = dimensions(codes, notes=run.named(), draws=2)
    return {
        int(index): f"{dim} {name or factor or ''}".strip()
        for index, dim, name, factor in zip(
            table["index"], table["dim"], table["name"], table["top_factor"], strict=True
        )
    }


def alt(data: Compared) -> str:
    """The figure in words."""
    rows = "; ".join(
        " and ".join(ALONE if strip is None else f"{strip.name} {strip.beside}".strip() for strip in row)
        for row in data.rows
    )
    return f"Strips of decoded {data.plural}, a column for each of {', '.join(data.titles)}. {data.subtitle}. {rows}."


def interactive(data: Compared) -> Any:
    """The Plotly figure."""
    (high, wide), runs = data.shape, len(data.titles)
    room = max(GAP, round(wide / 12))
    line = max(6, round(wide * runs / 34))  # pixels of the picture that a line of text takes
    tall = high + line + GAP
    canvas = _images.blank(tall * len(data.rows), (wide + room) * runs - room, 4)
    height = 110 + round(1000 / canvas.shape[1] * canvas.shape[0])
    fig = _style.plotly(TITLE, data.subtitle, alt(data), height=height, margin={"l": 12, "r": 12, "b": 10, "t": 96})
    put = {"showarrow": False, "yanchor": "bottom", "xanchor": "left"}
    for r, row in enumerate(data.rows):
        for k, strip in enumerate(row):
            left, top = k * (wide + room), r * tall + line
            if strip is None:
                fig.add_annotation(x=left, y=top, text=ALONE, font={"size": 11, "color": _style.GREY}, **put)
                continue
            canvas[top : top + high, left : left + wide] = data.picture(strip)
            tone = {"size": 11} if strip.matched else {"size": 11, "color": _style.GREY}
            fig.add_annotation(x=left, y=top, text=strip.name, font=tone, **put)
            fig.add_annotation(x=left + wide - 1, y=top, text=strip.beside, font=tone, **put | {"xanchor": "right"})
    fig.add_trace(_images.image_trace(canvas))
    for k, title in enumerate(data.titles):
        fig.add_annotation(x=k * (wide + room), y=1, yref="paper", text=f"<b>{title}</b>", **put)
    fig.update_xaxes(visible=False, range=[-0.5, canvas.shape[1] - 0.5], constrain="domain", constraintoward="left")
    fig.update_yaxes(visible=False, range=[canvas.shape[0] - 0.5, -0.5], constrain="domain", constraintoward="top")
    return fig


def static(data: Compared, preset: str) -> Any:
    """The Matplotlib figure."""
    chosen, runs = _style.preset(preset), len(data.titles)
    line, wide = LINE * chosen.size / 72, (chosen.width - EDGE) / runs - EDGE
    high = wide * data.shape[0] / data.shape[1]
    total = line + len(data.rows) * (line + high) + EDGE
    fig = _style.canvas(preset, total, arranged=False)
    for k, title in enumerate(data.titles):
        place = (EDGE + k * (wide + EDGE)) / chosen.width
        said = _style.fitting(title, chosen, 0.9 * wide)
        fig.text(place, 1 - 0.3 * line / total, said, va="top", weight="bold", size=chosen.size)
        for r, strip in enumerate(row[k] for row in data.rows):
            bottom = total - line - (r + 1) * (line + high)
            if strip is None:
                above = (bottom + high) / total
                fig.text(place, above, ALONE, va="bottom", size=chosen.size - 1, color=_style.GREY)
                continue
            axes = fig.add_axes((place, bottom / total, wide / chosen.width, high / total))
            axes.imshow(data.picture(strip), aspect="auto", interpolation=_images.interpolation(data.smooth))
            axes.set_axis_off()
            _head(axes, strip, chosen, wide)
    return fig


def _head(axes: Any, strip: Strip, chosen: _style.Preset, wide: float) -> None:
    """The dimension's name above its strip at the left, how it was matched at the right."""
    tone = _style.INK if strip.matched else _style.GREY
    look = {"transform": axes.transAxes, "va": "bottom", "size": chosen.size - 1, "color": tone}
    room = wide - _style.wide(strip.beside, chosen, 1) - 0.05
    axes.text(0, 1.02, _style.fitting(strip.name, chosen, room, 1), **look)
    axes.text(1, 1.02, strip.beside, ha="right", **look)


def numbers(data: Compared) -> pd.DataFrame:
    """The numbers: a row per decoded sample, with its run, dimension, value and how the dimension was matched."""
    import pandas as pd

    strips = [
        (r, run, strip)
        for r, row in enumerate(data.rows)
        for run, strip in zip(data.runs, row, strict=True)
        if strip is not None
    ]
    return pd.DataFrame(
        {"row": r, "run": run, "dim": symbol(strip.index), "name": strip.name, "rho": strip.rho,
         "matched": strip.matched, "step": step, "value": value}
        for r, run, strip in strips
        for step, value in enumerate(strip.values)
    )  # fmt: skip
