"""The tables of documents: what runs were trained with, what they cost, their scores, choices, files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from latentlab.errors import attempt
from latentlab.results import with_half_width
from latentlab.runs.choice import Choice, better
from latentlab.runs.comparison import over_all_rows, summarise
from latentlab.runs.recurring import NOTE as RECURRING
from latentlab.runs.recurring import Recurring, recurring_rows
from latentlab.runs.row import COSTS
from latentlab.runs.run import Run
from latentlab.runs.verdicts import NOTE, middle_rows, sentences, title_of

if TYPE_CHECKING:
    import pandas as pd


class Table(NamedTuple):
    """Headings, rows of cells as text, and a note below."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def facts(table: pd.DataFrame, runs: Sequence[Run]) -> list[str]:
    """What a report is about: the data, and how many runs, settings and seeds."""
    data = dict.fromkeys(run.config.data_name for run in runs)
    settings = table["setting"].dropna().nunique()
    seeds = table["seed"].dropna().nunique()
    counted = [(len(table), "run"), (settings, "setting"), (seeds, "seed")]
    unit = ["nats per example"] if table["distortion"].notna().any() else []
    return [", ".join(data) or "no data", *(f"{n} {what}{'s' * (n != 1)}" for n, what in counted), *unit]


def trained(table: pd.DataFrame) -> Table:
    """One row per setting; runs of a setting that differ in more than their seed have rows of their own."""
    heads = ["setting", "seeds", "latent size", "steps", "codes", "state", "warnings"]
    alike: dict[tuple[str, ...], list[Any]] = {}
    for row in table.itertuples():
        told = (
            text(row.setting) if text(row.setting) != "–" else row.run, text(row.latent_dim), _count(row.steps),
            _of(row.rows, row.of_rows), text(row.state),
            "; ".join(filter(None, (text(row.flags, ""), text(row.error, "")))),
        )  # fmt: skip
        alike.setdefault(told, []).append(row.seed)
    return Table(heads, [[setting, _seeds(seeds), *rest] for (setting, *rest), seeds in alike.items()])


def _seeds(seeds: Sequence[Any]) -> str:
    """Seeds in short: ``0–4, 7``.

    >>> _seeds([4, 0, 1, 2, 7]), _seeds([3])
    ('0–2, 4, 7', '3')
    """
    known = sorted({int(seed) for seed in seeds if text(seed) != "–"})
    parts: list[list[int]] = []
    for seed in known:
        if parts and seed == parts[-1][-1] + 1:
            parts[-1].append(seed)
        else:
            parts.append([seed])
    said = [f"{each[0]}–{each[-1]}" if len(each) > 2 else ", ".join(map(str, each)) for each in parts]
    return ", ".join(said) or "–"


def costs(table: pd.DataFrame) -> Table:
    """Distortion, rate, ELBO and active units of each setting."""
    heads = ["setting", "seeds", "β·d/D", "distortion", "rate", "ELBO", "active units"]
    rows = [
        [row["setting"], str(row["n"]), number(row["normalised_beta"], 4), *(_spread(row, key, 1) for key in COSTS)]
        for row in summarise(table).to_dict("records")
    ]
    return Table(heads, rows, "Mean over seeds and range over seeds.")


def scores(table: pd.DataFrame, runs: Sequence[Run]) -> Table:
    """The scores of each setting over all rows, with what it takes to read them."""
    settings, metrics = summarise(over_all_rows(table)).to_dict("records"), table.attrs["metrics"]
    references = _references(runs)
    rows = []
    for metric in metrics:
        title, arrow = title_of(metric), {"higher": " ↑", "lower": " ↓", None: ""}[better(metric)]
        beside = [_half(table, metric), _largest(table, f"{metric}_null"), number(references.get(metric), 3)]
        rows.append([title + arrow, *(_spread(row, metric, 3) for row in settings), *beside])
    heads = ["score", *(row["setting"] for row in settings), "interval", "rotated", "factors as codes"]
    note = (
        "Mean over seeds and range over seeds, of scores over all rows. Interval: half the widest 95 % interval of a "
        "run over redraws of its rows. Rotated: 95th percentile of randomly rotated codes. Factors as codes: score of "
        "the factors themselves under the same settings (not a bound). A dash: see the caveats."
    )
    return Table(heads, rows, note)


