"""InfoMEC: modularity, explicitness and compactness from information."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.data.dataset import FactorKind
from latentlab.errors import InputError
from latentlab.metrics._arrays import Floats, Ints, Kinds, by_factor, check_parts, kinds_of
from latentlab.metrics._estimators import classes_of, unfinished_allowed, z_scored
from latentlab.metrics._information import information
from latentlab.metrics._metric import Metric
from latentlab.results import Score
from latentlab.system.precision import NARROW, check_sizes

METRIC = Metric(
    title="InfoMEC modularity",
    short="InfoMEC",
    needs="split",
    range=(0.0, 1.0),
    better="higher",
    source="Hsu et al. 2023, Disentanglement via latent quantization, section 4",
    assumes="Independent factors; dimensions of like range (below an eighth of the largest they are pruned).",
    unchanged_by=("order", "sign", "scale", "shift"),
    too_high=(
        "Pure noise scores 0.5 to 0.7 at any n: the largest share of nothing is still a share. A few factors kept of "
        "many score near 1."
    ),
    too_low=(
        "Correlated, copied or derived factors share a dimension's information (0.72, 0.72, 0.86 for 0.96); a "
        "dimension of small range is pruned, in one draw of rows and not in the next."
    ),
)
LOGISTIC = {"C": np.inf, "tol": 1e-4, "max_iter": 100, "class_weight": "balanced"}


def infomec(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    *,
    estimator: Literal["ksg", "binned"] = "ksg",
    bins: int = 20,
    neighbours: int = 3,
    prune: float = 8,
    weighted: bool = True,
    solver: Literal["newton-cg", "lbfgs"] = "newton-cg",
    uninformed: Literal["chance", "left out"] = "chance",
    seed: int = 0,
    kinds: Kinds = None,
) -> Score:
    """InfoM (the value), InfoE and InfoC: modularity, explicitness and compactness, each 0 at chance and 1 at best.

    With N_ij = I(z_i; v_j) / H(v_j): InfoM is the mean over active dimensions of max_j N_ij / Σ_j N_ij, rescaled from
    [1/k, 1] to [0, 1]; InfoC the same over factors, rescaled from [1/d', 1] with d' active dimensions. InfoE is the
    mean over factors of 1 − (cross-entropy on test rows of a logistic regression, unpenalised, balanced classes) /
    log K, K classes; the cross-entropy weighs classes alike, or rows where not `weighted`. A dimension is active if
    its
    range exceeds the largest range over `prune`. ``codes`` (n, d), ``factors`` (n, k ≥ 2); information by nearest
    `neighbours` (``ksg``, the paper's, slow) or over `bins` bins (``binned``); values that are not whole numbers are
    classes of `bins` bins. Higher is better; parts modularity, explicitness, explicitness_train, compactness;
    ``matrix`` (d, k) is N, 0 for dead dimensions.

    The authors' code takes 10 neighbours, prunes at a 20th, does not weigh, and judges InfoE on the rows it was fitted
    to, where `solver` may stop early: profile ``infomec_code`` and the part explicitness_train.

    Do not trust InfoC where one dimension is active: it is undefined (NaN). Range pruning follows outliers.

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
    estimator : {'ksg', 'binned'}, default 'ksg'
        Mutual information by nearest neighbours or over bins.
    bins : int, default 20
        Number of bins of equal width per dimension.
    neighbours : int, default 3
        Number of nearest neighbours.
    seed : int, default 0
        Seed of everything that is drawn at random.
    prune : float, default 8
        A dimension is active if its range exceeds the largest range divided by this number.
    weighted : bool, default True
        Whether classes have equal weight in the cross-entropy.
    solver : {'newton-cg', 'lbfgs'}, default 'newton-cg'
        Solver of the logistic regression.
    uninformed : {'chance', 'left out'}, default 'chance'
        Whether dimensions (and factors) that share no information count as chance or not at all.
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
    Hsu et al. 2023, eq. 5 to 8.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    >>> z = v.astype(float)
    >>> round(infomec(z, v, z, v, estimator="binned").value, 6)
    1.0
    """
    z, v, tz, tv, rows_from = check_parts(codes, factors, test_codes, test_factors, seed)
    check_sizes(z, limits=NARROW)
    if v.shape[1] < 2:
        raise InputError("infomec compares factors; one factor was given, give at least two")
    named = kinds_of(v, kinds)
    span = np.ptp(z, axis=0)
    active = (span > span.max() / prune) & (span > 0)
    share = np.zeros((z.shape[1], v.shape[1]))
    if active.any():
        share[active] = _shares(z[:, active], v, named, estimator, bins, neighbours, seed)
    x, tx = z_scored(z, tz)
    labels = classes_of(v, tv, named, bins)
    explicit = np.array([_explicit(x, y, tx, ty, solver, weighted) for y, ty in labels])
    parts = {
        "modularity": sharpness(share[active], uninformed),
        "explicitness": float(explicit[:, 1].mean()),
        "explicitness_train": float(explicit[:, 0].mean()),
        "compactness": sharpness(share[active].T, uninformed),
    }
    settings: dict[str, Any] = {"information": estimator, "rows": [len(z), len(tz)], "split": rows_from, "seed": seed}
    settings |= {"pruning": f"range > largest / {prune:g} keeps {int(active.sum())} of {len(active)}"}
    settings |= {"estimator": {key: str(value) for key, value in {**LOGISTIC, "solver": solver}.items()}}
    settings |= {"bins": bins} if estimator == "binned" else {"neighbours": neighbours}
    settings |= {} if uninformed == "chance" else {"uninformed": "left out"}
    settings |= {"cross_entropy": "equal weight per class" if weighted else "equal weight per row"}
    return Score(
        value=parts["modularity"], parts=parts, per_factor=by_factor(explicit[:, 1]), matrix=share, settings=settings
    )


def sharpness(share: NDArray[np.float64], uninformed: str = "chance") -> float:
    """Mean over rows of largest over sum, rescaled so that equal entries give 0; rows of zeros are 0 or left out."""
    n = share.shape[1] if share.size else 0
    if n < 2:
        return float("nan") if n == 1 else 0.0
    if uninformed == "left out":
        share = share[share.sum(axis=1) > 0]
        if not len(share):
            return 0.0
    total = share.sum(axis=1)
    largest = np.where(total > 0, share.max(axis=1) / np.where(total > 0, total, 1.0), 1 / n)
    return float((largest.mean() - 1 / n) / (1 - 1 / n))


def _shares(
    z: Floats, v: Floats, kinds: tuple[FactorKind, ...], estimator: str, bins: int, neighbours: int, seed: int
) -> NDArray[np.float64]:
    found = information(z, v, bins, kinds)
    if estimator == "binned":
        return found.mutual / found.factor
    from sklearn.feature_selection import mutual_info_classif

    share = np.zeros(found.mutual.shape)
    for j, (y, _) in enumerate(classes_of(v, v, kinds, bins)):
        if np.bincount(y[y >= 0]).max() < 2:
            raise InputError(f"factor {j} of factors has no value twice, so no value has neighbours; give more rows")
        nats = mutual_info_classif(
            z[y >= 0], y[y >= 0], discrete_features=False, n_neighbors=neighbours, copy=True, random_state=seed
        )
        share[:, j] = nats / found.factor[j]
    return share


def _explicit(x: Floats, y: Ints, tx: Floats, ty: Ints, solver: str, weighted: bool) -> tuple[float, float]:
    """1 − cross-entropy over that of balanced guessing, on training and on test rows."""
    from sklearn.linear_model import LogisticRegression

    with unfinished_allowed():
        model = LogisticRegression(**LOGISTIC, solver=solver).fit(x[y >= 0], y[y >= 0])
    guess = np.log(len(model.classes_))
    found = []
    for rows, labels in ((x, y), (tx, ty)):
        seen = np.isin(labels, model.classes_)
        if not seen.any():
            raise InputError("a factor's test rows have none of its values in the training rows; give more rows")
        place = np.searchsorted(model.classes_, labels[seen])
        probability = model.predict_proba(rows[seen])[np.arange(seen.sum()), place]
        weight = 1.0 / np.bincount(place, minlength=len(model.classes_))[place] if weighted else None
        found.append(1 - np.average(-np.log(np.maximum(probability, 1e-15)), weights=weight) / guess)
    return float(found[0]), float(found[1])
