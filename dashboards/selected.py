"""What is told of selected rows: what they have more of than the rest, what they look like, and a name for them."""

from __future__ import annotations

import html
from typing import Any

import choice
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
from latentlab.system.png import data_uri, strip

MONTAGE = 60
NEAREST = 23
LEVELS = 40  # more values than this are too fine for a histogram of that width
WIDE = 140  # pixels


def told_of(run: Run, codes: Codes, rows: Any, told: list[str]) -> None:
    """The panel below a map: the rows at these positions, said how they were chosen."""
    copied = f"{codes.of_rows:,} rows were encoded" if codes.of_rows > len(codes) else ""
    facts = [*told, f"{len(rows):,} of {len(codes):,} rows here", copied]
    panels.head("The selection", facts, "selection", small=True, data=lambda: as_table(codes, rows))
    if not len(rows):
        panels.explain("Nothing selected", "The area contains no codes.")
        return
    left, right = st.columns([0.42, 0.58])
    with left:
        _composition(run, codes, rows)
        _keep(run, codes, rows)
    with right:
        if len(rows) == 1:
            _neighbours(run, codes, int(rows[0]))
        else:
            some = rows[:: max(1, len(rows) // MONTAGE)][:MONTAGE]
            plural = run.config.plural
            said = f"{len(some)} of the {len(rows):,} selected {plural}, evenly spaced by row id."
            _montage(run, codes, some, said)


def _composition(run: Run, codes: Codes, rows: Any) -> None:
    found = composition(codes, rows)
    if found.empty:
        panels.explain("No factors", "These data have no known factors or labels, so there is nothing to count.")
        return
    factors = reads.factor_names(run)
    telling = found.groupby("factor")["lift"].max().sort_values(ascending=False, kind="stable").index
    lines = [([markup.pill(name, factors), *_line(found[found["factor"] == name])], "", "") for name in telling]
    st.html(
        markup.rows_html(
            [("factor", ""), ("share by value", ""), ("times as frequent in the selection", "wrap")], lines
        )
    )
    panels.note("Blue: the selection; grey line: all rows. Labels: the most over-represented values.")


def _line(values: Any) -> list[str]:
    most = max(float(values["share"].max()), float(values["share_of_all"].max()), 1e-12)
    shown = values.head(LEVELS)
    wide = min(9, WIDE / len(shown) - 1)
    bars = "".join(
        f'<i style="width:{wide:.1f}px;height:{30 * row.share / most:.1f}px" title="{html.escape(str(row.value))}: '
        f'{row.share:.1%} here, {row.share_of_all:.1%} of all">'
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
    crisp = " crisp" * (images.shape[-1] <= 32)
    alt = html.escape(f"{len(rows)} {run.config.plural} of rows {', '.join(map(str, codes.row_ids[rows][:4]))} …")
    st.html(f'<img class="ll-wide{crisp}" alt="{alt}" src="{data_uri(strip(images, columns=12))}">')
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
        name = one.text_input("Save as", max_chars=LONGEST_NAME, placeholder="a name")
        note = two.text_input("Note", max_chars=LONGEST_NOTE)
        if three.form_submit_button("Keep", width="stretch"):
            try:
                name_selection(run, name, codes.row_ids[rows], note=note)
            except LatentlabError as error:
                panels.explain("Not kept", str(error))
            else:
                st.rerun()


def kept(run: Run, place: Any, none: str) -> tuple[Any, str]:
    """The ids of a selection that was kept by name, chosen here, with its name; none where none is."""
    found, _ = reads.attempt(lambda: selections_of(run.notes()), {})
    names = [none, *found]
    choice.remember("kept", names, none)
    place.selectbox("Kept selection", names, key="kept", persist_state="session", disabled=len(names) == 1)
    name = str(st.session_state["kept"])
    return found.get(name), name


def kept_note(run: Run, name: str) -> None:
    """The note of a kept selection, and a way to forget it."""
    note = run.notes()["selections"][name].get("note", "")
    left, right = st.columns([0.86, 0.14], vertical_alignment="center")
    with left:
        panels.note(f"{name}: {note}" if note else f"{name}: no note")
    if writable(run) and right.button("Forget", key=f"forget-{name}", width="stretch"):
        name_selection(run, name, reads.codes(run).row_ids[:0])
        st.rerun()
