"""Compare: 2 to 4 runs, their dimensions matched and moved in each decoder, and their pictures under one selection."""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import partial
from typing import Any

import alongside
import choice
import markup
import pairs
import panels
import reads
import rows
import streamlit as st
from drawings import Drawing, command
from sliding import sliders

from latentlab.codes.alignment import shared_row
from latentlab.codes.decodings import Decodings
from latentlab.codes.matching import MATCHED
from latentlab.codes.symbols import symbol, turned
from latentlab.runs.recurring import NOTE, not_recurring, recurring_rows
from latentlab.runs.run import Run
from latentlab.runs.seeds import distance
from latentlab.system.png import data_uri, strip

MOST = 4
EVERY = {2: 1, 3: 1, 4: 2}  # how many steps of a strip are one further, by the number of runs
WIDE = 1.5  # times as wide as tall
SKIPPED = {1: "", 2: ", every second step", 4: ", every fourth step"}
WIDTHS = {2: (16, 29, 10, 29, 16), 3: (11, 21, 13, 21, 13, 21), 4: (10, 15, 10, 15, 10, 15, 10, 15)}  # % of the table
RANGES = {"prior": "prior, −2σ … +2σ", "aggregate": "middle 95 % of each run's codes"}
LONGEST = 400
MATCHED_TABLE = 'table.ll[data-table="matched"]'
SHRINKS = "width:100%;height:auto;max-width:380px"
NUMBERS = ("strength", "shuffled", "rotated")
TITLE = "Settings side by side"


def page() -> None:
    """The whole page."""
    first = choice.current()
    if first.sampled:
        panels.head(TITLE, [reads.label(first.name)], "compare")
        drawn = (
            "This model has only a decoder: its codes are samples from the prior, so there are no shared "
            "rows to compare."
        )
        panels.explain("Nothing to compare with", drawn)
        return
    encoded = [run.name for run in reads.study().runs if run.has("encode") and not run.sampled and run != first]
    if not first.has("encode") or not encoded:
        panels.head(TITLE, [reads.label(first.name)], "compare")
        _alone(first)
        return
    above = st.container()
    runs, over, anchor = _chosen(first, encoded)
    with above:
        names = " | ".join(reads.label(run.name) for run in runs)
        panels.head(TITLE, [names], "compare", make=Drawing("compare", tuple(runs), {"row": anchor}))
    _stage(runs, anchor)
    _dimensions(runs, over, anchor)
    _recurring()
    _leakage(runs)
    alongside.pictures(runs)


@panels.part
def _stage(runs: list[Run], anchor: int | None) -> None:
    """The decoders side by side, moved by the same sliders."""
    able = [
        run
        for run in runs
        if run.decodes and (run.has("traverse") or not reads.attempt(partial(reads.live, run), None)[1])
    ]
    panels.head("Live comparison", ["one slider moves the matched dimensions of all runs"], "live", small=True)
    if len(able) < 2:
        panels.explain("Nothing to decode", "Fewer than two of these runs have a decoder or stored traversals.")
        return
    if "moved" not in st.session_state:
        st.session_state["moved"] = st.query_params.get("moved", "")[:LONGEST]
    sliders(able, anchor, "moved")
    choice.keep_unless("moved", "")


def _alone(first: Run) -> None:
    """Say what is missing where there are no two runs to compare."""
    study = reads.study()
    if not first.has("encode") or any(not run.sampled and not run.has("encode") for run in study.runs):
        needed = "Comparing needs two encoded runs. Encode with:"
        panels.explain("Nothing to compare with", needed, command("analyze", study.path))
        return
    needed = "Train another run with a different β or seed in the same study folder, and open that folder."
    if not first.config.has_model:
        needed = "Import another embedding of the same rows into the same study folder, and open that folder."
    panels.explain("Nothing to compare with", f"{first.name} is the only run that can be compared. {needed}")


