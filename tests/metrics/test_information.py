"""Information of many draws at once is, bit by bit, that of each draw alone."""

from __future__ import annotations

import numpy as np
import pytest

from latentlab.metrics import _information
from latentlab.metrics._arrays import bin_edges
from latentlab.metrics._information import edges_of, information, permuted

KINDS = ("categorical", "continuous", "ordinal", "circular")


@pytest.mark.parametrize("together", [1, 5_000, 1 << 20])
@pytest.mark.parametrize("n", [5, 300])
def test_permuted_factors_are_as_if_each_order_were_alone(n, together, monkeypatch):
    monkeypatch.setattr(_information, "TOGETHER", together)
    rng = np.random.default_rng(n)
    codes = np.c_[rng.normal(size=(n, 3)), np.zeros(n)].astype("f4")
    factors = np.c_[rng.integers(0, 5, n), rng.normal(size=n), rng.integers(0, 3, n) * 10.0**12, rng.uniform(size=n)]
    factors[::3, 1] = np.nan
    orders = [rng.permutation(n) for _ in range(7)]
    mutual, entropy = permuted(codes, factors, 20, KINDS, orders)
    each = [information(codes, factors[order], 20, KINDS) for order in orders]
    np.testing.assert_array_equal(mutual, [one.mutual for one in each])
    np.testing.assert_array_equal(entropy, [one.factor for one in each])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_edges_of_all_dimensions_at_once_are_those_of_each(dtype):
    """Constant dimensions, those a subnormal number wide, and those of very different size stand side by side."""
    rng = np.random.default_rng(0)
    for trial in range(300):
        codes = (rng.normal(size=(9, 5)) * 10.0 ** rng.integers(-30, 30, 5) + 10.0 ** rng.integers(-3, 9)).astype(dtype)
        if trial % 3 == 0:
            codes[:, 0] = 3
        if trial % 5 == 0:
            codes[:, 1] = np.finfo(dtype).smallest_subnormal * rng.integers(0, 5, 9)
        bins = int(rng.integers(1, 40))
        found = edges_of(codes, bins)
        expected = np.stack([bin_edges(column, bins)[:-1] for column in codes.T])
        assert found.dtype == dtype
        assert found.flags.c_contiguous
        np.testing.assert_array_equal(found, expected)
