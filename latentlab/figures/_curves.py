"""Signals as curves over their own axis: a traversal's steps from light to dark, a reconstruction with its residual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from latentlab.analysis.explain.record import Effects
from latentlab.data import Form
from latentlab.data.dataset import Samples
from latentlab.errors import InputError
from latentlab.figures import _style
from latentlab.figures._panels import Floats, Line, Panel, Panels

if TYPE_CHECKING:
    import pandas as pd

DATA = "#777777"
MEAN, INTERVAL, FAINT = _style.OKABE_ITO[0], _style.OKABE_ITO[5], _style.FAINT
EMPTY = Panel("")
LIGHT, DARK = (198, 219, 239), (8, 48, 107)
CHANNELS = 3  # of a signal that are drawn: those that vary most
ACROSS = 3
SAMPLES = 4  # reconstructed signals that are drawn where no number is said, and how many side by side


def traversals(form: Form, strips: Samples, headings: Sequence[str], grey: Sequence[bool]) -> Panels:
    """A panel for each of the strips (rows, steps, c, t) and each channel shown, a curve per step."""
    shown, x = _channels(form, strips), axis(form)
    colours = shades(strips.shape[1])
    panels = [
        Panel(
            f"{heading}{_of_channel(form, channel)}",
            tuple(
                Line(x, strip[step, channel].astype(np.float64), colour, f"step {step + 1}")
                for step, colour in enumerate(colours)
            ),
            grey=dead,
        )
        for heading, strip, dead in zip(headings, strips, grey, strict=True)
        for channel in shown
    ]
    across = len(shown) if len(shown) > 1 else min(ACROSS, len(panels))
    return Panels(
        tuple(panels), across, axis_title(form), form.unit or "value", {"low": colours[0], "high": colours[-1]}
    )


def reconstructions(form: Form, originals: Samples, decoded: Mapping[str, Samples], headings: Sequence[str]) -> Panels:
    """Signals (m, c, t) with what runs make of them laid over, and the residuals in a low panel below each."""
    channel, colours = _channels(form, originals[None])[0], dict(zip(decoded, _style.OKABE_ITO, strict=False))
    made = {name: decoded[name][:, channel].astype(np.float64) for name in colours}
    data, x = originals[:, channel].astype(np.float64), axis(form)
    panels: list[Panel] = []
    for start in range(0, len(data), SAMPLES):
        rows = range(start, min(start + SAMPLES, len(data)))
        for k in rows:
            lines = (Line(x, values[k], colours[name], name, 1.0) for name, values in made.items())
            heading = f"{headings[k]}{_of_channel(form, channel)}"
            panels.append(Panel(heading, (Line(x, data[k], DATA, "data", 2.2), *lines)))
        panels += [EMPTY] * (min(SAMPLES, len(data)) - len(rows))
        for k in rows:
            rest = (Line(x, data[k] - values[k], colours[name], name, 0.8) for name, values in made.items())
            panels.append(Panel("residual", tuple(rest), grey=True, low=True))
    key = {"data": DATA, **colours}
    return Panels(tuple(panels), min(SAMPLES, len(data)), axis_title(form), form.unit or "value", key)


def effects(form: Form, found: Effects, order: Sequence[int], headings: Sequence[str], grey: Sequence[bool]) -> Panels:
    """A panel for each dimension in `order` and channel: how the curve changes along it, with its 95 % interval."""
    if found.shift is None:
        raise InputError("the effects are of an older version, without signs; recompute them: latentlab explain RUN")
    x, size = axis(form), np.abs(found.shift[0]).mean(axis=(0, 2)) / np.asarray(form.scale)
    shown, none = sorted(np.argsort(-size, kind="stable")[:CHANNELS].tolist()), np.zeros(form.shape[1])
    panels = []
    for j, heading, dead in zip(order, headings, grey, strict=True):
        for channel in shown:
            mean, low, high = (each[j, channel].astype(np.float64) for each in found.shift)
            ends = [Line(x, end, INTERVAL, "95 % interval", 1.0) for end in (low, high)]
            lines = (Line(x, none, FAINT, "no change", 0.8), *ends, Line(x, mean, MEAN, "mean change", 1.4))
            panels.append(Panel(f"{heading}{_of_channel(form, channel)}", lines, grey=dead))
    across = len(shown) if len(shown) > 1 else min(ACROSS, len(panels))
    title = f"change of {form.unit or 'value'}"
    return Panels(tuple(panels), across, axis_title(form), title, {"mean change": MEAN, "95 % interval": INTERVAL})


def moved(form: Form, strips: Samples) -> pd.DataFrame:
    """The curves as numbers: a row a (row of the strips, step, channel, point)."""
    import pandas as pd

    rows, steps, channels, points = strips.shape
    places = np.indices((rows, steps, channels, points)).reshape(4, -1)
    names = np.array(form.names or [str(k + 1) for k in range(channels)], dtype=object)
    columns = {"row": places[0], "step": places[1], "channel": names[places[2]], "at": axis(form)[places[3]]}
    return pd.DataFrame({**columns, "value": strips.ravel()})


def differences(form: Form, originals: Samples, decoded: Mapping[str, Samples]) -> pd.DataFrame:
    """Each reconstructed signal's root mean square error, and its largest one with the place where it is."""
    import pandas as pd

    x, tables = axis(form), []
    for name, images in decoded.items():
        error = (originals.astype(np.float64) - images).reshape(len(originals), -1)
        worst = np.abs(error).argmax(axis=1)
        tables.append(
            pd.DataFrame(
                {
                    "label": name,
                    "rms_error": np.sqrt((error**2).mean(axis=1)),
                    "largest_error": error[np.arange(len(error)), worst],
                    "at": x[worst % len(x)],
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def axis(form: Form) -> Floats:
    """Where the points of signals lie; their numbers where nothing is known of that."""
    return np.asarray(form.axis or np.arange(form.shape[1]), np.float64)


def axis_title(form: Form) -> str:
    """What the axis is, with its unit."""
    return form.axis_unit or ("axis" if form.axis else "point")


def shades(steps: int) -> list[str]:
    """A blue for each step, from light to dark."""
    share = np.linspace(0, 1, steps)[:, None]
    mixed = (np.asarray(LIGHT) * (1 - share) + np.asarray(DARK) * share).round().astype(int)
    return ["#{:02x}{:02x}{:02x}".format(*colour) for colour in mixed]


def _channels(form: Form, strips: NDArray[np.floating]) -> list[int]:
    """The channels that are drawn, in order: those whose values differ most in units of their spread."""
    spread = form.to_model(strips).std(axis=(0, 1)).mean(axis=-1)
    return sorted(np.argsort(-spread, kind="stable")[:CHANNELS].tolist())


def _of_channel(form: Form, channel: int) -> str:
    if form.shape[0] == 1:
        return ""
    return f" · {form.names[channel] if form.names else f'channel {channel + 1}'}"
