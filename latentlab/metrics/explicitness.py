"""Explicitness: can a factor's classes be read off the code by a linear classifier?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from latentlab.metrics._arrays import Floats, Ints, Kinds, by_factor, check_parts, undefined
from latentlab.metrics._estimators import classes_of, logistic, macro_auc, params, z_scored
from latentlab.metrics._metric import Metric
from latentlab.results import Score

METRIC = Metric(
    title="Explicitness",
    short="explicitness",
    needs="split",
    range=(0.0, 1.0),
    better="higher",
    source="Ridgeway and Mozer 2018, Learning deep disentangled embeddings, section 3",
    turns=False,
    assumes="Levels that a linear classifier can separate.",
    unchanged_by=("order", "sign", "scale", "scales", "shift", "rotation"),
    too_high="Mixed codes score as high as separate ones. Chance is 0.5, not 0.",
    too_low=(
        "Middle levels of an ordered factor, which no line separates from both sides; sine and cosine need both "
        "dimensions."
    ),
)


def explicitness(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    *,
    seed: int = 0,
    kinds: Kinds = None,
) -> Score:
    """Macro one-versus-rest AUC of a logistic regression from all dimensions to a factor, averaged over factors.

    ``codes`` (n, d) are z-scored with the training rows' mean and deviation; factors that are not whole numbers fall
    into 20 classes of equal width. Without test arrays the rows are split 2:1 with `seed`. The value is that of the
    test rows, the part ``train`` that of the training rows. Chance is 0.5, the best 1, higher is better.

    Do not trust it as a measure of disentanglement: any rotation of the code scores the same.

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
    Ridgeway and Mozer 2018; estimator of Locatello et al. 2019 (``max_iter=100`` included: scikit-learn's changed
    defaults moved the published 0.920 to 0.878).

    Examples
    --------
    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 2, np.arange(64) // 32], axis=1)
    >>> explicitness(v.astype(float), v).value
    1.0
    """
    z, v, tz, tv, rows_from = check_parts(codes, factors, test_codes, test_factors, seed)
    z, tz = z_scored(z, tz)
    train, test = np.zeros(v.shape[1]), np.zeros(v.shape[1])
    settings: dict[str, Any] = {"rows": [len(z), len(tz)], "split": rows_from, "pruning": "none"}
    for j, (y, ty) in enumerate(classes_of(v, tv, kinds)):
        model = logistic(z[y >= 0], y[y >= 0])
        train[j], test[j] = _auc(model, z, y), _auc(model, tz, ty)
        settings["estimator"] = params(model)
    settings |= undefined(test)
    return Score(
        value=float(test.mean()), parts={"train": float(train.mean())}, per_factor=by_factor(test), settings=settings
    )


def _auc(model: Any, z: Floats, y: Ints) -> float:
    known = y >= 0
    probability = model.predict_proba(z[known])
    if probability.shape[1] == 2 and len(model.classes_) == 2:
        return macro_auc(y[known], probability[:, [1]], model.classes_[[1]])
    return macro_auc(y[known], probability, model.classes_)
