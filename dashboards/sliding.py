"""Sliders over latent dimensions whose decoders run in the page: of one run, or of several side by side.

Dragging asks the server nothing. What was moved is told when a slider is let go, so that a link restores it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import reads
import streamlit as st

from latentlab.browser.scripts import script, style
from latentlab.browser.stage import stage
from latentlab.codes.symbols import moves, symbol
from latentlab.runs.run import Run

MOUNT = """
export default function ({ parentElement, data, setTriggerValue }) {
  %s(parentElement.querySelector(".stage"), data, { onMoved: (values) => setTriggerValue("moved", values) });
}
"""


def _component(mount: str) -> Any:
    js = script("stage.js") + MOUNT % mount
    return st.components.v2.component(
        f"latentlab_{mount}", html='<div class="stage"></div>', css=style("stage.css"), js=js
    )


SLIDERS, STAGE = _component("mountSliders"), _component("mountStage")


def sliders(runs: Sequence[Run], row: int | None, key: str) -> None:
    """A slider for each of the first run's dimensions, matched in the others; values are kept in the address as `key`.

    The page around may change them too: a new value of ``st.session_state[key]`` moves the sliders.
    """
    name = "sliders-" + "-".join([key, *(run.name for run in runs)])
    text = str(st.session_state.get(key, ""))
    values, wrong = reads.attempt(lambda: _values(reads.codes(runs[0]), text), {})
    content = _content(runs, row, ())
    shown = {slider["key"] for slider in content["sliders"]}
    if values and (values.keys() - shown or any(each["decoder"]["kind"] == "frames" for each in content["runs"])):
        content = _content(runs, row, tuple(values.items()))
    pushed = st.session_state.setdefault(f"{name}-pushed", {"turn": 0, "values": {}, "text": ""})
    if pushed["text"] != text and not wrong:  # not what the sliders themselves told
        pushed |= {"turn": pushed["turn"] + 1, "values": values, "text": text}

    def moved() -> None:
        told = st.session_state[name].moved
        if isinstance(told, dict):
            pushed["text"] = ", ".join(f"{dim}={value:.2f}" for dim, value in told.items())
            st.session_state[key] = pushed["text"]

    data = content | {"turn": pushed["turn"], "values": pushed["values"]}
    (SLIDERS if len(runs) == 1 else STAGE)(key=name, data=data, on_moved_change=moved)


def _values(codes: Any, text: str) -> dict[str, float]:
    """The dimensions that a text such as ``z3=1.5`` sets, with their values; an `InputError` where it is none."""
    return {symbol(j): value for j, value in moves(text, codes.latent_dim).items()}


def _content(runs: Sequence[Run], row: int | None, moved: tuple[tuple[str, float], ...]) -> dict[str, Any]:
    stamps = tuple((str(run.path), reads.stamp(run.path), reads.stamp(run.path, ["notes.json"])) for run in runs)
    return _stage(stamps, row, moved, tuple(runs))


@st.cache_resource(max_entries=16, show_spinner="Preparing the decoders …")
def _stage(stamps: Any, row: int | None, moved: Any, _runs: tuple[Run, ...]) -> dict[str, Any]:
    models = [reads.attempt(partial(reads.live, run), None)[0] for run in _runs]
    cached, tables = [reads.Cached(run.path) for run in _runs], [reads.ranked(run) for run in _runs]
    return stage(cached, models, row=row, moved=dict(moved), tables=tables)
