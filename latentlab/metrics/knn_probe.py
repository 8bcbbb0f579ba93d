"""k-NN probe: do neighbours in the code share their label?"""

from __future__ import annotations

from numpy.typing import ArrayLike

from latentlab.metrics._arrays import Kinds
from latentlab.metrics._estimators import nearest
from latentlab.metrics._metric import Metric
from latentlab.metrics._probed import probed
from latentlab.results import Score

METRIC = Metric(
    title="k-NN probe",
    needs="labels",
    range=(0.0, 1.0),
    better="higher",
    source="Wu et al. 2018, Unsupervised feature learning via non-parametric instance discrimination",
)


def knn_probe(
    codes: ArrayLike,
    labels: ArrayLike,
    test_codes: ArrayLike | None = None,
    test_labels: ArrayLike | None = None,
    *,
    neighbours: int = 15,
    seed: int = 0,
    kinds: Kinds = None,
) -> Score:
    """Test accuracy of the majority among the `neighbours` nearest training codes.

    ``codes`` (n, d) are z-scored with the training rows' mean and deviation; ``labels`` (n,) or (n, k) classes, NaN
    where missing, values that are not whole numbers in 20 classes of equal width; without test arrays the rows are
    split 2:1 with `seed`. The value is the test accuracy, averaged over columns, in [0, 1], higher is better; parts
    ``train`` and ``chance``, the share of the commonest class.

    Do not trust it as a measure of disentanglement: any rotation scores the same, and dead
    dimensions, z-scored, add noise.

    Source: Wu et al. 2018. Raises `InputError` for arrays that do not fit.

    >>> import numpy as np
    >>> v = np.arange(60) % 3
    >>> knn_probe(np.eye(3)[v], v).value
    1.0
    """
    return probed(codes, labels, test_codes, test_labels, lambda z, y: nearest(z, y, neighbours), seed, kinds)