def _chosen(first: Run, others: list[str]) -> tuple[list[Run], str, int | None]:
    """What is compared: the runs, over which range, around which row."""
    one, two, three = st.columns([0.37, 0.25, 0.38], vertical_alignment="bottom")
    study = reads.study()
    sound = {run.name for run in reads.sound()}
    default = min(others, key=lambda name: (name not in sound, *distance(first, study[name])))
    choice.remember_several("beside", others, [default], most=MOST - 1)
    names = one.multiselect(
        f"Compare {reads.label(first.name)} with",
        others,
        key="beside",
        format_func=reads.labels().__getitem__,
        max_selections=MOST - 1,
        persist_state="session",
    )
    choice.keep_several("beside")
    runs = [first, *(study[name] for name in names or [default])]
    ranges = ["prior", "aggregate"] if all(run.config.stochastic for run in runs) else ["aggregate"]
    choice.remember("over", ranges, ranges[0])
    two.selectbox("Range", ranges, key="over", format_func=RANGES.__getitem__, persist_state="session")
    choice.keep("over")
    with three:
        return (
            runs,
            str(st.session_state["over"]),
            rows.picker(first, f"Start {first.config.noun}", "anchor", otherwise="typical row"),
        )


@panels.part
def _dimensions(runs: list[Run], over: str, anchor: int | None) -> None:
    table = pairs.alongside(runs)
    strips, anchors, said = _strips(runs, over, anchor)
    counts = ", ".join(f"{int(table[f'matched{k}'].sum())}" for k in range(1, len(runs)))
    every = _every(strips)
    facts = [
        f"active dimensions, matched by rank correlation over {table.attrs['rows']:,} rows, signs aligned (−z: turned)",
        f"{counts} of {int((table['first'] >= 0).sum())} matched, |ρ| ≥ {MATCHED}",
        said,
        reads.channels(runs[0]),
        RANGES[over] + SKIPPED[every],
    ]
    panels.head("Dimension by dimension", facts, "matched", small=True, data=lambda: pairs.alongside(runs))
    if not len(table):
        panels.explain("No active dimension", "No run has an active dimension, so there is nothing to match.")
        return
    known = [_Known(run, part, every) for run, part in zip(runs, strips, strict=True)]
    lines = [(_cells(row, known), "", "" if _matched(row, len(runs)) else "off") for row in table.to_dict("records")]
    st.html(f"<style>{_layout(len(runs))}</style>")
    panels.show(markup.rows_html(_columns(runs, anchors), lines, "matched"))
    if any(part is None and run.decodes for run, part in zip(runs, strips, strict=True)):
        panels.explain(
            "Traversals missing",
            "Traversals have not been decoded for one of the runs. Decode them with:",
            command("analyze", reads.study().path, "--only", "traverse"),
        )


def _layout(runs: int) -> str:
    """The widths of the columns, in which strips shrink: every run is in view, however narrow the page."""
    widths = "".join(
        f"{MATCHED_TABLE} th:nth-child({k}) {{ width: {width}% }}" for k, width in enumerate(WIDTHS[runs], start=1)
    )
    return f"{MATCHED_TABLE} {{ table-layout: fixed }} {MATCHED_TABLE} :is(th, td) {{ white-space: normal }} {widths}"


def _every(strips: Sequence[Decodings | None]) -> int:
    """Every how many steps a strip shows; of pictures wider than tall half as many fit."""
    every = EVERY[len(strips)]
    part = next((part for part in strips if part is not None), None)
    if part is None:
        return every
    tall, wide = part.pictures(part.images[:1, :1]).shape[-2:]
    return every if wide < WIDE * tall else 2 * every


