"""The booster is scikit-learn's `GradientBoostingClassifier`, to the last bit that decides a split."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.utils._sorting import _py_simultaneous_sort
from tied import tied

from latentlab.metrics import _boosting
from latentlab.metrics._boosting import boost
from latentlab.metrics._sorting_kernel import sort_rows
from latentlab.metrics._tree import tied_features
from latentlab.metrics.dci import SCIKIT_LEARN, dci

NEAR = 1e-6


@njit
def ordered(keys, rows, x, order, pending):
    sort_rows(keys, rows, x, order, pending)


def theirs(codes, y, **changes):
    return GradientBoostingClassifier(**{**SCIKIT_LEARN, **changes}, random_state=0).fit(codes, y)


def assert_same(codes, y):
    model = theirs(codes, y)
    [ours] = boost(codes, [y], codes)
    np.testing.assert_allclose(ours.importances, model.feature_importances_, atol=NEAR)
    assert (ours.train == model.predict(codes)).all()
    assert (ours.test == ours.train).all()


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_importances_are_theirs_where_splits_tie(seed):
    assert_same(*tied(seed, most=150))


@pytest.mark.parametrize("seed", [3, 11])
def test_importances_are_theirs_on_more_rows(seed):
    random = np.random.default_rng(seed)
    codes = random.normal(size=(900, 3)).astype(np.float32)
    codes = np.column_stack([codes, codes[:, 0], -codes[:, 1], np.round(codes[:, 2], 1)])
    signal = codes[:, 0] + codes[:, 1] ** 2 + random.normal(scale=0.3, size=900)
    assert_same(codes, np.digitize(signal, np.quantile(signal, [0.3, 0.8])))


@pytest.mark.parametrize("other_targets", [False, True])
def test_importances_are_theirs_where_rows_are_drawn_twice(other_targets):
    """Rows that are alike, their target included, have no order that matters; where targets differ, they have one."""
    random = np.random.default_rng(5)
    x = random.normal(size=(150, 3))
    codes = np.column_stack([x, x[:, 0], np.round(x[:, 1])]).astype(np.float32)
    y = np.digitize(x[:, 0] + random.normal(scale=0.3, size=150), [-0.4, 0.4])
    rows = random.integers(0, 150, 400)
    target = random.permutation(y[rows]) if other_targets else y[rows]
    assert_same(codes[rows], target)
    order = np.argsort(codes[rows].T, axis=1, kind="stable")
    assert tied_features(codes[rows].T, order, target).tolist() == [other_targets] * 4 + [True]


def test_a_mirrored_dimension_is_chosen_as_they_choose(monkeypatch):
    monkeypatch.setattr(_boosting, "ROUNDS", 10)
    for seed in range(5):
        random = np.random.default_rng(seed)
        x = random.normal(size=300)
        codes = np.stack([x, -x], axis=1).astype(np.float32)
        y = np.digitize(x + random.normal(scale=0.3, size=300), [-0.4, 0.4])
        [ours] = boost(codes, [y], codes)
        want = theirs(codes, y, n_estimators=10).feature_importances_
        np.testing.assert_allclose(ours.importances, want, atol=NEAR)


def test_scores_are_theirs_where_a_dimension_is_doubled():
    random = np.random.default_rng(0)
    v = random.integers(0, 3, size=(900, 2)).astype(float)
    z = v + random.normal(scale=0.3, size=v.shape)
    z = np.column_stack([z, z[:, 0]])
    v[::5, 1] = np.nan
    ours, reference = (dci(z, v, z, v, estimator=name) for name in ("compiled", "sklearn"))
    assert ours.parts == pytest.approx(dict(reference.parts), abs=NEAR)


@given(st.lists(st.integers(0, 9), min_size=2, max_size=200), st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_equal_keys_end_in_the_order_of_their_sort(keys, seed):
    values = np.array(keys, dtype=np.float32)
    rows = np.random.default_rng(seed).permutation(len(keys))
    ours, want = rows.astype(np.uint32), rows.copy()
    order = np.argsort(values, kind="stable")
    pending = np.zeros((64, 3), np.int64)
    ordered(values.copy(), ours, values[order], rows[order].astype(np.uint32), pending)
    _py_simultaneous_sort(values.copy(), want, len(keys), use_three_way_partition=True)
    assert ours.tolist() == want.tolist()
