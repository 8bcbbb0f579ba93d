"""R²: are the factors linear functions of the code?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from latentlab.data.dataset import FactorKind
from latentlab.metrics._arrays import Floats, Kinds, angles_of, by_factor, check_parts, kinds_of, undefined
from latentlab.metrics._estimators import z_scored
from latentlab.metrics._metric import Metric
from latentlab.results import Score

METRIC = Metric(
    title="R² of linear regression",
    short="R²",
    needs="split",
    range=(float("-inf"), 1.0),
    better="higher",
    version=2,
    source="Roeder et al. 2021, On linear identifiability of learned representations, section 5",
    kinds=("ordinal", "continuous", "circular"),
    turns=False,
    assumes="Numerical factors that are linear in the codes; many more training rows than dimensions.",
    unchanged_by=("order", "sign", "scale", "scales", "shift", "rotation", "linear"),
    too_high=(
        "Any lossless linear mixing scores 1: it does not measure alignment. Correlated factors predict each other."
    ),
    too_low="Curved codes, as a cosine or a fifth power; many dimensions on few rows (below 0 on test rows).",
)


def r2(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    *,
    intercept: bool = True,
    clip: bool = False,
    seed: int = 0,
    kinds: Kinds = None,
) -> Score:
    """Share of a factor's variance that least squares on all dimensions explains on test rows, averaged over factors.

    ``codes`` (n, d), ``factors`` (n, k) as numbers; circular ones are predicted as cosine and sine of their angle:
    radians, or where all are whole numbers levels in equal steps round the circle. Without test arrays the rows are
    split 2:1 with `seed`. At most 1, higher is better; 0 is the mean, less is worse than it. The part ``train`` is
    that
    of the training rows.

    Do not trust it for categories, nor as a measure of disentanglement: any linear mixing of the code scores the same.

    Parameters
    ----------
    codes : array_like of shape (n, d)
        Codes, one row per example, one column per latent dimension.
    factors : array_like of shape (n, k)
        Level indices or values of the factors; NaN where unknown.
    test_codes : array_like of shape (m, d), optional
        Held-out codes. Without them the rows are split 2:1 with `seed`.
    test_factors : array_like of shape (m, k), optional
        Factors of the held-out codes.
    intercept : bool, default True
        Whether the codes are centred and a constant is fitted; without it codes enter as they are.
    clip : bool, default False
        Whether a factor that is predicted worse than by its mean counts 0.
    seed : int, default 0
        Seed of everything that is drawn at random.
    kinds : sequence of str, optional
        Kind of each factor: categorical, ordinal, continuous or circular. By default whole numbers are
        categorical, other values continuous.

    Returns
    -------
    Score
        In [−∞, 1], higher is better.

    Raises
    ------
    InputError
        If arrays do not fit together, hold infinities, or codes hold NaN.

    References
    ----------
    Roeder et al. 2021.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    >>> round(r2(v @ np.array([[1.0, 2.0], [0.5, -1.0]]), v).value, 6)
    1.0
    """
    z, v, tz, tv, rows_from = check_parts(codes, factors, test_codes, test_factors, seed)
    if intercept:
        z, tz = z_scored(z, tz)  # lest rounding drown a small code, or the intercept beside a large one
    targets = [_targets(v[:, j], tv[:, j], kind) for j, kind in enumerate(kinds_of(v, kinds))]
    found = np.array([_fit(z, y, tz, ty, intercept) for y, ty in targets])
    train, test = (np.maximum(found, 0) if clip else found).T
    settings: dict[str, Any] = {
        "rows": [len(z), len(tz)],
        "split": rows_from,
        "estimator": f"least squares {'with' if intercept else 'without'} intercept",
    }
    settings |= {"clip": "below 0"} if clip else {}
    settings |= {**METRIC.noted, **undefined(test)}
    return Score(
        value=float(test.mean()), parts={"train": float(train.mean())}, per_factor=by_factor(test), settings=settings
    )


def _targets(column: Floats, test_column: Floats, kind: FactorKind) -> tuple[Floats, Floats]:
    """What is predicted of a factor on training and on test rows, (n, 1), or (n, 2) on the unit circle."""
    if kind != "circular":
        return column[:, None], test_column[:, None]
    angle = angles_of(np.concatenate([column, test_column]))  # of both, so that a level has one angle
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return circle[: len(column)], circle[len(column) :]


def _fit(z: Floats, y: Floats, tz: Floats, ty: Floats, intercept: bool) -> tuple[float, float]:
    known, test_known = ~np.isnan(y[:, 0]), ~np.isnan(ty[:, 0])
    one = 1 if intercept else 0
    x, tx = (
        np.column_stack([rows, np.ones((len(rows), one))]).astype(np.float64) for rows in (z[known], tz[test_known])
    )
    y, ty = y[known], ty[test_known]
    weights = np.linalg.lstsq(x, y, rcond=None)[0]
    return _explained(y, x @ weights), _explained(ty, tx @ weights)


def _explained(y: Floats, guess: Floats) -> float:
    total = ((y - y.mean(axis=0)) ** 2).sum()
    return float(1 - ((y - guess) ** 2).sum() / total) if total > 0 else float("nan")
