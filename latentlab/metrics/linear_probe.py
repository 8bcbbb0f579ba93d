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
    short="linear probe",
    needs="labels",
    range=(0.0, 1.0),
    better="higher",
    source="Alain and Bengio 2017, Understanding intermediate layers using linear classifier probes",
    turns=False,
    assumes="Classes that a linear classifier can separate.",
    unchanged_by=("order", "sign", "scale", "scales", "shift"),
    too_high="Mixed codes score as high as separate ones; a large class makes chance high.",
    too_low="Classes that are ordered along one dimension (the middle ones), or lie on a circle.",
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

    Parameters
    ----------
    codes : array_like of shape (n, d)
        Codes, one row per example, one column per latent dimension.
    labels : array_like of shape (n,) or (n, k)
        Classes; NaN where unknown.
    test_codes : array_like of shape (m, d), optional
        Held-out codes. Without them the rows are split 2:1 with `seed`.
    test_labels : array_like of shape (m,) or (m, k), optional
        Classes of the held-out codes.
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
    Alain and Bengio 2017.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.arange(60) % 3
    >>> linear_probe(np.eye(3)[v], v).value
    1.0
    """
    return probed(codes, labels, test_codes, test_labels, logistic, seed, kinds)
