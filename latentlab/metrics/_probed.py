"""What a simple classifier reads off a code: the common part of the probes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from latentlab.metrics._arrays import Floats, Ints, Kinds, by_factor, check_parts
from latentlab.metrics._estimators import classes_of, params, z_scored
from latentlab.results import Score


def probed(
    codes: ArrayLike,
    labels: ArrayLike,
    test_codes: ArrayLike | None,
    test_labels: ArrayLike | None,
    fit: Callable[[Floats, Ints], Any],
    seed: int,
    kinds: Kinds,
) -> Score:
    """Test accuracy of what `fit` makes of z-scored codes and classes, averaged over the columns of the labels."""
    z, v, tz, tv, rows_from = check_parts(codes, labels, test_codes, test_labels, seed)
    z, tz = z_scored(z, tz)
    found = []
    settings: dict[str, Any] = {"rows": [len(z), len(tz)], "split": rows_from}
    for y, ty in classes_of(v, tv, kinds):
        known, test_known = y >= 0, ty >= 0
        model = fit(z[known], y[known])
        train = np.mean(model.predict(z[known]) == y[known])
        test = np.mean(model.predict(tz[test_known]) == ty[test_known])
        found.append((train, test, np.bincount(ty[test_known]).max() / test_known.sum()))
        settings |= {"estimator": params(model)}
    train, test, chance = np.array(found).T
    return Score(
        value=float(test.mean()),
        parts={"train": float(train.mean()), "chance": float(chance.mean())},
        per_factor=by_factor(test),
        settings=settings,
    )
