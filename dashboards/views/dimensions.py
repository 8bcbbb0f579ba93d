"""Dimensions: the ranked table of what each latent dimension does, and one of them in detail."""

from __future__ import annotations

import html
from typing import Any

import choice
import examined
import markup
import panels
import reads
import streamlit as st
from drawings import Drawing, command

from latentlab.codes.decodings import Decodings, changed
from latentlab.codes.selections import extremes
from latentlab.errors import LatentlabError
from latentlab.figures import _panels
from latentlab.figures._kinds import drawing
from latentlab.figures._markup import escaped
from latentlab.runs.images import pictures_of
from latentlab.runs.notes import LONGEST_NAME, LONGEST_NOTE, name_dimension, writable
from latentlab.runs.run import Run
from latentlab.system.png import data_uri, heat, strip

RANGES = {"prior": "prior, −2σ … +2σ", "aggregate": "aggregate posterior, 2.5 % … 97.5 %"}
SHOWN = 40
EXTREMES = 16


def page() -> None:
    """The whole page."""
    run = choice.current()
    if not run.has("encode"):
        panels.head("What each dimension does", [reads.label(run.name)], "dimensions")
        fix = command("analyze", run.path)
        panels.explain(
            "No codes yet",
            "This run is trained, but no data have been encoded. Compute codes, traversals and scores with:",
            fix,
        )
        return
    table = reads.ranked(run)
    above, below = st.container(), st.container()
    part, over = _around(run, below)
    with above:
        _ranking(run, table, part, over)
    _detail(run, table, part, over)
    examined.effects(run)


def _around(run: Run, place: Any) -> tuple[Decodings | None, str]:
    """The traversals that table and detail show, chosen once for both: over which range, around which row."""
    known = _ranges(run)
    if not known:
        return None, ""
    one, two, said = place.columns([0.42, 0.16, 0.42], vertical_alignment="bottom")
    choice.remember("range", known, known[0])
    if len(known) > 1:
        one.segmented_control(
            "Traversal over",
            known,
            key="range",
            format_func=lambda over: RANGES[over],
            required=True,
            persist_state="session",
        )
        choice.keep("range")
    over = st.session_state["range"]
    stored = reads.decodings(run)[f"traversals-{over}"]
    asked = _anchor(run, two, stored)
    if asked is None:
        return stored, over
    exact, why = reads.attempt(lambda: reads.traversals(run, asked, over), None)
    if exact is None:
        with said:
            panels.note(f"Shown around the stored anchor, row {stored.settings.get('anchor_row', 'unknown')}: {why}.")
    return exact or stored, over


def _anchor(run: Run, place: Any, stored: Decodings) -> int | None:
    """The row id that was asked for; None where it is the stored anchor or nothing."""
    if run.sampled:
        return None
    asked, key = st.query_params.get("anchor", ""), f"anchor-{run.name}"
    if key not in st.session_state:
        st.session_state[key] = int(asked) if asked.isdecimal() and len(asked) < 16 else None
    kept = stored.settings.get("anchor_row")
    given = place.number_input(
        "Around row",
        min_value=0,
        step=1,
        key=key,
        placeholder=f"{kept} (stored)" if kept is not None else "stored",
        help="The id of a row, as shown on the Map page. The model decodes traversals around its code.",
    )
    if given is None:
        st.query_params.pop("anchor", None)
        return None
    if st.query_params.get("anchor") != str(given):
        st.query_params["anchor"] = str(given)
    return None if given == kept else int(given)


@panels.part
def _ranking(run: Run, table: Any, part: Decodings | None, over: str) -> None:
    panels.head(
        "What each dimension does",
        [reads.label(run.name), reads.data_name(run), _activity(run, table), _rows(table), reads.channels(run)],
        "dimensions",
        make=_command(run, part, over),
        data=lambda: reads.ranked(run),
        on_pick=pick,
    )
    if st.session_state.pop("dim_picked", False):
        st.rerun()  # the detail is a fragment of its own, which a pick in this one does not redraw
    if run.sampled:
        st.html(
            '<p class="ll-note">This model has only a decoder: its codes are samples from the prior N(0, 1), not '
            "codes of images, so they do not show which dimensions are used.</p>"
        )
    elif not run.config.has_model and not run.config.stochastic:
        panels.note(
            "These codes have no posterior variance, and so no KL: the dimensions are ranked by the variance of their "
            "codes, whose scale is arbitrary, and every dimension that varies counts as active."
        )
    elif not run.config.stochastic:
        st.html(
            '<p class="ll-note">An autoencoder has no prior and no KL: its dimensions are ranked by the variance of '
            "their codes, whose scale is arbitrary, and every dimension that varies counts as active. The decoder "
            "effect does not depend on that scale: it is the mean change of the decoded sample per step over the "
            "range of the codes.</p>"
        )
    factors = reads.factor_names(run)
    if not factors:
        st.html('<p class="ll-note">These data have no known factors or labels, so no factor can be named.</p>')
    shown = table.head(SHOWN)
    columns, rows = (
        _columns(run, part, bool(factors)),
        [_row(row, run, part, factors, table) for row in shown.to_dict("records")],
    )
    st.html(markup.rows_html(columns, rows, "dimensions"))
    if len(table) > len(shown):
        st.html(_caption(f"The first {len(shown)} of {len(table)} dimensions; download the table for all."))
    if not run.config.has_model:
        panels.explain("No traversals", f"{panels.NO_MODEL} {examined.WITH_DECODER}")
    elif part is None and not run.decodes:
        panels.explain("No traversals", "This model has no decoder, so its codes cannot be decoded.")
    elif part is None:
        why = _decoded(run)[1] or "Traversals have not been decoded."
        panels.explain("No traversals", f"{why} Decode again with:", command("analyze", run.path, "--only", "traverse"))


