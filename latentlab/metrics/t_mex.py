"""Test-based measurement exclusivity: which factors each dimension depends on, by tests of conditional independence."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.data.dataset import FactorKind
from latentlab.errors import InputError
from latentlab.metrics._arrays import Floats, Kinds, angles_of, by_factor, check_parts, kinds_of, levels_of
from latentlab.metrics._estimators import z_scored
from latentlab.metrics._metric import Metric
from latentlab.metrics.mcc import assigned
from latentlab.results import Score

METRIC = Metric(
    title="Test-based measurement exclusivity",
    short="T-MEX",
    needs="split",
    range=(0.0, float("inf")),
    better="lower",
    source="Yao et al. 2025, The third pillar of causal analysis? A measurement perspective, section 4",
    assumes="Thousands of rows; dependence that polynomials of third degree see; factors that are not copies.",
    unchanged_by=("order", "sign", "scale", "shift"),
    too_high=(
        "Many rows, in which a trace of dependence is significant (14 at 300, 20 at 10,000 of one code); many "
        "dimensions (30 with 45 of noise)."
    ),
    too_low=(
        "Noise depends on nothing, so that only missed factors count: 4.6 where an entangled code has 19. It tells few "
        "codes apart before they are clean (discriminability 0.52)."
    ),
)
POWERS = 3  # of a quantity, among what is regressed on
NOTHING = 1e-10  # share of a variance that rounding may leave
Matrix = NDArray[np.float64]


def t_mex(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    *,
    adjacency: ArrayLike | None = None,
    level: float = 0.05,
    seed: int = 0,
    kinds: Kinds = None,
) -> Score:
    """Number of pairs of a dimension and a factor whose tested dependence is not that of a measurement model.

    Whether z_i depends on v_j given all other factors is tested at `level`, for each i and j, and compared with the 0
    or 1 of an `adjacency` W (d, k), the model: T-MEX = Σ_ij abs(1[p_ij < level] − W_ij). Without `adjacency` each
    factor has one dimension and no dimension two, matched so that the sum of the test statistics is largest; a factor
    that is left without one counts 1. From 0 to dk and more, lower is better; a faithful code has (dk − k) · level on
    average, since that many independences are rejected by chance. Parts ``missed`` (W is 1, not rejected) and
    ``spurious`` (W is 0, rejected); ``matrix`` (d, k) has the statistics, ``per_factor`` the count of each factor.

    The test is the projected covariance measure. On the training rows z_i is regressed on all factors and on all but
    v_j; the difference f of the two fits is what v_j adds. On the test rows z_i and f are regressed on the factors but
    v_j, and T = √m mean(L) / sd(L), L the product of their residuals over m rows, is compared with a normal
    distribution, one-sided. Regressions are least squares, on an indicator of each level of a category, on powers 1 to
    3 of other values, on cosine and sine of circular ones. ``codes`` (n, d), ``factors`` (n, k); rows with a missing
    label in any factor are left out; without test arrays the rows are split 2:1 with `seed`.

    Factors may be correlated or cause each other: given the others, only direct dependence is seen. Do not trust it
    where two factors determine each other (a copy is independent given its copy), nor for dependence that sums of
    functions of single factors do not see. It counts dependences, however weak: with many rows a trace is one. The
    authors also use other regressions and average T over nine splits; their W is fixed before looking.

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
    adjacency : array_like of shape (d, k), optional
        1 where the dimension is to depend on the factor, else 0.
    level : float, default 0.05
        Level of each test, above 0 and below 1.
    seed : int, default 0
        Seed of the split.
    kinds : sequence of str, optional
        Kind of each factor: categorical, ordinal, continuous or circular. By default whole numbers are
        categorical, other values continuous.

    Returns
    -------
    Score
        At least 0, lower is better.

    Raises
    ------
    InputError
        If arrays do not fit together, hold infinities, codes hold NaN, or complete rows are too few.

    References
    ----------
    Yao et al. 2025; the test is that of Lundborg et al. 2024, The projected covariance measure.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.random.default_rng(0).integers(0, 4, size=(600, 2))
    >>> t_mex(v[:, ::-1].astype(float), v).value
    0.0
    >>> t_mex((v @ np.array([[1.0, 0.5], [0.5, 1.0]])), v).value
    2.0
    """
    z, v, tz, tv, rows_from = check_parts(codes, factors, test_codes, test_factors, seed)
    if not 0 < level < 1:
        raise InputError(f"level is {level:g}; expected a number above 0 and below 1")
    z, tz = (part.astype(np.float64) for part in z_scored(z, tz))
    complete, test_complete = (~np.isnan(part).any(axis=1) for part in (v, tv))
    bases = [_basis(v[complete, j], tv[test_complete, j], kind) for j, kind in enumerate(kinds_of(v, kinds))]
    statistics = _statistics(z[complete], tz[test_complete], bases)
    chosen = _matched(statistics) if adjacency is None else _model(adjacency, statistics.shape)
    from scipy.stats import norm

    rejected = statistics > norm.isf(level)
    missed, spurious = (chosen & ~rejected).sum(axis=0), (rejected & ~chosen).sum(axis=0)
    missed = missed + (~chosen.any(axis=0) if adjacency is None else 0)
    settings: dict[str, Any] = {"rows": [int(complete.sum()), int(test_complete.sum())], "split": rows_from}
    settings |= {"level": level, "test": "projected covariance measure", "pruning": "none"}
    settings |= {"assignment": {str(j): np.flatnonzero(chosen[:, j]).tolist() for j in range(v.shape[1])}}
    return Score(
        value=float((missed + spurious).sum()),
        parts={"missed": float(missed.sum()), "spurious": float(spurious.sum())},
        per_factor=by_factor(missed + spurious),
        matrix=statistics,
        settings=settings,
    )


def _matched(statistics: Matrix) -> NDArray[np.bool_]:
    """One dimension for each factor, where there are enough."""
    chosen = np.zeros(statistics.shape, dtype=bool)
    chosen[assigned(statistics)] = True
    return chosen


def _model(adjacency: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    given = np.asarray(adjacency)
    if given.shape != shape or not np.isin(given, (0, 1)).all():
        raise InputError(f"adjacency has shape {given.shape}; expected {shape}, of 0 and 1: dimensions by factors")
    return given.astype(bool)


def _basis(column: Floats, test_column: Floats, kind: FactorKind) -> tuple[Matrix, Matrix]:
    """What is regressed on of a factor, on training and on test rows: indicators, powers, or cosine and sine."""
    both = np.concatenate([column, test_column])
    if kind == "categorical":
        found = np.eye(int(np.unique(both).size))[np.unique(both, return_inverse=True)[1]]
    elif kind == "circular":
        angle = angles_of(both)
        found = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    else:
        level = levels_of(both, kind)[0] if kind == "ordinal" else both
        scaled = (level - level.mean()) / (level.std() or 1.0)
        found = np.stack([scaled**power for power in range(1, POWERS + 1)], axis=1)
    return found[: len(column)], found[len(column) :]


def _statistics(z: Matrix, tz: Matrix, bases: list[tuple[Matrix, Matrix]]) -> Matrix:
    """The projected covariance measure T (d, k) of each dimension and factor, given the other factors."""
    width = 1 + sum(train.shape[1] for train, _ in bases)
    if min(len(z), len(tz)) < width + 2:
        raise InputError(
            f"{len(z)} + {len(tz)} rows have all labels; regressions on {width} columns need at least {width + 2} each"
        )
    every, test_every = ([part[side] for part in bases] for side in (0, 1))
    whole, test_whole = _columns(every, len(z)), _columns(test_every, len(tz))
    fitted = test_whole @ _weights(whole, z)
    found = np.zeros((z.shape[1], len(bases)))
    for j in range(len(bases)):
        others = _columns(every[:j] + every[j + 1 :], len(z))
        test_others = _columns(test_every[:j] + test_every[j + 1 :], len(tz))
        added = fitted - test_others @ _weights(others, z)
        found[:, j] = _covariance(_residuals(test_others, tz), _residuals(test_others, added), tz.var(axis=0))
    return found


def _columns(bases: list[Matrix], rows: int) -> Matrix:
    return np.concatenate([np.ones((rows, 1)), *bases], axis=1)


def _weights(basis: Matrix, targets: Matrix) -> Matrix:
    """Least squares by the normal equations, which many rows of few columns at unit scale allow; any rank."""
    return np.asarray(np.linalg.pinv(basis.T @ basis, rcond=NOTHING, hermitian=True) @ (basis.T @ targets))


def _residuals(basis: Matrix, targets: Matrix) -> Matrix:
    return np.asarray(targets - basis @ _weights(basis, targets))


def _covariance(left: Matrix, right: Matrix, variance: Matrix) -> Matrix:
    """√m mean(L) / sd(L) of products L of residuals, for each column; 0 where rounding is all that either has."""
    product = left * right
    some = (left.var(axis=0) > NOTHING * variance) & (right.var(axis=0) > NOTHING**2 * variance)
    deviation = np.where(some & (product.std(axis=0) > 0), product.std(axis=0), np.inf)
    return np.asarray(np.sqrt(len(product)) * product.mean(axis=0) / deviation)
