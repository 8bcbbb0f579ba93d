"""How every figure looks: widths and type of the journals, colours, and rendering that gives the same bytes twice."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from latentlab.errors import harmless
from latentlab.figures import _fonts, _labels
from latentlab.system.registry import choose

if TYPE_CHECKING:
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
GREY = "#8A8A86"
FAINT = "#D9D9D5"
INK = "#1A1A1A"
SEQUENTIAL, MATRIX, CYCLIC = "viridis", "cividis", "twilight"


@dataclass(frozen=True, slots=True)
class Preset:
    """A journal's column: its width in inches and the size of type in points."""

    width: float
    size: float


PRESETS: Mapping[str, Preset] = {
    "icml": Preset(3.25, 7),
    "neurips": Preset(5.5, 8),
    "nature-single": Preset(89 * MM, 6.5),
    "nature-double": Preset(183 * MM, 7),
}


def preset(name: str) -> Preset:
    """The preset of that name; an `InputError` names the nearest otherwise."""
    return PRESETS[choose(name, PRESETS, what="preset")]


def colours(names: Sequence[str]) -> dict[str, str]:
    """A colour a name, in the order given, told apart by colour-blind readers for the first seven."""
    return {name: LONG[i % len(LONG)] for i, name in enumerate(dict.fromkeys(names))}


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
def rendering(size: float) -> Iterator[None]:
    """Matplotlib's settings for one figure of ours, whatever a program has set, and its former ones afterwards."""
    from matplotlib import rc_context

    with rc_context(
        {
            **_defaults(),
            "font.family": _fonts.FONT,
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


def canvas(preset_name: str, height: float, title: str, subtitle: str, *, arranged: bool = True) -> Figure:
    """A figure of the preset's exact width with its title at the left, and `height` inches free below it.

    ``arranged`` lays its axes out by itself; otherwise each is placed by hand.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    chosen = preset(preset_name)
    head = heading_height(preset_name, subtitle)
    layout: Any = "none"
    if arranged:
        free = (0.006, 0, 0.988, 1 - head / (height + head))
        layout = ConstrainedLayoutEngine(rect=free, w_pad=0.02, h_pad=0.02, wspace=0.03, hspace=0.03)
    fig = Figure(figsize=(chosen.width, height + head), layout=layout)
    FigureCanvasAgg(fig)
    line = chosen.size * 1.45 / 72
    top = 1 - 0.3 * line / (height + head)
    fig.text(0.01, top, title, weight="bold", size=chosen.size + 0.5, va="top")
    if subtitle:
        below = top - line / (height + head)
        fig.text(0.01, below, subtitle, size=chosen.size - 1, color=GREY, va="top", linespacing=1.25)
    return fig


def heading_height(preset_name: str, subtitle: str) -> float:
    """Inches that a title and its subtitle take."""
    lines = 1.4 + (subtitle.count("\n") + 1 if subtitle else 0)
    return preset(preset_name).size * 1.4 / 72 * lines


def wrap(text: str, preset_name: str) -> str:
    """Text broken into lines that fit the preset's width a point under its type size, as its letters measure."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    chosen = preset(preset_name)
    room, font = 0.98 * 72 * chosen.width, FontProperties(family=_fonts.families(text), size=chosen.size - 1)
    with _labels.quiet():
        for letters in range(int(room / (0.4 * font.get_size_in_points())), 1, -1):
            lines = textwrap.wrap(text, letters)
            if all(text_to_path.get_text_width_height_descent(line, font, ismath=False)[0] <= room for line in lines):
                break
    return "\n".join(lines)


def bare(axes: Axes) -> None:
    """No frame and no ticks, the labels kept: for images and tables."""
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def saved(fig: Figure, suffix: str, title: str, alt: str, size: float) -> bytes:
    """A Matplotlib figure as the bytes of a pdf, svg or png, with no date in them."""
    alt = harmless(alt)  # no XML may hold a control character
    metadata: dict[str, Any] = {
        "pdf": {"Title": title, "Subject": alt, "CreationDate": None},
        "svg": {"Title": title, "Description": alt, "Date": None},
        "png": {"Title": title, "Description": alt, "Software": None},
    }[suffix]
    buffer = io.BytesIO()
    with rendering(size), _labels.quiet():
        _labels.legible(fig)
        _settle(fig)
        fig.savefig(buffer, format=suffix, metadata=metadata, facecolor="white")
    return _numbered(buffer.getvalue().decode()).encode() if suffix == "svg" else buffer.getvalue()


def _settle(fig: Figure) -> None:
    """Lay the axes out and round where they lie: the solver's last digits depend on where objects lie in memory."""
    engine = fig.get_layout_engine()
    if engine is not None:
        _labels.fitted(fig)
        fig.set_layout_engine("none")
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
