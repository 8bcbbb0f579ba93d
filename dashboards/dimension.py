"""One latent dimension in detail: its traversal, name, response to a factor, distribution and extreme samples."""

from __future__ import annotations

import html
from typing import Any

import choice
import markup
import panels
import ranking
import reads
import streamlit as st
from drawings import Drawing

from latentlab.codes.codes import Codes
from latentlab.codes.decodings import Decodings, changed
from latentlab.codes.selections import extremes
from latentlab.codes.symbols import symbol
from latentlab.errors import LatentlabError
from latentlab.figures import _panels
from latentlab.figures._kinds import drawing
from latentlab.figures._markup import escaped
from latentlab.runs.images import pictures_of
from latentlab.runs.notes import LONGEST_NAME, LONGEST_NOTE, name_dimension, writable
from latentlab.runs.run import Run
from latentlab.system.numbers import percent
from latentlab.system.png import data_uri, enlarged, heat, strip

SHOWN = 40  # rows of the list; the others are chosen by name
OWN = "own"  # the factor that a dimension knows most about
EXTREMES = 16
LOW = 210  # pixels, of charts that stand beside one another in a narrow column


@panels.part
def detail(run: Run, table: Any, part: Decodings | None, over: str) -> None:
    """Everything about the dimension that is picked; a pick draws this alone."""
    if st.session_state.pop("renamed", False):
        st.rerun()  # the list has the names, too
    names = table["dim"].tolist()
    choice.remember("dim", names, names[0])
    choice.keep("dim")
    ranking.rows_of("dimensions", st.session_state["dim"], _pick, lambda *given: _rename(run, table, *given))
    row = table.set_index("dim").loc[st.session_state["dim"]]
    index = int(row["index"])
    choice.remember("against", (OWN, *reads.factor_names(run)), OWN)
    factor = _against(str(row["top_factor"] or ""))
    make = Drawing("responses", (run,), {"factor": factor, "dimension": index})
    title = f"{_title(table, row.name)} in detail"
    panels.head(title, _detail_facts(run, row), "dimension", small=True, make=make)
    if len(table) > SHOWN:
        st.selectbox("Dimension", names, key="dim", persist_state="session", format_func=lambda d: _title(table, d))
    if why := st.session_state.pop("not-renamed", ""):
        panels.explain("Not saved", why)
    if part is not None:
        _traversal(table, part, over, row)
    _label(run, index, str(row["name"]) if row["named_by"] == "user" else "", str(row["note"]))
    one, two = st.columns(2, vertical_alignment="bottom")
    with one:
        _response(run, index, str(row["top_factor"] or ""))
    with two:
        dashed = " (dashed: prior)" * run.config.stochastic
        st.html(markup.caption(f"Distribution of {row.name}, {len(reads.codes(run)):,} {run.config.plural}{dashed}"))
        posterior = Drawing("aggregate-posterior", (run,), {"dimension": index})
        panels.chart(posterior.interactive(LOW), "posterior")
    _extremes(run, index)
    if part is not None:
        _changed(part, index)


def _pick(key: str) -> None:
    """Show that dimension in detail."""
    st.session_state["dim"] = key


def _rename(run: Run, table: Any, dim: str, shown: str, name: str) -> None:
    """Keep the name that was typed in a row of the list."""
    row = table.set_index("dim").loc[dim]
    note = str(row["note"])
    try:
        name_dimension(run, int(row["index"]), name=name, note=note, shown=(shown, note))
    except LatentlabError as error:
        st.session_state["not-renamed"] = str(error)
    st.session_state["renamed"] = True


def _traversal(table: Any, part: Decodings, over: str, row: Any) -> None:
    """What the dimension makes of the anchor."""
    index, drawn = int(row["index"]), drawing(part.form)
    if drawn is None:
        pictures = markup.strip_of(part, index, f"{row.name} over the {over} range", "ll-wide")
        st.html(pictures + markup.caption(_ticks(part, index)))
        return
    shown = drawn.traversals(part.form, part.images[[index]], [_title(table, row.name)], [False])
    chart = _panels.interactive(escaped(shown), "", "", f"{row.name} over the {over} range")
    panels.chart(chart.update_layout(title=None, margin_t=30), "traversal")
    panels.note(_ticks(part, index))


def _against(top: str) -> str | None:
    """The factor whose values the chart of the mean codes has: the dimension's own, unless another one is chosen."""
    chosen = str(st.session_state["against"])
    return (top or choice.colour()) if chosen == OWN else chosen


