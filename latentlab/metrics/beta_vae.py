"""The β-VAE score (Z-diff): does a linear classifier name the factor that pairs share from how codes differ?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike

from latentlab.errors import InputError
from latentlab.metrics._arrays import Floats, Kinds, check_rows
from latentlab.metrics._draws import Draws, check_draws, draw_pairs
from latentlab.metrics._estimators import logistic, params
from latentlab.metrics._metric import Metric
from latentlab.results import Score
from latentlab.system.precision import NARROW, check_sizes

METRIC = Metric(
    title="β-VAE score",
    short="β-VAE",
    needs="draws",
    range=(0.0, 1.0),
    better="higher",
    source="Higgins et al. 2017, β-VAE, section 3",
    assumes="Independent factors that rows can share one at a time; codes of one scale.",
    unchanged_by=("order", "sign", "shift"),
    too_high=(
        "Mixed codes reach 1, since the classifier may combine all dimensions; a factor that moves with another "
        "counts as known."
    ),
    too_low="Codes of small scale are shrunk by the penalty of the classifier.",
)
BLOCK = 1000


def beta_vae(
    codes: ArrayLike,
    factors: ArrayLike,
    draws: Draws | None = None,
    test_draws: Draws | None = None,
    *,
    seed: int = 0,
    kinds: Kinds = None,
) -> Score:
    """Accuracy of a logistic regression that names the shared factor from mean absolute differences of pairs.

    Each batch is m pairs of rows that share one factor's value; its point is mean abs(z − z') (d,). ``codes`` (n, d),
    ``factors`` (n, k ≥ 2); ``draws`` are (fixed (b,), rows (b, m, 2)); without them 10,000 and 5,000 batches of 64
    pairs that share the value are drawn from the given rows with `seed`. In [0, 1], chance 1/k, higher is better; the
    value is that of the test points, the part ``train`` that of the training points.

    Do not trust a high value: the classifier may combine all dimensions, so entangled codes reach 1 as well.

    Parameters
    ----------
    codes : array_like of shape (n, d)
        Codes, one row per example, one column per latent dimension.
    factors : array_like of shape (n, k)
        Level indices or values of the factors; NaN where unknown.
    draws : Draws, optional
        Fixed factors (b,) and rows (b, m) of the training batches; drawn from the given rows by default.
    test_draws : Draws, optional
        Batches on which the score is computed; drawn from the given rows by default.
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
    Higgins et al. 2017; estimator of Locatello et al. 2019.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    >>> beta_vae(v.astype(float), v).value
    1.0
    """
    z, v = check_rows(codes, factors)
    check_sizes(z, limits=NARROW)
    if v.shape[1] < 2:
        raise InputError("beta_vae distinguishes factors; one factor was given, give at least two")
    settings: dict[str, Any] = {"pruning": "none"}
    if draws is None or test_draws is None:
        random = RandomState(seed)
        draws, test_draws = (draw_pairs(v, count, 64, random, kinds) for count in (10_000, 5_000))
        settings["draws"] = f"pairs that share the factor's value, from the given rows, with seed {seed}"
    draws, test_draws = check_draws(draws, len(z)), check_draws(test_draws, len(z))
    settings |= {"batches": [len(draws.fixed), len(test_draws.fixed)], "batch_size": draws.rows.shape[1]}
    # In float64: lbfgs stops elsewhere in float32, five test points away from the reference.
    x, tx = _differences(z, draws).astype(np.float64), _differences(z, test_draws).astype(np.float64)
    model = logistic(x, draws.fixed)
    train, test = (float(np.mean(model.predict(x) == y)) for x, y in ((x, draws.fixed), (tx, test_draws.fixed)))
    return Score(value=test, parts={"train": train}, settings={**settings, "estimator": params(model)})


def _differences(z: Floats, drawn: Draws) -> Floats:
    """Mean absolute difference (b, d) of each batch's pairs."""
    points = []
    for start in range(0, len(drawn.fixed), BLOCK):
        rows = drawn.rows[start : start + BLOCK]
        points.append(np.abs(z[rows[..., 0]] - z[rows[..., 1]]).mean(axis=1))
    return np.concatenate(points)
