"""Figures: any kind, for a paper's column: a preview and the file."""

from __future__ import annotations

import choice
import panels
import reads
import streamlit as st
from drawings import Drawing, shown_by

from latentlab.registry import names

PRESETS = ("neurips", "icml", "nature-single", "nature-double")
FIRST = {"kind": "traversals"}
SUFFIXES = {"pdf": "application/pdf", "svg": "image/svg+xml", "png": "image/png", "html": "text/html"}


def page() -> None:
    """The whole page."""
    panels.head(
        "Figures for the paper",
        ["column widths to a tenth of a millimetre, live text, embedded fonts, the same bytes from the same data"],
        "figures",
    )
    _figure()


@panels.part
def _figure() -> None:
    run = choice.current()
    kinds = [name.replace("_", "-") for name in names("figures")]
    left, right = st.columns([0.25, 0.75], gap="large")
    with left:
        for key, label, options in (
            ("kind", "Kind", kinds),
            ("preset", "Width", list(PRESETS)),
            ("suffix", "File", list(SUFFIXES)),
        ):
            choice.remember(key, options, FIRST.get(key, options[0]))
            st.selectbox(label, options, key=key, persist_state="session")
            choice.keep(key)
        kind, preset, suffix = (str(st.session_state[key]) for key in ("kind", "preset", "suffix"))
        drawing = Drawing(kind, shown_by(kind))
        panels.note(
            f"Shows {reads.label(run.name)}." if len(drawing.runs) == 1 else f"Shows all {len(drawing.runs)} runs."
        )
        preview, why = reads.attempt(lambda: drawing.file("png", preset), None)
        if preview is not None:
            st.download_button(
                f"Download {suffix.upper()}",
                data=lambda: drawing.file(suffix, preset),
                file_name=f"{kind}.{suffix}",
                mime=SUFFIXES[suffix],
                on_click="ignore",
            )
        st.code(drawing.command(suffix, preset), language="bash", wrap_lines=True)
    with right:
        if preview is None:
            panels.explain("This figure cannot be drawn", why)
        else:
            st.image(preview, width="content")


page()
