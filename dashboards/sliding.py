"""Sliders over the top dimensions: frames decoded beforehand follow the pointer, the exact sample comes on release."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import reads
import streamlit as st
from markup import number

from latentlab.codes.paths import sweeps
from latentlab.figures.code import original
from latentlab.runs.run import Run
from latentlab.system.png import data_uri, strip

SHOWN = 8
STEPS = 25
HERE = Path(__file__).parent

SLIDERS = st.components.v2.component(
    "latentlab_sliders",
    html='<div class="sliding"><div class="rows"></div><div class="pictures">'
    '<figure><canvas role="img"></canvas><figcaption></figcaption></figure>'
    '<figure><canvas role="img"></canvas><figcaption aria-live="polite"></figcaption></figure></div></div>',
    css=(HERE / "sliders.css").read_text(encoding="utf-8"),
    js=(HERE / "sliders.js").read_text(encoding="utf-8"),
)


def sliders(run: Run, code: Any, row: int | None, key: str, on_move: Any) -> None:
    """A slider for each of the top dimensions at its value of `code` (d,); `on_move` is called with what was moved."""
    name = f"sliders-{key}"

    def moved() -> None:
        found = st.session_state[name].moved
        if isinstance(found, dict):
            on_move({str(dim): float(value) for dim, value in found.items()})

    SLIDERS(key=name, data=_content(run, code, row), on_moved_change=moved)


def _content(run: Run, code: Any, row: int | None) -> dict[str, Any]:
    table = reads.ranked(run).head(SHOWN)
    live, grid = reads.live(run), sweeps(reads.codes(run), code, table["index"], STEPS)
    picture = run.config.form.picture
    exact, frames = strip(picture(live.decode(code[None])), gap=0), picture(live.decode(grid))
    start = None if row is None else original(run, row)
    return {
        "dims": [
            {
                "dim": line["dim"],
                "label": f"{line['dim']} {line['name']}".strip(),
                "fact": _fact(line),
                "low": float(grid[k, 0, line["index"]]),
                "high": float(grid[k, -1, line["index"]]),
                "value": float(code[line["index"]]),
                "frames": data_uri(strip(frames[k], gap=0)),
            }
            for k, line in enumerate(table.to_dict("records"))
        ],
        "steps": STEPS,
        "height": exact.shape[0],
        "width": exact.shape[1],
        "exact": data_uri(exact),
        "start": "" if start is None else data_uri(strip(start[None], gap=0)),
        "startSaid": f"row {row}, its {run.config.noun}",
        "alt": f"the decoded {run.config.noun} of the code set with the sliders",
    }


def _fact(line: dict[str, Any]) -> str:
    if line["active"] is False:
        return "inactive"
    if line["top_factor"]:
        return f"{line['top_factor']} {number(line['mi'])}"
    return f"KL {number(line['kl'])}" if line["kl"] == line["kl"] else f"{line['share']:.0%} of variance"
