"""The table of the study's runs: cost, scores and warnings of each, sorted by a click on a heading."""

from __future__ import annotations

import html
import math
from typing import Any

import markup
import paged
import panels
import reads
import streamlit as st

from latentlab.results import with_half_width
from latentlab.runs.verdicts import heading_of

NUMBER = "num"
HEADS = (
    ("run", "run", "name"),
    ("setting", "setting", "name"),
    ("seed", "seed", NUMBER),
    ("normalised_beta", "β·d/D", NUMBER),
    ("distortion", "distortion", NUMBER),
    ("rate", "rate", NUMBER),
    ("elbo", "ELBO", NUMBER),
    ("active_units", "active", NUMBER),
)
NOTE = "Scores over all rows ± half of their 95 % interval. Select a row to open the run."
LONG = 24  # characters of a name that gets a wider column
BAD = {"collapsed", "diverged", "broken", "mixed files"}
WHY = {
    "collapsed": "no latent dimension is active: Var_x E[z|x] ≤ 0.01 for all",
    "diverged": "the loss was not finite; the last good checkpoint was kept",
    "unfinished": "training stopped early; `latentlab train … --resume` continues it",
    "empty": "no weights yet",
    "no model": "codes were imported without a model: they can be viewed, scored and compared, but not decoded",
    "mixed files": "weights, history or training state belong to another training; `latentlab doctor` names them",
    "stale codes": "the weights changed after encoding; `latentlab analyze` encodes again",
    "stale scores": "the codes changed after scoring; run `latentlab analyze --only score`",
    "older scores": "a metric has changed since, and other runs have its new values; `latentlab analyze --only score`",
    "not encoded": "`latentlab analyze` has not been run on it",
    "not scored": "`latentlab analyze --only score` has not been run on it",
    "labels only": "labels are the only known factor, so disentanglement scores mean little",
    "no factors": "the data have no known factors, so disentanglement cannot be scored",
    "broken": "the run's configuration cannot be read",
}


def runs_table(name: str) -> None:
    """The table, called `name`, with every run or folder that could not be read below it and why."""
    table = reads.table()
    metrics = markup.by_use(table.attrs["metrics"])
    columns = [*HEADS, *((metric, heading_of(metric), NUMBER) for metric in metrics)]
    rows, sorting = paged.page_of(table, name, columns)
    heads = [(heading, kind) for _, heading, kind in columns]
    shown = [_row(row, metrics) for row in rows.to_dict("records")]
    panels.show(markup.rows_html(heads, shown, name, sorting=sorting))
    panels.note(f"{'Means in nats per example. ' if table['distortion'].notna().any() else ''}{NOTE}")
    for row in rows.to_dict("records"):
        if row["error"]:
            panels.explain(row["run"], row["error"])
    for folder, reason in table.attrs["left_out"].items():
        panels.explain(f"The folder {folder} is left out", f"{reason[:1].upper()}{reason[1:]}.")


def _row(row: dict[str, Any], metrics: list[str]) -> tuple[list[str], str, str]:
    wide = ' class="long"' * (len(row["run"]) > LONG)
    name = f"<b{wide}>{html.escape(row['run'])}</b> {_flags(row)}"
    if row["state"] == "broken":
        return [name, *["–"] * (len(HEADS) - 1 + len(metrics))], "", "off"
    units, size = row["active_units"], row["latent_dim"]
    cells = [
        name,
        markup.text(row["setting"]),
        markup.text(row["seed"]),
        "–" if markup.missing(row["normalised_beta"]) else markup.number(row["normalised_beta"], 4),
        markup.number(row["distortion"], 1),
        markup.number(row["rate"]),
        markup.number(row["elbo"], 1),
        "–" if markup.missing(units) else f"{units:.0f} <small>of {size}</small>",
        *(_score(row, metric) for metric in metrics),
    ]
    return cells, row["run"], "on" if row["run"] == st.session_state.get("run") else ""


def _score(row: dict[str, Any], metric: str) -> str:
    """The value over all rows with half its interval; hovering names the profile's own draw, or why there is none."""
    value, whole = row[metric], row.get(f"{metric}_whole", math.nan)
    low, high = row.get(f"{metric}_low", math.nan), row.get(f"{metric}_high", math.nan)
    if markup.missing(value):
        return "–"
    hint = "" if markup.missing(whole) else f"the profile’s own draw: {markup.number(value)}"
    value = value if markup.missing(whole) else whole
    if markup.missing(low) or markup.missing(high):
        hint = " · ".join(filter(None, (hint, f"no interval: {row.get(f'{metric}_no_interval') or 'not computed'}")))
        return f'<span title="{html.escape(hint)}">{markup.number(value)}</span>'
    said, half = with_half_width(value, low, high)
    return f'<span title="{html.escape(hint)}">{said} <small>{half}</small></span>'


def _flags(row: dict[str, Any]) -> str:
    names = [flag for flag in (row["flags"] or "").split(", ") if flag]
    more = ["unreadable file"] if row["error"] and row["state"] != "broken" else []
    return "".join(_mark(name) for name in [*names, *more])


def _mark(name: str) -> str:
    bad, why = " bad" * (name in BAD), html.escape(WHY.get(name, ""))
    return f'<span class="flag{bad}" title="{why}">{html.escape(name)}</span>'
