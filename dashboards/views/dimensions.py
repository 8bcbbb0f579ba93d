"""Dimensions: the ranked table of what each latent dimension does; `dimension` shows one of them in detail."""

from __future__ import annotations

import html
from typing import Any

import choice
import dimension
import examined
import markup
import master_detail
import panels
import ranking
import reads
import rows
import streamlit as st
from dimension import SHOWN
from drawings import Drawing, command

from latentlab.codes.decodings import Decodings, changed
from latentlab.codes.selections import facts, present
from latentlab.runs.notes import LONGEST_NAME, writable
from latentlab.runs.run import Run
from latentlab.system.png import data_uri, enlarged, strip

RANGES = {"prior": "prior, −2σ … +2σ", "aggregate": "middle 95 % of the encoded data"}
LIST = 0.58  # of the width, for the list
BAR = 48  # pixels, of the longest
FRAMED = 144  # pixels of width, twice what the page has for the image of a row and its reconstruction


def page() -> None:
    """The whole page."""
    run = choice.current()
    if not run.has("encode"):
        panels.no_codes(run, "What each dimension does", "dimensions", "codes, traversals and scores")
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
        dimension.detail(run, table, part, over)
        if part is not None:
            anchor.html(_anchor_shown(run, part))  # last, as it may have to load the model
    examined.effects(run)


def _around(run: Run) -> tuple[Decodings | None, str]:
    """The traversals that table and detail show, chosen once for both: over which range, around which row."""
    known = _ranges(run)
    if not known:
        return None, ""
    choice.remember("range", known, known[0])
    with st.container(horizontal=True, vertical_alignment="top", gap="large"):
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
        cells.append(markup.strip_of(part, int(row["index"]), f"{key} varied, other dimensions fixed"))
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
    return f'<div class="ll-pair">{"".join(framed)}{markup.caption(": ".join(filter(None, said)))}</div>'


def _framed(picture: Any, what: str, anchor: str) -> str:
    alt = html.escape(f"{what} of row {anchor}")
    source = data_uri(enlarged(strip(picture[None], gap=0), FRAMED))
    return f'<figure><figcaption>{html.escape(what)}</figcaption><img alt="{alt}" src="{source}"></figure>'


page()