def verdicts(judged: Sequence[Choice]) -> list[str]:
    """Which setting is best by each score, in sentences."""
    return sentences(judged)


def of_choices(judged: Sequence[Choice], read: Callable[[Choice], list[dict[str, str]]], note: str = "") -> Table:
    """What `read` gives for each score, as one table."""
    rows = [{"score": each.measure, **row} for each in judged for row in read(each)]
    return Table(list(rows[0]) if rows else [], [list(row.values()) for row in rows], note)


def middles(judged: Sequence[Choice]) -> Table:
    """The interquartile mean of each setting, by each score."""
    return of_choices(judged, middle_rows, NOTE)


def recurring(found: Recurring) -> Table:
    """The dimensions that recur over the seeds of each setting."""
    rows = recurring_rows(found)
    return Table(list(rows[0]) if rows else [], [list(row.values()) for row in rows], RECURRING)


def _references(runs: Sequence[Run]) -> dict[str, float]:
    found: dict[str, float] = {}
    for run in runs:
        for metric, score in attempt(run.scores, {})[0].items():
            if score.reference is not None:
                found[metric] = max(score.reference, found.get(metric, score.reference))
    return found


def versions(runs: Sequence[Run]) -> Table:
    """What the runs were trained with: one row per thing, with the runs that differ."""
    from latentlab.runs.health import environment

    found: dict[str, dict[str, list[str]]] = {}
    for run in runs:
        for key, value in attempt(partial(environment, run), {})[0].items():
            if not isinstance(value, float) and key not in ("steps", "folder"):
                found.setdefault(key, {}).setdefault(str(value), []).append(run.name)
    rows = [
        [
            key,
            "; ".join(
                value if len(which) == len(runs) else f"{value} ({_few(which)})" for value, which in values.items()
            ),
        ]
        for key, values in found.items()
    ]
    return Table(["what", "version"], rows)


def files(runs: Sequence[Run]) -> Table:
    """The hashes of each run's weights and codes, and which of its files need attention."""
    from latentlab.runs.health import health

    rows = []
    for run in runs:
        table, why = attempt(partial(health, run), None)
        if table is None:
            rows.append([run.name, "", "", why])
            continue
        table = table.set_index("file")
        odd = table[table["state"].isin(["stale", "damaged", "locked", "newer"])]
        states = "; ".join(f"{row.Index} {row.state}: {row.why}" for row in odd.itertuples()) or "as made"
        known = table["sha256"].to_dict()
        hashes = [str(known.get(name, ""))[:16] or "–" for name in ("model.safetensors", "codes.h5ad")]
        rows.append([run.name, *hashes, states])
    return Table(["run", "model.safetensors", "codes.h5ad", "files"], rows, "The first 16 digits of their SHA-256.")


def _few(items: Sequence[str]) -> str:
    return ", ".join(items[:3]) + (f" and {len(items) - 3} more" if len(items) > 3 else "")


def _spread(row: dict[Any, Any], key: str, digits: int) -> str:
    mean, low, high = (row.get(f"{key}_{part}") for part in ("mean", "min", "max"))
    said = number(mean, digits)
    return said if row["n"] < 2 or said == "–" else f"{said} ({number(low, digits)} … {number(high, digits)})"


def _half(table: pd.DataFrame, metric: str) -> str:
    if f"{metric}_low" not in table:
        return "–"
    half = ((table[f"{metric}_high"] - table[f"{metric}_low"]) / 2).max()
    return "–" if half != half else with_half_width(0, -half, half, 3)[1]


def _largest(table: pd.DataFrame, column: str) -> str:
    return number(table[column].max(), 3) if column in table else "–"


def number(value: Any, digits: int) -> str:
    """A number with so many digits after the point; a dash where there is none."""
    return "–" if value is None or value != value else f"{float(value):,.{digits}f}".replace("-", "−")


def _count(value: Any) -> str:
    return text(value) if text(value) == "–" else f"{int(value):,}"


def _of(rows: Any, of_rows: Any) -> str:
    return _count(rows) if text(rows) == text(of_rows) else f"{_count(rows)} of {_count(of_rows)}"


def text(value: Any, otherwise: str = "–") -> str:
    """A cell as text; a dash where it is empty."""
    return otherwise if value is None or str(value) in ("nan", "<NA>", "") else str(value)
