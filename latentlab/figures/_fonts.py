"""Fonts that have the letters of a text: the one that comes with Matplotlib first, then what is installed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

FONT = "DejaVu Sans"  # comes with matplotlib, so that every machine draws the same
PLACEHOLDERS = ("Last Resort", "Noto Sans Adobe Blank", "Adobe Blank")  # fonts whose glyphs are boxes or nothing


def families(text: str) -> list[str]:
    """`FONT`, and the installed families that have the letters which it lacks, each of which has some of them."""
    wanted, chosen = lacking(text, [FONT]), [FONT]
    for family in _installed() if wanted else ():
        if left := wanted - _letters(family):
            chosen += [family] if left != wanted else []
            wanted = left
        else:
            return [*chosen, family]
    return chosen


def lacking(text: str, among: Iterable[str] | None = None) -> set[str]:
    """The letters of a text that none of these families has, or none that is installed."""
    letters = {letter for letter in text if ord(letter) > 126 and letter.isprintable()}
    if not letters:
        return letters
    return letters.difference(*(_letters(family) for family in (families(text) if among is None else among)))


def told(letters: Iterable[str]) -> str:
    """One line that says which letters are drawn as boxes."""
    some = sorted(letters)
    named = " ".join(some[:8]) + (f" and {len(some) - 8} more" if len(some) > 8 else "")
    return f"no installed font has {named}, which appear as boxes; install a font with them, such as Noto Sans"


def _installed() -> list[str]:
    """Families that have an upright font of regular weight, those without serifs first."""
    return sorted(_files(), key=lambda name: ("Mono" in name, "Sans" not in name, name))


def _files() -> dict[str, str]:
    """The file of the upright, regular font of each installed family but placeholders and formula fonts."""
    from matplotlib.font_manager import fontManager

    upright = [font for font in fontManager.ttflist if font.style == "normal" and font.weight in (400, "normal")]
    return {font.name: font.fname for font in upright if not font.name.startswith((*PLACEHOLDERS, "STIX", "cm"))}


@lru_cache(maxsize=256)
def _letters(family: str) -> frozenset[str]:
    """The letters that a family's regular font has; none where its file cannot be read."""
    from matplotlib.font_manager import get_font

    try:
        return frozenset(map(chr, get_font(_files()[family]).get_charmap()))
    except (OSError, RuntimeError):  # a font that was removed, or is damaged: Matplotlib keeps its list of fonts
        return frozenset()
