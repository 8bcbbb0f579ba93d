"""The texts of a Matplotlib figure made fit to be drawn: letters that fonts have, labels that leave room for axes."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from latentlab.errors import Remark, harmless
from latentlab.figures import _fonts
from latentlab.figures._text import short

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.text import Text

LENGTHS = (60, 45, 32, 24, 16, 10, 6)  # letters that a label may have, tried in turn where axes have no room
LONG = 30  # letters of a label that may be what leaves axes without room
EDGE = 0.03  # of the figure, what labels may reach over their place
MOST = 1.15  # of the width that a grid gives to its axes, what they take with their labels at most
LEAST = 0.2  # of the width and height that a grid gives to its axes, the part that labels leave at least


def legible(fig: Figure, *, written: bool = False) -> None:
    """Give every text fonts that have its letters; a `Remark` names those that no font has.

    Those are drawn as `_fonts.MISSING`, or kept where texts stay ``written``: another machine may have the font.
    """
    missing: set[str] = set()
    _reword(fig, _plain)
    for text in _texts(fig):
        said = _plain(text.get_text())
        lacking = _fonts.lacking(said)
        missing |= lacking
        said = said if written else "".join(_fonts.MISSING if letter in lacking else letter for letter in said)
        if said != text.get_text():
            text.set_text(said)
        if len(chosen := _fonts.families(said, text.get_fontfamily()[0])) > 1:
            text.set_fontfamily(chosen)
    if missing:
        warnings.warn(_fonts.told(missing), Remark, stacklevel=2)


def fitted(fig: Figure) -> None:
    """Lay the axes out, with labels cut as far as that needs."""
    is_long = _longest(fig) > LONG
    for length in LENGTHS:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            _arranged(fig)
        collapsed = any("not applied" in str(each.message) for each in caught)
        if not collapsed and not (is_long and any(_crowded(axes) for axes in fig.axes)):
            return
        _shorten(fig, length)
    with quiet():
        _arranged(fig)


def _arranged(fig: Figure) -> None:
    """Lay the axes out; twice where some keep their shape, as titles then stand on axes lower than their places."""
    engine: Any = fig.get_layout_engine()
    engine.execute(fig)
    if any(axes.get_aspect() != "auto" for axes in fig.axes):
        engine.execute(fig)


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings of letters that fonts lack, which `legible` has told, and of axes that have little room."""
    logger = logging.getLogger("matplotlib.font_manager")  # says which weight it took for bold
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"Glyph \d+")
            warnings.filterwarnings("ignore", "constrained_layout not applied")
            yield
    finally:
        logger.setLevel(level)


def _longest(fig: Figure) -> int:
    return max((len(text.get_text()) for text in _texts(fig)), default=0)


def _crowded(axes: Any) -> bool:
    """Whether labels leave too little of the axes' place, or reach out of it."""
    fig, grid = axes.get_figure(), axes.get_subplotspec()
    drawn = axes.get_tightbbox()
    if drawn is None:  # axes that are switched off hold nothing
        return False
    with_labels = drawn.transformed(fig.transFigure.inverted())
    left, bottom, width, height = fig.get_layout_engine().get()["rect"]
    if with_labels.x0 < left - EDGE or with_labels.x1 > left + width + EDGE:
        return True
    if with_labels.y0 < bottom - EDGE or with_labels.y1 > bottom + height + EDGE:
        return True
    if grid is None:
        return False
    has = axes.get_position(original=True)
    across = width * _share(grid.get_gridspec().get_width_ratios(), grid.colspan)
    down = height * _share(grid.get_gridspec().get_height_ratios(), grid.rowspan)
    wide = with_labels.width > MOST * across
    return bool(wide or has.width < LEAST * across or has.height < LEAST * down)


def _share(ratios: Sequence[float], span: range) -> float:
    """The part of a grid that the columns or rows of a span have."""
    return sum(ratios[k] for k in span) / sum(ratios)


def _shorten(fig: Figure, letters: int) -> None:
    _reword(fig, lambda label: short(label, letters))
    for text in _texts(fig):
        text.set_text(short(text.get_text(), letters))


def _plain(text: str) -> str:
    return harmless(text).replace("\t", " ")


def _reword(fig: Figure, word: Callable[[str], str]) -> None:
    """Change the labels of ticks, which axes write again whenever they are drawn; those that stay are not touched."""
    for axes in fig.axes:
        for axis in (axes.xaxis, axes.yaxis):
            labels = [label.get_text() for label in axis.get_ticklabels()]
            if (changed := [word(label) for label in labels]) != labels:
                axis.set_ticklabels(changed)


def _texts(fig: Figure) -> Iterator[Text]:
    from matplotlib.text import Text

    for axes in fig.axes:  # ticks are made when they are asked for
        axes.get_xticklabels(), axes.get_yticklabels()
    yield from (each for each in fig.findobj(Text) if each.get_text())
