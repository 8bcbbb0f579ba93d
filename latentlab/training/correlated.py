"""Two factors that are correlated in training: rows are drawn so that their levels lie near each other.

The law is that of Träuble et al. 2021: with both factors' levels evenly spaced from 0 to 1 the pair (a, b) is drawn
with probability proportional to exp(−(a − b)² / 2σ²), and all rows of a pair alike. With σ = 0.2 the correlation is
strong, with σ of 1 and more next to none.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentlab.data.dataset import Dataset
from latentlab.errors import InputError

LEAST = 10  # rows that an epoch must be worth


class Correlation(NamedTuple):
    """Two factors by name, and the deviation σ of their levels from each other, in units of their range."""

    first: str
    second: str
    sigma: float

    def __str__(self) -> str:
        return f"{self.first}:{self.second}={self.sigma:g}"


def read_correlation(text: str) -> Correlation:
    """What ``A:B=σ`` says.

    >>> read_correlation("shape:scale=0.2")
    Correlation(first='shape', second='scale', sigma=0.2)
    """
    names, _, number = text.rpartition("=")
    first, _, second = names.partition(":")
    try:
        sigma = float(number)
    except ValueError:
        sigma = math.nan
    if not first.strip() or not second.strip() or not 0 < sigma < math.inf:
        raise InputError(f"correlate is {text[:80]!r}; expected two factors and σ > 0, as in shape:scale=0.2")
    return Correlation(first.strip(), second.strip(), sigma)


def correlated(data: Dataset, correlation: Correlation) -> NDArray[np.float64]:
    """The probability of each row (n,), which sum to 1: pairs of levels by the law, all rows of a pair alike.

    Rows without a label in either factor have none. Raises an `InputError` for factors that the data do not have or
    that have no levels, and where an epoch is worth fewer than ten rows, by the effective number 1 / Σ p².
    """
    if correlation.first == correlation.second:
        raise InputError(f"correlate names {correlation.first[:60]!r} twice; expected two different factors")
    places = [_places(data, name) for name in correlation[:2]]
    known = ~np.isnan(places[0]) & ~np.isnan(places[1])
    pairs, pair, count = np.unique(np.stack(places, axis=1)[known], axis=0, return_inverse=True, return_counts=True)
    # Neither the processor's exponential nor the order of a sum may change a bit: the run knows the weights by digest.
    law = np.exp(-((pairs[:, 0] - pairs[:, 1]) ** 2) / (2 * correlation.sigma**2)).astype(np.float32).astype(np.float64)
    total = math.fsum(law)
    weights = np.zeros(len(data))
    if total > 0:
        weights[known] = (law / count / total)[pair.ravel()]
    worth = 1 / (weights**2).sum() if total > 0 else 0.0
    if worth < LEAST:
        raise InputError(
            f"correlate {str(correlation)[:80]} leaves {data.name[-40:]} the worth of {worth:.3g} rows; expected at "
            f"least {LEAST}: choose a larger σ"
        )
    return weights


def _places(data: Dataset, name: str) -> NDArray[np.float64]:
    """A factor's levels (n,), evenly spaced from 0 to 1 in their order; NaN where missing."""
    if data.factors is None:
        raise InputError(f"{data.name[-60:]} has no factors to correlate; choose data whose factors are known")
    names = [spec.name for spec in data.specs]
    if name not in names:
        raise InputError(f"{data.name[-40:]} has no factor {name[:40]!r}; its factors: {', '.join(names)}"[:200])
    column = data.factors[:, names.index(name)]
    known = column[~np.isnan(column)]
    if data.specs[names.index(name)].kind == "continuous" or not (known == np.rint(known)).all():
        raise InputError(f"factor {name[:60]} is continuous; correlate needs factors with levels")
    levels = np.unique(known)
    if len(levels) < 2:
        raise InputError(f"factor {name[:60]} has {len(levels)} level in {data.name[-60:]}; correlate needs two")
    return np.where(np.isnan(column), np.nan, np.searchsorted(levels, column) / (len(levels) - 1))
