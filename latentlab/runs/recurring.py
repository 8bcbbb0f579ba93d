"""Which dimensions recur over the seeds of a setting, how strongly, and what they are: "4 of 5 seeds have posX"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.codes.codes import Codes
from latentlab.codes.dimensions import dimensions
from latentlab.codes.matching import MATCHED, ROWS, check_same_images
from latentlab.codes.symbols import symbol
from latentlab.errors import InputError
from latentlab.results import Result, plain
from latentlab.runs.comparison import Runs, compare
from latentlab.runs.groups import DRAWS, LEVEL, Group, recurring_groups
from latentlab.runs.run import Run
from latentlab.runs.seeds import usable

if TYPE_CHECKING:
    import pandas as pd

LEAST_ROWS = 100  # fewer rows tell no group from shuffled ones
MOST_SEEDS = 10  # of a setting, the first; the nulls of 20 take a minute, and eight times as long for each doubling
MOST_RUNS = 60  # of a study whose seeds are compared in all settings at once
MOST_NAMED = 3  # settings that are named where many have the same to say
NOTE = (
    "Strength: mean |Spearman correlation| within the group. A group recurs when it is stronger than what shuffled "
    "rows and randomly rotated codes reach in 95 % of draws. Name: the user's; otherwise what most of its "
    "dimensions detect; otherwise the factor that they encode most."
)


@dataclass(frozen=True)
class Member:
    """One dimension of a group: its run and seed, its position, and what it is called ("" where nothing is known)."""

    run: str
    seed: int
    dim: int
    called: str


@dataclass(frozen=True)
class Recurrence:
    """Like dimensions of several seeds of one setting.

    ``called`` is what most of its named members are called, ``agree`` how many of all members are; "" and 0 where none
    has a name. ``of_seeds`` is how many seeds were searched. ``strength``, ``permuted`` and ``rotated`` are those of
    `latentlab.runs.groups.Group`; ``recurring`` is whether the strength exceeds both nulls.
    """

    setting: str
    called: str
    agree: int
    of_seeds: int
    members: tuple[Member, ...]
    strength: float
    permuted: float
    rotated: float
    recurring: bool

    @property
    def said(self) -> str:
        """The group in a few words.

        >>> members = (Member("a", 0, 3, "posX"), Member("b", 1, 1, "posX"))
        >>> Recurrence("β = 4", "posX", 2, 3, members, 0.9, 0.1, 0.8, True).said
        '2 of 3 seeds have posX'
        """
        return f"{len(self.members)} of {self.of_seeds} seeds have {self.called or 'a dimension without a name'}"


@dataclass(frozen=True)
class Recurring(Result):
    """The dimensions that recur over the seeds of each setting, and those that do not pass the nulls.

    Parameters
    ----------
    groups : tuple of Recurrence
        Groups of like dimensions by setting, those in most seeds first.
    without : mapping
        By setting, why nothing could be searched.
    settings : mapping
        How it was computed.
    """

    groups: tuple[Recurrence, ...]
    without: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def to_frame(self) -> pd.DataFrame:
        """The groups as a table.

        Returns
        -------
        DataFrame
            One row per group: setting, what it is, in how many seeds, strength, nulls, whether it recurs, dimensions.
        """
        import pandas as pd

        columns = ["setting", "called", "agree", "seeds", "of_seeds", "strength", "permuted", "rotated", "recurring"]
        rows = [
            {key: getattr(each, key) for key in columns if key != "seeds"}
            | {"seeds": len(each.members), "dimensions": _dimensions(each)}
            for each in self.groups
        ]
        return pd.DataFrame(rows, columns=[*columns, "dimensions"])

    def to_json(self) -> dict[str, Any]:
        """The groups as JSON knows them.

        Returns
        -------
        dict
            Plain values by field.
        """
        content: dict[str, Any] = plain(asdict(self))
        return content


def recurring(
    study: Runs, setting: str | None = None, *, rows: int = ROWS, draws: int = DRAWS, seed: int = 0
) -> Recurring:
    """Find the dimensions that recur over the seeds of a setting, or of every setting of a study.

    Dimensions of all seeds are grouped by absolute Spearman correlation of their means, in [0, 1], on at most `rows`
    seeded rows that all of them encoded: average linkage down to 0.5, at most one dimension of each seed in a group.
    Scales do not matter, so codes of deterministic encoders are compared as they are. Of more than 10 seeds the first
    10 are searched, and of a study of more than 60 runs the setting that is named alone. Inactive dimensions are left
    out (`Codes.active`), as are runs that are broken, diverged or not encoded, and all but the first of those that
    share a seed. A group recurs when its strength exceeds what groups of at least as many seeds reach in shuffled rows
    and in randomly rotated codes, in 95 % of `draws` (see `latentlab.runs.groups`): higher is stronger.

    Parameters
    ----------
    study : Study, Run or several
        The runs, as `ll.compare` takes them.
    setting : str, optional
        The setting to search, as `ll.compare` calls it; all of them by default.
    rows : int
        How many rows the codes are compared on, at most.
    draws : int
        How many times rows are shuffled and codes rotated for the nulls.
    seed : int
        Of the rows and of the draws.

    Returns
    -------
    Recurring
        The groups with their strengths and nulls.

    Raises
    ------
    InputError
        No run has that setting. A setting of fewer than two seeds raises nothing: ``without`` says so.

    Examples
    --------
    >>> from latentlab.system.resources import shipped_study
    >>> from latentlab.runs.study import Study
    >>> found = recurring(Study(shipped_study()), "β = 4")
    >>> found.groups[0].called
    'object hue'
    """
    return recurring_in(compare(study), setting, rows=rows, draws=draws, seed=seed)


def recurring_in(
    table: pd.DataFrame, setting: str | None = None, *, rows: int = ROWS, draws: int = DRAWS, seed: int = 0
) -> Recurring:
    """What `recurring` finds, from `compare`'s table."""
    known = list(table["setting"].dropna().unique())
    if setting is not None and setting not in known:
        raise InputError(f"no run has the setting {setting!r:.60}; there are: {', '.join(known)}"[:200])
    groups: list[Recurrence] = []
    without: dict[str, str] = {}
    searched = known if setting is None else [setting]
    if known and setting is None and len(table) > MOST_RUNS:
        why = f"there are {len(table)} runs; search one setting, as in ll.recurring(study, {known[0]!r})"
        without, searched = dict.fromkeys(known, why), []
    for name in searched:
        try:
            groups += _searched(name, _runs_of(table, name), rows, draws, seed)
        except InputError as error:
            without[name] = str(error)
    used = {"rows": rows, "draws": draws, "seed": seed, "level": LEVEL, "linked_from": MATCHED, "seeds": MOST_SEEDS}
    return Recurring(tuple(groups), without, used)


