"""Three questions about a study, each answered in a sentence: is a setting best, what failed, what recurs.

The dashboard's Overview, the report and ``latentlab compare`` say them in these words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latentlab.errors import InputError
from latentlab.runs.choice import LEAST, NO_WINNER, Choice, better, frontiers
from latentlab.runs.convergence import Rest, rest
from latentlab.runs.recurring import Recurrence, Recurring
from latentlab.runs.run import Run
from latentlab.runs.seeds import missed_nulls, usable
from latentlab.runs.verdicts import in_words, title_of

if TYPE_CHECKING:
    import pandas as pd

CLAUSES = 3  # of a sentence; what is beyond them is in the details
SEEDS = "searching for recurring dimensions needs two encoded seeds of a setting"


@dataclass(frozen=True)
class Answer:
    """A question about a study, its answer in one sentence, and what is to be known besides.

    Attributes
    ----------
    question, sentence
        As people read them.
    details
        Further sentences.
    runs
        The names of the runs that the answer is about.
    """

    question: str
    sentence: str
    details: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()


def answers(table: pd.DataFrame, judged: Sequence[Choice], found: Recurring) -> tuple[Answer, Answer, Answer]:
    """The answers for `compare`'s table, the choices that were made of it and the dimensions that recur in it."""
    return best_setting(table, judged), failed_runs(table, losses(table)), recurring_dimensions(found)


def best_setting(table: pd.DataFrame, judged: Sequence[Choice]) -> Answer:
    """Whether one setting of `compare`'s table is clearly best, by the choices that `choices` makes of it.

    >>> from latentlab.runs.choice import choices
    >>> from latentlab.runs.comparison import compare
    >>> from latentlab.runs.study import Study
    >>> from latentlab.system.resources import shipped_study
    >>> table = compare(Study(shipped_study()))
    >>> best_setting(table, choices(table)).question
    'Is one setting clearly best?'
    """
    rivals = [each for each in judged if each.differences]
    leaders = {each.leader for each in rivals}
    about = usable(table)
    named = about.loc[about["setting"].isin(leaders), "run"]
    details = tuple(filter(None, [_not_aligned(about, rivals)]))
    return Answer("Is one setting clearly best?", _best(table, rivals), details, tuple(map(str, named)))


def _best(table: pd.DataFrame, rivals: Sequence[Choice]) -> str:
    winners: dict[str, list[str]] = {}
    for each in rivals:
        if each.best:
            winners.setdefault(each.best, []).append(title_of(each.measure))
    if winners:
        said = "; ".join(f"{name} is best by {_listed(scores)}" for name, scores in winners.items())
        left = sum(each.best is None for each in rivals)
        return f"{said}{f'; {left} other scores name none' if left > 1 else '; one other score names none' * left}."
    if not rivals:
        settings = table["setting"].dropna().nunique()
        if settings < 2:
            return "There is one setting only, so there is nothing to compare."
        return "No score can decide: fewer than two settings have a score, or an ELBO, with a preferred direction."
    counts = max((list(each.seeds.values()) for each in rivals), key=min)
    if min(counts) < LEAST:
        seeds = _counted(max(counts), "seed") if min(counts) == max(counts) else f"{min(counts)} to {max(counts)} seeds"
        return f"{NO_WINNER}: with {seeds} each it cannot be decided; at least {LEAST} are needed."
    if all(each.verdict != NO_WINNER for each in rivals):
        return f"The settings cannot be compared: {rivals[0].reason}."
    return f"{NO_WINNER} by any of {len(rivals)} score{'s' * (len(rivals) != 1)}."


def _not_aligned(runs: pd.DataFrame, rivals: Sequence[Choice]) -> str:
    """Which scores do not beat their nulls, and in how many runs: they name no winner, whatever the means are."""
    found = []
    for each in rivals:
        below, of = missed_nulls(runs, each.measure) if better(each.measure) == "higher" else (0, 0)
        found += [f"{title_of(each.measure)} ({below} of {of} runs)"] if below else []
    return f"Not above permuted or rotated codes: {_listed(found, most=len(found))}." if found else ""


