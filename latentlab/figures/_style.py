"""How every figure looks: widths, type and fonts of the journals, colours, and rendering that gives the same bytes
twice."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from latentlab.errors import harmless
from latentlab.figures import _fonts, _labels
from latentlab.figures._text import short
from latentlab.system.registry import choose

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MM = 1 / 25.4
RASTER_FROM = 5_000  # more points than this go into a PDF as pixels: as vectors they take megabytes and minutes
DPI = 300
PROGRAM = ("backend", "interactive", "toolbar", "tk.", "webagg.")  # a program's settings, not those of a figure
SUBTITLE = 130  # letters a line of a subtitle on the screen

# Okabe and Ito (2008), black left out; then a long palette (Tol's muted) for what has more values.
OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442")
LONG = (*OKABE_ITO, "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255", "#AA4499")
# Settings along β, light to dark: parts of plasma and of viridis that are seen on white and on a dark page.
SCALES = (("#F89540", "#E16462", "#B12A90", "#7A1FA8"), ("#44BF70", "#2A9D8A", "#2A788E", "#41518B"))
APART = ("#56B4E9", "#CC79A7", "#117733", "#999933")  # no colour of a scale, and seen on white
GREY = "#8A8A86"
FAINT = "#D9D9D5"
INK = "#1A1A1A"
SEQUENTIAL, MATRIX, CYCLIC = "viridis", "cividis", "twilight"

BESIDE = 0.36  # inches that the numbers of an axis take


@dataclass(frozen=True, slots=True)
class Preset:
    """A journal's column: its width in inches, the size of type in points and the family of its font."""

    width: float
    size: float
    family: str


PRESETS: Mapping[str, Preset] = {
    "icml": Preset(3.25, 7, _fonts.SERIF),
    "neurips": Preset(5.5, 8, _fonts.SERIF),
    "nature-single": Preset(89 * MM, 6.5, _fonts.SANS),
    "nature-double": Preset(183 * MM, 7, _fonts.SANS),
}


def preset(name: str) -> Preset:
    """The preset of that name; an `InputError` names the nearest otherwise."""
    return PRESETS[choose(name, PRESETS, what="preset")]


def colours(names: Sequence[str]) -> dict[str, str]:
    """A colour per name, in the order given, told apart by colour-blind readers for the first seven."""
    return {name: LONG[i % len(LONG)] for i, name in enumerate(dict.fromkeys(names))}


def along(count: int, scale: Sequence[str] = SCALES[0]) -> list[str]:
    """That many colours in an order, light to dark; a single one from the middle of the scale.

    >>> along(2), along(1)
    (['#F89540', '#7A1FA8'], ['#C94779'])
    """
    import numpy as np

    stops = np.array([[int(each[i : i + 2], 16) for i in (1, 3, 5)] for each in scale])
    places = np.linspace(0, len(stops) - 1, count) if count > 1 else [(len(stops) - 1) / 2] * count
    mixed = np.stack([np.interp(places, range(len(stops)), channel) for channel in stops.T], axis=1)
    return ["#{:02X}{:02X}{:02X}".format(*map(round, levels)) for levels in mixed.tolist()]


def of_settings(table: pd.DataFrame) -> dict[str, str]:
    """The colour of each setting of `compare`'s table: along β within an objective, light to dark; AE grey.

    Objectives without β, and a third objective with one, have colours of no scale where there is one, and otherwise
    those that `colours` gives.
    """
    known = table[table["setting"].notna()].drop_duplicates("setting")
    family = known["objective"].replace("vae", "beta-vae").where(known["beta"].notna(), "")
    scaled = [each for each in family.unique() if each][: len(SCALES)]
    found = dict.fromkeys(known.loc[known["objective"] == "ae", "setting"], GREY)
    others = [name for name, one in zip(known["setting"], family, strict=True) if one not in scaled]
    palette = (*APART, *LONG) if scaled else LONG
    found |= {name: palette[i % len(palette)] for i, name in enumerate(each for each in others if each not in found)}
    for name, scale in zip(scaled, SCALES, strict=False):
        own = known[family == name].sort_values("beta", kind="stable")["setting"]
        found |= dict(zip(own, along(len(own), scale), strict=True))
    return {setting: found[setting] for setting in known["setting"]}


