"""Fonts that have the letters of a text: that of the journal first, then those that are installed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

SANS = "Arimo"  # as wide as Arial and Helvetica, letter by letter; in the folder `SHIPPED`
SERIF = "STIXGeneral"  # drawn after Times; comes with Matplotlib
BROAD = "DejaVu Sans"  # comes with Matplotlib, and has most letters and signs
SHIPPED = Path(__file__).parent / "arimo"
GENERIC = {SANS: "Arial, Helvetica, sans-serif", SERIF: "'STIX Two Text', 'Times New Roman', Times, serif"}
PLACEHOLDERS = ("Last Resort", "Noto Sans Adobe Blank", "Adobe Blank")  # fonts whose glyphs are boxes or nothing
FORMULAS = ("STIXNonUni", "STIXSize", "cm")  # fonts of signs for formulas
MISSING = "?"


@lru_cache(maxsize=1)
def register() -> None:
    """Let Matplotlib find the fonts that come with latentlab, before others that have the same name."""
    from matplotlib.font_manager import fontManager

    for file in sorted(SHIPPED.glob("*.ttf")):
        fontManager.addfont(file)
        fontManager.ttflist.insert(0, fontManager.ttflist.pop())


def families(text: str, first: str) -> list[str]:
    """The family `first`, and those that have the letters which it lacks, each of which has some of them."""
    wanted, chosen = lacking(text, [first]), [first]
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
    return letters.difference(*(_letters(family) for family in (families(text, SANS) if among is None else among)))


def told(letters: Iterable[str]) -> str:
    """One line that says which letters no font has."""
    some = sorted(letters)
    named = " ".join(some[:8]) + (f" and {len(some) - 8} more" if len(some) > 8 else "")
    return f"no installed font has {named}, drawn as {MISSING}; install a font with them, such as Noto Sans"


def _installed() -> list[str]:
    """Families that have an upright font of regular weight: the broadest of Matplotlib's, then those without serifs."""
    return sorted(_files(), key=lambda name: (name != BROAD, "Mono" in name, "Sans" not in name, name))


def _files() -> dict[str, str]:
    """The file of the upright, regular font of each installed family but placeholders and formula fonts."""
    from matplotlib.font_manager import fontManager

    register()
    upright = [font for font in fontManager.ttflist if font.style == "normal" and font.weight in (400, "normal")]
    named = [font for font in upright if not font.name.startswith((*PLACEHOLDERS, *FORMULAS))]
    return {font.name: font.fname for font in reversed(named)}  # of one name the first, as Matplotlib takes it


@lru_cache(maxsize=256)
def _letters(family: str) -> frozenset[str]:
    """The letters that a family's regular font has; none where its file cannot be read."""
    from matplotlib.font_manager import get_font

    try:
        return frozenset(map(chr, get_font(_files()[family]).get_charmap()))
    except (OSError, RuntimeError):  # a font that was removed, or is damaged: Matplotlib keeps its list of fonts
        return frozenset()
