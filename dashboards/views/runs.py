"""Runs: what the study holds, what each run cost and reached, and what to beware of."""

from __future__ import annotations

import html
import math
from typing import Any

import choice
import markup
import panels
import reads
import streamlit as st
from drawings import command

from latentlab.runs.run import Run

BESIDE = [
    ("score", "wrap"),
    *((name, "num") for name in ("value", "interval", "permuted", "rotated", "ceiling")),
    *((name, "num") for name in ("active only", "sampled", "all rows", "test = train")),
    ("settings", "wrap"),
]
BAD = {"collapsed", "diverged", "broken"}
WHY = {
    "collapsed": "no latent dimension is in use: Var_x E[z|x] ≤ 0.01 everywhere",
    "diverged": "a loss was no finite number; the last good checkpoint was kept",
    "unfinished": "training stopped early; `latentlab train … --resume` continues it",
    "empty": "no weights yet",
    "stale codes": "the weights changed after the codes were made; `latentlab analyze` makes them anew",
    "stale scores": "the codes changed after they were scored; `latentlab analyze --only score`",
    "not encoded": "`latentlab analyze` has not been run on it",
    "not scored": "`latentlab analyze --only score` has not been run on it",
    "labels only": "labels are the one known factor, so scores of disentanglement mean little",
    "no factors": "the data have no known factors, so disentanglement cannot be scored",
    "broken": "the run's configuration cannot be read",
}


def page() -> None:
    """The whole page."""
    choice.leave_for_run()
    chosen, table = reads.study(), reads.table()
    settings = table["setting"].dropna().nunique()
    facts = [
        f"{len(chosen.runs)} run{'s' * (len(chosen.runs) != 1)} of {settings} setting{'s' * (settings != 1)}",
        f"{len(chosen.broken)} broken" if chosen.broken else "",
        "means in nats per example; scores ± half of their 95 % interval over redraws",
        "pick a row to open the run",
    ]
    panels.head("Runs", facts, "runs", make=command("compare", chosen.path), data=reads.table, on_pick=choice.open_run)
    st.html(
        markup.rows_html(
            _columns(table),
            [_row(row, markup.by_use(table.attrs["metrics"])) for row in table.to_dict("records")],
            "runs",
        )
    )
    for name, why in _troubles(table):
        panels.explain(name, why)
    if chosen.runs:
        _scores(choice.current())


@panels.part
def _scores(run: Run) -> None:
    """The chosen run's scores with all that stands beside them."""
    title, label = "What stands beside the scores", reads.label(run.name)
    if not run.has("score"):
        panels.head(title, [label], "beside-scores", small=True)
        panels.explain(
            "No scores yet", f"{label} has not been scored.", command("analyze", run.path, "--only", "score")
        )
        return
    card = reads.scorecard(run)
    panels.head(
        title,
        [
            label,
            "95 % interval for all rows · nulls: what codes that know nothing, or are turned, reach 95 % of the time",
        ],
        "beside-scores",
        small=True,
        make=command("analyze", run.path, "--only", "score"),
        data=lambda: reads.scorecard(run),
    )
    kept = card.set_index("metric").loc[markup.by_use(card["metric"].tolist())].reset_index()
    panels.show(markup.rows_html(BESIDE, [(_beside(row), "", "") for row in kept.to_dict("records")]))
    panels.note(
        "Interval, nulls and ceiling of metrics that train something take minutes and are made with "
        "latentlab analyze --resample-slow. The spread over seeds is another matter: see β sweep."
    )


def _beside(row: dict[str, Any]) -> list[str]:
    several = f"<br><small>{html.escape(row['parts'])}</small>" if row["parts"] else ""
    low, high = (markup.number(row[key]) for key in ("low", "high"))
    rotated = markup.number(row["rotated"])
    if row["aligned"] is False:
        rotated += (
            ' <span class="flag" title="turned codes reach as much: no alignment with the axes is shown">≥</span>'
        )
    more = [markup.number(row[key]) for key in ("ceiling", "active", "sampled", "whole")]
    overlap = "–" if markup.missing(row["overlap"]) else f"{row['overlap']:.1%}"
    return [
        f"<b>{html.escape(markup.metric_name(row['metric']))}</b>{several}",
        markup.number(row["value"]),
        "–" if markup.missing(row["low"]) else f"{low} … {high}",
        markup.number(row["permuted"]),
        rotated,
        *more,
        overlap,
        f'<span class="soft">{html.escape(row["settings"])}</span>',
    ]


def _columns(table: Any) -> list[tuple[str, str]]:
    numbers = ["β·d/D", "distortion", "rate", "ELBO", "active"]
    scores = [markup.metric_name(name) for name in markup.by_use(table.attrs["metrics"])]
    return [
        ("run", ""),
        ("setting", ""),
        ("seed", "num"),
        *((n, "num") for n in [*numbers, *scores]),
        ("flags", "wrap"),
    ]


def _row(row: dict[str, Any], metrics: list[str]) -> tuple[list[str], str, str]:
    if row["state"] == "broken":
        cells = [f"<b>{html.escape(row['run'])}</b>", *["–"] * (7 + len(metrics)), _flags(row)]
        return cells, "", "off"
    active = (
        "–"
        if markup.missing(row["active_units"])
        else f"{row['active_units']:.0f} <small>of {row['latent_dim']}</small>"
    )
    cells = [
        f"<b>{html.escape(row['run'])}</b>",
        markup.text(row["setting"]),
        markup.text(row["seed"]),
        _small(row["normalised_beta"]),
        markup.number(row["distortion"], 1),
        markup.number(row["rate"]),
        markup.number(row["elbo"], 1),
        active,
        *(_score(row, metric) for metric in metrics),
        _flags(row),
    ]
    return cells, row["run"], "on" if row["run"] == st.session_state.get("run") else ""


def _small(value: float) -> str:
    return "–" if markup.missing(value) else f"{value:.2g}"


def _score(row: dict[str, Any], metric: str) -> str:
    value, low, high = row[metric], row.get(f"{metric}_low", math.nan), row.get(f"{metric}_high", math.nan)
    if markup.missing(value):
        return "–"
    if markup.missing(low) or markup.missing(high):
        return markup.number(value)
    return f"{markup.number(value)} {markup.half_width(low, high)}"


def _flags(row: dict[str, Any]) -> str:
    names = [flag for flag in (row["flags"] or "").split(", ") if flag]
    more = ["unreadable file"] if row["error"] and row["state"] != "broken" else []
    return "".join(_mark(name) for name in [*names, *more])


def _mark(name: str) -> str:
    bad, why = " bad" * (name in BAD), html.escape(WHY.get(name, ""))
    return f'<span class="flag{bad}" title="{why}">{html.escape(name)}</span>'


def _troubles(table: Any) -> list[tuple[str, str]]:
    return [(row["run"], row["error"]) for row in table.to_dict("records") if row["error"]]


page()
