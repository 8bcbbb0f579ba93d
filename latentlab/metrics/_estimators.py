"""The linear estimators, their settings written out: scikit-learn's defaults change, and moved published scores."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.metrics._arrays import Floats, Ints, Kinds, kinds_of, levels_of

LOGISTIC = {"C": 1.0, "solver": "lbfgs", "tol": 1e-4, "max_iter": 100, "fit_intercept": True, "class_weight": None}
SVC = {
    "loss": "squared_hinge",
    "penalty": "l2",
    "dual": False,
    "multi_class": "ovr",
    "fit_intercept": True,
    "intercept_scaling": 1.0,
    "tol": 1e-4,
    "max_iter": 1000,
}


@contextmanager
def unfinished_allowed() -> Iterator[None]:
    """The protocols stop solvers at a fixed number of steps and take whole numbers, however many, as classes.

    Both are part of the score, not news to its reader.
    """
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        yield


def logistic(x: Floats, y: Ints) -> Any:
    """A fitted multinomial logistic regression (`LOGISTIC`)."""
    from sklearn.linear_model import LogisticRegression

    with unfinished_allowed():
        return LogisticRegression(**LOGISTIC).fit(x, y)


def linear_svc(x: Floats, y: Ints, penalty: float, seed: int) -> Any:
    """A fitted one-versus-rest linear SVM (`SVC`) with balanced classes; `penalty` is its C."""
    from sklearn.svm import LinearSVC

    with unfinished_allowed():
        return LinearSVC(C=penalty, class_weight="balanced", random_state=seed, **SVC).fit(x, y)


def params(model: Any) -> dict[str, Any]:
    """The estimator's own account of its settings, JSON-able."""
    return {"estimator": type(model).__name__, **{k: v for k, v in model.get_params().items() if v != "deprecated"}}


def macro_auc(y: Ints, probability: NDArray[np.float64], classes: Ints) -> float:
    """Mean over classes of the one-versus-rest area under the ROC curve; classes absent from y are left out.

    By ranks: AUC = (Σ ranks of the positives − p (p + 1) / 2) / (p q), ties at their mean rank.
    """
    from scipy.stats import rankdata

    ranks = rankdata(probability, axis=0)
    positive = y[:, None] == classes
    p = positive.sum(axis=0)
    q = len(y) - p
    use = (p > 0) & (q > 0)
    area = ((ranks * positive).sum(axis=0) - p * (p + 1) / 2)[use] / (p * q)[use]
    return float(area.mean()) if use.any() else float("nan")


def z_scored(z: Floats, tz: Floats) -> tuple[Floats, Floats]:
    """Train and test codes in units of the training rows' mean and deviation; constant dimensions become 0.

    The moments are in float64, whatever the codes are in: sums of float32 lose a mean far from 0.
    """
    mean, deviation = z.mean(axis=0, dtype=np.float64), z.std(axis=0, dtype=np.float64)
    deviation = np.where(deviation > 0, deviation, 1)
    return ((z - mean) / deviation).astype(z.dtype), ((tz - mean) / deviation).astype(tz.dtype)


def classes_of(v: Floats, tv: Floats, kinds: Kinds, bins: int = 20) -> list[tuple[Ints, Ints]]:
    """For each factor the classes of training and test rows, −1 where the label is missing.

    Values that are not whole numbers fall into `bins` classes.
    """
    found = []
    for j, kind in enumerate(kinds_of(v, kinds)):
        level, _ = levels_of(np.concatenate([v[:, j], tv[:, j]]), kind, bins)
        found.append((level[: len(v)], level[len(v) :]))
    return found


def nearest(x: Floats, y: Ints, neighbours: int) -> Any:
    """A fitted k-nearest-neighbour classifier, Euclidean, unweighted."""
    from sklearn.neighbors import KNeighborsClassifier

    count = min(neighbours, len(x))
    with unfinished_allowed():
        return KNeighborsClassifier(n_neighbors=count, weights="uniform", metric="minkowski", p=2).fit(x, y)
