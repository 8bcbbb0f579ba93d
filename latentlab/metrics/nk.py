"""Neuron knockout."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from latentlab.metrics._arrays import Floats, Ints, Kinds, by_factor, check_parts
from latentlab.metrics._estimators import classes_of, unfinished_allowed, z_scored
from latentlab.metrics._metric import Metric
from latentlab.metrics.snc import aligned
from latentlab.results import Score

METRIC = Metric(
    title="Neuron knockout",
    short="NK",
    needs="split",
    range=(-1.0, 1.0),
    better="higher",
    source="Mahon et al. 2024, Correcting flaws in common disentanglement metrics, section 4",
    assumes="Independent factors; a multilayer perceptron that reads each of them; one dimension per factor.",
    unchanged_by=("scale",),
    too_high=(
        "A dimension that holds a factor alone may hold others too; that costs nothing. Mixed codes: what is taken out "
        "is missing from every factor (0.31 where clean codes have 0.53)."
    ),
    too_low=(
        "Copies of a dimension (0.32); copied (0.42), derived (0.31) or strongly correlated factors: what is taken out "
        "is read from the other dimensions."
    ),
)
NETWORK = {
    "hidden_layer_sizes": (256,), "activation": "relu", "solver": "adam", "alpha": 0.0, "learning_rate_init": 1e-2,
    "max_iter": 75, "tol": 1e-4, "n_iter_no_change": 10, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8,
}  # fmt: skip
BATCH = 4096


def nk(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    *,
    seed: int = 0,
    kinds: Kinds = None,
) -> Score:
    """Test accuracy that a network loses on a factor when the factor's own dimension is taken out of the code.

    Factors and dimensions are matched as in ``snc``. For each factor one network with 256 hidden units (ReLU, Adam at
    0.01, at most 75 epochs) predicts its levels from all dimensions, another from all but the matched one; NK is the
    mean over factors of the difference of their test accuracies. ``codes`` (n, d) are z-scored with the training rows'
    mean and deviation; ``factors`` (n, k), values that are not whole numbers in 20 classes; without test arrays the
    rows are split 2:1 with `seed`; missing labels are left out factor by factor. In [−1, 1], higher is better: 0 where
    the rest of the code knows as much, at most 1 less the share of the commonest level. A factor without a dimension
    counts 0. Parts ``with_all`` and ``without``, the accuracies; ``matrix`` (d, k) is the information that matched.

    Do not trust it with correlated factors: the others' dimensions replace the one taken out. The authors' code lowers
    the rate by 0.65 at each power of two of the epoch; here it is constant.

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
        Seed of the split and of the networks.
    kinds : sequence of str, optional
        Kind of each factor: categorical, ordinal, continuous or circular. By default whole numbers are
        categorical, other values continuous.

    Returns
    -------
    Score
        In [−1, 1], higher is better.

    Raises
    ------
    InputError
        If arrays do not fit together, hold infinities, or codes hold NaN.

    References
    ----------
    Mahon et al. 2024; networks of their code snc_nk but for the schedule of the rate.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    >>> round(nk(v.astype(float), v, v.astype(float), v).value, 2)
    0.75
    """
    z, v, tz, tv, rows_from = check_parts(codes, factors, test_codes, test_factors, seed)
    labels = classes_of(v, tv, kinds)
    pairs, mutual = aligned(z, labels)
    x, tx = z_scored(z, tz)
    accuracy = np.zeros((2, len(labels)))
    for j, (y, ty) in enumerate(labels):
        accuracy[:, j] = _accuracy(x, y, tx, ty, seed)
        if j in pairs:
            rest, test_rest = np.delete(x, pairs[j], axis=1), np.delete(tx, pairs[j], axis=1)
            accuracy[1, j] = _accuracy(rest, y, test_rest, ty, seed)
    each = accuracy[0] - accuracy[1]
    settings: dict[str, Any] = {"rows": [len(z), len(tz)], "split": rows_from, "seed": seed, "pruning": "none"}
    settings |= {"assignment": {str(j): i for j, i in pairs.items()}}
    settings |= {"estimator": {"estimator": "MLPClassifier", "batch_size": BATCH} | NETWORK}
    return Score(
        value=float(each.mean()),
        parts={"with_all": float(accuracy[0].mean()), "without": float(accuracy[1].mean())},
        per_factor=by_factor(each),
        matrix=mutual,
        settings=settings,
    )


def _accuracy(x: Floats, y: Ints, tx: Floats, ty: Ints, seed: int) -> float:
    """Test accuracy of a network; of the commonest training level where no dimension varies."""
    known, test_known = y >= 0, ty >= 0
    live = np.ptp(x[known], axis=0) > 0
    if not live.any():
        return float((ty[test_known] == np.bincount(y[known]).argmax()).mean())
    from sklearn.neural_network import MLPClassifier

    with unfinished_allowed():
        model = MLPClassifier(**NETWORK, batch_size=min(BATCH, int(known.sum())), random_state=seed)
        model.fit(x[known][:, live], y[known])
    return float((model.predict(tx[test_known][:, live]) == ty[test_known]).mean())