def _strips(runs: list[Run], over: str, anchor: int | None) -> tuple[list[Decodings | None], list[int | None], str]:
    """A traversal a run around the same row, the row of each where it is another one, and how that went."""
    if not any(run.decodes for run in runs):
        return [None] * len(runs), [None] * len(runs), "there is no decoder for these codes"
    stored = [_stored(run, over) for run in runs]
    kept = [part.settings.get("anchor_row") if part else None for part in stored]
    row = anchor if anchor is not None else shared_row([reads.codes(run) for run in runs], kept[0])
    if row is None:
        return stored, kept, "each run around its own row: no row is in all runs"
    found, others = [], []
    for run, part, own in zip(runs, stored, kept, strict=True):
        again = (
            None if part is None or own == row else reads.attempt(partial(reads.traversals, run, row, over), None)[0]
        )
        found.append(again or part)
        others.append(own if part is not None and own != row and again is None else None)
    apart = [
        f"{run.name} uses its own row {reads.codes(run).naming(own)}"
        for run, own in zip(runs, others, strict=True)
        if own is not None
    ]
    same = f"around row {reads.codes(runs[0]).naming(row)}"
    return found, others, f"{'; '.join(apart)}: without weights only stored traversals can be shown" if apart else same


def _stored(run: Run, over: str) -> Decodings | None:
    found = reads.attempt(lambda: reads.decodings(run), {})[0] if run.has("traverse") else {}
    part: Decodings | None = found.get(f"traversals-{over}")
    return part


class _Known:
    """What a column of the table reads of its run."""

    def __init__(self, run: Run, part: Decodings | None, every: int) -> None:
        self.run, self.part, self.every = run, part, every
        self.table = reads.ranked(run).set_index("index")
        self.factors = reads.factor_names(run)

    def name(self, index: int, *, flip: bool = False) -> str:
        """The dimension, its name and its top factor; with a minus and the name turned where its sign is opposite."""
        if index < 0:
            return ""
        row = self.table.loc[index]
        said = f"{symbol(index)} {row['name']}"
        dim, _, name = (turned(said) if flip else said).partition(" ")
        factor = f" {markup.pill(row['top_factor'], self.factors)}" if row["top_factor"] else ""
        return f"<b>{dim}</b> {html.escape(name)}{factor}"

    def strip(self, index: int, *, flip: bool = False) -> str:
        """The dimension moved, from high to low where its sign is opposite."""
        if self.part is None or index < 0:
            return ""
        images = self.part.pictures(self.part.images[index])[:: -self.every if flip else self.every]
        alt = f"{symbol(index)} of {self.run.name} moved" + (", from high to low (opposite sign)" if flip else "")
        return f'<img class="strip" style="{SHRINKS}" alt="{html.escape(alt)}" src="{data_uri(strip(images))}">'


def _columns(runs: list[Run], anchors: list[int | None]) -> list[tuple[str, ...]]:
    labels = [
        (
            reads.label(run.name) + ("" if row is None else f" · around its own row {reads.codes(run).naming(row)}"),
            "",
            f"The dimensions of the run {run.name}.",
        )
        for run, row in zip(runs, anchors, strict=True)
    ]
    if len(runs) == 2:
        return [labels[0], ("", ""), ("match", ""), ("", ""), labels[1]]
    return [labels[0], ("", ""), *(column for label in labels[1:] for column in (label, ("", "")))]


def _cells(row: dict[str, Any], known: list[_Known]) -> list[str]:
    cells = [known[0].name(row["first"]), known[0].strip(row["first"])]
    for k, other in enumerate(known[1:], start=1):
        index, matched = int(row[f"other{k}"]), bool(row[f"matched{k}"])
        match = _rho(row[f"rho{k}"], matched) if index >= 0 or row["first"] >= 0 else ""
        flip = row[f"rho{k}"] < 0
        image, name = other.strip(index, flip=flip), other.name(index, flip=flip)
        several = [match, image, name] if len(known) == 2 else [f"{name}<br>{match}", image]
        cells += several if matched or not _matched(row, len(known)) else map(_greyed, several)
    return cells


def _greyed(cell: str) -> str:
    """A cell of a run without a partner, in a row where others have one."""
    return f'<div style="opacity:.55">{cell}</div>'


def _matched(row: dict[str, Any], runs: int) -> bool:
    return any(row[f"matched{k}"] for k in range(1, runs))


