"""Linear probe: can a linear classifier read the labels off the code?"""

from __future__ import annotations

from numpy.typing import ArrayLike

from latentlab.metrics._arrays import Kinds
from latentlab.metrics._estimators import logistic
from latentlab.metrics._metric import Metric
from latentlab.metrics._probed import probed
from latentlab.results import Score

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
    return probed(codes, labels, test_codes, test_labels, logistic, seed, kinds)
