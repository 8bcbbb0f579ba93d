"""Runs: what the study holds, what each run cost and reached, and what to beware of."""

from __future__ import annotations

import html
import math
from typing import Any

import choice
import markup
import paged
import panels
import reads
import streamlit as st
from drawings import command

from latentlab.metrics._card import card
from latentlab.results import Caveat
from latentlab.runs.run import Run
from latentlab.system.registry import names

BESIDE = [
    ("score", "wrap"),
    *((name, "num") for name in ("value", "interval", "profile’s draw", "permuted", "rotated", "factors as codes")),
    *((name, "num") for name in ("active only", "sampled", "test = train")),
    ("settings", "wrap"),
]
SORTED = {
    "run": "run",
    "setting": "setting",
    "seed": "seed",
    "normalised_beta": "β·d/D",
    "distortion": "distortion",
    "rate": "rate",
    "elbo": "ELBO",
    "active_units": "active",
    "flags": "flags",
}
BAD = {"collapsed", "diverged", "broken"}
WHY = {
    "collapsed": "no latent dimension is active: Var_x E[z|x] ≤ 0.01 for all",
    "diverged": "the loss was not finite; the last good checkpoint was kept",
    "unfinished": "training stopped early; `latentlab train … --resume` continues it",
    "empty": "no weights yet",
    "no model": "codes were imported without a model: they can be viewed, scored and compared, but not decoded",
    "stale codes": "the weights changed after encoding; `latentlab analyze` encodes again",
    "stale scores": "the codes changed after scoring; run `latentlab analyze --only score`",
    "older scores": "a metric has changed since, and other runs have its new values; `latentlab analyze --only score`",
    "not encoded": "`latentlab analyze` has not been run on it",
    "not scored": "`latentlab analyze --only score` has not been run on it",
    "labels only": "labels are the only known factor, so disentanglement scores mean little",
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
        "means in nats per example; scores over all rows ± half of their 95 % interval",
        "pick a row to open the run",
    ]
    panels.head("Runs", facts, "runs", make=command("compare", chosen.path), data=reads.table, on_pick=choice.open_run)
    metrics = markup.by_use(table.attrs["metrics"])
    shown = paged.page_of(table, {**SORTED, **{name: markup.metric_name(name) for name in metrics}})
    st.html(
        markup.rows_html(_columns(table), [_row(row, metrics) for row in shown.to_dict("records")], "runs"),
    )
    for name, why in _troubles(shown):
        panels.explain(name, why)
    if chosen.runs:
        _scores(choice.current())


@panels.part
def _scores(run: Run) -> None:
    """The chosen run's scores with all that stands beside them."""
    title, label = "Uncertainty and baselines for each score", reads.label(run.name)
    if not run.has("score"):
        panels.head(title, [label], "beside-scores", small=True)
        panels.explain(
            "No scores yet", f"{label} has not been scored.", command("analyze", run.path, "--only", "score")
        )
        return
    scores = reads.scorecard(run)
    panels.head(
        title,
        [
            label,
            (
                "value over all rows with its 95 % interval · the profile’s draw if it uses some of the rows · "
                "nulls: 95th percentile for permuted factors or randomly rotated codes"
            ),
        ],
        "beside-scores",
        small=True,
        make=command("analyze", run.path, "--only", "score"),
        data=lambda: reads.scorecard(run),
    )
    kept = scores.set_index("metric").loc[markup.by_use(scores["metric"].tolist())].reset_index()
    panels.show(markup.rows_html(BESIDE, [(_beside(row), "", "") for row in kept.to_dict("records")]))
    for each in map(Caveat.from_json, run.scored.get("caveats") or ()):
        panels.note(f"{each.which.capitalize()}: {each.why}. {each.remedy[:1].upper()}{each.remedy[1:]}.")
    panels.note(
        "Intervals and nulls of metrics that train a model take minutes; compute them with latentlab analyze "
        "--resample-slow. The score of the factors themselves is not a bound. For the spread over seeds, see β sweep."
    )


def _card(metric: str) -> str:
    """What to know of a metric while reading it; empty for one that is no longer there."""
    return card(metric).summary if metric in names("metrics") else ""


def _beside(row: dict[str, Any]) -> list[str]:
    several = f"<br><small>{html.escape(row['parts'])}</small>" if row["parts"] else ""
    low, high = (markup.number(row[key]) for key in ("low", "high"))
    rotated = markup.number(row["rotated"])
    if row["aligned"] is False:
        rotated += (
            ' <span class="flag" title="rotated or shuffled codes score as high: no evidence of alignment with '
            'the axes">'
            "≥</span>"
        )
    drawn = not markup.missing(row["whole"])
    more = [markup.number(row[key]) for key in ("reference", "active", "sampled")]
    overlap = "–" if markup.missing(row["overlap"]) else f"{row['overlap']:.1%}"
    return [
        f'<b title="{html.escape(_card(row["metric"]))}">{html.escape(markup.metric_name(row["metric"]))}</b>{several}',
        markup.number(row["whole"] if drawn else row["value"]),
        "–" if markup.missing(row["low"]) else f"{low} … {high}",
        markup.number(row["value"]) if drawn else "–",
        markup.number(row["permuted"]),
        rotated,
        *more,
        overlap,
        f'<span class="soft">{html.escape(" · ".join(filter(None, (row["settings"], row["missing"]))))}</span>',
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
    """The value over all rows with half its interval; hovering names the profile's own draw, or why there is none."""
    value, whole = row[metric], row.get(f"{metric}_whole", math.nan)
    low, high = row.get(f"{metric}_low", math.nan), row.get(f"{metric}_high", math.nan)
    if markup.missing(value):
        return "–"
    told = "" if markup.missing(whole) else f"the profile’s own draw: {markup.number(value)}"
    shown = value if markup.missing(whole) else whole
    if markup.missing(low) or markup.missing(high):
        told = " · ".join(filter(None, (told, f"no interval: {row.get(f'{metric}_no_interval') or 'not computed'}")))
        return f'<span title="{html.escape(told)}">{markup.number(shown)}</span>'
    return f'<span title="{html.escape(told)}">{markup.number(shown)} {markup.half_width(low, high)}</span>'


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
