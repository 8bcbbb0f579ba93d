"""Rows chosen by their pictures, wherever the id of a row is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import choice
import panels
import reads
import streamlit as st

from latentlab.codes.codes import Codes
from latentlab.codes.draws import drawn_from
from latentlab.codes.selections import facts, holding, named
from latentlab.runs.run import Run

SHOWN = 24
LONGEST, MOST = 80, 2_000  # letters of one row and of several, which the address of the page must hold
ANY = "any row"
HERE = Path(__file__).parent

THUMBNAILS = st.components.v2.component(
    "latentlab_thumbnails",
    html='<div class="thumbnails" role="group"></div>',
    css=(HERE / "rows.css").read_text(encoding="utf-8"),
    js=(HERE / "rows.js").read_text(encoding="utf-8"),
)


def picker(run: Run, label: str, key: str, *, otherwise: str = "row id") -> int | None:
    """The id of a row that is typed or chosen by its picture; None where it is neither.

    The address keeps what is typed under `key`; the empty field says what `otherwise` is meant.
    """
    text = _asked(run, label, key, otherwise, 150, LONGEST, many=False).strip()
    found, why = reads.attempt(lambda: called(reads.codes(run), text), None)
    if why:
        panels.explain("Row not found", why)
    return found


def several(run: Run, label: str, key: str) -> str:
    """Row ids and ranges as `named` reads them, typed or added by their pictures."""
    return _asked(run, label, key, example(reads.codes(run)), "stretch", MOST, many=True)


def example(codes: Codes) -> str:
    """What may be typed to name rows of these codes."""
    return "5, 17, 100-120" if codes.row_names is None else ", ".join(codes.called(slice(0, 2)))[:LONGEST]


def _asked(run: Run, label: str, key: str, otherwise: str, width: Any, longest: int, *, many: bool) -> str:
    """What is typed in a field that has thumbnails beside it."""
    if key not in st.session_state:
        st.session_state[key] = st.query_params.get(key, "")[:longest]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(label, key=key, max_chars=longest, placeholder=otherwise, width=width, persist_state="session")
        _choose(run, label, key, many)
    return str(choice.keep_unless(key, ""))


def called(codes: Codes, text: str) -> int | None:
    """The id of the row that a text names; None where it names none."""
    return int(codes.row_ids[named(codes, text)[0]]) if text else None


@panels.part
def _choose(run: Run, label: str, key: str, many: bool) -> None:
    """A button that opens the thumbnails; nothing is read before it is pressed."""
    if st.session_state.pop(f"{key}-picked", False):
        st.rerun()  # the page reads the id, not this part
    opened = st.popover(
        "Choose", key=f"{key}-open", on_change="rerun", help=f"{label}: choose from images", width="content"
    )
    if opened.open:
        with opened:
            _thumbnails(run, reads.codes(run), key, many)


def _thumbnails(run: Run, codes: Codes, key: str, many: bool) -> None:
    some = reads.values(run)
    one, two = st.columns([0.68, 0.32], vertical_alignment="bottom")
    options = [ANY, *(f"{factor} = {value}" for factor, value in some)]
    chosen = one.selectbox("Only", options, key=f"{key}-only", disabled=not some)
    two.button("Shuffle", key=f"{key}-shuffle", on_click=_shuffle, args=(key,), width="stretch")
    pool = range(len(codes)) if chosen == ANY else holding(codes, *some[options.index(chosen) - 1])
    drawn = drawn_from(pool, SHOWN, st.session_state.get(f"{key}-draw", 0))

    def picked() -> None:
        if (row := st.session_state[f"{key}-thumbnails"].picked) is not None:
            before = [str(st.session_state[key])] if many and st.session_state[key] else []
            st.session_state[key] = ", ".join([*before, codes.called([codes.position(int(row))])[0]])[:MOST]
            st.session_state[f"{key}-open"] = many
            st.session_state[f"{key}-picked"] = True

    shown = [
        {"row": int(codes.row_ids[at]), "name": name, "facts": facts(codes, at)}
        for at, name in zip(drawn, codes.called(drawn), strict=True)
    ]
    told = {"run": run.name, "rows": shown, "pictures": reads.pictured(run)}
    THUMBNAILS(key=f"{key}-thumbnails", data=told, on_picked_change=picked)


def _shuffle(key: str) -> None:
    st.session_state[f"{key}-draw"] = st.session_state.get(f"{key}-draw", 0) + 1