def _runs_of(table: pd.DataFrame, setting: str) -> list[Run]:
    """The encoded runs of a setting, one a seed."""
    good = usable(table)
    found: dict[int, Run] = {}
    for run in map(Run, good.loc[good["setting"] == setting, "path"]):
        if run.has("encode") and not run.sampled:
            found.setdefault(run.config.seed, run)
    return [found[seed] for seed in sorted(found)[:MOST_SEEDS]]


def _searched(setting: str, runs: Sequence[Run], rows: int, draws: int, seed: int) -> Iterator[Recurrence]:
    if len(runs) < 2:
        raise InputError(f"{len(runs)} seed{'s' * (len(runs) != 1)} encoded; recurring dimensions need at least two")
    whole = [run.codes() for run in runs]
    active = [np.flatnonzero(each.active) for each in whole]
    if (used := sum(len(each) > 0 for each in active)) < 2:
        raise InputError(f"{used} of {len(runs)} seeds have a dimension in use; recurring dimensions need two")
    codes = _same_rows(whole, rows, seed)
    means = [each.mean[:, kept] for each, kept in zip(codes, active, strict=True)]
    names = [_names(run, each) for run, each in zip(runs, codes, strict=True)]
    for group in recurring_groups(means, draws=draws, seed=seed):
        dims = {run: int(active[run][dim]) for run, dim in group.members.items()}
        members = [Member(runs[k].name, runs[k].config.seed, dim, names[k][dim]) for k, dim in dims.items()]
        yield _recurrence(setting, len(runs), members, group)


def _recurrence(setting: str, seeds: int, members: Sequence[Member], group: Group) -> Recurrence:
    counted = Counter(each.called for each in members if each.called)
    called, agree = counted.most_common(1)[0] if counted else ("", 0)
    nulls = (group.strength, group.permuted, group.rotated, group.recurring)
    return Recurrence(setting, called, agree, seeds, tuple(members), *nulls)


def _same_rows(codes: Sequence[Codes], rows: int, seed: int) -> list[Codes]:
    """The codes of rows that are drawn from those that all of them have."""
    for each in codes[1:]:
        check_same_images(codes[0], each)
    shared = reduce(np.intersect1d, [each.row_ids for each in codes])
    if len(shared) < LEAST_ROWS:
        raise InputError(f"the seeds have {len(shared)} rows in common; at least {LEAST_ROWS} are needed")
    drawn = np.sort(np.random.default_rng(seed).permutation(shared)[:rows])
    return [each.take(each.positions(drawn)) for each in codes]


def _names(run: Run, codes: Codes) -> dict[int, str]:
    """What each dimension is called: by the user, by what its codes detect, or by the factor that it knows most about.

    A name that was detected also says which way codes rise ("size: small to large"), which differs between seeds.
    """
    table = dimensions(codes, notes=run.named())
    columns = (table[key] for key in ("index", "name", "named_by", "top_factor"))
    called = {}
    for j, name, by, factor in zip(*columns, strict=True):
        called[j] = (name.rpartition(": ")[0] if by == "detection" else name) or factor or ""
    return called


def _dimensions(group: Recurrence) -> str:
    return ", ".join(f"seed {each.seed} {symbol(each.dim)}" for each in group.members)


def recurring_rows(found: Recurring) -> list[dict[str, str]]:
    """The groups that recur as rows of text, one a group."""
    return [
        {
            "setting": each.setting,
            "what recurs": each.said,
            "named so": f"{each.agree} of {len(each.members)}",
            "strength": f"{each.strength:.2f}",
            "shuffled": f"{each.permuted:.2f}",
            "rotated": f"{each.rotated:.2f}",
            "dimensions": _dimensions(each),
        }
        for each in found.groups
        if each.recurring
    ]


def not_recurring(found: Recurring) -> list[str]:
    """What is left to say of each setting: why it was not searched, or how many groups do not pass the nulls."""
    said = []
    for why in dict.fromkeys(found.without.values()):
        settings = [name for name, each in found.without.items() if each == why]
        more = f" and {len(settings) - MOST_NAMED} more settings" if len(settings) > MOST_NAMED else ""
        said.append(f"{', '.join(settings[:MOST_NAMED])}{more}: {why}.")
    for setting in dict.fromkeys(each.setting for each in found.groups):
        weak = sum(not each.recurring for each in found.groups if each.setting == setting)
        said += [f"{setting}: {weak} weaker group{'s' * (weak != 1)} not distinguishable from chance."] if weak else []
    return said