def _rho(rho: float, matched: bool) -> str:
    if markup.missing(rho):
        return '<span class="soft">no partner</span>'
    size = abs(rho)
    said = f"|ρ|\u00a0{markup.number(size)}"
    if not matched:
        return f'unmatched <small style="white-space:nowrap">{said}</small>'
    return f'{said}<br><span class="bar" style="width:{80 * size:.0f}px;max-width:100%;margin:0"></span>'


@panels.part
def _recurring() -> None:
    """The dimensions that recur over the seeds of each setting of the whole study."""
    found = reads.recurring()
    lines = recurring_rows(found)
    panels.head("Dimensions that recur over seeds", ["all settings of the study"], "recurring", small=True)
    if lines:
        heads = [(name, "num" if name in NUMBERS else "name") for name in lines[0]]
        cells = [([html.escape(text) for text in line.values()], "", "") for line in lines]
        panels.show(markup.rows_html(heads, cells))
    panels.note(" ".join([*not_recurring(found), *([NOTE] if lines else [])]))


@panels.part
def _leakage(runs: list[Run]) -> None:
    leakages = {run.name: reads.attempt(partial(reads.leakage, run), None) for run in runs}
    measured = [run for run in runs if leakages[run.name][0] is not None]
    drawing = Drawing("leakage", tuple(measured or runs))
    panels.head(
        "Leakage between factors",
        ["how much other factors change when one dimension is traversed: 0 none, 1 as much as the main factor"],
        "leakage",
        make=drawing if measured else "",
        data=(lambda: pairs.leakages(measured)) if measured else None,
        small=True,
    )
    if not measured:
        _unmeasured(runs, leakages)
        return
    plural = runs[0].config.plural
    factors = list(dict.fromkeys(name for run in measured for name in leakages[run.name][0].settings["factors"]))
    columns = [("run", "name"), ("leakage", ""), ("dimensions", "num"), *((f"moves {name}", "num") for name in factors)]
    lines = [(_leaks(run, leakages[run.name], factors), "", "") for run in runs]
    panels.show(markup.rows_html([*columns, ("left out", "wrap")], lines))
    panels.note(
        f"Factors are read from decoded {plural} by a regressor trained on real {plural}. Mean over the dimensions "
        "that change a factor by more than the regressor's noise, ± half of the 95 % interval over anchors. Runs "
        "with fewer active dimensions tend to score lower."
    )
    panels.chart(drawing.interactive(), "leakage-chart")


def _unmeasured(runs: list[Run], found: dict[str, tuple[Any, str]]) -> None:
    """Say why none of the runs has a leakage: it cannot be read, it cannot be had, or it has not been measured."""
    unread = [found[run.name][1] for run in runs if run.has("leakage")]
    if unread:
        panels.explain("Leakage not available", unread[0])
    elif not any(run.encodes and run.decodes and reads.factor_names(run) for run in runs):
        needed = (
            "Leakage needs an encoder, a decoder, and data with known factors or labels; none of these runs "
            "has all three."
        )
        panels.explain("Nothing to measure", needed)
    else:
        plural = runs[0].config.plural
        how = f"Leakage reads factors from decoded {plural} with a regressor trained on real {plural}. Compute it with:"
        panels.explain("Not measured yet", how, command("leakage", reads.study().path))


def _leaks(run: Run, found: tuple[Any, str], factors: list[str]) -> list[str]:
    score, why = found
    name = f"<b>{html.escape(reads.label(run.name))}</b>"
    if score is None:
        told = html.escape(why) if run.has("leakage") else "–"
        return [name, '<span class="soft">not measured</span>', *["–"] * (1 + len(factors)), told]
    value = markup.number(score.value)
    if score.interval is not None:
        value += f" {markup.half_width(*score.interval)}"
    told = markup.text(score.settings.get("undefined") or ", ".join(score.settings["left_out"]))
    defined = f"{score.parts.get('defined', 0):.0f} <small>of {score.parts.get('of', 0):.0f}</small>"
    return [name, value, defined, *(markup.number(score.per_factor.get(each)) for each in factors), told]


page()
