"""Panels of what `latentlab debias`, `outliers`, `probe` and `explain` found out about a run.

Each shows the figure of its verb, or says which command makes what is missing. They stand on the pages Support and
Dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import markup
import panels
import reads
from drawings import Drawing

from latentlab.analysis.debias.record import FILE as EXTREMES
from latentlab.analysis.explain.record import FILE as EFFECTS
from latentlab.analysis.explain.record import effects_of
from latentlab.analysis.explain.table import explained
from latentlab.analysis.outliers.record import FILE as OUTLIERS
from latentlab.analysis.outliers.record import load_outliers
from latentlab.analysis.probe.record import FILE as PROBES
from latentlab.figures._text import describe
from latentlab.runs.commands import command
from latentlab.runs.run import Run
from latentlab.system.numbers import percent


def _there(run: Run, file: str) -> bool:
    return (run.path / file).is_file()


NO_ENCODER = "This model has only a decoder: its codes are samples from the prior, not codes of images."
NO_DECODER = "This model has no decoder, so the effect of a dimension cannot be shown."


WITH_DECODER = "A decoder would show here what each dimension changes in a sample."


def _no_encoder(run: Run) -> str:
    return NO_ENCODER if run.config.has_model else f"{panels.NO_MODEL} With its encoder, other data could be encoded."


def _panel(
    title: str, facts: Sequence[str], key: str, drawing: Drawing, missing: str, fix: str, *, never: str = ""
) -> bool:
    """The head and the figure, or what makes it, or why this model `never` has it; whether it is there."""
    panels.head(title, facts, key, make="" if missing else drawing, small=True)
    if missing and never:
        panels.explain("Not available", never)
        return False
    if missing:
        panels.explain("Not computed yet", missing, fix)
        return False
    drawn = drawing.interactive()
    told = str(drawn.layout.meta["subtitle"])
    panels.note(told.removeprefix(f"{describe(drawing.runs[0])} · "))
    panels.chart(drawn, f"{key}-chart")
    return True


@panels.part
def foreign(run: Run) -> None:
    """Out-of-distribution detection: every score beside the baselines that need no model."""
    missing = "" if _there(run, OUTLIERS) else "Out-of-distribution detection has not been measured for this run."
    fix = command("outliers", run.path, "--against", Path("DATA"))
    facts = [reads.label(run.name), "compared with baselines that need no model"]
    drawing, never = Drawing("outliers", (run,)), "" if run.encodes else _no_encoder(run)
    if not _panel("Out-of-distribution detection", facts, "outliers", drawing, missing, fix, never=never):
        return
    for entry in load_outliers(run).values():
        name, value = entry["best_baseline"]
        better = ", ".join(entry.get("beyond_baselines", ())) or "none of the model's scores"
        reached = f"{name} (AUROC {markup.number(value, 3)})"
        panels.note(
            f"{entry['own']} against {entry['against']}. Best baseline: {reached}. Significantly better: {better}."
        )


@panels.part
def rare(run: Run) -> None:
    """The rarest and commonest training rows under the latent distribution."""
    missing = "" if _there(run, EXTREMES) else "The density of training rows in latent space has not been estimated."
    facts = [reads.label(run.name), "rare rows are not necessarily important: noise is rare, too"]
    fix = command("debias", run.path, "-o", "weights.npy")
    drawing, never = Drawing("rare-rows", (run,)), "" if run.encodes else _no_encoder(run)
    _panel("Rare and common rows", facts, "rare-rows", drawing, missing, fix, never=never)


@panels.part
def few_labels(runs: Sequence[Run]) -> None:
    """Accuracy with few labels on the codes of the study's runs."""
    missing = (
        "" if any(_there(run, PROBES) for run in runs) else "Few-label accuracy has not been measured for any run."
    )
    facts = ["from codes only", "rotation does not change this score"]
    fix = command("probe", reads.study().path)
    without = all("no factors" in flags for flags in reads.table()["flags"].dropna())
    never = "These data have no known factors or labels." if without else ""
    _panel(
        "Accuracy with few labels", facts, "few-labels", Drawing("few-labels", tuple(runs)), missing, fix, never=never
    )


@panels.part
def effects(run: Run) -> None:
    """Where in the picture each dimension acts, how straight its path is, and what it follows."""
    missing = (
        "" if _there(run, EFFECTS) else f"The effect of each dimension on the {run.config.noun} has not been measured."
    )
    facts = [reads.label(run.name), "exact derivative of the decoder", "per standard deviation of the code"]
    drawing, fix = Drawing("effects", (run,)), command("explain", run.path)
    never = "" if run.decodes else NO_DECODER if run.config.has_model else f"{panels.NO_MODEL} {WITH_DECODER}"
    if not _panel("Where each dimension acts", facts, "effects", drawing, missing, fix, never=never):
        return
    table = explained(run, effects_of(run))
    columns = [
        ("dim", ""),
        ("strength", "num"),
        ("share", "num"),
        (f"of the {run.config.noun}", "num"),
        ("straightness", "num"),
    ]
    columns += [("follows", ""), ("and", ""), ("leaks into", "")]
    panels.show(markup.rows_html(columns, [_row(row) for row in table.to_dict("records")]))
    panels.note(
        f"Strength: root mean square {run.config.form.place} change, in units of the model's input, per standard "
        "deviation of the code. Straightness: 1 is a cross-fade; motion bends the path."
    )


def _row(row: dict[Any, Any]) -> tuple[list[str], str, str]:
    follows = [_factor(row["top_factor"], row["mi"]), _factor(row["second_factor"], row["second_mi"])]
    follows.append(_factor(row["leaks_into"], row["leakage"]))
    ends = (row["straightness_low"], row["straightness_high"])
    spread = "" if markup.missing(ends[0]) else markup.half_width(*ends)
    cells = [
        f"<b>{row['dim']}</b>",
        markup.number(row["strength"], 3),
        percent(row["strength_share"]),
        markup.number(row["area"]),
        f"{markup.number(row['straightness'])} {spread}",
        *follows,
    ]
    return cells, "", "off" if row["active"] is False else ""


def _factor(name: str | None, value: float) -> str:
    return f"{markup.text(name)} {markup.number(value)}" if name else '<span class="soft">none</span>'
