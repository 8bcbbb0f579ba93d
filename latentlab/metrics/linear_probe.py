"""Linear probe: can a linear classifier read the labels off the code?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from latentlab.metrics._arrays import Kinds, by_factor, check_parts
from latentlab.metrics._estimators import classes_of, logistic, params, z_scored
from latentlab.metrics._metric import Metric
from latentlab.score import Score

METRIC = Metric(
    title="Linear probe",
    needs="labels",
    range=(0.0, 1.0),
    better="higher",
    source="Alain and Bengio 2017, Understanding intermediate layers using linear classifier probes",
)


def linear_probe(
    codes: ArrayLike,
    labels: ArrayLike,
    test_codes: ArrayLike | None = None,
    test_labels: ArrayLike | None = None,
    *,
    seed: int = 0,
    kinds: Kinds = None,
) -> Score:
    """Test accuracy of a logistic regression from all dimensions to a label.

    ``codes`` (n, d) are z-scored with the training rows' mean and deviation; ``labels`` (n,) or (n, k) classes, NaN
    where missing, values that are not whole numbers in 20 classes of equal width; without test arrays the rows are
    split 2:1 with `seed`. The value is the test accuracy, averaged over columns, in [0, 1], higher is better; parts
    ``train`` and ``chance``, the share of the commonest class.

    Do not trust it as a measure of disentanglement: any rotation scores the same.

    Source: Alain and Bengio 2017. Raises `InputError` for arrays that do not fit.

    >>> import numpy as np
    >>> v = np.arange(60) % 3
    >>> linear_probe(np.eye(3)[v], v).value
    1.0
    """
    z, v, tz, tv, rows_from = check_parts(codes, labels, test_codes, test_labels, seed)
    z, tz = z_scored(z, tz)
    found = []
    settings: dict[str, Any] = {"rows": [len(z), len(tz)], "split": rows_from}
    for y, ty in classes_of(v, tv, kinds):
        model = logistic(z[y >= 0], y[y >= 0])
        train = np.mean(model.predict(z[y >= 0]) == y[y >= 0])
        test = np.mean(model.predict(tz[ty >= 0]) == ty[ty >= 0])
        found.append((train, test, np.bincount(ty[ty >= 0]).max() / (ty >= 0).sum()))
        settings |= {"estimator": params(model)}
    train, test, chance = np.array(found).T
    return Score(
        value=float(test.mean()),
        parts={"train": float(train.mean()), "chance": float(chance.mean())},
        per_factor=by_factor(test),
        settings=settings,
    )