def tones(grey: bool) -> tuple[str, str]:
    """The colours of a line and of the area under or around it; greys where a dimension is inactive."""
    return (GREY, FAINT) if grey else (OKABE_ITO[0], OKABE_ITO[5])


def faded(colour: str, alpha: float) -> str:
    """A colour ``#RRGGBB`` that lets through what is behind it, as Plotly writes it.

    >>> faded("#0072B2", 0.15)
    'rgba(0,114,178,0.15)'
    """
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


def ink_on(colour: str) -> str:
    """Black or white, whichever is read better on a colour ``#RRGGBB``: at least 4.58 to 1 on every one (WCAG 2).

    >>> ink_on("#0072B2"), ink_on("#E69F00")
    ('#FFFFFF', '#000000')
    """
    levels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#FFFFFF" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else "#000000"


@contextmanager
def rendering(size: float, family: str = _fonts.SANS) -> Iterator[None]:
    """Matplotlib's settings for one figure of ours, whatever a program has set, and its former ones afterwards."""
    from matplotlib import rc_context

    _fonts.register()
    with rc_context(
        {
            **_defaults(),
            "font.family": family,
            "font.size": size,
            "text.parse_math": False,  # a dollar sign in somebody's label is a dollar sign
            "axes.titlesize": size,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.labelsize": size,
            "xtick.labelsize": size - 1,
            "ytick.labelsize": size - 1,
            "legend.fontsize": size - 1,
            "legend.frameon": False,
            "legend.handlelength": 1.0,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.linewidth": 0.6,
            "axes.edgecolor": GREY,
            "axes.labelcolor": INK,
            "text.color": INK,
            "xtick.color": GREY,
            "ytick.color": GREY,
            "xtick.labelcolor": INK,
            "ytick.labelcolor": INK,
            "xtick.major.width": 0.6,
            "ytick.major.width": 0.6,
            "xtick.major.size": 2.5,
            "ytick.major.size": 2.5,
            "lines.linewidth": 1.0,
            "image.interpolation": "nearest",
            "pdf.fonttype": 42,
            "svg.fonttype": "none",
            "svg.hashsalt": "latentlab",
            "savefig.dpi": DPI,
            "figure.dpi": DPI,
            "axes.formatter.useoffset": False,
        }
    ):
        yield


def _defaults() -> dict[Any, Any]:
    """What Matplotlib comes with, the settings that are a program's rather than a figure's left out."""
    from matplotlib import rcParamsDefault

    return {key: value for key, value in rcParamsDefault.items() if not key.startswith(PROGRAM)}


def canvas(preset_name: str, height: float, *, arranged: bool = True) -> Figure:
    """A figure of the preset's exact width and of `height` inches, without a title: a paper has it in the caption.

    ``arranged`` lays its axes out by itself; otherwise each is placed by hand.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout: Any = "none"
    if arranged:
        layout = ConstrainedLayoutEngine(rect=(0.006, 0, 0.988, 1), w_pad=0.02, h_pad=0.02, wspace=0.03, hspace=0.03)
    fig = Figure(figsize=(preset(preset_name).width, height), layout=layout)
    FigureCanvasAgg(fig)
    return fig


def wide(text: str, chosen: Preset, smaller: float = 0) -> float:
    """Inches that a text takes in the preset's type, or in one that is so many points `smaller`.

    >>> wide("MMMM", PRESETS["icml"]) > wide("iiii", PRESETS["icml"])
    True
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=_fonts.families(text, chosen.family), size=chosen.size - smaller)
    with _labels.quiet():
        return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]) / 72