def _response(run: Run, index: int, top: str) -> None:
    factors = reads.factor_names(run)
    if not factors:
        panels.explain("No factors", "These data have no known factors or labels.")
        return
    own = f"{top} (top factor)" if top else str(choice.colour())
    st.selectbox(
        "Mean code ± 1 sd, by",
        [OWN, *factors],
        key="against",
        format_func=lambda name: own if name == OWN else name,
        persist_state="session",
    )
    choice.keep_unless("against", OWN)
    made = Drawing("responses", (run,), {"factor": _against(top), "dimension": index})
    panels.chart(made.interactive(LOW), "response")


def _changed(part: Decodings, index: int) -> None:
    """Where the picture changes along the traversal, as light as against the strongest change of any dimension."""
    found = changed(part.images, part.form)
    here, most, place, amount = found[index], float(found.max()), part.form.place, part.form.amount
    st.html(
        markup.caption(f"{place.capitalize()} change along the traversal")
        + _picture(heat(here, most), f"heat map of what dimension {symbol(index)} changes", "ll-heat")
        + markup.caption(
            f"Mean {place} change per step {amount(here.mean())}, largest {amount(here.max(), 0)}. Same colour scale "
            f"for every dimension (yellow: {amount(most, 0)})."
        )
    )


def _extremes(run: Run, index: int) -> None:
    """The samples with the lowest and with the highest codes."""
    codes = reads.codes(run)
    ends = extremes(codes.mean[:, index], EXTREMES)
    if not run.config.has_model:
        for place, end, name in zip(st.columns(2), ends, ("Lowest", "Highest"), strict=True):
            with place:
                panels.names_of(codes, end, f"{name} codes, the most extreme first: rows")
        return
    images, why = reads.attempt(
        lambda: [pictures_of(run, reads.dataset(run), codes.row_ids[end]) for end in ends], None
    )
    if images is None:
        panels.explain("No extreme samples", f"{run.config.plural.capitalize()} not available: {why}.")
        return
    shown = [(end, name, some) for end, name, some in zip(ends, ("Lowest", "Highest"), images, strict=True) if len(end)]
    st.html(f'<div class="ll-ends">{"".join(_end(run, index, codes, *each) for each in shown)}</div>')


def _end(run: Run, index: int, codes: Codes, end: Any, name: str, images: Any) -> str:
    """What stands above, the images with those codes, and what stands below: three cells of a grid's column."""
    value = codes.mean[end, index]
    said = f"{symbol(index)} from {markup.number(value[0])} to {markup.number(value[-1])}"
    alt = f"{len(end)} {run.config.plural}, {name.lower()} first, {said}"
    ids = f"rows {', '.join(codes.called(end[:4]))} …"
    return (
        markup.caption(f"{name} codes: {said}")
        + _picture(strip(images, columns=EXTREMES // 4), alt)
        + markup.caption(f"The {len(end)} most extreme of {len(codes):,} {run.config.plural} · {ids}")
    )


def _picture(image: Any, alt: str, css: str = "ll-wide") -> str:
    return f'<img class="{css}" alt="{html.escape(alt)}" src="{data_uri(enlarged(image))}">'


def _title(table: Any, dim: str) -> str:
    name = table.set_index("dim").loc[dim, "name"]
    return f"{dim} {name}" if name else dim


def _detail_facts(run: Run, row: Any) -> list[str]:
    if not run.config.stochastic:
        return [f"variance {markup.number(row['variance_of_mean'])}", f"{percent(row['share'])} of all variance"]
    parts = f"½μ² {markup.number(row['kl_mean_part'])} + ½(σ² − 1 − log σ²) {markup.number(row['kl_variance_part'])}"
    return [
        f"KL {markup.number(row['kl'])} nats = {parts}",
        "" if row["active"] else "inactive: its code hardly varies",
    ]


def _ticks(part: Decodings, index: int) -> str:
    values = part.codes[index, :, index]
    return "values " + ", ".join(markup.number(value) for value in values)


def _label(run: Run, index: int, name: str, note: str) -> None:
    if not writable(run):
        panels.unsaved(run, "Names")
        return
    form = f"label-{run.name}-{index}"
    seen, save = f"{form}-shown", f"{form}-save"
    if not st.session_state.get(save):  # else this tab's user changed what it showed, not what others saved since
        st.session_state[seen] = name, note
    name, note = shown = st.session_state.get(seen, (name, note))
    with st.form(form, border=False, enter_to_submit=True):
        one, two, three = st.columns([0.4, 0.36, 0.24], vertical_alignment="bottom")
        named = one.text_input("Name", name, max_chars=LONGEST_NAME, placeholder="what does it change?")
        noted = two.text_input("Note", note, max_chars=LONGEST_NOTE)
        if three.form_submit_button("Save", key=save, width="stretch"):
            try:
                name_dimension(run, index, name=named, note=noted, shown=shown)
            except LatentlabError as error:
                panels.explain("Not saved", str(error))
            else:
                st.rerun()
