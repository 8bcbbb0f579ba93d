"""Accuracy with few labels: accuracy of simple classifiers on the codes, against the number of labelled rows.

A code that is of use downstream lets a simple classifier learn from few labels. Only codes are read, no image and no
model, so any code can be compared with any other: a β-VAE's, an autoencoder's, principal components of the pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.codes import Codes
from latentlab.codes.dimensions import factors_of
from latentlab.data.dataset import labelled
from latentlab.errors import InputError
from latentlab.metrics._arrays import split_rows
from latentlab.metrics._estimators import logistic, nearest, z_scored
from latentlab.system.registry import choose

SIZES = (1, 2, 5, 10, 20, 50, 100)
LEAST_KNOWN = 4
DRAWS = 10
TESTED = 5_000
NEIGHBOURS = 5
ESTIMATORS = {
    "linear": logistic,
    "knn": lambda x, y: nearest(x, y, min(NEIGHBOURS, max(1, int(np.bincount(y).max())))),
}


@dataclass(frozen=True, slots=True)
class Curve:
    """Balanced accuracy on held-out rows against labelled rows per class.

    Balanced: the mean of the classes' recalls, so that a classifier that knows only the commonest class stays at
    ``chance``.

    Parameters
    ----------
    estimator : str
        ``linear`` or ``knn``.
    factor : str
        What is predicted.
    classes : int
        How many classes there are, at least 2.
    sizes : tuple of int
        Labelled rows per class.
    accuracy : tuple of float
        The mean over draws of the labelled rows, in [0, 1], by size.
    low : tuple of float
        Where the 95 % of the draws in the middle begin: the spread that one lucky choice of labels makes, not the error
        of the mean.
    high : tuple of float
        Where they end.
    draws : int
        How often labelled rows were drawn.
    dimensions : int
        How many latent dimensions were used.
    tested : int
        How many rows were held out.

    Raises
    ------
    InputError
        For fewer than two classes, a size below 1, and another number of values than of sizes.
    """

    estimator: str
    factor: str
    classes: int
    sizes: tuple[int, ...]
    accuracy: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    draws: int
    dimensions: int
    tested: int

    def __post_init__(self) -> None:
        values = {len(self.accuracy), len(self.low), len(self.high)}
        if self.classes < 2 or not self.sizes or min(self.sizes) < 1 or values != {len(self.sizes)}:
            raise InputError(
                f"a curve of {self.classes} classes is not valid: expected two or more, and a value for each size ≥ 1"
            )

    @property
    def chance(self) -> float:
        """What a classifier that knows nothing reaches."""
        return 1 / self.classes

    def to_json(self) -> dict[str, Any]:
        """The curve as JSON.

        Returns
        -------
        dict
            Plain values by name, ``chance`` among them.
        """
        return {**asdict(self), "chance": self.chance}


def few_label_curve(
    codes: Codes,
    *,
    factor: str | None = None,
    estimator: str = "linear",
    sizes: Sequence[int] = SIZES,
    draws: int = DRAWS,
    seed: int = 0,
) -> Curve:
    """Train a simple classifier on 1, 2, 5, … codes a class and test it on a third of the rows, none trained on.

    ``factor`` is a categorical or ordinal factor, the label by default. ``estimator`` is ``linear`` (logistic
    regression) or ``knn`` (5 neighbours, fewer where a class has fewer labels). Codes are in units of their own spread
    over all training rows, labelled or not, active dimensions alone (a dead one, scaled up, is noise). The same seed
    draws the same rows for any code of the same data, so two runs are compared on equal labels. Sizes that the rarest
    class cannot fill are left out. It says nothing of disentanglement: rotation does not change this score.

    >>> mean = np.repeat(np.eye(3, dtype="f4"), 40, axis=0)
    >>> few_label_curve(Codes(mean, labels=np.repeat(np.arange(3), 40)), sizes=[2], draws=3).accuracy
    (1.0,)
    """
    choose(estimator, ESTIMATORS, what="estimator")
    values, name = _classes(codes, factor)
    known = np.flatnonzero(values >= 0)
    if len(known) < len(values) and len(known) < LEAST_KNOWN:
        raise InputError(f"{name} is known for {len(known)} rows; a probe needs at least {LEAST_KNOWN}")
    train, test = (known[part] for part in split_rows(len(known), seed))
    test = np.sort(np.random.default_rng(seed).permutation(test)[:TESTED])
    live = codes.active
    z = codes.mean[:, live].astype(np.float64) if live.any() else np.zeros((len(codes), 1))
    own, tz = z_scored(z[train], z[test])
    y, ty = values[train], values[test]
    members = [np.flatnonzero(y == k) for k in np.unique(y)]
    fewest = min(map(len, members))
    used = tuple(size for size in sizes if size <= fewest)
    if not used or len(members) < 2:
        raise InputError(f"{name} has {len(members)} classes, the rarest with {fewest} rows; expected more per class")
    found = np.empty((len(used), draws))
    for i, size in enumerate(used):
        for r in range(draws):
            rng = np.random.default_rng([seed, size, r])
            rows = np.concatenate([rng.choice(rows, size, replace=False) for rows in members])
            found[i, r] = _balanced(ESTIMATORS[estimator](own[rows], y[rows]).predict(tz), ty)
    low, high = np.quantile(found, [0.025, 0.975], axis=1)
    return Curve(
        estimator=estimator,
        factor=name,
        classes=len(members),
        sizes=used,
        accuracy=tuple(found.mean(axis=1).tolist()),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
        draws=draws,
        dimensions=int(live.sum()),
        tested=len(test),
    )


def recalls(predicted: NDArray[np.int64], truth: NDArray[np.int64]) -> dict[int, float]:
    """The share of each class's rows that was recognised.

    >>> recalls(np.array([0, 1, 1, 1]), np.array([0, 0, 1, 1]))
    {0: 0.5, 1: 1.0}
    """
    return {int(k): float((predicted[truth == k] == k).mean()) for k in np.unique(truth)}


def _balanced(predicted: NDArray[np.int64], truth: NDArray[np.int64]) -> float:
    return float(np.mean(list(recalls(predicted, truth).values())))


def _classes(codes: Codes, factor: str | None) -> tuple[NDArray[np.int64], str]:
    """The class of each row (n,), −1 where it is missing, and the factor's name."""
    if codes.labels is not None and factor in (None, "label"):
        numbered = np.unique(codes.labels, return_inverse=True)[1]  # 0, 1, …: theirs may be −1 and 1
        return np.where(labelled(codes.labels, codes.label_names), numbered, -1), "label"
    columns, names, kinds = factors_of(codes)
    few = [name for name, kind in zip(names, kinds, strict=True) if kind in ("categorical", "ordinal")]
    name = factor or next(iter(few), None)
    if name is None:
        raise InputError("the codes have no labels and no categorical or ordinal factor; encode data that have some")
    if name not in few:
        known = ", ".join(dict.fromkeys((["label"] if codes.labels is not None else []) + few)) or "none"
        raise InputError(f"the codes have no classes called {name!r}; they have: {known}"[:200])
    column = columns[:, names.index(name)]
    missing = np.isnan(column)
    found = np.unique(np.where(missing, column[~missing][0], column), return_inverse=True)[1]
    return np.where(missing, -1, found), name
