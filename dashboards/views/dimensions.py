"""Dimensions: the ranked table of what each latent dimension does, and one of them in detail."""

from __future__ import annotations

import html
from typing import Any

import choice
import examined
import markup
import master_detail
import panels
import ranking
import reads
import rows
import streamlit as st
from drawings import Drawing, command

from latentlab.codes.decodings import Decodings, changed
from latentlab.codes.selections import extremes, facts, present
from latentlab.errors import LatentlabError
from latentlab.figures import _panels
from latentlab.figures._kinds import drawing
from latentlab.figures._markup import escaped
from latentlab.runs.images import pictures_of
from latentlab.runs.notes import LONGEST_NAME, LONGEST_NOTE, name_dimension, writable
from latentlab.runs.run import Run
from latentlab.system.png import data_uri, enlarged, heat, strip

RANGES = {"prior": "prior, −2σ … +2σ", "aggregate": "middle 95 % of the encoded data"}
LIST = 0.58  # of the width, for the list
SHOWN = 40
OWN = "own"  # the factor that a dimension knows most about
EXTREMES = 16
BAR = 48  # pixels, of the longest
FRAMED = 144  # pixels of width, twice what the page has for the image of a row and its reconstruction
LOW = 210  # pixels, of charts that stand beside one another in a narrow column


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
    names = table["dim"].tolist()
    choice.remember("dim", names, names[0])
    above = st.container()
    part, over = _around(run)
    with above:
        told = [reads.label(run.name), reads.data_name(run), _activity(run, table), _rows(table), reads.channels(run)]
        make = _command(run, part, over)
        panels.head("What each dimension does", told, "dimensions", make=make, data=lambda: reads.ranked(run))
    left, right = master_detail.parts(LIST)
    with left:
        _ranking(run, table, part)
    with right:
        anchor = st.container()
        _detail(run, table, part, over)
        if part is not None:
            anchor.html(_anchor_shown(run, part))  # last, as it may have to load the model
    examined.effects(run)


