"""Disentanglement, completeness and informativeness."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.errors import InputError
from latentlab.metrics._arrays import Floats, Ints, Kinds, by_factor, check_parts, kinds_of, levels_of, survey
from latentlab.metrics._boosting import DEPTH, RATE, ROUNDS, Boosted, boost
from latentlab.metrics._estimators import params
from latentlab.metrics._metric import Metric
from latentlab.results import Score
from latentlab.system.machine import process_threads
from latentlab.system.precision import NARROW, check_sizes

METRIC = Metric(
    title="DCI disentanglement",
    short="DCI",
    needs="split",
    range=(0.0, 1.0),
    better="higher",
    source="Eastwood and Williams 2018, A framework for the quantitative evaluation of disentangled representations",
    threaded=True,
    version=2,  # 1 decided ties by other rounding than scikit-learn's: up to 2e-3 apart
    assumes=(
        "Independent factors; a probe (trees) that can read each of them; thousands of rows; more than one factor in "
        "the code."
    ),
    unchanged_by=("order", "sign", "scale", "scales", "shift", "monotone"),
    too_high="Copied codes and sine with cosine cost D nothing, only C: read D with C and I.",
    too_low=(
        "Missing factors: trees share out importance where they learn nothing (0.41 with half of them missing, the "
        "others clean); copied factors (0.83); few rows (0.07 from 300, 0.25 from 10,000 of the same code)."
    ),
)
SCIKIT_LEARN = {
    "loss": "log_loss",
    "learning_rate": RATE,
    "n_estimators": ROUNDS,
    "subsample": 1.0,
    "min_samples_split": 2,
    "min_samples_leaf": 1,
    "min_weight_fraction_leaf": 0.0,
    "max_depth": DEPTH,
    "min_impurity_decrease": 0.0,
    "max_features": None,
    "max_leaf_nodes": None,
}


def dci(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    *,
    seed: int = 0,
    estimator: Literal["compiled", "sklearn"] = "compiled",
    continuous: Literal["classes", "values"] = "classes",
    kinds: Kinds = None,
) -> Score:
    """Disentanglement D (the value), completeness C and informativeness I, from gradient-boosted trees per factor.

    R_ij is the importance of dimension i for factor j. D = Σ_i ρ_i (1 − H_k(R_i)), each row's entropy to base k,
    weighted by the dimension's share of importance; C the same over columns to base d; I the test accuracy, averaged
    over factors. ``codes`` (n, d ≥ 2), ``factors`` (n, k ≥ 2); values that are not whole numbers fall into 20 classes;
    without test arrays the rows are split 2:1 with `seed`. All in [0, 1], higher is better. Parts: disentanglement,
    completeness, informativeness, informativeness_train; ``matrix`` (d, k) is R, ``per_factor`` the completeness.

    ``estimator="compiled"`` is our booster, whose importances are those of scikit-learn's
    ``GradientBoostingClassifier(random_state=seed)`` to 1e-6, ties included; ``"sklearn"`` is that itself, many times
    slower. Never report D without C and I: a code that holds one factor alone in one dimension has a perfect D. Where
    splits tie the seed decides; that spread is about 4e-4.

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
    estimator : str, default 'compiled'
        Estimator of mutual information or importance.
    continuous : {'classes', 'values'}, default 'classes'
        Whether values that are not whole numbers fall into 20 classes, or are predicted as values by scikit-learn's
        boosted regression trees, whose informativeness is R² on the test rows, 0 where it is less.
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
        For unfit arrays.

    References
    ----------
    Eastwood and Williams 2018; estimator of Locatello et al. 2019.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    >>> round(dci(v.astype(float), v, v.astype(float), v, estimator="sklearn").value, 6)
    1.0
    """
    z, v, tz, tv, rows_from = check_parts(codes, factors, test_codes, test_factors, seed)
    check_sizes(z, limits=NARROW)
    if z.shape[1] < 2 or v.shape[1] < 2:
        raise InputError(
            f"dci compares dimensions and factors and needs at least two of each; got {z.shape[1]} and {v.shape[1]}"
        )
    fits, settings = _fits(z, v, tz, tv, kinds, seed, estimator, continuous)
    train, test = np.array([each.train for each in fits]), np.array([each.test for each in fits])
    importances = np.stack([each.importances for each in fits], axis=1)
    completeness = concentration(importances.T)
    parts = {
        "disentanglement": weighted(concentration(importances), importances.sum(axis=1)),
        "completeness": weighted(completeness, importances.sum(axis=0)),
        "informativeness": float(test.mean()),
        "informativeness_train": float(train.mean()),
    }
    settings |= {"rows": [len(z), len(tz)], "split": rows_from, "seed": seed, "pruning": "none"} | METRIC.noted
    return Score(
        value=parts["disentanglement"],
        parts=parts,
        per_factor=by_factor(completeness),
        matrix=importances,
        settings=settings,
    )


class Fit(NamedTuple):
    """How a factor is predicted: importances (d,) of the dimensions, accuracy or R² of train and of test rows."""

    importances: NDArray[np.float64]
    train: float
    test: float


def _fits(
    z: Floats, v: Floats, tz: Floats, tv: Floats, kinds: Kinds, seed: int, estimator: str, continuous: str
) -> tuple[list[Fit], dict[str, Any]]:
    """A fit for each factor: as classes all at once, or as values by itself."""
    named = kinds_of(v, kinds)
    valued = [
        continuous == "values" and named[j] == "continuous" and not survey(v[:, j : j + 1])[0].whole
        for j in range(v.shape[1])
    ]
    as_classes = [j for j, value in enumerate(valued) if not value]
    found: dict[int, Fit] = {}
    settings: dict[str, Any] = {}
    if as_classes:
        labels = [_labels(v[:, j], tv[:, j], named[j]) for j in as_classes]
        boosters, settings = (_boosted if estimator == "compiled" else _scikit_learn)(
            z, [y for y, _ in labels], tz, seed
        )
        for j, booster, (y, ty) in zip(as_classes, boosters, labels, strict=True):
            accuracies = (float(np.mean(a[b >= 0] == b[b >= 0])) for a, b in ((booster.train, y), (booster.test, ty)))
            found[j] = Fit(booster.importances, *accuracies)
    for j in set(range(v.shape[1])) - set(as_classes):
        found[j], settings = _regressed(z, v[:, j], tz, tv[:, j], seed)
    return [found[j] for j in range(v.shape[1])], settings


def _regressed(z: Floats, y: Floats, tz: Floats, ty: Floats, seed: int) -> tuple[Fit, dict[str, Any]]:
    from sklearn.ensemble import GradientBoostingRegressor

    known, test_known = ~np.isnan(y), ~np.isnan(ty)
    model = GradientBoostingRegressor(**{**SCIKIT_LEARN, "loss": "squared_error"}, random_state=seed)
    model.fit(z[known], y[known])
    train, test = model.score(z[known], y[known]), model.score(tz[test_known], ty[test_known])
    return Fit(np.abs(model.feature_importances_), max(0.0, train), max(0.0, test)), params(model)


def concentration(importances: NDArray[np.float64]) -> NDArray[np.float64]:
    """One less the entropy of each row, to the base of its length; 1e-11 is added, as the reference does."""
    share = importances + 1e-11
    share = share / share.sum(axis=1, keepdims=True)
    return np.asarray(1 + (share * np.log(share)).sum(axis=1) / np.log(share.shape[1]))


def weighted(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Weighted mean; plain where no weight is left."""
    return float(np.average(values, weights=weights)) if weights.sum() > 0 else float(values.mean())