def _command(run: Run, part: Decodings | None, over: str) -> Drawing | str:
    """What draws these traversals, or what stores those around another row."""
    anchor = part.settings.get("anchor_row") if part else None
    if part is not None and anchor != reads.decodings(run)[f"traversals-{over}"].settings.get("anchor_row"):
        return command("analyze", run.path, "--only", "traverse", "--anchor", str(anchor))
    return Drawing("traversals", (run,), {"over": over or None})


def pick(key: str) -> None:
    """Show that dimension in detail."""
    st.session_state["dim"] = key
    st.session_state["dim_picked"] = True


def _ranges(run: Run) -> tuple[str, ...]:
    return tuple(over for over in RANGES if f"traversals-{over}" in _decoded(run)[0])


def _decoded(run: Run) -> tuple[dict[str, Decodings], str]:
    return reads.attempt(lambda: reads.decodings(run), {}) if run.has("traverse") else ({}, "")


def _activity(run: Run, table: Any) -> str:
    if not run.config.stochastic:
        return f"{len(table)} dimensions"
    return f"{int(table['active'].sum())} of {len(table)} active"


def _rows(table: Any) -> str:
    used, of = table.attrs["rows"], table.attrs["of_rows"]
    return f"{used:,} of {of:,} rows for factors" if used < of else f"all {of:,} rows"


def _columns(run: Run, part: Decodings | None, factors: bool) -> list[tuple[str, str]]:
    size = [("KL, nats", ""), ("var of mean", "num")] if run.config.stochastic else [("variance of code", "")]
    size += [("decoder effect", "num")] if part and not run.config.stochastic else []
    top = [("top factor, normalised MI", "")] if factors else []
    around = f" around row {part.settings['anchor_row']}" if part and "anchor_row" in part.settings else ""
    ends = RANGES.get(str(part.settings.get("range")), "") if part else ""
    moved = [(f"traversal, {ends}{around}", "")] if part else []
    return [("", "num"), ("dim", ""), *size, *top, *moved, ("name", "wrap")]


def _row(
    row: dict[str, Any], run: Run, part: Decodings | None, factors: tuple[str, ...], table: Any
) -> tuple[list[str], str, str]:
    inactive = run.config.stochastic and not bool(row["active"])
    key = row["dim"]
    by = "kl" if run.config.stochastic else "variance_of_mean"
    width = 90 * float(row[by]) / max(float(table[by].max()), 1e-12)
    bar = f'{markup.number(row[by])}<span class="bar" style="width:{max(width, 1):.0f}px"></span>'
    rank = int(table.index[table["dim"] == key][0]) + 1
    cells = [f'<span class="soft">{rank}</span>', f"<b>{key}</b>", bar]
    if run.config.stochastic:
        cells.append(markup.number(row["variance_of_mean"]))
    elif part is not None:
        cells.append(f"{changed(part.images[int(row['index'])], part.form).mean():.2%}")
    if factors:
        cells.append(_factor(row, factors))
    if part is not None:
        cells.append(_strip(part, int(row["index"]), f"{key} varied, other dimensions fixed"))
    name = (
        f'<span title="{html.escape(row["note"])}">{html.escape(row["name"])}</span>'
        if row["name"] or row["note"]
        else ""
    )
    cells.append('<span class="soft">inactive</span> ' * inactive + name)
    state = " ".join(["off"] * inactive + ["on"] * (key == st.session_state.get("dim")))
    return cells, key, state


def _factor(row: dict[str, Any], factors: tuple[str, ...]) -> str:
    if not row["top_factor"]:
        return '<span class="soft">none</span>'
    interval = markup.half_width(row["mi_low"], row["mi_high"])
    return f"{markup.pill(row['top_factor'], factors)} {markup.number(row['mi'])} {interval}"


def _strip(part: Decodings, index: int, alt: str, css: str = "strip") -> str:
    pictures = part.pictures(part.images[index])
    crisp = " crisp" * (pictures.shape[-1] <= 32)
    source = data_uri(strip(pictures))
    return f'<img class="{css}{crisp}" alt="{html.escape(alt)}" src="{source}">'


