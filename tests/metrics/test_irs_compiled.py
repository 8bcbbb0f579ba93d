"""IRS where hundreds of values are computed: the compiled pass gives what NumPy gives, to the last bit."""

import numpy as np
import pytest

from latentlab.metrics._many import switch
from latentlab.metrics.irs import irs


@pytest.fixture
def both():
    before = switch.many

    def values(*args, **options):
        found = []
        for switch.many in (False, True):
            score = irs(*args, **options)
            found.append([score.value, *score.matrix.ravel()])
        return found

    yield values
    switch.many = before


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("quantile", [0.0, 0.5, 0.99, 0.999, 1.0])
@pytest.mark.parametrize(("n", "d"), [(2, 2), (3, 1), (7, 3), (101, 2), (1000, 17), (5000, 4)])
def test_both_ways_give_the_same_bits(both, n, d, quantile, dtype):
    random = np.random.default_rng(n * d)
    codes = random.normal(size=(n, d)).astype(dtype)
    if d > 3:
        codes[:, 1], codes[:, 2] = np.round(codes[:, 1]), 2.5  # ties; no variance
        codes[:, 3] += 1e4  # far from 0
    factors = np.stack([np.arange(n) % 2, random.integers(0, 40, n), np.sort(codes[:, 0])], axis=1).astype(float)
    factors[:2, 1] = 0, 1
    if n > 10:
        factors[::5, 0], factors[1::3, 2] = np.nan, np.nan
    plain, compiled = both(codes, factors, bins=20, quantile=quantile)
    assert plain == compiled


def test_deviations_in_order_of_size_and_bins_that_nobody_is_in(both):
    codes = np.stack([np.arange(3000.0), -(np.arange(3000.0) ** 2)], axis=1)
    factors = np.where(np.arange(3000) < 2990, 0, 1e6 - np.arange(3000))[:, None]
    plain, compiled = both(codes, factors, bins=100_000)
    assert plain == compiled
