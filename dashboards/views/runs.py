"""Runs: what the study holds, what each run cost and reached, and the scores of one of them in context."""

from __future__ import annotations

import html
from typing import Any

import choice
import markup
import panels
import reads
from drawings import command
from tabulated import runs_table

from latentlab.metrics._card import card
from latentlab.results import Caveat
from latentlab.runs.run import Run
from latentlab.runs.verdicts import heading_of
from latentlab.system.numbers import percent
from latentlab.system.registry import names

BESIDE = [
    ("score", "wrap"),
    *((name, "num") for name in ("value", "interval", "profile’s draw", "permuted", "rotated", "factors as codes")),
    *((name, "num") for name in ("active only", "sampled", "test = train")),
    ("settings", "wrap"),
]


def page() -> None:
    """The whole page."""
    choice.leave_for_run()
    chosen = reads.study()
    facts = reads.counted()
    panels.head("Runs", facts, "runs", make=command("compare", chosen.path), data=reads.table, on_pick=choice.open_run)
    runs_table("runs")
    if chosen.runs:
        _scores(choice.current())


@panels.part
def _scores(run: Run) -> None:
    """The chosen run's scores with all that stands beside them."""
    title, label = "Scores in context", reads.label(run.name)
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
                "Null: 95th percentile for shuffled or randomly rotated codes"
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
    overlap = "–" if markup.missing(row["overlap"]) else percent(row["overlap"], 1)
    return [
        f'<b title="{html.escape(_card(row["metric"]))}">{html.escape(heading_of(row["metric"]))}</b>{several}',
        markup.number(row["whole"] if drawn else row["value"]),
        (f'<span title="{html.escape(row["missing"])}">–</span>' if markup.missing(row["low"]) else f"{low} … {high}"),
        markup.number(row["value"]) if drawn else "–",
        markup.number(row["permuted"]),
        rotated,
        *more,
        overlap,
        f'<span class="soft">{html.escape(row["settings"])}</span>',
    ]


page()
