"""The map of all rows: ``latentlab/browser/map.js`` on a page, and what its filters, clicks and paths mean here."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import choice
import panels
import reads
import streamlit as st

from latentlab.browser.scripts import script, style
from latentlab.codes.codes import Codes
from latentlab.codes.paths import through
from latentlab.codes.selections import area_text, passing
from latentlab.runs.run import Run
from latentlab.system.png import data_uri, enlarged, strip

FRAMES = 16
LONGEST = 2_000  # letters of a path or of filters, which the address of the page must hold
MOUNT = """
export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const told = ["area", "path", "pick", "filter"].map((name) => [name, (value) => setTriggerValue(name, { value })]);
  mountMap(parentElement.querySelector(".latentlab-map"), data, Object.fromEntries(told));
}
"""

EXPLORER = st.components.v2.component(
    "latentlab_explorer",
    html='<div class="latentlab-map"></div>',
    css=style("map.css"),
    js=script("map.js") + MOUNT,
)


def draw(run: Run, xy: Any, ids: Any, by: str | None, areas: Sequence[Any], key: str) -> None:
    """The map of these rows; what is done in it is kept in the address, as from the chart and the fields."""
    name = f"explorer-{key}"

    def done(what: str, keep: Any) -> Any:
        def changed() -> None:
            if isinstance(found := st.session_state[name].get(what), dict):
                keep(found["value"])

        return changed

    pictures = f"/thumbnail/{run.name}/{{row}}.png" if reads.pictured(run) else ""
    data = {**reads.explored(run, xy, ids, key), "by": by, "areas": list(areas), "pictures": pictures, "path": _path()}
    EXPLORER(
        key=name,
        data=data,
        on_area_change=done("area", lambda found: _keep("area", f"{key} {area_text(found)}" if found else "")),
        on_path_change=done("path", lambda found: _keep("way", " ".join(str(int(row)) for row in found))),
        on_pick_change=done("pick", lambda row: _keep("rows", str(int(row)))),
        on_filter_change=done("filter", lambda found: _keep("filters", _filters_text(found))),
    )


def _keep(key: str, text: str) -> None:
    st.session_state[key] = text[:LONGEST]


def _kept(key: str) -> str:
    """A text that the browser sent, or the address holds."""
    if key not in st.session_state:
        st.session_state[key] = st.query_params.get(key, "")[:LONGEST]
    return str(choice.keep_unless(key, ""))


def _path() -> list[int]:
    return [int(row) for row in _kept("way").split() if row.isdecimal() and len(row) < 16]


def _filters_text(chosen: dict[str, list[str]]) -> str:
    return ";".join(f"{factor}={'|'.join(values)}" for factor, values in chosen.items())


def filtered(codes: Codes) -> tuple[Any, str]:
    """The positions of the rows that the histograms let through, and these filters in words; none where there are none.

    Values of one factor are alternatives; different factors must all hold.
    """
    text = _kept("filters")
    if not text:
        return [], ""
    chosen = {factor: values.split("|") for factor, _, values in (part.partition("=") for part in text.split(";"))}
    kept, why = reads.attempt(lambda: passing(codes, chosen), [])
    if why:
        panels.explain("Filters not found", why)
        return [], ""
    return kept, text.replace("|", " or ").replace(";", ", ").replace("=", " ")


def way(run: Run, codes: Codes) -> None:
    """What the decoder makes of the path that was drawn: evenly spaced codes on straight lines between its rows."""
    path = _path()
    if len(path) < 2:
        return
    title, facts = (
        "Along the path",
        [f"{len(path)} rows", f"{FRAMES} decoded steps", "straight lines between the codes"],
    )
    panels.head(title, facts, "way", small=True)
    decoded, why = reads.attempt(lambda: _decoded(run, codes, path), None)
    if why:
        panels.explain("The path cannot be decoded", why)
        return
    alt = html.escape(f"{FRAMES} {run.config.plural} decoded along a path over the rows {', '.join(map(str, path))}")
    sheet = enlarged(strip(decoded, columns=FRAMES // 2))
    st.html(f'<img class="ll-wide" alt="{alt}" src="{data_uri(sheet)}">')
    panels.note(f"Rows {', '.join(map(str, path))}; read from the upper left.")


def _decoded(run: Run, codes: Codes, path: Sequence[int]) -> Any:
    stations = codes.mean[[codes.position(row) for row in path]]
    return run.config.form.picture(reads.live(run).decode(through(stations, FRAMES)))
