"""Caveats before a study's numbers are believed, in sentences: what was sampled, is missing or cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from latentlab.results import Caveat
from latentlab.runs.choice import LEAST, better, choices
from latentlab.runs.resolution import unresolved
from latentlab.runs.seeds import below_nulls
from latentlab.runs.verdicts import title_of

if TYPE_CHECKING:
    import pandas as pd


def caveats(table: pd.DataFrame) -> list[str]:
    """What `compare`'s table gives reason to beware of, the gravest first; empty where there is nothing.

    >>> from latentlab.runs.comparison import compare
    >>> from latentlab.system.resources import shipped_study
    >>> from latentlab.runs.study import Study
    >>> caveats(compare(Study(shipped_study())))[-1].partition(":")[0]
    'Unresolved difference'
    """
    good = table[~table["state"].isin(["broken", "diverged"])]
    parts = (_seeds, _collapsed, _domain, _rows, _nulls, _unresolved, _missing)
    return [*_left_out(table), *_stale(table), *(sentence for part in parts for sentence in part(good))]


def _left_out(table: pd.DataFrame) -> list[str]:
    found = []
    for state, why in (("broken", "cannot be read"), ("diverged", "stopped because the loss was not finite")):
        names_of = table.loc[table["state"] == state, "run"].tolist()
        found += [f"{_runs(names_of)} {why} and {_is(names_of)} left out of every mean."] if names_of else []
    unfinished = table.loc[table["state"].isin(["unfinished", "empty"]), "run"].tolist()
    found += [f"{_runs(unfinished)} {_is(unfinished)} not trained to the end."] if unfinished else []
    unread = table[(table["state"] != "broken") & table["error"].fillna("").ne("")]
    found += [f"A file of {row.run} cannot be read: {row.error}." for row in unread.itertuples()]
    return [*found, *(f"Folder {name} is left out: {why}." for name, why in table.attrs.get("left_out", {}).items())]


def _stale(table: pd.DataFrame) -> list[str]:
    found = []
    for flag, why, what in (
        ("mixed files", "weights, history or training state belong to another training", "Restore them or retrain."),
        ("stale codes", "the codes were made from different weights than the current ones", "Analyse again."),
        ("stale scores", "the scores were made from different codes than the current ones", "Analyse again."),
        ("older scores", "a metric has changed since, and other runs have its new values", "Analyse again."),
    ):
        here = _flagged(table, flag)
        found += [f"{_runs(here)}: {why}. {what}"] if here else []
    return found


def _seeds(good: pd.DataFrame) -> list[str]:
    seeds = good.groupby("setting", sort=False)["seed"].nunique()
    if seeds.empty or seeds.max() >= LEAST:
        return [f"{name} has one seed, so its spread is unknown." for name in seeds.index[seeds == 1]]
    if seeds.max() == 1:
        return [
            (
                "There is one seed per setting, so the variation between seeds is unknown and no difference can be "
                "attributed to the setting."
            )
        ]
    return [f"At most {seeds.max()} seeds per setting: the spread and the order of settings are uncertain."]


def _collapsed(good: pd.DataFrame) -> list[str]:
    found = []
    here = _flagged(good, "collapsed")
    if here:
        found.append(
            f"{_runs(here)} collapsed: no dimension is in use, so scores of {_its(here)} codes are meaningless."
        )
    plain = good[good["rate"].isna() & good["distortion"].notna()]
    if len(plain):
        named = ", ".join(dict.fromkeys(plain["setting"]))
        found.append(
            f"{named}: a deterministic encoder has no rate, no KL, no ELBO and no active units. Its distortion is not "
            "on the curve of the others, and its dimensions are ranked by variance, whose scale is arbitrary."
        )
    return found


def _domain(good: pd.DataFrame) -> list[str]:
    """In which ways the scored data lie outside the domain where scores mean what they say."""
    said = [(Caveat.from_json(each), each["runs"]) for each in good.attrs.get("caveats", [])]
    return [f"{_runs(runs)}: {each.which}. {_sentence(each.why)} {_sentence(each.remedy)}" for each, runs in said]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _rows(good: pd.DataFrame) -> list[str]:
    found = []
    known = good[good["rows"].notna() & good["judged_rows"].notna()]
    part = known[known["rows"] < known["of_rows"]]
    if len(part):
        rows, of = int(part["rows"].min()), int(part["of_rows"].max())
        found.append(f"The codes shown are {rows:,} of the {of:,} encoded rows.")
    part = known[(known["judged_rows"] > 0) & (known["judged_rows"] < known["rows"])]
    if len(part):
        judged, rows = int(part["judged_rows"].min()), int(part["rows"].max())
        found.append(f"Distortion, and with it the ELBO, is a mean over {judged:,} of {rows:,} rows.")
    return found


def _nulls(good: pd.DataFrame) -> list[str]:
    """Scores that do not exceed both nulls: no evidence that dimensions and factors are aligned."""
    metrics = good.attrs.get("metrics", [])
    below: dict[str, int] = {}
    for metric in metrics:
        if f"{metric}_null" in good and better(metric) == "higher":
            known = good[good[metric].notna() & good[f"{metric}_null"].notna()]
            count = int(below_nulls(known, metric).sum())
            below |= {f"{title_of(metric)} ({count} of {len(known)} runs)": count} if count else {}
    found = []
    if below:
        found.append(
            f"{', '.join(below)} do not exceed the scores of randomly rotated codes or of shuffled rows, so they "
            "give no evidence that dimensions are aligned with factors."
        )
    return found + _bare(good, metrics)


def _unresolved(good: pd.DataFrame) -> list[str]:
    """Which differences between settings evaluating alone could make."""
    judged = [each for each in choices(good) if each.differences]
    return [_sentence(str(each)) for each in unresolved(good, judged)]


def _bare(good: pd.DataFrame, metrics: Sequence[str]) -> list[str]:
    """Which scores have no interval in any run, by the reason."""
    reasons: dict[str, list[str]] = {}
    for metric in metrics:
        if f"{metric}_low" not in good or good[f"{metric}_low"].isna().all():
            said = good[f"{metric}_no_interval"].dropna() if f"{metric}_no_interval" in good else []
            why = next((str(each) for each in said if each), "it was not computed")
            reasons.setdefault(why, []).append(title_of(metric))
    return [f"Without an interval: {', '.join(bare)} ({why})." for why, bare in reasons.items()]


def _missing(good: pd.DataFrame) -> list[str]:
    sentences = {
        "no model": "holds imported codes without a model, so there are no traversals, reconstructions or distortions",
        "not encoded": "was not encoded, so nothing is known about its codes",
        "not scored": "was not scored",
        "no factors": "was analysed on data without known factors, so disentanglement scores cannot be computed",
        "labels only": "was analysed on data whose labels are the only known factor",
    }
    found = []
    for flag, said in sentences.items():
        here = _flagged(good, flag)
        if here:
            found.append(f"{'Every run' if len(here) == len(good) else f'{_runs(here)}: each'} {said}.")
    return found


def _flagged(table: pd.DataFrame, flag: str) -> list[str]:
    return [str(row.run) for row in table.itertuples() if flag in str(row.flags).split(", ")]


def _runs(found: Sequence[str]) -> str:
    return (
        f"{len(found)} runs ({', '.join(found[:4])}{' …' * (len(found) > 4)})" if len(found) > 1 else f"Run {found[0]}"
    )


def _is(found: Sequence[str]) -> str:
    return "are" if len(found) > 1 else "is"


def _its(found: Sequence[str]) -> str:
    return "their" if len(found) > 1 else "its"
