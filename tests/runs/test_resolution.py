"""Differences that evaluating alone can make are named, and larger ones are not."""

import numpy as np
import pandas as pd
import pytest

from latentlab.metrics._card import measured
from latentlab.runs.choice import Choice
from latentlab.runs.differences import Difference
from latentlab.runs.resolution import unresolved

LEAST = measured("mig")["smallest_difference"]


def contest(difference: float, seeds: int, measure: str = "mig") -> Choice:
    """The leader β = 4 is ahead of β = 1 by that much."""
    found = Difference("β = 4", "β = 1", difference, None, None, 0.5, True)
    return Choice(measure, None, "β = 4", ("β = 1",), "", seeds={"β = 4": seeds, "β = 1": seeds}, differences=(found,))


def told(difference: float, seeds: int, rows: int = 10_000, measure: str = "mig") -> bool:
    return bool(unresolved(pd.DataFrame({"rows": [rows, rows]}), [contest(difference, seeds, measure)]))


@pytest.mark.parametrize("seeds", [1, 4, 10])
def test_noise_alone_is_named_and_twice_the_limit_is_not(seeds: int) -> None:
    """400 studies: settings of equal codes, and settings whose truth is two limits apart."""
    random = np.random.default_rng(seeds)
    noise = random.normal(scale=LEAST / (1.96 * np.sqrt(2)), size=(400, 2, seeds)).mean(axis=2)
    gaps = noise[:, 0] - noise[:, 1]
    apart = gaps + 2 * LEAST / np.sqrt(seeds)
    assert np.mean([told(gap, seeds) for gap in gaps]) >= 0.92
    assert np.mean([told(gap, seeds) for gap in apart]) <= 0.05


def test_fewer_rows_and_more_seeds_move_the_limit() -> None:
    assert told(0.9 * LEAST, 1)
    assert not told(1.1 * LEAST, 1)
    assert told(1.9 * LEAST, 1, rows=2500)
    assert not told(0.6 * LEAST, 4)
    assert told(0.9 * LEAST, 1, rows=700_000), "a profile draws 10,000 of them"


def test_what_has_no_card_is_passed_over() -> None:
    assert not told(0.0, 4, measure="elbo")
    assert unresolved(pd.DataFrame({"rows": [10_000]}), [Choice("mig", None, None, (), "")]) == []


def test_the_words_name_settings_and_numbers() -> None:
    [caveat] = unresolved(pd.DataFrame({"rows": [10_000]}), [contest(LEAST / 4, 4)])
    assert caveat.which == "unresolved difference"
    assert caveat.why.startswith(f"by mig, β = 4 and β = 1 differ by {LEAST / 4:.2g}, less than the {LEAST / 2:.2g}")
