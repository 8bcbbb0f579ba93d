"""Figures: panels collected on the way, and any kind by itself, in a paper's column width: preview, files, commands."""

from __future__ import annotations

import choice
import collected
import panels
import reads
import streamlit as st
from drawings import Drawing, shown_by

from latentlab.reports.bundle import bundle
from latentlab.system.registry import load, names

PRESETS = ("neurips", "icml", "nature-single", "nature-double")
FIRST = {"kind": "traversals"}
SCREEN = 120  # dots that stand for an inch of paper, so that a narrow column looks narrow
TYPES = {"pdf": "application/pdf", "svg": "image/svg+xml", "png": "image/png", "html": "text/html", "csv": "text/csv"}


def page() -> None:
    """The whole page."""
    panels.head(
        "Figures for the paper",
        ["exact column widths, editable text, embedded fonts; the same data give the same file"],
        "figures",
    )
    choice.remember("preset", PRESETS, PRESETS[0])
    st.segmented_control("Column width", PRESETS, key="preset", required=True, persist_state="session")
    choice.keep("preset")
    preset = str(st.session_state["preset"])
    st.space("small")
    _collected(preset)
    st.space("small")
    _any_kind(preset)


@panels.part
def _collected(preset: str) -> None:
    items = collected.items()
    panels.head("Collected for the report", [f"{len(items)} panel{'s' * (len(items) != 1)}"], "collected", small=True)
    if not items:
        panels.explain(
            "Nothing collected yet",
            (
                "Press “Add to report” at the top of any panel. Collected panels are kept in the study "
                "(collected.json) and shown by latentlab report; of a study that is read-only here, while this tab is "
                "open. Download them as one ZIP: figures as PDF, numbers as CSV, and the commands that reproduce them."
            ),
        )
        return
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "Download ZIP",
            data=lambda: bundle([item.panel(preset) for item in items.values()], preset=preset),
            file_name="figures.zip",
            mime="application/zip",
            on_click="ignore",
        )
        st.button("Remove all", key="remove-all", on_click=collected.give_up)
    for number, (key, item) in enumerate(items.items(), start=1):
        _item(number, key, item, preset)


def _item(number: int, key: str, item: collected.Item, preset: str) -> None:
    with st.container(border=True):
        left, right = st.columns([0.82, 0.18], vertical_alignment="top")
        left.html(panels.heading(f"{number}. {item.title}", item.said, "h3"))
        right.button("Remove", key=f"remove-{key}", on_click=collected.give_up, args=(key,), type="tertiary")
        if item.drawing is None:
            panels.note("No figure; the table is saved to the ZIP as CSV." if item.numbers else "Command only.")
        else:
            _preview(item.drawing, preset)
        if item.command:
            st.code(item.made(preset), language="bash", wrap_lines=True)


@panels.part
def _any_kind(preset: str) -> None:
    kinds = [name.replace("_", "-") for name in names("figures")]
    choice.remember("kind", kinds, FIRST["kind"])
    drawing = Drawing(str(st.session_state["kind"]), shown_by(str(st.session_state["kind"])))
    shown = f"shows {reads.label(choice.current().name)}" if len(drawing.runs) == 1 else f"all {len(drawing.runs)} runs"
    title = load("figures", drawing.kind).TITLE
    panels.head(f"Any figure: {title}", [shown, preset], "any", make=drawing, small=True)
    left, right = st.columns([0.25, 0.75], gap="large")
    with left:
        st.selectbox("Kind", kinds, key="kind", persist_state="session")
        choice.keep("kind")
        moves = hasattr(load("figures", drawing.kind), "frames")
        suffixes = [*TYPES, *(["gif"] * moves)]
        choice.remember("suffix", suffixes, suffixes[0])
        st.selectbox("File", suffixes, key="suffix", persist_state="session")
        choice.keep("suffix")
        suffix = str(st.session_state["suffix"])
        if reads.attempt(lambda: drawing.file("png", preset), None)[0] is not None:
            st.download_button(
                f"Download {suffix.upper()}",
                data=lambda: drawing.file(suffix, preset),
                file_name=f"{drawing.kind}.{suffix}",
                mime=TYPES.get(suffix, "image/gif"),
                on_click="ignore",
            )
        st.code(drawing.command(suffix, preset), language="bash", wrap_lines=True)
    with right:
        _preview(drawing, preset)


def _preview(drawing: Drawing, preset: str) -> None:
    """The figure as a file would have it, or why there is none."""
    preview, why = reads.attempt(lambda: drawing.file("png", preset), None)
    if preview is None:
        panels.explain("This figure cannot be plotted", why)
    else:
        dots = int.from_bytes(preview[16:20])  # a PNG tells its width there, in dots of which 300 make an inch
        st.image(preview, width=dots * SCREEN // 300, alt=drawing.file("txt", preset).decode())


page()
