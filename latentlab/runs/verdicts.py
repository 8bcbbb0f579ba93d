"""A choice as people read it: a sentence, its differences and its interquartile means as rows of text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from latentlab.runs.choice import Choice, better
from latentlab.runs.differences import Difference, Middle
from latentlab.system.registry import load, names

NEAREST = 10  # rivals that are shown; a leader far ahead of them needs no further line
NOTE = (
    "Difference: the leader's mean minus the rival's, with its 95 % interval. P(better): how often a seed of the "
    "leader is better than one of the rival. p is one-sided, for this pair alone. Interquartile mean: of the middle "
    "half of the seeds, with a bootstrap's 95 % interval from five seeds on. Of many settings, the leader and its "
    f"{NEAREST} nearest rivals are shown."
)


def title_of(measure: str) -> str:
    """A measure as sentences call it.

    >>> title_of("mig"), title_of("elbo")
    ('Mutual information gap', 'ELBO')
    """
    known = {"elbo": "ELBO", "active_units": "Active units"}
    return str(load("metrics", measure).METRIC.title) if measure in names("metrics") else known.get(measure, measure)


def heading_of(measure: str) -> str:
    """A measure as a narrow column is headed, with an arrow in the direction of better scores where that is down.

    >>> heading_of("mig"), heading_of("unsupervised"), heading_of("elbo")
    ('MIG', 'Gaussian TC ↓', 'ELBO')
    """
    known = load("metrics", measure).METRIC.heading if measure in names("metrics") else title_of(measure)
    return f"{known}{' ↓' * (better(measure) == 'lower')}"


def in_words(parts: Iterable[str]) -> str:
    """Words as a sentence lists them.

    >>> in_words(["β = 1", "β = 2", "AE"])
    'β = 1, β = 2 and AE'
    """
    *most, last = list(parts) or [""]
    return f"{', '.join(most)} and {last}" if most else last


def sentence(choice: Choice) -> str:
    """What was decided and why.

    >>> sentence(Choice("mig", None, "β = 4", (), "β = 4 is the only setting, so there is nothing to compare"))
    'No setting is clearly best: β = 4 is the only setting, so there is nothing to compare.'
    """
    return f"{choice.verdict}: {choice.reason}."


def sentences(judged: Sequence[Choice], called: Callable[[str], str] = title_of) -> list[str]:
    """What was decided by each score; scores of which the same is to be said share a line.

    >>> from dataclasses import replace
    >>> one = Choice("mig", None, "β = 4", (), "β = 4 is the only setting, so there is nothing to compare")
    >>> sentences([one, replace(one, measure="sap")], str)
    ['mig, sap: No setting is clearly best: β = 4 is the only setting, so there is nothing to compare.']
    """
    found: dict[str, list[str]] = {}
    for each in judged:
        found.setdefault(sentence(each), []).append(called(each.measure))
    return [f"{', '.join(measures)}: {said}" for said, measures in found.items()]


def difference_rows(choice: Choice) -> list[dict[str, str]]:
    """The leader against its nearest rivals, the nearest first; a dash for what one seed cannot tell."""
    return [_difference(each) for each in choice.differences[:NEAREST]]


def _difference(each: Difference) -> dict[str, str]:
    return {
        "leader": each.leader,
        "rival": each.rival,
        "difference": f"{each.difference:+.3g}",
        "95 %": _interval(each.interval),
        "P(better)": f"{each.chance:.2f}",
        "p": "–" if each.p is None else f"{each.p:.2g}" if each.p >= 0.001 else "< 0.001",
        "seeds": "paired" if each.paired else "unpaired",
    }


def middle_rows(choice: Choice) -> list[dict[str, str]]:
    """Seeds, mean and interquartile mean of the leader and its nearest rivals, in the order of the settings."""
    shown = {choice.leader, *(each.rival for each in choice.differences[:NEAREST])}
    return [_middle(each) for each in choice.middles if each.setting in shown]


def _middle(each: Middle) -> dict[str, str]:
    return {
        "setting": each.setting,
        "seeds": str(each.seeds),
        "mean": f"{each.mean:.4g}",
        "interquartile mean": f"{each.interquartile_mean:.4g}",
        "95 %": _interval(each.interval),
    }


def _interval(interval: tuple[float, float] | None) -> str:
    return "–" if interval is None else f"{interval[0]:.3g} to {interval[1]:.3g}"