def _around(run: Run) -> tuple[Decodings | None, str]:
    """The traversals that table and detail show, chosen once for both: over which range, around which row."""
    known = _ranges(run)
    if not known:
        return None, ""
    choice.remember("range", known, known[0])
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        if len(known) > 1:
            st.segmented_control(
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
        asked = None if run.sampled else _anchor(run, stored)
    if asked is None:
        return stored, over
    exact, why = reads.attempt(lambda: reads.traversals(run, asked, over), None)
    if exact is None:
        kept = stored.settings.get("anchor_row")
        named = "unknown" if kept is None else reads.codes(run).naming(kept)
        panels.note(f"Shown around the stored anchor, row {named}: {why}.")
    return exact or stored, over


def _anchor(run: Run, stored: Decodings) -> int | None:
    """The row id that was asked for; None where it is the stored anchor or nothing."""
    kept = stored.settings.get("anchor_row")
    default = f"row {reads.codes(run).naming(kept)} (default)" if kept is not None else "default"
    given = rows.picker(run, f"Start {run.config.noun}", "anchor", otherwise=default)
    return None if given == kept else given


@panels.part
def _ranking(run: Run, table: Any, part: Decodings | None) -> None:
    """The ranked list; what a row shows in detail is a part of its own."""
    _caveats(run)
    factors = reads.factor_names(run)
    if not factors:
        panels.note("These data have no known factors or labels, so no factor can be named.")
    shown = table.head(SHOWN)
    columns = _columns(run, part, bool(factors))
    lines = [_row(row, run, part, factors, table) for row in shown.to_dict("records")]
    panels.show(markup.rows_html(columns, lines, "dimensions"))
    if len(table) > len(shown):
        panels.note(f"The first {len(shown)} of {len(table)} dimensions; download the table for all.")
    if not run.config.has_model:
        panels.explain("No traversals", f"{panels.NO_MODEL} {examined.WITH_DECODER}")
    elif part is None and not run.decodes:
        panels.explain("No traversals", "This model has no decoder, so its codes cannot be decoded.")
    elif part is None:
        why = _decoded(run)[1] or "Traversals have not been decoded."
        panels.explain("No traversals", f"{why} Decode again with:", command("analyze", run.path, "--only", "traverse"))


def _caveats(run: Run) -> None:
    """What the ranking of this kind of model does not say."""
    if run.sampled:
        panels.note(
            "This model has only a decoder: its codes are samples from the prior N(0, 1), not codes of images, so they "
            "do not show which dimensions are used."
        )
    elif not run.config.has_model and not run.config.stochastic:
        panels.note(
            "These codes have no posterior variance, and so no KL: the dimensions are ranked by the variance of their "
            "codes, whose scale is arbitrary, and every dimension that varies counts as active."
        )
    elif not run.config.stochastic:
        panels.note(
            "An autoencoder has no prior and no KL: its dimensions are ranked by the variance of their codes, whose "
            "scale is arbitrary, and every dimension that varies counts as active. The decoder effect does not depend "
            "on that scale: it is the mean change of the decoded sample per step over the range of the codes."
        )


def _command(run: Run, part: Decodings | None, over: str) -> Drawing | str:
    """What draws these traversals, or what stores those around another row."""
    anchor = part.settings.get("anchor_row") if part else None
    stored = reads.decodings(run)[f"traversals-{over}"].settings.get("anchor_row") if part else None
    if anchor is not None and anchor != stored:
        return command("analyze", run.path, "--only", "traverse", "--anchor", reads.codes(run).naming(anchor))
    return Drawing("traversals", (run,), {"over": over or None})


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
    size = [("KL, nats" if run.config.stochastic else "variance", "")]
    size += [("effect", "num")] if part and not run.config.stochastic else []
    top = [("top factor, normalised MI", "")] if factors else []
    moved = [(f"traversal, {RANGES.get(str(part.settings.get('range')), '')}", "")] if part else []
    return [("", "num"), ("dim", ""), *size, *top, *moved, ("name", "wrap")]


def _row(
    row: dict[str, Any], run: Run, part: Decodings | None, factors: tuple[str, ...], table: Any
) -> tuple[list[str], str, str]:
    inactive = run.config.stochastic and not bool(row["active"])
    key = row["dim"]
    by = "kl" if run.config.stochastic else "variance_of_mean"
    bar = BAR if run.config.stochastic else BAR / 2  # beside it stands the decoder effect
    width = max(bar * float(row[by]) / max(float(table[by].max()), 1e-12), 1)
    drawn = f'<span class="bar" style="width:{width:.0f}px"></span>' if not inactive else "<small>inactive</small>"
    rank = int(table.index[table["dim"] == key][0]) + 1
    cells = [f'<span class="soft">{rank}</span>', f"<b>{key}</b>", f"{markup.number(row[by])} {drawn}"]
    if not run.config.stochastic and part is not None:
        cells.append(part.form.amount(changed(part.images[int(row["index"])], part.form).mean(), 2))
    if factors:
        cells.append(_factor(row, factors))
    if part is not None:
        cells.append(_strip(part, int(row["index"]), f"{key} varied, other dimensions fixed"))
    own = row["named_by"] == "user"
    cell = ranking.name_cell(row["name"] if own else "", row["note"], key, LONGEST_NAME, editable=writable(run))
    cells.append(cell + ("" if own or inactive else _earned(run, row)))
    state = " ".join(["off"] * inactive + ["on"] * (key == st.session_state["dim"]))
    return cells, key, state


def _earned(run: Run, row: dict[str, Any]) -> str:
    """The name that the dimension earned with its AUROC, or that none was; nothing where no names were sought."""
    verdicts = reads.verdicts(run)
    if not verdicts:
        return ""
    verdict = verdicts[int(row["index"])]
    if not row["name"]:
        return f' <span class="soft" title="{html.escape(verdict.why)}">no\u00a0name\u00a0earned</span>'
    low, high = verdict.interval
    reach = "" if markup.missing(verdict.hard) else f"; {verdict.hard:.2f} among rows alike in all other dimensions"
    said = f"detects high against low codes: AUROC {verdict.detection:.2f}, {low:.2f} to {high:.2f}{reach}"
    area = f'<span class="soft">AUROC {markup.number(verdict.detection)}</span>'
    return f' <span title="{html.escape(said)}">{html.escape(row["name"])} {area}</span>'


def _factor(row: dict[str, Any], factors: tuple[str, ...]) -> str:
    if not row["top_factor"]:
        return '<span class="soft">none</span>'
    interval = markup.half_width(row["mi_low"], row["mi_high"])
    return f"{markup.pill(row['top_factor'], factors)} {markup.number(row['mi'])} {interval}"


def _strip(part: Decodings, index: int, alt: str, css: str = "strip") -> str:
    pictures = part.pictures(part.images[index])
    sheet = strip(pictures) if css == "strip" else enlarged(strip(pictures))
    return f'<img class="{css}" alt="{html.escape(alt)}" src="{data_uri(sheet)}">'


@panels.part
def _detail(run: Run, table: Any, part: Decodings | None, over: str) -> None:
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
        st.html(_caption(f"Distribution of {row.name}, {len(reads.codes(run)):,} {run.config.plural}{dashed}"))
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
        st.html(_strip(part, index, f"{row.name} over the {over} range", "ll-wide") + _caption(_ticks(part, index)))
        return
    shown = drawn.traversals(part.form, part.images[[index]], [_title(table, row.name)], [False])
    chart = _panels.interactive(escaped(shown), "", "", f"{row.name} over the {over} range")
    panels.chart(chart.update_layout(title=None, margin_t=30), "traversal")
    panels.note(_ticks(part, index))


def _anchor_shown(run: Run, part: Decodings) -> str:
    """The sample that the traversals go through and its reconstruction, as HTML; nothing where it is not a row's."""
    if (anchor := part.settings.get("anchor_row")) is None:
        return ""
    codes, shown = reads.codes(run), reads.reconstructed(run, int(anchor), part)
    named = zip((run.config.noun, "reconstruction"), shown, strict=True)
    name = codes.naming(anchor)
    framed = [_framed(picture, what, name) for what, picture in named if picture is not None]
    at = present(codes.row_ids, [anchor])
    said = [f"Row {name}", *([facts(codes, int(at[0]))] if len(at) else ())]
    return f'<div class="ll-pair">{"".join(framed)}{_caption(": ".join(filter(None, said)))}</div>'


def _framed(picture: Any, what: str, anchor: str) -> str:
    alt = html.escape(f"{what} of row {anchor}")
    source = data_uri(enlarged(strip(picture[None], gap=0), FRAMED))
    return f'<figure><figcaption>{html.escape(what)}</figcaption><img alt="{alt}" src="{source}"></figure>'


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
        _caption(f"{place.capitalize()} change along the traversal")
        + _picture(heat(here, most), f"heat map of what dimension z{index} changes", "ll-heat")
        + _caption(
            f"Mean {place} change per step {amount(here.mean())}, largest {amount(here.max(), 0)}. Same colour scale "
            f"for every dimension (yellow: {amount(most, 0)})."
        )
    )


def _extremes(run: Run, index: int) -> None:
    """The samples with the lowest and with the highest codes."""
    left, right = st.columns(2)
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
        ids = f"rows {', '.join(codes.called(end[:4]))} …"
        place.html(
            _caption(f"{name} codes: {said}")
            + _picture(
                strip(some, columns=EXTREMES // 4), f"{len(end)} {run.config.plural}, {name.lower()} first, {said}"
            )
            + _caption(f"The {len(end)} most extreme of {len(codes):,} {run.config.plural} · {ids}")
        )


def _picture(image: Any, alt: str, css: str = "ll-wide") -> str:
    return f'<img class="{css}" alt="{html.escape(alt)}" src="{data_uri(enlarged(image))}">'


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


page()