def fitting(text: str, chosen: Preset, room: float, smaller: float = 0) -> str:
    """The text, cut so that it takes at most `room` inches; see `wide`."""
    letters = len(text)
    while letters > 1 and wide(short(text, letters), chosen, smaller) > room:
        letters -= max(1, letters // 12)
    return short(text, letters)


def lines(text: str, chosen: Preset, room: float, smaller: float = 0) -> str:
    """The text in lines of at most `room` inches, a word that is too long alone on its own; see `wide`."""
    broken, rest = [], text.split()
    while rest:
        count = len(rest)
        while count > 1 and wide(" ".join(rest[:count]), chosen, smaller) > room:
            count -= 1
        broken.append(fitting(" ".join(rest[:count]), chosen, room, smaller))
        rest = rest[count:]
    return "\n".join(broken)


def titles(texts: Sequence[str], chosen: Preset, abreast: int) -> tuple[list[str], float]:
    """The titles of panels, so many abreast, in lines that fit, and the inches that lines beyond the first take."""
    room = chosen.width / abreast - BESIDE
    said = ["\n".join(lines(part, chosen, room) for part in _parted(text, chosen, room)) for text in texts]
    rows = [said[start : start + abreast] for start in range(0, len(said), abreast)]
    return said, sum(max(text.count("\n") for text in row) for row in rows) * chosen.size / 72 * 1.25


def _parted(text: str, chosen: Preset, room: float) -> list[str]:
    """A text that is too long for one line in two parts where it has a colon: a name, and what it goes from and to."""
    head, colon, tail = text.partition(": ")
    return [text] if not colon or wide(text, chosen) <= room else [f"{head}:", tail]


def legend_below(fig: Figure, most: int, **words: Any) -> None:
    """A legend under the plots, left, in at most that many columns, and in no more than the page is wide for.

    The page grows by the lines that fewer columns take.
    """
    first = 0.0
    for columns in range(most, 0, -1):
        legend = fig.legend(loc="outside lower left", ncols=columns, **words)
        with _labels.quiet():
            size = legend.get_window_extent()
        first = first or size.height
        if columns == 1 or size.width <= fig.bbox.width:
            fig.set_figheight(float(fig.get_figheight() + (size.height - first) / fig.dpi))
            return
        legend.remove()


def across(count: int, most: int) -> int:
    """How many of `count` panels stand abreast, at most `most`, so that as many rows are as full as can be.

    >>> across(10, 5), across(7, 5), across(3, 5)
    (5, 4, 3)
    """
    return -(-count // -(-count // most))


class Multiples(NamedTuple):
    """A figure of small charts, so many ``abreast``: axes in reading order, and titles in lines that fit."""

    figure: Figure
    axes: list[Axes]
    titles: list[str]
    abreast: int

    @property
    def first(self) -> list[Axes]:
        """The axes at the left."""
        return self.axes[:: self.abreast]

    @property
    def lowest(self) -> list[Axes]:
        """The axes with none below them."""
        return self.axes[-self.abreast :]


def multiples(preset_name: str, texts: Sequence[str], spare: float, *, sharey: bool = False) -> Multiples:
    """A small chart for each of the titles, at most five abreast, with `spare` inches of height for what is around."""
    chosen = preset(preset_name)
    many = abreast(chosen, len(texts))
    down = -(-len(texts) // many)
    said, more = titles(texts, chosen, many)
    fig = canvas(preset_name, 1.1 * down + spare + more)
    every = fig.subplots(down, many, squeeze=False, sharey=sharey).ravel()
    for axes in every[len(texts) :]:
        axes.set_visible(False)
    return Multiples(fig, list(every[: len(texts)]), said, many)


def abreast(chosen: Preset, count: int) -> int:
    """How many of that many small charts stand side by side."""
    return across(count, 5 if chosen.width > 5 else 3)


def bare(axes: Axes) -> None:
    """No frame and no ticks, the labels kept: for images and tables."""
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def saved(fig: Figure, suffix: str, title: str, alt: str, chosen: Preset) -> bytes:
    """A Matplotlib figure as the bytes of a pdf, svg or png, with no date in them."""
    alt = harmless(alt)  # no XML may hold a control character
    metadata: dict[str, Any] = {
        "pdf": {"Title": title, "Subject": alt, "CreationDate": None},
        "svg": {"Title": title, "Description": alt, "Date": None},
        "png": {"Title": title, "Description": alt, "Software": None},
    }[suffix]
    buffer = io.BytesIO()
    with rendering(chosen.size, chosen.family), _labels.quiet():
        _labels.legible(fig, written=suffix == "svg")
        _settle(fig)
        fig.savefig(buffer, format=suffix, metadata=metadata, facecolor="white")
    return buffer.getvalue() if suffix != "svg" else _portable(_numbered(buffer.getvalue().decode())).encode()


def _portable(svg: str) -> str:
    """The SVG with fonts as wide as ours named after them, for where ours are not installed."""
    for family, others in _fonts.GENERIC.items():
        svg = svg.replace(f"'{family}'", f"{family}, {others}")
    return svg


def _settle(fig: Figure) -> None:
    """Lay the axes out and round where they lie: the solver's last digits depend on where objects lie in memory."""
    engine = fig.get_layout_engine()
    if engine is not None:
        _labels.fitted(fig)
        fig.set_layout_engine(None)  # with one, even an idle one, Matplotlib draws the figure twice
        for axes in fig.axes:
            axes.set_position(tuple(round(edge, 5) for edge in axes.get_position().bounds))


def _numbered(svg: str) -> str:
    """The ids of clip paths as numbers in their order: Matplotlib's depend on where objects lie in memory."""
    ids = dict.fromkeys(re.findall(r"url\(#(p[0-9a-f]{10})\)", svg))
    numbers = {old: f"clip{number}" for number, old in enumerate(ids)}
    return re.sub(r"\bp[0-9a-f]{10}\b", lambda found: numbers.get(found[0], found[0]), svg)


def plotly(title: str, subtitle: str, alt: str, **layout: Any) -> Any:
    """An empty Plotly figure in our style; its background is transparent, so that a dark page shows through."""
    import plotly.graph_objects as go

    small = "<br>".join(textwrap.wrap(subtitle, SUBTITLE))
    text = f"<b>{title}</b>" + (f"<br><span style='font-size:0.8em;color:{GREY}'>{small}</span>" if small else "")
    place = {"xref": "container", "x": 0, "xanchor": "left", "yref": "container", "y": 1, "yanchor": "top"}
    common: dict[str, Any] = {
        "template": "plotly_white",
        "title": {"text": text, "pad": {"l": 12, "t": 12}, "font": {"size": 16}, **place},
        "font": {"family": "Inter, Helvetica, Arial, sans-serif", "size": 12},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 60, "r": 20, "t": 72 + 16 * small.count("<br>"), "b": 48},
        "meta": {"title": title, "alt": alt},
        "hoverlabel": {"font": {"size": 12}},
        "legend": {"title": {"text": ""}},
        "colorway": LONG,
    }
    fig = go.Figure(layout=common | layout)
    line = {"gridcolor": "rgba(128,128,128,0.18)", "linecolor": GREY, "zeroline": False}
    fig.update_xaxes(**line)
    fig.update_yaxes(**line)
    return fig


def colour_key(fig: Any, colours: Mapping[str, str], *, below: int) -> None:
    """Names beside dots of their colours, that many pixels under the plots: a legend that pages leave where it is."""
    text = "   ".join(f"<span style='color:{colour}'>●</span> {name}" for name, colour in colours.items())
    place = {"x": 0, "y": 0, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "top", "yshift": -below}
    fig.add_annotation(text=text, showarrow=False, align="left", **place)
