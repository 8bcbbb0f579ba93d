"""Compare: two runs, their dimensions matched, each moved in both decoders."""

from __future__ import annotations

import html
from typing import Any

import choice
import markup
import panels
import reads
import streamlit as st
from drawings import command

from latentlab.decodings import Decodings
from latentlab.matching import MATCHED
from latentlab.pictures import data_uri, strip
from latentlab.runs import Run


def page() -> None:
    """The whole page."""
    first = choice.current()
    encoded = [run for run in reads.study().runs if run.has("encode")]
    others = [run.name for run in encoded if run.name != first.name]
    if not first.has("encode") or not others:
        panels.head("Two settings, dimension by dimension", [reads.label(first.name)], "compare")
        fix = command("analyze", reads.study().path)
        needed = "Two encoded runs are needed. Encode what has been trained with:"
        panels.explain("Nothing to compare with", needed, fix)
        return
    _compare(first, others)


@panels.part
def _compare(first: Run, others: list[str]) -> None:
    above = st.container()
    default = next((name for name in others if reads.study()[name].config.label != first.config.label), others[0])
    choice.remember("beside", others, default)
    column, _ = st.columns([0.25, 0.75])
    column.selectbox("Beside it", others, key="beside", format_func=reads.label, persist_state="session")
    choice.keep("beside")
    second = reads.study()[str(st.session_state["beside"])]
    pairs = reads.matched(first, second)
    strips = [_part(run) for run in (first, second)]
    with above:
        matched = int(pairs["matched"].sum())
        facts = [
            f"active dimensions matched on rank correlation of codes over {pairs.attrs['rows']:,} rows",
            f"{matched} of {len(pairs)} matched, |ρ| ≥ {MATCHED}",
            _anchors(strips),
        ]
        panels.head("Two settings, dimension by dimension", facts, "compare", data=lambda: reads.matched(first, second))
    tables = [reads.ranked(run).set_index("index") for run in (first, second)]
    rows = [
        (_cells(pair, (first, second), strips, tables), "", "" if pair["matched"] else "off")
        for pair in pairs.to_dict("records")
    ]
    heads = [reads.label(run.name) for run in (first, second)]
    columns = [(heads[0], ""), ("", ""), ("match", ""), ("", ""), (heads[1], "")]
    panels.show(markup.rows_html(columns, rows))
    if not len(pairs):
        panels.explain("No active dimension", "Neither run uses any latent dimension, so there is nothing to match.")
    if any(strip is None for strip in strips):
        panels.explain(
            "No traversals in one of them",
            "What its dimensions change in the picture has not been decoded. Decode it with:",
            command("analyze", reads.study().path, "--only", "traverse"),
        )


def _part(run: Run) -> Decodings | None:
    found = reads.attempt(lambda: reads.decodings(run), {})[0] if run.has("traverse") else {}
    return found.get("traversals-prior") or found.get("traversals-aggregate")


def _anchors(strips: list[Decodings | None]) -> str:
    rows = {part.settings.get("anchor_row") for part in strips if part is not None}
    if len(rows) == 1:
        return f"the same image, row {rows.pop():,}, decoded in both"
    return "traversals start from each run's own typical image" if rows else ""


def _cells(pair: dict[str, Any], runs: tuple[Run, Run], strips: list[Decodings | None], tables: list[Any]) -> list[str]:
    flip = pair["rho"] < 0
    left, right = (
        (_name(runs[k], tables[k], pair["ab"[k]]), _strip(strips[k], pair["ab"[k]], flip=flip and k == 1))
        for k in (0, 1)
    )
    return [left[0], left[1], _rho(pair), right[1], right[0]]


def _rho(pair: dict[str, Any]) -> str:
    if markup.missing(pair["rho"]):
        return '<span class="soft">no partner</span>'
    size = abs(pair["rho"])
    bar = f'<br><span class="bar" style="width:{90 * size:.0f}px;margin:0;background:#009E73"></span>'
    return (
        f"|ρ| {markup.number(size)}" if pair["matched"] else f"unmatched <small>|ρ| {markup.number(size)}</small>"
    ) + bar


def _name(run: Run, table: Any, index: int) -> str:
    if index < 0:
        return ""
    row = table.loc[index]
    factor = f" {markup.pill(row['top_factor'], reads.factor_names(run))}" if row["top_factor"] else ""
    return f"<b>z{index}</b> {html.escape(row['name'])}{factor}"


def _strip(part: Decodings | None, index: int, *, flip: bool) -> str:
    if part is None or index < 0:
        return ""
    images = part.images[index][::-1] if flip else part.images[index]
    alt = f"z{index} moved" + (", from high to low as its sign is opposite" if flip else "")
    return f'<img class="strip" alt="{alt}" src="{data_uri(strip(images))}">'


page()
