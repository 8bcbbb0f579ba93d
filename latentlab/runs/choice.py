"""Whether one setting is better than the others by a score, and which runs lie on the rate–distortion frontier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from latentlab.errors import InputError
from latentlab.results import Result, plain
from latentlab.runs.differences import (
    HARSHEST,
    LEVEL,
    UNEVEN,
    Difference,
    Middle,
    against_rivals,
    middle,
    seeds_to_decide,
)
from latentlab.runs.seeds import by_seed, check_measure, incomparable, missed_nulls, usable, without_value
from latentlab.system.registry import load, names

if TYPE_CHECKING:
    import pandas as pd

LEAST = 4  # seeds: with three each, no exact rank test reaches one-sided 0.025
NO_WINNER = "No setting is clearly best"
RULE = (
    "A setting is named best only when it beats every other one and there are enough seeds that this would happen by "
    f"chance less than 5 % of the time: one-sided p ≤ {LEVEL:g} with at least {LEAST} seeds each. If both have the "
    "same seeds, p is 1.5 times the smaller one of Welch's t-test and the t-test paired by seed; otherwise the larger "
    f"one of Welch's and the exact Mann–Whitney test. Where one variance is more than {UNEVEN:g} times the other, p "
    f"counts up to {HARSHEST:g} times. Holm's correction covers all scores that are judged. A score "
    "that does not beat permuted and rotated codes names no winner."
)


@dataclass(frozen=True)
class Frontier:
    """Where an objective's runs of one latent size collapse as β grows.

    ``safe`` is the largest β up to which no seed has collapsed, ``collapsed`` the smallest at which one has; None where
    there is none. The frontier of these seeds lies between them. ``active`` is the mean number of active units by β,
    ``seeds`` how many seeds there are: n seeds without collapse leave a chance of up to 1 − 0.05^(1/n) for the next
    (63 % for three, 26 % for ten), at 95 % confidence. ``unread`` are the β that were tried, and of which no run tells
    its active units: it diverged, was not encoded, or its codes cannot be read.
    """

    family: str
    safe: float | None
    collapsed: float | None
    active: dict[float, float]
    seeds: dict[float, int] = field(default_factory=dict, compare=False)
    unread: tuple[float, ...] = ()

    @property
    def unseen(self) -> float | None:
        """The upper 95 % bound of the chance that another seed collapses at ``safe``; None where there is no ``safe``.

        >>> round(Frontier("beta-vae", 4.0, None, {4.0: 5.0}, {4.0: 3}).unseen, 2)
        0.63
        """
        return None if self.safe is None or not self.seeds else 1 - 0.05 ** (1 / self.seeds[self.safe])


def frontiers(table: pd.DataFrame) -> list[Frontier]:
    """The frontier of collapse of every objective and latent size in `compare`'s table that has a β.

    A run has collapsed when none of its units is active: Var_x E[z|x] ≤ 0.01 for all of them. Several of one objective
    are told apart by their latent size. Runs that are broken or diverged are left out.
    """
    tried = table[table["beta"].notna()]
    known = tried[tried["active_units"].notna() & ~tried["state"].isin(["broken", "diverged"])]
    sizes = known["latent_dim"].nunique()
    found = []
    for (objective, size), group in known.groupby(["objective", "latent_dim"], sort=False):
        units = group.groupby("beta")["active_units"].agg(["mean", "min", "size"])
        bad = units.index[units["min"] == 0]
        first = float(bad.min()) if len(bad) else None
        good = [float(beta) for beta in units.index if first is None or beta < first]
        name = f"{objective}, latent size {size}" if sizes > 1 else str(objective)
        active = {float(beta): float(mean) for beta, mean in units["mean"].items()}
        seeds = {float(beta): int(size) for beta, size in units["size"].items()}
        family = tried[(tried["objective"] == objective) & (tried["latent_dim"] == size)]
        unread = tuple(sorted(set(family["beta"].astype(float)) - set(active)))
        found.append(Frontier(name, max(good, default=None), first, active, seeds, unread))
    return found


@dataclass(frozen=True)
class Choice(Result):
    """Which setting is best by one measure, or why none can be named.

    Parameters
    ----------
    measure : str
        The measure.
    best : str or None
        None where seeds cannot tell; ``verdict`` and ``reason`` say so in words.
    leader : str or None
        The setting with the best mean.
    rivals : tuple of str
        The settings that it does not clearly beat.
    reason : str
        Why none can be named; empty where one is.
    verdict : str
        The answer in a few words.
    p : float, optional
        One-sided, the largest over the rivals (intersection–union, Berger 1982); None where nothing was tested.
    adjusted : float, optional
        The same after Holm's correction over ``scores`` judged measures.
    scores : int
        How many measures were judged.
    seeds : mapping
        The distinct seeds of each setting.
    seeds_needed : int, optional
        How many seeds each would decide it with 90 % probability if means and spreads stay as they are; None where it
        is decided, needs over 1,000, or is not known.
    differences : tuple of Difference
        The leader against every rival.
    middles : tuple of Middle
        Every setting's mean and interquartile mean.
    settings : mapping
        The level of the tests and the least number of seeds.
    """

    measure: str
    best: str | None
    leader: str | None
    rivals: tuple[str, ...]
    reason: str
    verdict: str = NO_WINNER
    p: float | None = None
    adjusted: float | None = None
    scores: int = 1
    seeds: Mapping[str, int] = field(default_factory=dict)
    seeds_needed: int | None = None
    differences: tuple[Difference, ...] = ()
    middles: tuple[Middle, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=lambda: {"level": LEVEL, "least_seeds": LEAST})

    def to_frame(self) -> pd.DataFrame:
        """The choice as a table.

        Returns
        -------
        DataFrame
            A row per rival: the leader's difference from it, interval, p and P(better).
        """
        import pandas as pd

        return pd.DataFrame([each.to_json() for each in self.differences], columns=[*Difference.__dataclass_fields__])

    def to_json(self) -> dict[str, Any]:
        """The choice as JSON.

        Returns
        -------
        dict
            Plain JSON values by field.
        """
        content: dict[str, Any] = plain(asdict(self))
        return content


def better(measure: str) -> str | None:
    """Whether ``"higher"`` or ``"lower"`` is better by a measure; None where neither is, or it is not known."""
    if measure in names("metrics"):
        found: str | None = load("metrics", measure).METRIC.better
        return found
    return {"elbo": "higher", "distortion": "lower"}.get(measure)


def choice(table: pd.DataFrame, measure: str) -> Choice:
    """The setting of `compare`'s table that is best by a measure that was chosen before looking, if there is one.

    It corrects for comparing several settings, not for several measures: `choices` does. Raises `InputError` for a
    measure without a preferred direction, or one that no run has.
    """
    return choices(table, [measure])[0]


def choices(table: pd.DataFrame, measures: Sequence[str] | None = None) -> tuple[Choice, ...]:
    """Find the best setting of `compare`'s table by each of several measures, with Holm's correction over them.

    Parameters
    ----------
    table : DataFrame
        The table that `compare` returns.
    measures : sequence of str, optional
        By default every metric with a value and a preferred direction, and the ELBO; distortion is not judged, for the
        least β wins it by definition.

    Returns
    -------
    tuple of Choice
        One per measure. At least one wrong winner is named in at most 5 % of studies whose settings do not differ.

    Raises
    ------
    InputError
        For another table, a measure without a preferred direction, and one that no run has.

    References
    ----------
    Holm (1979), A Simple Sequentially Rejective Multiple Test Procedure. Berger (1982), Multiparameter Hypothesis
    Testing and Acceptance Sampling.

    Examples
    --------
    >>> from latentlab.runs.comparison import compare
    >>> from latentlab.system.resources import shipped_study
    >>> from latentlab.runs.study import Study
    >>> choices(compare(Study(shipped_study())), ["dci"])[0].verdict
    'No setting is clearly best'
    """
    if not hasattr(table, "attrs"):
        raise InputError(f"choices got a {type(table).__name__}; expected the table that ll.compare gives")
    drafts = [_contest(table, measure) for measure in (judged(table) if measures is None else measures)]
    adjusted = _holm([each.p for each in drafts])
    scores = sum(each.p is not None for each in drafts) or len(drafts)
    return tuple(_verdict(table, each, p, scores) for each, p in zip(drafts, adjusted, strict=True))


def judged(table: pd.DataFrame) -> list[str]:
    """The measures of `compare`'s table that `choices` judges by default: metrics with a preferred direction, ELBO."""
    known = [*table.attrs.get("metrics", []), "elbo"]
    return [name for name in known if name in table and better(name) and table[name].notna().any()]