def _labels(column: Floats, test_column: Floats, kind: Any) -> tuple[Ints, Ints]:
    """Classes 0 … K − 1 of the training rows and of the test rows; −1 where missing, K where never trained on."""
    level, _ = levels_of(np.concatenate([column, test_column]), kind)
    y, ty = level[: len(column)], level[len(column) :]
    present = np.unique(y[y >= 0])
    place = np.full(level.max() + 1, len(present))
    place[present] = np.arange(len(present))
    return np.where(y >= 0, place[y], -1), np.where(ty >= 0, place[ty], -1)


def _boosted(z: Floats, labels: list[Ints], tz: Floats, seed: int) -> tuple[list[Boosted], dict[str, Any]]:
    settings = {"estimator": "latentlab.metrics._boosting", "n_estimators": ROUNDS, "max_depth": DEPTH}
    settings |= {"learning_rate": RATE, "splits": "exact"}
    if all((y >= 0).all() for y in labels):
        return boost(z, labels, tz, seed, threads=process_threads()), settings
    found = []
    for y in labels:
        known = y >= 0
        [one] = boost(z[known], [y[known]], tz, seed)
        train = np.full(len(y), -1)
        train[known] = one.train
        found.append(one._replace(train=train))
    return found, settings


def _scikit_learn(z: Floats, labels: list[Ints], tz: Floats, seed: int) -> tuple[list[Boosted], dict[str, Any]]:
    from sklearn.ensemble import GradientBoostingClassifier

    found = []
    for y in labels:
        model = GradientBoostingClassifier(**SCIKIT_LEARN, random_state=seed).fit(z[y >= 0], y[y >= 0])
        found.append(Boosted(np.abs(model.feature_importances_), model.predict(z), model.predict(tz)))
    return found, params(model)
