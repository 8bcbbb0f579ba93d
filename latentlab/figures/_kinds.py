"""What draws samples of a kind: small pictures, or the file of this folder that the kind names as ``DRAWN``."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from latentlab.data import Form
from latentlab.data.kinds import kind_of

PICTURES = 12


def drawing(form: Form) -> ModuleType | None:
    """What draws samples of that form in panels of their own; None where they are small pictures.

    It has ``SAMPLES``, and ``traversals(form, strips, headings, grey)``, ``reconstructions(form, originals, decoded,
    headings)`` and ``effects(form, effects, order, headings, grey)``, which give `Panels`; for the numbers
    ``moved(form, strips)`` and ``differences(form, originals, decoded)``.
    """
    name = getattr(kind_of(form), "DRAWN", "")
    return import_module(f"latentlab.figures._{name}") if name else None


def abreast(form: Form) -> int:
    """How many samples of that form stand side by side where no number is said: drawn ones are wider than pictures."""
    drawn = drawing(form)
    return PICTURES if drawn is None else int(drawn.SAMPLES)
