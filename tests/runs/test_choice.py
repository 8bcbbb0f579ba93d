"""A setting is called best only when its seeds say so."""

import pandas as pd
import pytest

from latentlab.errors import InputError
from latentlab.runs.choice import choice


def table(**values: list[float]) -> pd.DataFrame:
    """A table of runs: by setting, the ELBO of each seed."""
    rows = [
        {"setting": setting, "state": "finished", "elbo": v, "rate": v, "distortion": v}
        for setting, each in values.items()
        for v in each
    ]
    return pd.DataFrame(rows)


def test_three_seeds_all_above_are_crowned() -> None:
    found = choice(table(a=[1.0, 2.0, 3.0], b=[4.0, 5.0, 6.0]), "elbo")
    assert (found.best, found.leader, found.rivals) == ("b", "b", ())


def test_less_is_better_for_the_distortion() -> None:
    assert choice(table(a=[1.0, 2.0, 3.0], b=[4.0, 5.0, 6.0]), "distortion").best == "a"


def test_two_seeds_are_too_few_however_far_apart() -> None:
    found = choice(table(a=[1.0, 2.0], b=[100.0, 101.0]), "elbo")
    assert found.best is None
    assert found.leader == "b"
    assert "1 of 6" in found.reason


def test_one_seed_that_overlaps_is_named_as_a_rival() -> None:
    found = choice(table(a=[1.0, 2.0, 5.0], b=[4.0, 5.5, 6.0], c=[0.0, 0.1, 0.2]), "elbo")
    assert found.best is None
    assert found.rivals == ("a",)


def test_a_tie_is_no_victory() -> None:
    assert choice(table(a=[1.0, 2.0, 3.0], b=[3.0, 4.0, 5.0]), "elbo").best is None


def test_a_diverged_run_has_no_say() -> None:
    runs = table(a=[1.0, 2.0, 3.0], b=[4.0, 5.0, 6.0])
    bad = pd.DataFrame([{"setting": "b", "state": "diverged", "elbo": -99.0, "rate": 0.0, "distortion": 0.0}])
    assert choice(pd.concat([runs, bad], ignore_index=True), "elbo").best == "b"


def test_one_setting_leaves_nothing_to_choose() -> None:
    assert choice(table(a=[1.0, 2.0, 3.0]), "elbo").best is None


def test_a_measure_without_a_better_direction_cannot_choose() -> None:
    with pytest.raises(InputError, match="rate"):
        choice(table(a=[1.0], b=[2.0]), "rate")
