"""Rows of tables and counts as bars of their features: those that change most, up and down, and those that differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from latentlab.analysis.explain.record import Effects
from latentlab.analysis.explain.table import feature_names
from latentlab.data import Form
from latentlab.data.dataset import Samples
from latentlab.data.kinds import kind_of
from latentlab.errors import InputError
from latentlab.figures import _style
from latentlab.figures._panels import Bars, Floats, Panel, Panels

if TYPE_CHECKING:
    import pandas as pd

UP, DOWN, DATA = _style.OKABE_ITO[0], _style.OKABE_ITO[3], "#C9C9C4"
TOP = 5  # features up and as many down
FEATURES = 14  # of a reconstructed row that are drawn
SAMPLES = 4  # reconstructed rows that are drawn where no number is said
LEAST = 0.05  # a change that is drawn


def traversals(form: Form, strips: Samples, headings: Sequence[str], grey: Sequence[bool]) -> Panels:
    """A panel for each of the strips (rows, steps, d): the features whose values at the ends differ most."""
    names = feature_names(form)
    panels = []
    for heading, strip, dead in zip(headings, strips, grey, strict=True):
        change = contrast(form, strip[0], strip[-1])
        some = strongest(change)
        texts = tuple(f"{change[k]:+.2f}, {strip[0, k]:.4g} → {strip[-1, k]:.4g}" for k in some)
        colours = tuple(UP if change[k] > 0 else DOWN for k in some)
        bars = Bars(tuple(names[k] for k in some), change[some], colours, texts)
        panels.append(Panel(_told(heading, some), bars=bars, grey=dead))
    return Panels(tuple(panels), min(2, len(panels)), _title(form), "", {"up": UP, "down": DOWN})


def reconstructions(form: Form, originals: Samples, decoded: Mapping[str, Samples], headings: Sequence[str]) -> Panels:
    """Rows (m, d) as bars, what runs make of them as marks: the features of a row that are farthest from the mean."""
    names, count = feature_names(form), len(originals)
    colours = dict(zip(decoded, _style.OKABE_ITO, strict=False))
    scaled = kind_of(form).standard(form, originals)
    made = {name: kind_of(form).standard(form, images) for name, images in decoded.items() if name in colours}
    centre = np.nan_to_num(kind_of(form).standard(form, originals)).mean(axis=0)
    panels = []
    for k in range(count):
        far = np.abs(np.nan_to_num(scaled[k]) - centre)
        some = np.sort(np.argsort(-far, kind="stable")[:FEATURES])
        marks = tuple((name, colours[name], values[k, some]) for name, values in made.items())
        texts = tuple(f"{originals[k, j]:.4g}" for j in some)
        bars = Bars(tuple(names[j] for j in some), scaled[k, some], (DATA,) * len(some), texts, marks)
        panels.append(Panel(headings[k], bars=bars))
    return Panels(tuple(panels), min(2, count), kind_of(form).STANDARD, "", {"data": DATA, **colours})


def moved(form: Form, strips: Samples) -> pd.DataFrame:
    """The changes as numbers: a row a (row of the strips, feature), with its values at both ends."""
    import pandas as pd

    names = feature_names(form)
    tables = [
        pd.DataFrame(
            {
                "row": k,
                "feature": names,
                "low": strip[0],
                "high": strip[-1],
                "change": contrast(form, strip[0], strip[-1]),
            }
        )
        for k, strip in enumerate(strips)
    ]
    return pd.concat(tables, ignore_index=True)


def differences(form: Form, originals: Samples, decoded: Mapping[str, Samples]) -> pd.DataFrame:
    """Each reconstructed row's root mean square error in standard units over what is known, and its worst feature."""
    import pandas as pd

    names, tables = np.array(feature_names(form), dtype=object), []
    scaled = kind_of(form).standard(form, originals)
    for name, images in decoded.items():
        error = kind_of(form).standard(form, images) - scaled
        worst = np.abs(np.nan_to_num(error)).argmax(axis=1)
        root = np.sqrt(np.nanmean(error**2, axis=1))
        at = names[worst]
        tables.append(
            pd.DataFrame(
                {
                    "label": name,
                    "rms_error": root,
                    "largest_error": error[np.arange(len(error)), worst],
                    "at": at,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def effects(form: Form, found: Effects, order: Sequence[int], headings: Sequence[str], grey: Sequence[bool]) -> Panels:
    """A panel for each dimension in `order`: the features that it moves most, with 95 % intervals."""
    if found.shift is None:
        raise InputError("the effects are of an older version, without signs; recompute them: latentlab explain RUN")
    names, panels = feature_names(form), []
    unit = np.ones(form.shape[0]) if _own(form) else np.broadcast_to(np.asarray(form.scale), form.shape)
    for j, heading, dead in zip(order, headings, grey, strict=True):
        mean, low, high = (each[j].astype(np.float64) / unit for each in found.shift)
        some = strongest(mean)
        colours = tuple(UP if mean[k] > 0 else DOWN for k in some)
        texts = tuple(f"{mean[k]:+.2f}, 95 % interval {low[k]:+.2f} to {high[k]:+.2f}" for k in some)
        ends = np.stack([low[some], high[some]])
        bars = Bars(tuple(names[k] for k in some), mean[some], colours, texts, ends=ends)
        panels.append(Panel(_told(heading, some), bars=bars, grey=dead))
    return Panels(tuple(panels), min(2, len(panels)), _title(form), "", {"up": UP, "down": DOWN})


def _own(form: Form) -> bool:
    """Whether the kind has a change of its own, which compares between features."""
    return hasattr(kind_of(form), "change")


def _title(form: Form) -> str:
    if _own(form):
        return f"change from low to high, {form.change_unit}"
    levels = " or 0 to 1" if set(form.columns) - {"numeric"} else ""
    return f"change from low to high, {getattr(kind_of(form), 'INPUT', '')}{levels}"


def contrast(form: Form, low: Samples, high: Samples) -> Floats:
    """How much more each feature is at the high end than at the low one, in a unit in which features compare."""
    if _own(form):
        return form.change(low, high)
    standard = kind_of(form).standard
    return np.asarray(standard(form, high) - standard(form, low), np.float64)


def _told(heading: str, some: list[int]) -> str:
    """The heading of a panel, which says why it is empty where it is."""
    return heading if some else f"{heading} · all below {LEAST}"


def strongest(change: Floats) -> list[int]:
    """The features that change most: up from the strongest, then down to the strongest."""
    order = np.argsort(-change, kind="stable")
    up = [int(k) for k in order[:TOP] if change[k] > LEAST]
    down = [int(k) for k in order[-TOP:] if change[k] < -LEAST]
    return up + down