def losses(table: pd.DataFrame) -> dict[str, Rest | None]:
    """Whether the loss of each finished run of `compare`'s table still fell, by the run's name; see `loss`."""
    finished = table[(table["state"] == "finished") & table["path"].notna()]
    runs = [Run(path) for path in finished["path"]]
    return {run.name: loss(run) for run in runs if run.config.has_model and not run.config.imported}


def loss(run: Run) -> Rest | None:
    """Whether the run's loss still fell when its learning rate did; None where too few steps were logged to tell."""
    try:
        return rest(run, of_loss=True)
    except InputError:
        return None


def failed_runs(table: pd.DataFrame, at_rest: Mapping[str, Rest | None]) -> Answer:
    """Which runs of `compare`'s table collapsed, diverged, were not trained for long enough or cannot be read."""
    bad = {what: table[_flagged(table, what)] for what in ("collapsed", "diverged", "unfinished", "empty")}
    short = table[table["run"].isin([name for name, each in at_rest.items() if each is not None and each.rising])]
    unread = table[(table["state"] == "broken") | table["error"].fillna("").ne("")]
    said = [_collapse(table, bad["collapsed"], bad["diverged"]), _short(short, at_rest)]
    stopped = len(bad["unfinished"]) + len(bad["empty"])
    said += [f"{_counted(stopped, 'run')} {_was(stopped)} not trained to the end"] if stopped else []
    said += [f"{_counted(len(unread), 'run')} cannot be read in full"] if len(unread) else []
    left = table.attrs.get("left_out", {})
    said += [f"{_counted(len(left), 'folder')} {'are' if len(left) > 1 else 'is'} left out"] if left else []
    runs = dict.fromkeys(str(run) for each in (*bad.values(), short, unread) for run in each["run"])
    details = [*_gains(short, at_rest), *_unjudged(at_rest)]
    details += [f"{row.run}: {row.error}." for row in unread.itertuples()]
    details += [f"The folder {name} is left out: {why}." for name, why in left.items()]
    return Answer(
        "Which runs collapsed, diverged or are under-trained?",
        f"{'; '.join(filter(None, said))}.",
        tuple(details),
        tuple(runs),
    )


def _flagged(table: pd.DataFrame, flag: str) -> pd.Series[bool]:
    return table["flags"].fillna("").str.split(", ").map(lambda flags: flag in flags)


def _collapse(table: pd.DataFrame, collapsed: pd.DataFrame, diverged: pd.DataFrame) -> str:
    """What collapsed or diverged, or that nothing did, of the runs whose active units are known."""
    known = int(table["active_units"].notna().sum())
    if not len(collapsed) and not len(diverged):
        return f"No run collapsed or diverged{_as_far_as(table)}" if known else "No run diverged"
    parts = [f"{_where(each)} {verb}" for each, verb in ((collapsed, "collapsed"), (diverged, "diverged")) if len(each)]
    return " and ".join(parts)


def _as_far_as(table: pd.DataFrame) -> str:
    """Up to which β that was looked at, where the study is of one family."""
    found = frontiers(table)
    if len(found) != 1 or found[0].safe is None:
        return ""
    unread = max(found[0].unread, default=0.0)
    return f" (β ≤ {found[0].safe:g}, the largest {'read' if unread > found[0].safe else 'tried'})"


def _short(short: pd.DataFrame, at_rest: Mapping[str, Rest | None]) -> str:
    known = sum(each is not None for each in at_rest.values())
    if not known:
        return ""
    if not len(short):
        return "none is under-trained" if known == len(at_rest) else f"none of {known} is under-trained"
    if len(short) == known:
        return f"all {known} are under-trained" if known > 1 else "it is under-trained"
    return f"{_where(short)} {'are' if len(short) > 1 else 'is'} under-trained"


