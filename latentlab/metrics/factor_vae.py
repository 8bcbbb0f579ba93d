"""The FactorVAE score: which dimension varies least while one factor is held?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike

from latentlab.errors import InputError
from latentlab.metrics._arrays import Floats, Ints, Kinds, check_rows
from latentlab.metrics._draws import Draws, check_draws, draw_alike
from latentlab.metrics._metric import Metric
from latentlab.results import Score

METRIC = Metric(
    title="FactorVAE score",
    short="FactorVAE",
    needs="draws",
    range=(0.0, 1.0),
    better="higher",
    source="Kim and Mnih 2018, Disentangling by factorising, section 4",
    assumes="Independent factors; a posterior of fixed scale (threshold 0.05); many rows for each level.",
    unchanged_by=("order", "sign", "shift"),
    too_high=(
        "A dimension that holds two factors costs nothing if each has another of its own; chance is the commonest "
        "factor's share."
    ),
    too_low=(
        "Copied factors, which no dimension tells apart; dimensions of noise (0.83 without, 0.68 with 45 of them); "
        "dimensions under the threshold take no part."
    ),
)
BLOCK = 1000  # batches at a time: 1,000 × 64 codes stay in the cache


def factor_vae(
    codes: ArrayLike,
    factors: ArrayLike,
    draws: Draws | None = None,
    test_draws: Draws | None = None,
    *,
    spread_rows: Ints | None = None,
    threshold: float = 0.05,
    seed: int = 0,
    kinds: Kinds = None,
) -> Score:
    """Accuracy of naming the fixed factor from the dimension whose variance shrinks most while it is fixed.

    Each batch holds rows that share one factor's value. The dimension with the smallest variance in the batch relative
    to its variance over `spread_rows` (all rows by default) votes for the factor; the majority of the training batches
    decides what each dimension stands for, the test batches judge. Dimensions with a standard deviation under
    `threshold` take no part; 0 where that leaves none. ``codes`` (n, d), ``factors`` (n, k); ``draws`` are
    (fixed (b,), rows (b, m)); without them 10,000 and 5,000 batches of 64 rows that share the value are drawn from the
    given rows with `seed`. In [0, 1], higher is better; chance is the share of the commonest factor; the part
    ``train`` is the training accuracy.

    Do not trust it for codes of free scale: `threshold` means nothing there (unpruned, one checkpoint rises from 0.60
    to 0.77). A dimension that knows two factors costs nothing as long as each has some dimension of its own.

    Parameters
    ----------
    codes : array_like of shape (n, d)
        Codes, one row per example, one column per latent dimension.
    factors : array_like of shape (n, k)
        Level indices or values of the factors; NaN where unknown.
    draws : Draws, optional
        Fixed factors (b,) and rows (b, m) of the training batches; drawn from the given rows by default.
    test_draws : Draws, optional
        Batches on which the score is computed; drawn from the given rows by default.
    spread_rows : array_like of int, optional
        Rows whose variance normalises each dimension; all by default.
    threshold : float, default 0.05
        Smallest standard deviation with which a dimension takes part.
    seed : int, default 0
        Seed of everything that is drawn at random.
    kinds : sequence of str, optional
        Kind of each factor: categorical, ordinal, continuous or circular. By default whole numbers are
        categorical, other values continuous.

    Returns
    -------
    Score
        In [0, 1], higher is better.

    Raises
    ------
    InputError
        For one factor alone or arrays that do not fit.

    References
    ----------
    Kim and Mnih 2018; estimator of Locatello et al. 2019.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    >>> factor_vae(v.astype(float), v).value
    1.0
    """
    z, v = check_rows(codes, factors)
    if v.shape[1] < 2:  # any code names the only factor there is
        raise InputError("factor_vae distinguishes factors; one factor was given, give at least two")
    settings: dict[str, Any] = {"threshold": threshold, "ddof": 1}
    if draws is None or test_draws is None:
        random = RandomState(seed)
        draws, test_draws = (draw_alike(v, count, 64, random, kinds) for count in (10_000, 5_000))
        settings["draws"] = f"rows that share the factor's value, from the given rows, with seed {seed}"
    draws, test_draws = check_draws(draws, len(z)), check_draws(test_draws, len(z))
    spread = np.var(z if spread_rows is None else z[spread_rows], axis=0, ddof=1, dtype=np.float64)
    active = np.flatnonzero(np.sqrt(spread) >= threshold)
    settings |= {"batches": [len(draws.fixed), len(test_draws.fixed)], "batch_size": draws.rows.shape[1]}
    settings["pruning"] = f"standard deviation ≥ {threshold} keeps {len(active)} of {z.shape[1]}"
    if len(active) == 0:
        return Score(value=0.0, parts={"train": 0.0}, settings=settings)
    votes, test_votes = (_votes(z, drawn, active, spread, v.shape[1]) for drawn in (draws, test_draws))
    winner = votes.argmax(axis=0)
    share = np.zeros((z.shape[1], v.shape[1]))
    share[active] = (votes / votes.sum()).T
    return Score(
        value=_accuracy(test_votes, winner), parts={"train": _accuracy(votes, winner)}, matrix=share, settings=settings
    )


def _votes(z: Floats, drawn: Draws, active: Ints, spread: Floats, factors: int) -> Ints:
    """How often each active dimension (columns) was the steadiest while each factor (rows) was fixed."""
    kept = np.ascontiguousarray(z[:, active])
    votes = np.zeros((factors, len(active)), dtype=np.int64)
    for start in range(0, len(drawn.fixed), BLOCK):
        block = slice(start, start + BLOCK)
        local = np.var(kept[drawn.rows[block]], axis=1, ddof=1)
        np.add.at(votes, (drawn.fixed[block], (local / spread[active]).argmin(axis=1)), 1)
    return votes


def _accuracy(votes: Ints, winner: Ints) -> float:
    return float(votes[winner, np.arange(votes.shape[1])].sum() / votes.sum())
