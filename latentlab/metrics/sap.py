"""Separated attribute predictability."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from latentlab.data.dataset import FactorKind
from latentlab.metrics._arrays import Floats, Ints, Kinds, by_factor, check_parts, kinds_of
from latentlab.metrics._estimators import classes_of, linear_svc, params
from latentlab.metrics._information import top_two_gap
from latentlab.metrics._metric import Metric
from latentlab.results import Score

METRIC = Metric(
    title="Separated attribute predictability",
    short="SAP",
    needs="split",
    range=(0.0, 1.0),
    better="higher",
    source="Kumar et al. 2018, Variational inference of disentangled latent concepts, section 3",
    assumes="Independent factors; one dimension per factor; standardised codes (the penalty 0.01 is in their units).",
    unchanged_by=("order", "sign"),
    too_high="A dimension that holds several factors costs nothing; large codes are shrunk less.",
    too_low=(
        "Middle levels, which no threshold separates: 0.2 to 0.4 may be the most; copies of a dimension; correlated "
        "or copied factors; small codes."
    ),
)


def sap(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    *,
    C: float = 0.01,
    seed: int = 0,
    kinds: Kinds = None,
) -> Score:
    """Gap between the two dimensions that best predict a factor alone, averaged over factors.

    For categories and ordinal levels the prediction is that of a linear SVM (balanced classes, penalty `C`) on one
    dimension, judged by test accuracy. For continuous factors it is the squared correlation on the training rows (0
    where the variance is at most 1e-12); for circular values in radians the squared multiple correlation with their
    cosine and sine. ``codes`` (n, d), ``factors`` (n, k); without test arrays the rows are split 2:1 with `seed`. In
    [0, 1], higher is better; ``matrix`` (d, k) has the accuracies, ``per_factor`` the gaps.

    Do not trust it across scales: C = 0.01 is strong shrinkage, so a code of small scale scores low. Standardise the
    codes of an autoencoder first. Gaps of 0.01 are within the noise of 5,000 test rows.

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
    C : float, default 0.01
        Penalty of the linear support vector machine.
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
        If arrays do not fit together, hold infinities, or codes hold NaN.

    References
    ----------
    Kumar et al. 2018, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 2, np.arange(64) // 32], axis=1)
    >>> sap(10.0 * v - 5, v, 10.0 * v - 5, v).value
    0.5
    """
    z, v, tz, tv, rows_from = check_parts(codes, factors, test_codes, test_factors, seed)
    named = kinds_of(v, kinds)
    matrix = np.zeros((z.shape[1], v.shape[1]))
    settings: dict[str, Any] = {"rows": [len(z), len(tz)], "split": rows_from, "pruning": "none", "kinds": list(named)}
    levels = classes_of(v, tv, named)
    for j, kind in enumerate(named):
        if is_measured(v[:, j], kind):
            matrix[:, j] = _explained(z, v[:, j], kind)
        else:
            matrix[:, j], settings["estimator"] = _accuracies(z, tz, *levels[j], C, seed)
    gaps = top_two_gap(matrix)
    return Score(value=float(gaps.mean()), per_factor=by_factor(gaps), matrix=matrix, settings=settings)


def is_measured(column: Floats, kind: FactorKind) -> bool:
    """Whether a factor's values are quantities to regress on, not levels: continuous, or circular and not whole."""
    known = column[~np.isnan(column)]
    return kind == "continuous" or (kind == "circular" and not bool((known == np.round(known)).all()))


def _accuracies(z: Floats, tz: Floats, y: Ints, ty: Ints, C: float, seed: int) -> tuple[Floats, dict[str, Any]]:
    known, test_known = y >= 0, ty >= 0
    z, y, tz, ty = z[known], y[known], tz[test_known], ty[test_known]
    models = [linear_svc(column[:, None], y, C, seed) for column in z.T]
    found = [np.mean(model.predict(tz[:, [i]]) == ty) for i, model in enumerate(models)]
    return np.array(found), params(models[0])


def _explained(z: Floats, y: Floats, kind: FactorKind) -> Floats:
    """Squared (multiple) correlation of each dimension with the factor."""
    known = ~np.isnan(y)
    z, y = z[known].astype(np.float64), y[known]
    x = np.stack([np.cos(y), np.sin(y)], axis=1) if kind == "circular" else y[:, None]
    x, z = x - x.mean(axis=0), z - z.mean(axis=0)
    total = (z**2).sum(axis=0)
    fitted = x @ np.linalg.lstsq(x, z, rcond=None)[0]
    live = (total / (len(z) - 1) > 1e-12) & ((x**2).sum() / (len(z) - 1) > 1e-12)
    return np.where(live, (fitted**2).sum(axis=0) / np.where(live, total, 1.0), 0.0)
