"""R²: are the factors linear functions of the code?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from latentlab.data.dataset import FactorKind
from latentlab.metrics._arrays import Floats, Kinds, by_factor, check_parts, kinds_of, undefined
from latentlab.metrics._estimators import z_scored
from latentlab.metrics._metric import Metric
from latentlab.results import Score

METRIC = Metric(
    title="R² of linear regression",
    needs="split",
    range=(float("-inf"), 1.0),
    better="higher",
    source="Roeder et al. 2021, On linear identifiability of learned representations, section 5",
    kinds=("ordinal", "continuous", "circular"),
)


def r2(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    *,
    seed: int = 0,
    kinds: Kinds = None,
) -> Score:
    """Share of a factor's variance that least squares on all dimensions explains on test rows, averaged over factors.

    ``codes`` (n, d), ``factors`` (n, k) as numbers; circular ones (radians) are predicted as cosine and sine; without
    test arrays the rows are split 2:1 with `seed`. At most 1, higher is better; 0 is the mean, less is worse than it.
    The part ``train`` is that of the training rows.

    Do not trust it for categories, nor as a measure of disentanglement: any linear mixing of the code scores the same.

    Source: Roeder et al. 2021. Raises `InputError` for arrays that do not fit.

    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    >>> round(r2(v @ np.array([[1.0, 2.0], [0.5, -1.0]]), v).value, 6)
    1.0
    """
    z, v, tz, tv, rows_from = check_parts(codes, factors, test_codes, test_factors, seed)
    z, tz = z_scored(z, tz)  # lest rounding drown a small code, or the intercept beside a large one
    found = [_fit(z, v[:, j], tz, tv[:, j], kind) for j, kind in enumerate(kinds_of(v, kinds))]
    train, test = np.array(found).T
    settings = {"rows": [len(z), len(tz)], "split": rows_from, "estimator": "least squares with intercept"}
    settings |= undefined(test)
    return Score(
        value=float(test.mean()), parts={"train": float(train.mean())}, per_factor=by_factor(test), settings=settings
    )


def _fit(z: Floats, y: Floats, tz: Floats, ty: Floats, kind: FactorKind) -> tuple[float, float]:
    def target(values: Floats) -> Floats:
        return np.stack([np.cos(values), np.sin(values)], axis=1) if kind == "circular" else values[:, None]

    known, test_known = ~np.isnan(y), ~np.isnan(ty)
    x, tx = (np.column_stack([rows, np.ones(len(rows))]).astype(np.float64) for rows in (z[known], tz[test_known]))
    y, ty = target(y[known]), target(ty[test_known])
    weights = np.linalg.lstsq(x, y, rcond=None)[0]
    return _explained(y, x @ weights), _explained(ty, tx @ weights)


def _explained(y: Floats, guess: Floats) -> float:
    total = ((y - y.mean(axis=0)) ** 2).sum()
    return float(1 - ((y - guess) ** 2).sum() / total) if total > 0 else float("nan")
