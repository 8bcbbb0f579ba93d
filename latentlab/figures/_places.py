"""The names of settings along an axis: flat where they have room, in lines where that helps, otherwise upright."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from latentlab.figures import _style
from latentlab.figures._text import short

LETTER = 6.6  # pixels that a letter takes on the screen
LINE = 16  # and a line of them, with the space below it
PAGE = 860  # pixels that plots have between their margins on a screen of usual width
APART = 0.05  # inches between names
SPACED = 1.5  # heights of type from a line to the next
LONGEST = 24  # letters of a line


def places(settings: Sequence[str]) -> tuple[list[str], str]:
    """What stands at a setting's place on an axis, and the axis' title.

    Where all but autoencoders are called by β alone, the title says it once.

    >>> places(["AE", "β = 1", "β = 4"]), places(["β = 1", "factor-vae, gamma = 10"])
    ((['AE', '1', '4'], 'β'), (['β = 1', 'factor-vae, gamma = 10'], ''))
    """
    values = [name for name in settings if name != "AE"]
    if not values or not all(name.startswith("β = ") for name in values):
        return list(settings), ""
    return [name.removeprefix("β = ") for name in settings], "β"


def lines(name: str) -> list[str]:
    """A name with its parts in a line each; a bar parts it without a comma.

    >>> lines("annealed-vae, gamma = 50|16.0 nats")
    ['annealed-vae,', 'gamma = 50', '16.0 nats']
    """
    return [short(line, LONGEST) for line in name.replace(", ", ",\n").replace("|", "\n").split("\n")]


class Names(NamedTuple):
    """``texts`` in lines, whether they stand ``upright``, and the ``height`` that they take in inches."""

    texts: list[str]
    upright: bool
    height: float

    def on(self, axes: Any, **look: Any) -> None:
        """Name the places 0, 1, … of Matplotlib axes."""
        axes.set_xticks(range(len(self.texts)), self.texts, **look)
        if self.upright:
            axes.tick_params(axis="x", rotation=90)


def fitted(names: Sequence[str], chosen: _style.Preset, width: float, smaller: float = 1) -> Names:
    """Names for places that share so many inches, in type that is so many points `smaller` than the preset's."""
    room = width / max(1, len(names))
    whole, broken, single = _ways(names)
    for each in (whole, broken):
        if _wide(each, chosen, smaller) <= room - APART:
            return Names(_joined(each), False, _deep(each, chosen, smaller))
    upright = next((each for each in (broken, whole) if _deep(each, chosen, smaller) <= room), single)
    return Names(_joined(upright), True, _wide(upright, chosen, smaller))


def _ways(names: Sequence[str]) -> tuple[list[list[str]], list[list[str]], list[list[str]]]:
    """Names in lines: parted at bars alone, wherever they can be, and not at all."""
    whole = [[short(part, LONGEST) for part in name.split("|")] for name in names]
    return whole, [lines(name) for name in names], [[", ".join(name)] for name in whole]


def _deep(names: Sequence[Sequence[str]], chosen: _style.Preset, smaller: float) -> float:
    """Inches that the lines of a name take."""
    return (SPACED * max(map(len, names), default=1) - SPACED + 1.2) * (chosen.size - smaller) / 72


def _wide(names: Sequence[Sequence[str]], chosen: _style.Preset, smaller: float) -> float:
    return max((_style.wide(line, chosen, smaller) for name in names for line in name), default=0.0)


def _joined(names: Sequence[Sequence[str]]) -> list[str]:
    return ["\n".join(name) for name in names]


def on_screen(names: Sequence[str], panels: int = 1) -> tuple[dict[str, Any], int]:
    """Plotly's words for an axis with those names, so many panels abreast, and the pixels that the names take."""
    room = PAGE / panels / max(1, len(names))
    whole, broken, single = _ways(names)
    deep = lambda each: LINE * max(map(len, each), default=1)  # noqa: E731
    upright = _long(broken) > room
    said = next((each for each in (broken, whole) if deep(each) <= room), single) if upright else broken
    ticks = {"tickvals": list(range(len(names))), "ticktext": ["<br>".join(name) for name in said]}
    return ticks | {"tickangle": -90 if upright else 0}, round(_long(said) if upright else deep(said))


def _long(names: Sequence[Sequence[str]]) -> float:
    return max((len(line) for name in names for line in name), default=1) * LETTER
