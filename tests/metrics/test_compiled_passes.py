"""What is compiled where hundreds of values are computed gives what NumPy gives, to the last bit."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from latentlab.metrics._draws import by_rank
from latentlab.metrics._information import between_codes
from latentlab.metrics._many import switch

Both = Callable[..., tuple[Any, Any]]


@pytest.fixture
def both() -> Iterator[Both]:
    before = switch.many

    def values(function: Callable[..., Any], *args: Any) -> tuple[Any, Any]:
        found = []
        for switch.many in (False, True):
            found.append(function(*args))
        return found[0], found[1]

    yield values
    switch.many = before


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [2, 7, 5000])
def test_values_are_given_by_rank_with_ties_and_zeros_of_both_signs(both: Both, n: int, dtype: type) -> None:
    random = np.random.default_rng(n)
    plain = random.normal(size=n)
    tiny = np.finfo(dtype).smallest_subnormal * random.integers(-3, 4, n)
    columns = [plain, np.round(plain), np.where(plain > 0, 0.0, -0.0), 1e30 * plain, np.full(n, -2.5), tiny, -tiny]
    order = np.stack(columns, axis=1).astype(dtype)
    ordered = np.sort(random.normal(size=order.shape).astype(dtype), axis=0)
    expected, found = both(by_rank, order, ordered)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, expected)
    assert (np.sort(found, axis=0) == ordered).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "bins"), [(2, 20), (3000, 20), (3000, 1), (40_000, 7)])
def test_dimensions_are_counted_against_each_other_alike(both: Both, n: int, bins: int, dtype: type) -> None:
    random = np.random.default_rng(n)
    codes = random.normal(size=(n, 5)).astype(dtype)
    codes[:, 1], codes[:, 2] = 2.5, np.round(codes[:, 0])
    codes[:, 3] = codes[:, 0] ** 2  # bins of the one tell of the other, and not alike both ways
    codes[0, 4] = 1e6  # empty bins
    expected, found = both(between_codes, codes, bins)
    np.testing.assert_array_equal(found, expected)
    assert bins == 1 or n < 3 or found[0, 3] > 0.1
