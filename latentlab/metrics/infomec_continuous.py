"""InfoMEC for factors that are quantities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.errors import InputError
from latentlab.metrics._arrays import Floats, Kinds, by_factor, check_parts
from latentlab.metrics._metric import Metric
from latentlab.metrics.infomec import sharpness
from latentlab.metrics.r2 import r2
from latentlab.results import Score

METRIC = Metric(
    title="InfoMEC modularity of quantities",
    short="InfoMEC of quantities",
    needs="split",
    range=(0.0, 1.0),
    better="higher",
    source="Hsu et al. 2023, Disentanglement via latent quantization, section 4, with information between quantities",
    kinds=("ordinal", "continuous", "circular"),
    assumes="Independent quantities; dimensions of like range (below an eighth of the largest they are pruned).",
    unchanged_by=("order", "sign", "scale", "shift"),
    too_high="Noise scores 0.5 to 0.7 at any n: the largest share of nothing is still a share. A few factors kept: 1.",
    too_low="Copied (0.79) or correlated factors (0.83) where independent ones have 0.99; a dimension of small range.",
)


def infomec_continuous(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    *,
    neighbours: int = 10,
    prune: float = 10,
    seed: int = 0,
    kinds: Kinds = None,
) -> Score:
    """InfoM (the value), InfoE and InfoC of factors that are quantities, without cutting them into classes.

    N_ij = I(z_i; v_j) / I(v_j; v_j), both by `neighbours` nearest neighbours after Kraskov et al. (KSG); what a factor
    is estimated to know of itself takes the place of an entropy, which a quantity has not. InfoM is the mean over
    active dimensions of max_j N_ij / Σ_j N_ij, rescaled from [1/k, 1] to [0, 1]; InfoC the same over factors. InfoE is
    R² of least squares on test rows, averaged over factors, which may be negative. A dimension is active if its range
    exceeds the largest range over `prune`. ``codes`` (n, d), ``factors`` (n, k ≥ 2) as numbers; missing labels are left
    out factor by factor; without test arrays the rows are split 2:1 with `seed`. InfoM is in [0, 1], higher is better.
    Parts modularity, explicitness, explicitness_train, compactness; ``matrix`` (d, k) is N, 0 for dead dimensions.

    Do not trust InfoM of a code that knows little: it compares factors, not amounts, and estimates that fluctuate
    about 0 are cut off there, so that noise scores 0.5 to 0.7 at any n. InfoC is undefined (NaN) for one active
    dimension. N may exceed 1 by the estimate's error.

    Parameters
    ----------
    codes : array_like of shape (n, d)
        Codes, one row per example, one column per latent dimension.
    factors : array_like of shape (n, k)
        Values of the factors; NaN where unknown.
    test_codes : array_like of shape (m, d), optional
        Held-out codes. Without them the rows are split 2:1 with `seed`.
    test_factors : array_like of shape (m, k), optional
        Factors of the held-out codes.
    neighbours : int, default 10
        Number of nearest neighbours.
    prune : float, default 10
        A dimension is active if its range exceeds the largest range divided by this number.
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
    Hsu et al. 2023; estimators and settings of their later code with types of sources, InfoE on held-out rows.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.random.default_rng(0).uniform(size=(600, 2))
    >>> infomec_continuous(np.tanh(v), v).value > 0.9
    True
    """
    z, v, tz, tv, rows_from = check_parts(codes, factors, test_codes, test_factors, seed)
    if v.shape[1] < 2:
        raise InputError("infomec_continuous compares factors; one factor was given, give at least two")
    span = np.ptp(z, axis=0)
    active = (span > span.max() / prune) & (span > 0)
    share = np.zeros((z.shape[1], v.shape[1]))
    share[active] = np.stack([_share(z[:, active], column, neighbours, seed) for column in v.T], axis=1)
    linear = r2(z, v, tz, tv, seed=seed, kinds=kinds)
    parts = {
        "modularity": sharpness(share[active]),
        "explicitness": linear.value,
        "explicitness_train": linear.parts["train"],
        "compactness": sharpness(share[active].T),
    }
    settings: dict[str, Any] = {"rows": [len(z), len(tz)], "split": rows_from, "seed": seed, "information": "ksg"}
    settings |= {"neighbours": neighbours, "estimator": "least squares with intercept"}
    settings |= {"pruning": f"range > largest / {prune:g} keeps {int(active.sum())} of {len(active)}"}
    each = by_factor(list(linear.per_factor.values()))
    return Score(value=parts["modularity"], parts=parts, per_factor=each, matrix=share, settings=settings)


def _share(z: Floats, column: Floats, neighbours: int, seed: int) -> NDArray[np.float64]:
    """Information of the dimensions (d,) on a factor, over the factor's estimated information on itself."""
    from sklearn.feature_selection import mutual_info_regression

    known = ~np.isnan(column)
    if known.sum() <= neighbours:
        raise InputError(f"a factor has {int(known.sum())} labels; {neighbours} neighbours need more, or give fewer")
    y = column[known] - column[known].mean()
    y = y / y.std()
    x = z[known].astype(np.float64)
    deviation = x.std(axis=0)
    x = (x - x.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    options = {"discrete_features": False, "n_neighbors": neighbours, "copy": True, "random_state": seed}
    own = mutual_info_regression(y[:, None], y, **options)[0]
    if own <= 0:
        raise InputError(f"a factor has too few labels ({len(y)}) for its information by {neighbours} neighbours")
    return np.asarray(mutual_info_regression(x, y, **options) / own) if x.shape[1] else np.zeros(0)