def _gains(short: pd.DataFrame, at_rest: Mapping[str, Rest | None]) -> list[str]:
    gains = [each.gain for name in short["run"] if (each := at_rest[name]) is not None]
    if not gains:
        return []
    span = f"{min(gains):.2g}" if len(gains) == 1 else f"{min(gains):.2g} to {max(gains):.2g}"
    return [
        f"Under-trained: before the learning rate fell, the loss still fell by {span} nats in a quarter of the steps."
    ]


def _unjudged(at_rest: Mapping[str, Rest | None]) -> list[str]:
    unknown = sum(each is None for each in at_rest.values())
    few = f"too few logged steps to tell whether {'they are' if unknown > 1 else 'it is'} under-trained"
    return [f"{_counted(unknown, 'run')}: {few}."] if unknown else []


def _where(runs: pd.DataFrame) -> str:
    """Runs by their settings: ``2 runs (β = 8, β = 16)``."""
    settings = [str(name) for name in dict.fromkeys(runs["setting"])]
    return f"{_counted(len(runs), 'run')} ({_listed(settings, what='setting')})"


def recurring_dimensions(found: Recurring) -> Answer:
    """Which dimensions recur over the seeds of a setting, those in every seed first."""
    groups = [each for each in found.groups if each.recurring]
    clauses = [*_in_every_seed(groups), *_in_some_seeds(groups)]
    searched = [name for name in dict.fromkeys(each.setting for each in found.groups) if name not in found.without]
    if clauses:
        more = len(clauses) - CLAUSES
        said = f"{'; '.join(clauses[:CLAUSES])}{f'; and {more} more' if more > 0 else ''}."
        sentence = said[:1].upper() + said[1:]
    else:
        sentence = "No dimension recurs over the seeds of any setting." if searched else f"Not known: {_why(found)}."
    without = [name for name in searched if name not in {each.setting for each in groups}]
    details = [f"Nothing recurs over the seeds of {_listed(without, most=6)}."] if clauses and without else []
    details += [f"{'; '.join(clauses[CLAUSES:])}."] if len(clauses) > CLAUSES else []
    details += [f"{name}: {why}." for name, why in found.without.items()] if searched else []
    members = dict.fromkeys(member.run for each in groups for member in each.members)
    return Answer("Which dimensions recur over the seeds?", sentence, tuple(details), tuple(members))


def _why(found: Recurring) -> str:
    """Why no setting was searched, where all have the same reason."""
    reasons = set(found.without.values())
    return reasons.pop() if len(reasons) == 1 else SEEDS


def _in_every_seed(groups: Iterable[Recurrence]) -> list[str]:
    """Names of dimensions that all seeds have, those of the same settings together."""
    settings: dict[str, list[str]] = {}
    for each in groups:
        if len(each.members) == each.of_seeds and each.setting not in settings.setdefault(_called(each), []):
            settings[_called(each)].append(each.setting)
    names: dict[tuple[str, ...], list[str]] = {}
    for name, where in settings.items():
        names.setdefault(tuple(where), []).append(name)
    return [
        f"every seed of {_listed(where)} has {_listed(each, most=6)}"
        for where, each in sorted(names.items(), key=lambda pair: -len(pair[0]))
    ]


def _in_some_seeds(groups: Iterable[Recurrence]) -> list[str]:
    some = [each for each in groups if len(each.members) < each.of_seeds]
    some.sort(key=lambda each: -len(each.members) / each.of_seeds)
    said = [f"{len(each.members)} of {each.of_seeds} seeds of {each.setting} have {_called(each)}" for each in some]
    return list(dict.fromkeys(said))


def _called(group: Recurrence) -> str:
    return group.called or "a dimension without a name"


def _listed(items: Sequence[str], most: int = CLAUSES, what: str = "") -> str:
    """``a, b and c``; of more than `most`, the first ones and how many others, of `what`."""
    more = len(items) - most
    others = f"{more} more {what}{'s' * (more > 1)}" if what else f"{more} more"
    items = [*items[:most], others] if more > 0 else list(items)
    return in_words(items)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
