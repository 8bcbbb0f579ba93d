"""β sweep: what each setting costs and gains, every seed shown, and which β is best, if any."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import choice
import markup
import panels
import reads
import streamlit as st
from drawings import Drawing, command

from latentlab.runs.choice import RULE, Choice, Frontier, frontiers, judged
from latentlab.runs.run import Run
from latentlab.runs.verdicts import NOTE, difference_rows, heading_of, middle_rows

TITLE = "What β costs and what it buys"
NAMING = ("leader", "rival", "setting")  # columns of names; the others hold numbers
ACROSS = 9  # scores in a row of a table that fits the page


def page() -> None:
    """The whole page."""
    chosen, table = reads.study(), reads.table()
    if not chosen.runs:
        panels.head(TITLE, [], "sweep")
        panels.explain("No run can be opened", "Every run of this study is broken; see the Runs page.")
        return
    settings = reads.settings()
    facts = [
        reads.data_name(chosen.runs[0]),
        f"{len(settings)} setting{'s' * (len(settings) != 1)}, {len(chosen.runs)} run{'s' * (len(chosen.runs) != 1)}",
        "one dot per seed" if len(chosen.runs) > len(settings) else "one seed each: spread unknown",
        "nats per example",
    ]
    panels.head(
        TITLE if any(run.config.has_model for run in chosen.runs) else "Embeddings compared by their scores",
        facts,
        "sweep",
        make=command("compare", chosen.path),
        data=reads.settings,
    )
    _verdict(table)
    _figures(chosen, table)
    panels.head("Settings in numbers", ["mean over seeds, range below", "scores over all rows"], "settings", small=True)
    _table(settings)
    for frontier in frontiers(table):
        panels.note(_collapse(frontier))
    advise = command("advise", chosen.runs[0].config.data, "--study", chosen.path)
    panels.note(f"What to expect of each β, and which runs are under-trained: {advise}")


@panels.part
def _verdict(table: Any) -> None:
    known = judged(table)
    measures = [measure for measure in [*markup.by_use(table.attrs["metrics"]), "elbo"] if measure in known]
    if not measures:
        panels.explain(
            "Nothing to compare yet", "No run has scores or an ELBO.", command("analyze", reads.study().path)
        )
        return
    left, right = st.columns([0.2, 0.8], vertical_alignment="top")
    choice.remember("measure", measures, measures[0])
    left.selectbox("Judge by", measures, key="measure", format_func=heading_of, persist_state="session")
    choice.keep("measure")
    found = next(each for each in reads.judged() if each.measure == st.session_state["measure"])
    reason = found.reason if found.reason.startswith("β") else found.reason[:1].upper() + found.reason[1:]
    right.html(
        f'<div class="ll-empty" style="max-width:none"><b>{html.escape(found.verdict)}.</b>'
        f"{html.escape(reason)}."
        f'<details class="ll-rule"><summary>The rule</summary><p class="ll-note">{html.escape(RULE)}</p></details>'
        "</div>"
    )
    _differences(found)


def _differences(found: Choice) -> None:
    """How far the leader lies from the others, and every setting's interquartile mean."""
    if not found.differences:
        return
    with st.expander("Differences between settings"):
        for rows in (difference_rows(found), middle_rows(found)):
            heads = [(name, "" if name in NAMING else "num") for name in rows[0]]
            panels.show(markup.rows_html(heads, [(_texts(row), "", "") for row in rows]))
        panels.note(NOTE)


def _texts(row: dict[str, str]) -> list[str]:
    return [html.escape(each if name in NAMING else each.replace("-", "−")) for name, each in row.items()]


def _table(settings: Any) -> None:
    """What each setting cost, and below it what it reached: in one table, that would be wider than a page."""
    metrics, rows = markup.by_use(settings.attrs["metrics"]), settings.to_dict("records")
    costs = ["seeds", "β·d/D", "distortion", "rate", "ELBO", "active units"]
    panels.show(markup.rows_html(_columns(costs), [(_costs(row), "", "") for row in rows]))
    for start in range(0, len(metrics), ACROSS):
        some = metrics[start : start + ACROSS]
        cells = [([_setting(row), *(_spread(row, metric, 2) for metric in some)], "", "") for row in rows]
        panels.show(markup.rows_html(_columns([heading_of(metric) for metric in some]), cells))


