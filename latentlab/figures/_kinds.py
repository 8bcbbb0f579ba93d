"""What draws samples of a kind: small pictures, or the file of this folder that the kind names as ``DRAWN``."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from latentlab.data import Form
from latentlab.data.kinds import kind_of


def drawing(form: Form) -> ModuleType | None:
    """What draws samples of that form in panels of their own; None where they are small pictures.

    It has ``SAMPLES``, and ``traversals(form, strips, headings, grey)``, ``reconstructions(form, originals, decoded,
    headings)`` and ``effects(form, effects, order, headings, grey)``, which give `Panels`; for the numbers
    ``moved(form, strips)`` and ``differences(form, originals, decoded)``.
    """
    name = getattr(kind_of(form), "DRAWN", "")
    return import_module(f"latentlab.figures._{name}") if name else None
