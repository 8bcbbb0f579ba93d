"""Planted dimensions are found in exactly the runs that have them; noise and rotated codes seldom recur."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentlab.errors import InputError
from latentlab.metrics._draws import rotation
from latentlab.runs.groups import recurring_groups

ROWS = 600


def planted(rng: np.random.Generator, seeds: int, factors: int, absent: int) -> tuple[list, list[dict[int, int]]]:
    """Noisy factors in an order and signs of each run's own beside two dimensions of noise; the first lacks in some."""
    truth, means, places = rng.uniform(-1, 1, (ROWS, factors)), [], [{} for _ in range(factors)]
    for run in range(seeds):
        z = np.hstack([truth + 0.15 * rng.standard_normal(truth.shape), rng.standard_normal((ROWS, 2))])
        if run < absent:
            z[:, 0] = rng.standard_normal(ROWS)
        order = rng.permutation(factors + 2)
        means.append(z[:, order] * rng.choice([-1, 1], factors + 2))
        for k in range(factors):
            if k or run >= absent:
                places[k][run] = order.tolist().index(k)
    return means, places


@pytest.mark.parametrize("seeds", [2, 3, 5, 8])
def test_planted_factors_are_found_in_the_runs_that_have_them(seeds: int) -> None:
    found = []
    for seed in range(4):
        means, places = planted(np.random.default_rng(seed), seeds, 4, absent=int(seeds > 2))
        called = [each.members for each in recurring_groups(means, draws=100) if each.recurring]
        found += [place in called for place in places]
        assert all(members in places for members in called), "nothing else recurs"
    assert np.mean(found) >= 0.95


@pytest.mark.parametrize("seeds", [2, 4])
def test_noise_and_rotated_codes_seldom_recur(seeds: int) -> None:
    called = {"noise": 0, "rotated": 0}
    for seed in range(40):
        rng = np.random.default_rng(seed)
        truth = rng.uniform(-1, 1, (ROWS, 4))
        codes = {
            "noise": [rng.standard_normal((ROWS, 4)) for _ in range(seeds)],
            "rotated": [truth @ rotation(rng, 4) for _ in range(seeds)],
        }
        for kind, means in codes.items():
            called[kind] += any(each.recurring for each in recurring_groups(means, draws=60))
    assert called["noise"] == 0
    assert called["rotated"] <= 6, "5 % of 40, and three standard errors"


def test_a_rotated_part_beside_planted_dimensions_is_seen_through() -> None:
    called = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        fixed, turned = rng.uniform(-1, 1, (ROWS, 3)), rng.uniform(-1, 1, (ROWS, 3))
        groups = recurring_groups([np.hstack([fixed, turned @ rotation(rng, 3)]) for _ in range(4)], draws=80)
        recurring = [set(each.members.values()) for each in groups if each.recurring]
        assert all({k} in recurring for k in range(3))
        called += any(min(each) >= 3 for each in recurring)
    assert called <= 3


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.lists(st.integers(0, 4), min_size=2, max_size=4))
def test_a_group_has_at_most_one_dimension_of_a_run_and_none_is_in_two(seed: int, sizes: list[int]) -> None:
    truth = np.random.default_rng(seed).standard_normal((100, 2))
    means = [truth @ np.random.default_rng([seed, k]).standard_normal((2, d)) for k, d in enumerate(sizes)]
    groups = recurring_groups(means, draws=20)
    used = [member for each in groups for member in each.members.items()]
    assert len(used) == len(set(used))
    assert all(len(each.members) >= 2 and 0.5 <= each.strength <= 1 + 1e-9 for each in groups)
    assert all(0 <= dim < sizes[run] for run, dim in used)


def test_one_run_is_refused() -> None:
    with pytest.raises(InputError, match="at least two"):
        recurring_groups([np.zeros((10, 2))])