def _columns(names: list[str]) -> list[tuple[str, str]]:
    return [("setting", ""), *((name, "num") for name in names)]


def _setting(row: dict[str, Any]) -> str:
    return f"<b>{html.escape(row['setting'])}</b>"


def _costs(row: dict[str, Any]) -> list[str]:
    seeds = f"{row['n']}" + (f" <small>{row['left_out']} left out</small>" if row["left_out"] else "")
    beta = "–" if markup.missing(row["normalised_beta"]) else markup.number(row["normalised_beta"], 4)
    spreads = {"distortion": 1, "rate": 2, "elbo": 1, "active_units": 1}
    return [_setting(row), seeds, beta, *(_spread(row, name, digits) for name, digits in spreads.items())]


def _collapse(frontier: Frontier) -> str:
    """Where collapse begins, in a sentence."""
    units = ", ".join(f"{mean:.3g} at β = {beta:g}" for beta, mean in frontier.active.items())
    unread = [beta for beta in frontier.unread if frontier.collapsed is None and beta > (frontier.safe or 0)]
    if frontier.collapsed is None:
        said = f"no run collapsed (β ≤ {frontier.safe:g}, the largest {'read' if unread else 'tried'})"
    elif frontier.safe is None:
        said = f"a seed collapsed at β = {frontier.collapsed:g}, the smallest tried"
    else:
        said = (
            f"between β = {frontier.safe:g}, where no seed collapsed, and β = {frontier.collapsed:g}, where "
            "at least one did"
        )
    if frontier.unseen is not None:
        said += f"; another seed may still collapse at β = {frontier.safe:g}, with a probability of up to "
        said += f"{100 * frontier.unseen:.0f} % (95 % confidence)"
    if frontier.unread:
        betas = ", ".join(f"{beta:g}" for beta in frontier.unread)
        said += f"; nothing is known at β = {betas}, whose runs diverged, are not encoded or cannot be read"
    return f"Onset of collapse (no active unit) for {frontier.family}: {said}. Active units on average: {units}."


def _spread(row: dict[str, Any], measure: str, digits: int) -> str:
    mean, low, high = (row[f"{measure}_{key}"] for key in ("mean", "min", "max"))
    if markup.missing(mean):
        return "–"
    return markup.number(mean, digits) + (
        f"<br><small>{markup.number(low, digits)} … {markup.number(high, digits)}</small>" if row["n"] > 1 else ""
    )


def _no_curve(runs: Sequence[Run]) -> None:
    """Say why there is no rate–distortion curve: nothing encoded, or no model that does both."""
    if any(run.encodes and run.decodes for run in runs):
        fix = command("analyze", reads.study().path)
        panels.explain("No rate–distortion curve yet", "No run has been encoded.", fix)
    elif not any(run.config.has_model for run in runs):
        panels.explain("No rate–distortion curve", f"{panels.NO_MODEL} A decoder would give a distortion.")
    else:
        panels.explain("No rate–distortion curve", "None of these models has both an encoder and a decoder.")


def _figures(chosen: Any, table: Any) -> None:
    sound = reads.sound()
    left = [run.name for run in chosen.runs if run not in sound]
    if left:
        panels.explain("Not shown below", f"{', '.join(left)}: see the Runs page for the file that cannot be read.")
    if table["distortion"].notna().any():
        panels.figure(Drawing("rate-distortion", sound), on_run=choice.open_run)
    else:
        _no_curve(sound)
    if table.attrs["metrics"]:
        panels.figure(Drawing("scores", sound), on_run=choice.open_run)
    else:
        fix = command("analyze", chosen.path, "--only", "score")
        panels.explain("No scores yet", "No run has been scored.", fix)


page()
