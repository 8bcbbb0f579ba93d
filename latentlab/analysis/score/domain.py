"""Whether codes and factors lie in the domain where scores mean what they say: a caveat for each way in which not.

Every condition is one function, marked `condition`; `caveats` asks them all, of at most 5,000 rows. Factors are
compared by information between at most ten bins of equal count, corrected for its bias, so that curves count as well as
lines. What no array can show: a third factor behind two others, a factor that depends on three others in a curve, a
circular factor that is not declared so and whose code is not circular either, and codes that hold a factor in a curve
of several dimensions.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np

from latentlab.analysis.score.calls import Material
from latentlab.analysis.score.dependence import (
    binned,
    cells,
    entropy,
    explained,
    explained_by_bins,
    explained_by_levels,
    information,
    ranked,
)
from latentlab.analysis.score.sample import Sample, sample_of
from latentlab.results import Caveat

CORRELATED = 0.2  # correlation of a normal pair with as much information
COPIED, DERIVED, DERIVED_FROM_TWO = 0.9, 0.6, 0.5  # share of a factor's entropy that others tell
REPEATED = 0.95  # rank correlation of two dimensions
MANY = 2  # dimensions a factor
ROWS_PER_DIMENSION, ROWS_PER_LEVEL, FEWEST = 50, 20, 500
PAIRED = 12  # factors up to which every pair is asked for a third


Condition = Callable[[Sample], Caveat | None]
CONDITIONS: list[Condition] = []


def condition(look: Condition) -> Condition:
    """Mark a function that looks at a sample and may have a caveat."""
    CONDITIONS.append(look)
    return look


def caveats(material: Material) -> tuple[Caveat, ...]:
    """Every condition that holds for checked arrays, in the order of this file."""
    sample = sample_of(material)
    return () if sample is None else tuple(each for look in CONDITIONS if (each := look(sample)) is not None)


@condition
def correlated_factors(sample: Sample) -> Caveat | None:
    """Two factors depend on each other, though neither is a function of the other."""
    copied = set(sample.pairs(DERIVED))
    found = []
    for a, b in sample.pairs(0.0):
        if sample.told[a, b] > 0 and (a, b) not in copied:
            nats = sample.told[a, b] * entropy(sample.levels[b])
            found.append((float(np.sqrt(-np.expm1(-2 * nats))), a, b))
    found = [each for each in found if each[0] >= CORRELATED]
    if not found:
        return None
    strength, a, b = max(found)
    return Caveat(
        "correlated factors",
        f"{_pair(sample, a, b)}{_more(len(found), 'pair')} depend on each other (as a correlation of {strength:.2f}): "
        "a dimension that encodes one of them also encodes the other",
        "score rows in which they are independent, or report the score with correlated factors left out",
    )


@condition
def copied_factors(sample: Sample) -> Caveat | None:
    """Two factors are one, up to names or an increasing function."""
    found = [(a, b) for a, b in sample.pairs(COPIED) if sample.told[b, a] >= COPIED]
    if not found:
        return None
    return Caveat(
        "copied factors",
        f"{_pair(sample, *found[0])}{_more(len(found), 'pair')} are the same up to relabelling: no code can favour one",
        "leave one of them out",
    )


@condition
def derived_factors(sample: Sample) -> Caveat | None:
    """A factor follows from one other or from two, or is linear in all others."""
    found = _from_one(sample) or _from_two(sample) or _from_all(sample)
    if not found:
        return None
    factor, sources = found[0]
    source = " and ".join(sample.names[i] for i in sources) if len(sources) <= 2 else "the others"
    return Caveat(
        "derived factors",
        f"{sample.names[factor]}{_more(len(found), 'factor')} follows from {source}: a clean code "
        "needs no dimension for it",
        "leave derived factors out",
    )


def _from_one(sample: Sample) -> list[tuple[int, tuple[int, ...]]]:
    told = sample.told
    return [(b, (a,)) for a, b in sample.pairs(DERIVED) if not (told[a, b] >= COPIED and told[b, a] >= COPIED)]


def _from_two(sample: Sample) -> list[tuple[int, tuple[int, ...]]]:
    """Factors that two others tell together, and neither alone."""
    k, told = len(sample.names), sample.told
    found: dict[int, tuple[int, ...]] = {}
    for a, b in combinations(range(k), 2) if k <= PAIRED else ():
        pair = cells(sample.levels[a], sample.levels[b])
        for j in {*range(k)} - {a, b} - {*found}:
            if max(told[a, j], told[b, j]) < DERIVED_FROM_TWO:
                nats, significant = information(pair, sample.levels[j], tests=k**3)
                if significant and nats >= DERIVED_FROM_TWO * entropy(sample.levels[j]):
                    found[j] = (a, b)
    return list(found.items())


def _from_all(sample: Sample) -> list[tuple[int, tuple[int, ...]]]:
    """Factors with an order of which a linear function of all others explains 90 %."""
    known = ~np.isnan(sample.factors).any(axis=1)
    if len(sample.ordered) < 3 or known.sum() < ROWS_PER_DIMENSION * len(sample.ordered):
        return []
    v = sample.factors[known][:, sample.ordered]
    v = (v - v.mean(axis=0)) / np.where(v.std(axis=0) > 0, v.std(axis=0), 1)
    found = []
    for at, j in enumerate(sample.ordered):
        others = np.delete(v, at, axis=1)
        if sample.told[j].sum() - 1 < DERIVED and explained(others, v[:, at : at + 1])[0] >= 0.9:
            found.append((j, tuple(i for i in sample.ordered if i != j)))
    return found


@condition
def many_codes(sample: Sample) -> Caveat | None:
    """Twice as many dimensions in use as factors, or more."""
    d, k = sample.codes.shape[1], len(sample.names)
    labels_alone = k == 1 and not sample.ordered  # of which compare and the report speak by themselves
    if d < MANY * k or d < 2 or labels_alone:
        return None
    return Caveat(
        "many codes",
        f"{d} dimensions are in use for {k} factor{'s' * (k > 1)}: gaps (mig, sap) penalise copies, mcc picks the best "
        "of chance, dci's completeness falls",
        "compare only runs with as many dimensions in use, and read mcc_held_out",
    )


@condition
def repeated_codes(sample: Sample) -> Caveat | None:
    """Two dimensions hold the same."""
    alike = np.triu(np.abs(sample.ranks.T @ sample.ranks) / len(sample.ranks), 1)
    if alike.max() < REPEATED:
        return None
    i, j = np.unravel_index(int(alike.argmax()), alike.shape)
    return Caveat(
        "repeated codes",
        f"active dimensions {i} and {j} encode the same (rank correlation {alike.max():.2f}): gaps between the "
        "best and the second dimension (mig, sap, jemmig) close, though nothing is mixed",
        "read mig_sup and dci's disentanglement, which copies do not lower",
    )


@condition
def few_codes(sample: Sample) -> Caveat | None:
    """Fewer dimensions in use than factors."""
    d, k = sample.codes.shape[1], len(sample.names)
    if d >= k:
        return None
    return Caveat(
        "few codes",
        f"{d} dimension{'s are' if d > 1 else ' is'} in use for {k} factors: scores of dimensions (infomec, dci, "
        "modularity, mcc over matched pairs) can be perfect though factors are missing",
        "read r2 or dci's informativeness, and the score of each factor",
    )


@condition
def few_rows(sample: Sample) -> Caveat | None:
    """Few rows, by themselves or for as many dimensions, in which all is known or one of the factors."""
    d = sample.codes.shape[1]
    least = max(FEWEST, ROWS_PER_DIMENSION * d)
    short = [j for j, known in enumerate(sample.known) if known < least]
    if sample.rows >= least and short:
        j = min(short, key=sample.known.__getitem__)
        return Caveat(
            "few rows",
            f"{sample.names[j]}{_more(len(short), 'factor')} is known in {sample.known[j]:,} of {sample.rows:,} rows: "
            "its information is biased upwards, as its permuted null shows",
            f"read the score of each factor; a factor needs {least} known rows",
        )
    if sample.rows >= least:
        return None
    return Caveat(
        "few rows",
        f"{sample.rows} rows for {d} dimensions ({sample.rows / d:.0f} each): information is biased upwards, trained "
        "probes downwards",
        f"score at least {least} rows; `latentlab metrics NAME` shows the value by rows",
    )


@condition
def circular_factors(sample: Sample) -> Caveat | None:
    """A factor is declared circular."""
    found = [sample.names[j] for j, kind in enumerate(sample.kinds) if kind == "circular"]
    if not found:
        return None
    are = "is circular and needs" if len(found) == 1 else "are circular and each needs"
    return Caveat(
        "circular factors",
        f"{', '.join(found[:3])} {are} two dimensions: scores that "
        "ask for one dimension per factor (mig, sap, mcc, dci's completeness) cannot be high",
        "read r2, which predicts cosine and sine, and score the other factors alone",
    )


@condition
def sinusoidal_codes(sample: Sample) -> Caveat | None:
    """A dimension is a function of a factor that rises and falls, as a cosine."""
    square = sample.correlations**2
    plain = square.max(axis=1) >= 0.8  # what rises with some factor is not bent by another that follows from it
    found = []
    for j in sample.ordered:
        share = explained_by_bins(*sample.labelled(j))
        found += [(i, j) for i in np.flatnonzero(~plain & (share >= 0.7) & (square[:, j] <= 0.5 * share))]
    if not found:
        return None
    i, j = found[0]
    return Caveat(
        "sinusoidal codes",
        f"dimension {i} of those in use{_more(len(found), 'dimension')} rises and falls with {sample.names[j]}, as a "
        "cosine does: correlations (mcc, r2) miss it, and gaps (mig, sap) count two dimensions for one factor",
        "declare the factor circular and read r2, or score the pair of dimensions together",
    )


@condition
def mixed_codes(sample: Sample) -> Caveat | None:
    """Factors can be read off all dimensions together, but not off single ones."""
    found = next((shares for shares in (_of_ordered(sample), _of_levels(sample)) if _mixed(*shares)), None)
    if found is None:
        return None
    single, whole = found
    return Caveat(
        "mixed codes",
        f"all dimensions together explain {whole:.2f} of the factors, the best single one {single:.2f}: "
        "low gaps (mig, sap, mcc) reflect alignment with axes, not lost information; r2 does not depend on it",
        "report r2 with mcc; the rotated null shows what unaligned codes reach",
    )


def _mixed(single: float, whole: float) -> bool:
    lossless = whole >= 0.9 and single <= whole - 0.1
    return lossless or (whole >= 0.5 and single <= 0.7 * whole)


def _of_ordered(sample: Sample) -> tuple[float, float]:
    """What the best dimension and all of them explain of factors with an order, on average."""
    v = sample.factors[:, sample.ordered]
    known = ~np.isnan(v).any(axis=1)
    if not sample.ordered or known.sum() <= 2 * sample.codes.shape[1]:
        return 0.0, 0.0
    z, y = ranked(sample.codes[known]), ranked(v[known])
    return float(((z.T @ y / len(y)) ** 2).max(axis=0).mean()), float(explained(z, y).mean())


def _of_levels(sample: Sample) -> tuple[float, float]:
    """What the levels of factors without an order explain of the best dimension and of the best sum of dimensions.

    Of labels alone nothing is asked: classes need no axes of their own.
    """
    shares = []
    for j, kind in enumerate(sample.kinds):
        z, column = sample.labelled(j)
        level = np.unique(column[~np.isnan(column)], return_inverse=True)[1]
        if kind == "categorical" and ROWS_PER_LEVEL * (level.max() + 1) + 2 * z.shape[1] <= len(level):
            single, whole = explained_by_levels(z, level)
            shares.append((float(single.max()), whole))
    if not shares or len(sample.names) == 1:
        return 0.0, 0.0
    single, whole = np.mean(shares, axis=0)
    return float(single), float(whole)


@condition
def uninformed_codes(sample: Sample) -> Caveat | None:
    """No dimension depends on any factor."""
    if np.abs(sample.correlations).max() > 5 / np.sqrt(len(sample.codes)):
        return None
    dimensions = [binned(column, sample.bins) for column in sample.codes.T]
    tests = len(dimensions) * len(sample.levels)
    if any(information(z, v, tests)[1] for z in dimensions for v in sample.levels):
        return None
    return Caveat(
        "uninformed codes",
        "no dimension depends on any factor beyond chance: shares of almost nothing (infomec, modularity, irs, dci) "
        "are no evidence",
        "compare with the permuted null, which codes without information reach",
    )


def _pair(sample: Sample, a: int, b: int) -> str:
    return f"{sample.names[a]} and {sample.names[b]}"


def _more(count: int, what: str) -> str:
    """That there are more than the one that is named."""
    return f" (and {count - 1} more {what}{'s' * (count > 2)})" if count > 1 else ""
