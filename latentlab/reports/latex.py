"""A comparison as a LaTeX table for a paper (booktabs): mean and spread over seeds, and what the numbers rest on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from latentlab.errors import InputError
from latentlab.figures._caption import escape
from latentlab.runs.choice import LEAST, LEVEL, better, choices, judged
from latentlab.runs.comparison import summarise
from latentlab.runs.row import COSTS
from latentlab.system.registry import load, names

if TYPE_CHECKING:
    import pandas as pd

HEADS = {
    "distortion": "Distortion, nats",
    "rate": "Rate, nats",
    "elbo": "ELBO, nats",
    "active_units": "Active units",
}
ARROWS = {"higher": r"$\uparrow$", "lower": r"$\downarrow$", None: ""}
MOST_DIGITS = 4
LONGEST_ACRONYM = 4


class Cell(NamedTuple):
    """One entry: what stands there, and whether its setting is best by that measure."""

    text: str
    best: bool = False


def latex(table: pd.DataFrame, *, measures: Sequence[str] | None = None) -> str:
    """`compare`'s table as a LaTeX ``table`` that needs the package booktabs alone.

    One entry a (setting, measure): the mean over seeds ± their sample standard deviation, or the value alone where
    there is one seed. Bold is only what `choices` names best, over the measures shown. The longer of settings and
    measures goes down the page. The caption says how many seeds there are, what was left out, and how wide the
    intervals and how high the nulls of single runs are. `measures` chooses and orders (costs first, then every
    metric). Raises `InputError` where no run has any.

    >>> from latentlab.runs.comparison import compare
    >>> from latentlab.system.resources import shipped_study
    >>> from latentlab.runs.study import Study
    >>> table = compare(Study(shipped_study()))
    >>> print(latex(table, measures=["rate", "mig"]).splitlines()[4])
    Setting & $n$ & Rate, nats & MIG $\\uparrow$ \\\\
    """
    summary = summarise(table)
    found = [key for key in (*COSTS, *table.attrs["metrics"]) if table[key].notna().any()]
    chosen = list(measures) if measures is not None else found
    for name in chosen:
        if name not in found:
            raise InputError(
                f"the runs do not have the measure {name!r}; available: {', '.join(found) or 'none'}"[:200]
            )
    if not chosen or summary.empty:
        raise InputError("no run has a cost or a score yet; compute them: `latentlab analyze …`")
    best = {each.measure: each.best for each in choices(table, [name for name in judged(table) if name in chosen])}
    cells = {name: _column(summary, name, best.get(name)) for name in chosen}
    heads = {name: f"{escape(_head(name))} {ARROWS[better(name)]}".rstrip() for name in chosen}
    seeds = [str(n) for n in summary["n"]]
    settings = [escape(setting) for setting in summary["setting"]]
    if len(chosen) > len(settings):
        rows = [[heads[name], *map(_shown, cells[name])] for name in chosen]
        body = [["", *settings], ["$n$", *seeds], *rows]
    else:
        rows = [
            [setting, n, *(_shown(cells[name][i]) for name in chosen)]
            for i, (setting, n) in enumerate(zip(settings, seeds, strict=True))
        ]
        body = [["Setting", "$n$", *heads.values()], *rows]
    lines = [" & ".join(row) + r" \\" for row in body]
    lines.insert(1, r"\midrule")
    return "\n".join(
        [
            r"\begin{table}", r"\centering",
            rf"\begin{{tabular}}{{l{'r' * (len(body[0]) - 1)}}}", r"\toprule", *lines, r"\bottomrule", r"\end{tabular}",
            rf"\caption{{{_caption(table, summary, chosen, any(best.values()))}}}", r"\end{table}", "",
        ]
    )  # fmt: skip


def _head(measure: str) -> str:
    if measure in HEADS:
        return HEADS[measure]
    if measure not in names("metrics"):
        return measure
    abbreviated = measure.isalpha() and len(measure) <= LONGEST_ACRONYM  # mig, dci, sap: known by their letters
    return measure.upper() if abbreviated else str(load("metrics", measure).METRIC.title)


def _column(summary: pd.DataFrame, measure: str, best: str | None) -> list[Cell]:
    """The entries of a measure, one per setting, all with the same number of decimals."""
    spread = summary[f"{measure}_sd"].to_numpy(float)
    digits = _digits(measure, spread)
    found = []
    for setting, mean, sd in zip(summary["setting"], summary[f"{measure}_mean"], spread, strict=True):
        number = f"{mean:.{digits}f}".replace("-", "$-$")
        shown = "--" if math.isnan(mean) else number if math.isnan(sd) else rf"{number} $\pm$ {sd:.{digits}f}"
        found.append(Cell(shown, setting == best))
    return found


def _digits(measure: str, spread: Any) -> int:
    """Decimals: one for costs and three for scores, or as many as let the widest spread show a digit."""
    known = [sd for sd in spread if not math.isnan(sd) and sd > 0]
    needed = -math.floor(math.log10(max(known))) if known else 0
    return min(MOST_DIGITS, max(1 if measure in COSTS else 3, needed))


def _shown(cell: Cell) -> str:
    return rf"\textbf{{{cell.text}}}" if cell.best else cell.text


def _caption(table: pd.DataFrame, summary: pd.DataFrame, measures: Sequence[str], bold: bool) -> str:
    several = summary["n"].max() > 1
    sentences = [
        r"Mean $\pm$ sample standard deviation over $n$ seeds"
        + ("; a single seed has no spread" if several and summary["n"].min() < 2 else "")
        if several
        else "There is one seed per setting, so the variation between seeds is unknown"
    ]
    left = int(summary["left_out"].sum()) + int((table["state"] == "broken").sum())
    sentences += [f"{left} broken or diverged run{'s' * (left > 1)} left out"] if left else []
    half = {name: (table[f"{name}_high"] - table[f"{name}_low"]) / 2 for name in measures if f"{name}_low" in table}
    sentences += (
        [rf"Within a run, redrawing the rows gives 95\,\% intervals of at most $\pm$ {_largest(half)}"] if half else []
    )
    nulls = {name: table[f"{name}_null"] for name in measures if f"{name}_null" in table}
    sentences += [f"Randomly rotated codes reach up to {_largest(nulls)}"] if nulls else []
    rule = f"Bold: beats every other setting at a one-sided $p$ of {LEVEL:g} (Holm), {LEAST} seeds each or more"
    sentences += [rule] if bold else []
    return ". ".join(sentences) + "."


def _largest(found: Mapping[str, pd.Series]) -> str:
    """The largest over the runs, by measure."""
    return ", ".join(f"{values.max():.3f} ({escape(_head(name))})" for name, values in found.items())