def _contest(table: pd.DataFrame, measure: str) -> Choice:
    """The leader against every rival, not judged yet; without p where the runs may not be tested against each other."""
    direction = better(measure)
    if direction is None:
        raise InputError(f"{measure} has no preferred direction, so it cannot rank settings; judge by another"[:200])
    check_measure(table, measure)
    values = by_seed(table, measure)
    if not values:
        return Choice(measure, None, None, (), f"no run has a value of {measure}")
    leader, differences = against_rivals(values, higher=direction == "higher")
    settings = tuple(middle(name, each) for name, each in values.items())
    seeds = {name: len(each) for name, each in values.items()}
    found = Choice(measure, None, leader, (), "", seeds=seeds, differences=differences, middles=settings)
    if not differences:
        return replace(found, reason=f"{leader} is the only setting, so there is nothing to compare")
    problem = incomparable(table, measure)
    if problem:
        return replace(found, verdict="Not comparable", reason=problem)
    if min(seeds.values()) < LEAST:
        return found
    return replace(found, p=max(each.p for each in differences if each.p is not None))


def _holm(values: Sequence[float | None]) -> list[float | None]:
    """Holm's adjusted p (1979) of those that are there, in the order given.

    >>> _holm([0.01, None, 0.04, 0.02])
    [0.03, None, 0.04, 0.04]
    """
    found: list[float | None] = [None] * len(values)
    tested = sorted((p, place) for place, p in enumerate(values) if p is not None)
    largest = 0.0
    for rank, (p, place) in enumerate(tested):
        largest = max(largest, min(1.0, (len(tested) - rank) * p))
        found[place] = largest
    return found


