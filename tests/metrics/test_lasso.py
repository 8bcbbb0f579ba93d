"""The Lasso of many targets is scikit-learn's, on arrays that are easy, alike, constant, or far apart in size."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso

from latentlab.metrics._lasso import lasso

KINDS = ("plain", "alike", "copies", "constant", "scaled", "few")


def _columns(kind, d, rng):
    x = rng.normal(size=(3 if kind == "few" else 60, d))
    if kind == "alike":
        x = x[:, :1] + 0.05 * x
    if kind == "copies":
        x[:, -1] = x[:, 0]
    if kind == "constant":
        x[:, 0] = 3
    if kind == "scaled":
        x = x * 10.0 ** rng.integers(-2, 3, d)
    return x - x.mean(axis=0)


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(KINDS),
    st.integers(1, 7),
    st.integers(1, 6),
    st.sampled_from([0.001, 0.1, 1.0]),
    st.integers(0, 999),
)
def test_the_weights_are_those_of_scikit_learn(kind, d, targets, alpha, seed):
    rng = np.random.default_rng(seed)
    x = _columns(kind, d, rng)
    y = x @ rng.normal(size=(d, targets)) * rng.integers(0, 2, targets) + 0.3 * rng.normal(size=(len(x), targets))
    y -= y.mean(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        expected = np.stack([Lasso(alpha=alpha).fit(x, column).coef_ for column in y.T], axis=1)
    np.testing.assert_allclose(lasso(x, y, alpha), expected, rtol=1e-6, atol=1e-8 * max(1, np.abs(expected).max()))


@pytest.mark.parametrize("alpha", [0.05, 0.5])
def test_targets_do_not_touch_each_other(alpha):
    rng = np.random.default_rng(1)
    x, y = _columns("alike", 5, rng), _columns("plain", 8, rng)
    alone = np.hstack([lasso(x, y[:, t : t + 1], alpha) for t in range(8)])
    np.testing.assert_allclose(lasso(x, y, alpha), alone, rtol=1e-12, atol=1e-14)
