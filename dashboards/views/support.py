"""Support: is this a space one can sample from? Every setting beside the others, then the chosen run's pictures."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import choice
import examined
import markup
import panels
import reads
import streamlit as st
from drawings import Drawing, command

from latentlab.analysis.support.record import ARMS, by_setting, read_support, support_table, verdict
from latentlab.runs.run import Run

SOURCES = ("prior", "gaussian", "aggregate")
COLUMNS = (
    ("rate", "rate", 1),
    ("active_units", "active units", 1),
    ("probe", "probe", 2),
    ("prior.precision", "precision", 2),
    ("prior.coverage", "coverage", 2),
    ("prior.holes", "holes", 2),
    ("gaussian.coverage", "coverage, fitted normal", 2),
    ("aggregate.coverage", "coverage, aggregate", 2),
    ("detour", "detour", 2),
    ("gradient", "gradient per σ", 2),
    ("gap", "train–test gap", 2),
)


def page() -> None:
    """The whole page."""
    runs = tuple(run for run in reads.study().runs if run.has("support"))
    if not any(run.encodes and run.decodes for run in reads.study().runs):
        panels.head("Can you sample from it?", [], "sampling")
        why = "None of these models has both an encoder and a decoder."
        if not any(run.config.has_model for run in reads.study().runs):
            why = f"{panels.NO_MODEL} With an encoder and a decoder, samples would be compared here with real data."
        panels.explain("Not available", why)
    elif not runs:
        panels.head("Can you sample from it?", [], "sampling")
        panels.explain(
            "Not measured yet",
            (
                f"Samples are decoded and compared with real {choice.current().config.plural}: three times 5,000 of "
                "them, and the nearest among up to 60,000. That takes a minute per run for small networks, and longer "
                "for large ones. Compute it with:"
            ),
            command("support", reads.study().path),
        )
    else:
        _settings(runs)
        panels.figure(Drawing("support", runs))
    run = choice.current()
    if run in runs:
        _intervals(run)
        _samples(run)
        _distinct(run)
    elif runs:
        fix = command("support", run.path)
        panels.explain("The selected run was not measured", f"{reads.label(run.name)} has no samples yet.", fix)
    if run.has("likelihood") and run.config.latent_dim == 2:
        _identity(run)
    examined.foreign(run)
    examined.rare(run)
    examined.few_labels(reads.study().runs)


def _settings(runs: tuple[Run, ...]) -> None:
    table = support_table(runs)
    facts = [reads.data_name(runs[0]), f"{len(runs)} of {len(reads.study().runs)} runs measured"]
    facts += ["mean over seeds, range below", "samples from N(0, I) unless noted"]
    make = command("support", reads.study().path)
    panels.head("Can you sample from it?", facts, "sampling", make=make, data=lambda: table)
    said, plural = verdict(table), runs[0].config.plural
    st.html(f'<div class="ll-empty" style="max-width:none"><b>{html.escape(said[0])}</b>{html.escape(said[1])}</div>')
    columns = [column for column in COLUMNS if table[column[0]].notna().any()]
    rows = [([f"<b>{html.escape(row['setting'])}</b>", *_cells(row, columns)], "", "") for row in by_setting(table)]
    panels.show(markup.rows_html([("setting", ""), *((name, "num") for _, name, _ in columns)], rows))
    known = " and ".join(key for key in ("rate", "probe") if table[key].notna().any()) or "what the codes encode"
    panels.note(
        f"Coverage: share of real {plural} close to samples. Precision: share of samples close to real {plural}. "
        "Holes: share of samples far from all codes (0.01 if there are none). "
        f"Read them together with {known}: a decoder that ignores its code is perfectly continuous. "
        "A dash: undefined for an autoencoder, whose scale is arbitrary."
    )


def _cells(row: dict[str, Any], columns: Sequence[tuple[str, str, int]]) -> list[str]:
    return [_spread(row, key, digits) for key, _, digits in columns]


def _spread(row: dict[str, Any], key: str, digits: int) -> str:
    mean, low, high = (row[f"{key}_{part}"] for part in ("mean", "min", "max"))
    if markup.missing(mean):
        return "–"
    ends = f"<br><small>{markup.number(low, digits)} … {markup.number(high, digits)}</small>" if row["n"] > 1 else ""
    return markup.number(mean, digits) + ends


@panels.part
def _intervals(run: Run) -> None:
    """What the chosen run's numbers are, each with the 95 % interval for fresh samples."""
    row = support_table((run,)).iloc[0]
    shown = [key for key in row.index if key.partition(".")[0] in SOURCES or "." not in key]
    measures = [key for key in shown if f"{key}_low" in row.index and row[key] == row[key] and "density" not in key]
    table = [
        ([html.escape(_called(key)), *(markup.number(row[f"{key}{end}"], 3) for end in ("", "_low", "_high"))], "", "")
        for key in measures
    ]
    panels.head("How certain are these numbers?", [reads.label(run.name), "95 % intervals"], "intervals", small=True)
    heads = [("measure", ""), ("value", "num"), ("from", "num"), ("to", "num")]
    panels.show(markup.rows_html(heads, table))
    panels.note(
        f"Intervals account for new samples from this run and new real {run.config.plural}; they do not "
        "include the spread over seeds, which is shown above. Measures without an interval are left out."
    )


def _called(key: str) -> str:
    """A measure by name: ``prior.coverage`` as "coverage, from N(0, I)"."""
    arm, _, name = key.rpartition(".")
    return f"{name}, {ARMS[arm]}" if arm else key


@panels.part
def _samples(run: Run) -> None:
    choice.remember("drawn", SOURCES, SOURCES[0])
    panels.figure(Drawing("neighbours", (run,), {"source": st.session_state["drawn"]}))
    st.segmented_control(
        "Drawn from", SOURCES, key="drawn", format_func=ARMS.__getitem__, required=True, persist_state="session"
    )
    choice.keep("drawn")


@panels.part
def _distinct(run: Run) -> None:
    if why := read_support(run)["undefined"].get("widths"):
        panels.head("The most and least distinct rows", [reads.label(run.name)], "widths", small=True)
        panels.explain("No widths", f"{why[0].upper()}{why[1:]}.")
        return
    panels.figure(Drawing("widths", (run,)))


@panels.part
def _identity(run: Run) -> None:
    panels.figure(Drawing("identity", (run,)))


page()
