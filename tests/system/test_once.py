"""What is computed once of the same arrays, and only as long as somebody says that they stay as they are."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from latentlab.system.once import once, unchanged

calls: list[int] = []


@once
def total(values: np.ndarray, *, more: float = 0) -> float:
    calls.append(1)
    if len(values) == 0:
        raise ValueError("nothing to add up")
    return float(values.sum() + more)


@pytest.fixture(autouse=True)
def _counted() -> None:
    calls.clear()


def test_outside_everything_is_computed_again() -> None:
    ones = np.ones(3)
    assert total(ones) == 3
    ones[0] = 5
    assert total(ones) == 7
    with unchanged():
        total(ones)
    ones[0] = 1
    assert total(ones) == 3


def test_within_the_same_array_and_options_are_asked_once() -> None:
    ones = np.ones(3)
    with unchanged():
        assert [total(ones), total(ones), total(ones, more=1), total(ones.copy())] == [3, 3, 4, 3]
    assert len(calls) == 3


def test_arrays_that_come_and_go_are_not_taken_for_each_other() -> None:
    with unchanged():
        assert [total(np.full(3, each)) for each in range(100)] == [3 * each for each in range(100)]


def test_what_has_no_hash_is_told_apart_by_which_one_it_is() -> None:
    """As lists of kinds, or arrays of a metric of somebody's own."""
    listed, kinds = [np.ones(2)], ["ordinal"]

    @once
    def count(*values: object, kinds: object = None) -> int:
        calls.append(1)
        return len(values)

    with unchanged():
        for _ in range(2):
            assert [count(listed), count((listed[0], listed)), count(listed, kinds=kinds)] == [1, 1, 1]
        assert len(calls) == 3
        assert [count([each], kinds=[each]) for each in range(50)] == [1] * 50
    assert len(calls) == 53


def test_other_threads_and_errors_know_nothing() -> None:
    ones, nothing = np.ones(3), np.ones(0)
    with unchanged(), ThreadPoolExecutor(1) as pool:
        total(ones)
        pool.submit(total, ones).result()
        for _ in range(2):
            with pytest.raises(ValueError, match="nothing"):
                total(nothing)
    assert len(calls) == 4