@panels.part
def _detail(run: Run, table: Any, part: Decodings | None, over: str) -> None:
    names = table["dim"].tolist()
    choice.remember("dim", names, names[0])
    above = st.container()
    left, right = st.columns([0.16, 0.84], vertical_alignment="center")
    left.selectbox("Dimension", names, key="dim", persist_state="session", format_func=lambda d: _title(table, d))
    choice.keep("dim")
    row = table.set_index("dim").loc[st.session_state["dim"]]
    index = int(row["index"])
    with above:
        make = Drawing("responses", (run,), {"factor": choice.colour(), "dimension": index})
        panels.head(
            f"{_title(table, st.session_state['dim'])} in detail",
            _detail_facts(run, row),
            "dimension",
            small=True,
            make=make,
        )
    drawn = drawing(part.form) if part is not None else None
    if part is not None and drawn is not None:
        shown = drawn.traversals(part.form, part.images[[index]], [_title(table, row.name)], [False])
        with right:
            chart = _panels.interactive(escaped(shown), "", "", f"{row.name} over the {over} range")
            panels.chart(chart.update_layout(title=None, margin_t=30), "traversal")
            panels.note(_ticks(part, index))
    elif part is not None:
        right.html(
            _strip(part, index, f"{row.name} over the {over} range", "ll-wide")
            + f'<p class="ll-note">{_ticks(part, index)}</p>'
        )
    one, two = st.columns(2)
    with one:
        st.html(
            _caption(
                f"q({row.name}) over all {run.config.plural}"
                + ", against the prior N(0, 1), dashed" * run.config.stochastic
            )
        )
        panels.chart(Drawing("aggregate-posterior", (run,), {"dimension": index}).interactive(), "posterior")
    with two:
        factor = choice.colour()
        if factor in reads.factor_names(run):
            st.html(_caption(f"Mean code at each {factor}; band: ± 1 sd over everything else"))
            panels.chart(Drawing("responses", (run,), {"factor": factor, "dimension": index}).interactive(), "response")
        else:
            panels.explain("No factors", "These data have no known factors or labels.")
    one, two, three = st.columns([0.2, 0.4, 0.4])
    with one:
        _changed(part, index)
    _extremes(run, index, two, three)
    _label(run, index, str(row["name"]), str(row["note"]))


def _changed(part: Decodings | None, index: int) -> None:
    """Where the picture changes along the traversal, as light as against the strongest change of any dimension."""
    if part is None:
        return
    found = changed(part.images, part.form)
    here, most, place = found[index], float(found.max()), part.form.place
    st.html(
        _caption(f"{place.capitalize()} change along the traversal")
        + _picture(heat(here, most), f"heat map of what dimension z{index} changes", "ll-heat")
        + _caption(
            f"Mean change from step to step: {here.mean():.1%} of the range, at most {here.max():.0%} in a {place}; "
            f"yellow is {most:.0%}, the largest change of any dimension."
        )
    )


def _extremes(run: Run, index: int, left: Any, right: Any) -> None:
    """The samples with the lowest and with the highest codes."""
    codes = reads.codes(run)
    ends = extremes(codes.mean[:, index], EXTREMES)
    if not run.config.has_model:
        for place, end, name in zip((left, right), ends, ("Lowest", "Highest"), strict=True):
            with place:
                panels.names_of(codes, end, f"{name} codes, the most extreme first: rows")
        return
    images, why = reads.attempt(
        lambda: [pictures_of(run, reads.dataset(run), codes.row_ids[end]) for end in ends], None
    )
    if images is None:
        with left:
            panels.explain("No extreme samples", f"{run.config.plural.capitalize()} not available: {why}.")
        return
    for place, end, name, some in zip((left, right), ends, ("Lowest", "Highest"), images, strict=True):
        if not len(end):
            continue
        value = codes.mean[end, index]
        said = f"z{index} from {markup.number(value[0])} to {markup.number(value[-1])}"
        rows = f"rows {', '.join(str(i) for i in codes.row_ids[end][:4])} …"
        place.html(
            _caption(f"{name} codes: {said}")
            + _picture(strip(some, columns=8), f"{len(end)} {run.config.plural}, {name.lower()} first, {said}")
            + _caption(f"{len(end)} of {len(codes):,} rows, the most extreme first · {rows}")
        )


def _picture(image: Any, alt: str, css: str = "ll-wide") -> str:
    return f'<img class="{css} crisp" alt="{html.escape(alt)}" src="{data_uri(image)}">'


def _caption(text: str) -> str:
    return f'<p class="ll-note">{html.escape(text)}</p>'


def _title(table: Any, dim: str) -> str:
    name = table.set_index("dim").loc[dim, "name"]
    return f"{dim} {name}" if name else dim


def _detail_facts(run: Run, row: Any) -> list[str]:
    if not run.config.stochastic:
        return [f"variance {markup.number(row['variance_of_mean'])}", f"{row['share']:.0%} of all variance"]
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
        one, two, three = st.columns([0.3, 0.55, 0.15], vertical_alignment="bottom")
        named = one.text_input("Name", name, max_chars=LONGEST_NAME, placeholder="what does it change?")
        noted = two.text_input("Note", note, max_chars=LONGEST_NOTE)
        if three.form_submit_button("Save", key=save, width="stretch"):
            try:
                name_dimension(run, index, name=named, note=noted, shown=shown)
            except LatentlabError as error:
                panels.explain("Not saved", str(error))
            else:
                st.rerun()


page()
