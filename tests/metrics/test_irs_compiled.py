"""IRS where hundreds of values are computed: the compiled pass gives what NumPy gives, to the last bit."""

import numpy as np
import pytest

from latentlab.metrics._many import switch
from latentlab.metrics.irs import FAR, _lies_far, irs


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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("quantile", [0.0, 0.3, 0.99, 1.0])
def test_ends_of_a_dimension_that_groups_share_in_all_ways(both, quantile, dtype):
    """Groups apart from each other, outliers that leave most buckets empty, ties, and steps too small for buckets."""
    random = np.random.default_rng(3)
    level = random.integers(0, 6, 4000)
    noise = random.normal(size=4000)
    outliers = noise.copy()
    outliers[:3] = 1e9, -1e9, 5e8
    one_sided = np.where(random.random(4000) < 0.999, 0.0, 7.0)
    tiny = np.finfo(dtype).smallest_subnormal * level
    columns = [10 * level + noise, -1000.0 * level, outliers, np.exp(3 * noise), one_sided, tiny, np.sign(noise)]
    rare = np.where(np.arange(4000) < 3, np.arange(3999, -1, -1), 0)  # groups of one row
    factors = np.stack([level, random.permutation(level), rare, noise], axis=1).astype(float)
    factors[random.random(factors.shape) < 0.1] = np.nan
    factors[:3, 2] = 3999, 3998, 3997
    plain, compiled = both(np.stack(columns, axis=1).astype(dtype), factors, quantile=quantile)
    assert plain == compiled
    assert len(set(compiled)) > 20


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64, np.float32, bool])
def test_factors_of_any_type_are_those_of_float64(kind):
    random = np.random.default_rng(1)
    codes = random.normal(size=(300, 3))
    factors = random.integers(0, 2 if kind is bool else 100, (300, 2)).astype(kind)
    assert irs(codes, factors).value == irs(codes, factors.astype(np.float64)).value


def test_codes_far_from_0_are_told_from_near_ones_by_their_means(both):
    random = np.random.default_rng(2)
    for offset in (10.0, 49.0, 51.0, 95.0, 105.0, 199.0, 201.0, 1e3):
        codes = (random.uniform(-1, 1, size=(500, 3)) + offset).astype(np.float32)
        centre = codes.mean(axis=0, dtype=np.float64)
        far = np.abs(centre).sum() > FAR * np.abs(codes - centre).max(axis=0).sum()
        assert _lies_far(np.asfortranarray(codes), codes.min(axis=0), codes.max(axis=0)) == far
        assert far == (offset > 100)
        plain, compiled = both(codes, random.integers(0, 5, (500, 2)))
        assert plain == compiled