def _verdict(table: pd.DataFrame, contest: Choice, adjusted: float | None, scores: int) -> Choice:
    """The contest with its verdict."""
    judged = replace(contest, adjusted=adjusted, scores=scores)
    if judged.reason:
        return judged
    missed = _below_nulls(table, judged)
    if missed:
        return replace(judged, rivals=tuple(each.rival for each in judged.differences), reason=missed)
    if judged.p is None or adjusted is None:
        return _undecidable(table, judged)
    if adjusted > LEVEL:
        rivals = tuple(each.rival for each in judged.differences if each.p is None or each.p > LEVEL)
        judged = replace(judged, rivals=rivals, seeds_needed=_needed(table, judged))
        return replace(judged, reason=_undecided(judged))
    reason = f"it beats every other setting (largest p {_told_p(judged)})"
    left = without_value(table, judged.measure, judged.seeds)
    reason += f"; {left} diverged run{'s' * (left != 1)} or without a value left out" if left else ""
    return replace(judged, best=judged.leader, verdict=f"{judged.leader} is best", reason=reason)


def _below_nulls(table: pd.DataFrame, found: Choice) -> str:
    """Why the leader's values are no evidence of alignment, however far ahead they are; "" where they beat the nulls.

    More seeds cannot change that, so it is looked at before the number of seeds is.
    """
    if better(found.measure) != "higher":
        return ""
    runs = usable(table)
    missed, of = missed_nulls(runs[runs["setting"] == found.leader], found.measure)
    everywhere = "{} of all {}".format(*missed_nulls(runs, found.measure))
    ahead = f"{found.leader} has the best mean, but {missed} of its {of} runs do not beat"
    return f"{ahead} permuted or rotated codes ({everywhere} runs)" if missed else ""


def _undecidable(table: pd.DataFrame, found: Choice) -> Choice:
    """Too few seeds: how many, and how many more."""
    fewest = min(found.seeds.values())
    short: dict[int, list[str]] = {}
    for name, n in found.seeds.items():
        if n < LEAST:
            short.setdefault(LEAST - n, []).append(name)
    alike = len(short) == 1 and len(short.get(LEAST - fewest, ())) == len(found.seeds)
    more = "; ".join(f"{k} more {'each' if alike else f'for {_named(each)}'}" for k, each in sorted(short.items()))
    needed = LEAST if fewest < 2 else _needed(table, found)
    about = "" if needed in (None, LEAST) else f"; about {needed} each would decide it, if nothing else changes"
    reason = f"every setting needs at least {LEAST} ({more}){about}"
    verdict = f"Not decidable with {fewest} seed{'s' * (fewest != 1)}"
    rivals = tuple(each.rival for each in found.differences)
    return replace(found, verdict=verdict, rivals=rivals, reason=reason, seeds_needed=needed)


def _needed(table: pd.DataFrame, found: Choice) -> int | None:
    values, leader = by_seed(table, found.measure), str(found.leader)
    rivals, level = [each for name, each in values.items() if name != leader], LEVEL / found.scores
    return seeds_to_decide(values[leader], rivals, higher=better(found.measure) == "higher", least=LEAST, level=level)


def _undecided(found: Choice) -> str:
    if found.rivals:
        reason = f"{found.leader} has the best mean, but does not clearly beat {_named(found.rivals)}"
    else:
        reason = (
            f"{found.leader} beats every other setting by this score alone, but not after correction for several scores"
        )
    reason += f" (p {_told_p(found)})"
    return reason + (f"; about {found.seeds_needed} seeds each would decide it" if found.seeds_needed else "")


def _told_p(found: Choice) -> str:
    """The p-value; where several scores are judged also after correction for that."""
    alone, adjusted = _equals(found.p), _equals(found.adjusted)
    if found.scores < 2:
        return alone
    correction = f"Holm's correction for {found.scores} scores"
    same = alone == adjusted
    return f"{alone} before and after {correction}" if same else f"{alone}, {adjusted.lstrip('= ')} after {correction}"


def _equals(p: float | None) -> str:
    return "is not known" if p is None else f"= {p:.2g}" if p >= 0.001 else "< 0.001"


def _named(settings: Sequence[str]) -> str:
    return ", ".join(settings[:3]) + (f" and {len(settings) - 3} others" if len(settings) > 3 else "")
