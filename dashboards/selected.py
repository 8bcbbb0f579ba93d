"""What is told of selected rows: what they have more of than the rest, what they look like, and a name for them."""

from __future__ import annotations

import html
from collections.abc import Mapping
from itertools import cycle
from typing import Any
from urllib.parse import quote, unquote

import markup
import panels
import reads
import streamlit as st

from latentlab.codes.codes import Codes
from latentlab.codes.selections import as_table, composition, neighbours, selections_of
from latentlab.errors import LatentlabError
from latentlab.runs.images import pictures_of
from latentlab.runs.notes import LONGEST_NAME, LONGEST_NOTE, MOST_ROWS, name_selection, writable
from latentlab.runs.run import Run
from latentlab.system.numbers import percent
from latentlab.system.png import data_uri, enlarged, strip

MONTAGE = 48
COLUMNS = 8  # of a montage
TONES = ("#D55E00", "#CC79A7", "#009E73", "#E69F00", "#56B4E9", "#0072B2")  # rings of what is chosen, in this order
NEAREST = 23
LEVELS = 40  # more values than this are too fine for a histogram of that width
WIDE = 140  # pixels


def told_of(run: Run, codes: Codes, rows: Any, told: list[str]) -> None:
    """The panel beside a map: the rows at these positions, said how they were chosen."""
    facts = [*told, f"{len(rows):,} of {len(codes):,} rows"]
    panels.head("The selection", facts, "selection", small=True, data=lambda: as_table(codes, rows))
    if not len(rows):
        panels.explain("Nothing selected", "The area contains no codes.")
        return
    if len(rows) == 1:
        _neighbours(run, codes, int(rows[0]))
    else:
        some = rows[:: max(1, -(-len(rows) // MONTAGE))]
        _montage(
            run, codes, some, f"{len(some)} of the {len(rows):,} selected {run.config.plural}, evenly spaced by row id."
        )
    _keep(run, codes, rows)
    _composition(run, codes, rows)


def _composition(run: Run, codes: Codes, rows: Any) -> None:
    found = composition(codes, rows)
    if found.empty:
        panels.explain("No factors", "These data have no known factors or labels, so nothing can be counted.")
        return
    factors = reads.factor_names(run)
    telling = found.groupby("factor")["lift"].max().sort_values(ascending=False, kind="stable").index
    lines = [([markup.pill(name, factors), *_line(found[found["factor"] == name])], "", "") for name in telling]
    st.html(markup.rows_html([("factor", ""), ("share by value", ""), ("over-represented", "wrap")], lines))
    panels.note(
        "Blue: the selection; grey line: all rows. ×: how much more frequent in the selection than in all rows."
    )


def _line(values: Any) -> list[str]:
    most = max(float(values["share"].max()), float(values["share_of_all"].max()), 1e-12)
    shown = values.head(LEVELS)
    wide = min(9, WIDE / len(shown) - 1)
    bars = "".join(
        f'<i style="width:{wide:.1f}px;height:{30 * row.share / most:.1f}px" title="{html.escape(str(row.value))}: '
        f'{percent(row.share, 1)} here, {percent(row.share_of_all, 1)} of all">'
        f'<b style="bottom:{30 * row.share_of_all / most:.1f}px"></b></i>'
        for row in shown.itertuples()
    )
    strongest = values[values["lift"] > 1.05].sort_values("lift", ascending=False, kind="stable").head(3)
    named = ", ".join(
        f"{html.escape(str(row.value))} <small>× {row.lift:.1f}</small>" for row in strongest.itertuples()
    )
    return [f'<span class="ll-bars">{bars}</span>', named or '<span class="soft">as in all rows</span>']


def _montage(run: Run, codes: Codes, rows: Any, said: str) -> None:
    if not run.config.has_model:
        panels.names_of(codes, rows, f"{said.replace('images', 'rows')} By name:")
        return
    try:
        images = pictures_of(run, reads.dataset(run), codes.row_ids[rows])
    except LatentlabError as error:
        panels.explain(f"{run.config.plural.capitalize()} not available", str(error))
        return
    alt = html.escape(f"{len(rows)} {run.config.plural} of rows {', '.join(codes.called(rows[:4]))} …")
    st.html(f'<img class="ll-wide" alt="{alt}" src="{data_uri(enlarged(strip(images, columns=COLUMNS)))}">')
    panels.note(" · ".join(filter(None, [said, reads.channels(run)])))


def _neighbours(run: Run, codes: Codes, position: int) -> None:
    nearest = neighbours(codes, position, NEAREST + 1)
    ids = ", ".join(codes.called(nearest[1:7]))
    said = f"Row {codes.called([position])[0]} first, then the {len(nearest) - 1} rows with the nearest codes: {ids} …"
    _montage(run, codes, nearest, said)


def _keep(run: Run, codes: Codes, rows: Any) -> None:
    if not writable(run) or len(rows) > MOST_ROWS:
        if writable(run):
            panels.note(f"Selections of more than {MOST_ROWS:,} rows cannot be saved.")
        else:
            panels.unsaved(run, "Selections")
        return
    with st.form(f"keep-{run.name}", border=False, clear_on_submit=True):
        one, two, three = st.columns([0.36, 0.42, 0.22], vertical_alignment="bottom")
        name = one.text_input("Save selection as", max_chars=LONGEST_NAME, placeholder="a name")
        note = two.text_input("Note", max_chars=LONGEST_NOTE)
        if three.form_submit_button("Save", width="stretch"):
            try:
                name_selection(run, name, codes.row_ids[rows], note=note)
            except LatentlabError as error:
                panels.explain("Not saved", str(error))
            else:
                st.rerun()


def kept(run: Run, place: Any) -> dict[str, Any]:
    """The row ids of the saved selections that are chosen here, by name."""
    found, _ = reads.attempt(lambda: selections_of(run.notes()), {})
    if "kept" not in st.session_state:
        st.session_state["kept"] = [unquote(name) for name in st.query_params.get("kept", "").split(",")]
    st.session_state["kept"] = [name for name in st.session_state["kept"] if name in found]
    place.multiselect(
        "Saved selections", list(found), key="kept", persist_state="session", disabled=not found, placeholder="none"
    )
    names = ",".join(quote(name, safe=" ") for name in st.session_state["kept"])
    if names:
        st.query_params["kept"] = names
    else:
        st.query_params.pop("kept", None)
    return {name: found[name] for name in st.session_state["kept"]}


def kept_notes(run: Run, chosen: Mapping[str, Any]) -> None:
    """The saved selections that are chosen: how many rows, the note, and a way to delete each."""
    notes = run.notes()["selections"]
    for (name, ids), tone in zip(chosen.items(), cycle(TONES), strict=False):
        left, right = st.columns([0.76, 0.24], vertical_alignment="center")
        note = str(notes[name].get("note", "")) or "no note"
        left.html(
            f'<p class="ll-note"><span class="ll-ring" style="border-color:{tone}"></span>'
            f"{html.escape(name)}: {html.escape(note)} · {len(ids):,} rows</p>"
        )
        if writable(run) and right.button("Delete", key=f"delete-{name}", width="stretch"):
            name_selection(run, name, reads.codes(run).row_ids[:0])
            st.rerun()
