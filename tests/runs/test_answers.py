"""The three answers of a study: no winner without evidence, what failed and what could not be read, what recurs."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from toy import write_run

from latentlab.runs.answers import answers, best_setting, failed_runs, losses, recurring_dimensions
from latentlab.runs.choice import choices
from latentlab.runs.comparison import compare
from latentlab.runs.convergence import Rest
from latentlab.runs.recurring import Recurrence, Recurring, recurring_in
from latentlab.runs.study import NAMED, Study

FALLING, FLAT = Rest(3.0, 2.0, 4.0, False, True, "−loss"), Rest(0.0, -0.1, 0.1, True, False, "−loss")


def scored(seeds: int = 4, **columns: float) -> pd.DataFrame:
    """Two settings, b far ahead of a by MIG; further columns hold for every run."""
    rows = [
        {"run": f"{name}{seed}", "setting": name, "state": "finished", "seed": seed, "mig": value + seed / 100}
        for name, value in (("a", 0.1), ("b", 0.5))
        for seed in range(seeds)
    ]
    table = pd.DataFrame(rows).assign(flags="", error="", elbo=float("nan"), active_units=3.0, **columns)
    table.attrs["metrics"] = ["mig"]
    return table


def test_settings_of_unequal_numbers_of_seeds_are_said_to_be_so() -> None:
    table = scored(2).drop(index=0)
    assert "with 1 to 2 seeds each" in best_setting(table, choices(table)).sentence


def test_a_setting_that_is_ahead_is_named_with_the_score() -> None:
    table = scored()
    assert best_setting(table, choices(table)).sentence == "b is best by Mutual information gap."


@pytest.mark.parametrize(("seeds", "null", "said"), [(3, 0.0, "with 3 seeds each"), (4, 0.9, "by any of 1 score.")])
def test_no_setting_is_named_with_few_seeds_or_below_the_null(seeds: int, null: float, said: str) -> None:
    table = scored(seeds, mig_null=null)
    answer = best_setting(table, choices(table))
    assert answer.sentence.startswith("No setting is clearly best")
    assert said in answer.sentence
    below = f"Not above permuted or rotated codes: Mutual information gap ({2 * seeds} of {2 * seeds} runs)."
    assert answer.details == ((below,) if null else ())


def test_a_score_below_its_null_asks_for_no_more_seeds() -> None:
    reason = choices(scored(2, mig_null=0.9))[0].reason
    assert "2 of its 2 runs do not beat permuted or rotated codes (4 of all 4 runs)" in reason
    assert "seeds each" not in reason


def test_one_setting_leaves_nothing_to_compare() -> None:
    table = scored()
    table = table[table["setting"] == "a"]
    assert "one setting only" in best_setting(table, choices(table)).sentence


def test_what_collapsed_diverged_or_still_fell_is_counted_by_setting() -> None:
    table = scored()
    table.loc[[0, 1], "flags"] = "collapsed, no factors"
    table.loc[7, ["state", "flags"]] = "diverged"
    rests = {"a2": FALLING, "a3": FLAT, "b0": FALLING, "b1": None}
    answer = failed_runs(table.assign(beta=1.0, objective="vae", latent_dim=4), rests)
    assert answer.sentence == "2 runs (a) collapsed and 1 run (b) diverged; 2 runs (a and b) are under-trained."
    assert answer.runs == ("a0", "a1", "b3", "a2", "b0")
    assert "the loss still fell by 3 nats" not in answer.details[0]
    assert "3 to 3 nats" in answer.details[0]
    assert answer.details[1].startswith("1 run: too few logged steps")


def test_only_what_was_read_counts_as_not_collapsed(tmp_path: Path) -> None:
    for beta in (1.0, 4.0, 16.0):
        write_run(tmp_path / f"b{beta:g}", beta, 0)
    (tmp_path / "b16" / "codes.h5ad").write_bytes(b"cut")
    write_run(tmp_path / ("long" * 20), 1.0, 1)
    table = compare(Study(tmp_path))
    answer = failed_runs(table, losses(table))
    assert answer.sentence.startswith("No run collapsed or diverged (β ≤ 4, the largest read)")
    assert "1 run cannot be read in full" in answer.sentence
    assert "1 folder is left out" in answer.sentence
    assert answer.runs == ("b16",)
    assert f"The folder {'long' * 20} is left out: {NAMED}." in answer.details


def recurs(setting: str, called: str, seeds: int, of: int = 3, *, recurring: bool = True) -> Recurrence:
    from latentlab.runs.recurring import Member

    members = tuple(Member(f"{setting}-{seed}", seed, 0, called) for seed in range(seeds))
    return Recurrence(setting, called, seeds, of, members, 0.9, 0.1, 0.2, recurring)


def test_dimensions_of_the_same_settings_are_told_together_and_weak_ones_not_at_all() -> None:
    groups = (recurs("β = 1", "x", 3), recurs("β = 1", "y", 3), recurs("β = 4", "x", 3), recurs("β = 4", "y", 3),
              recurs("β = 8", "shape", 2), recurs("AE", "size", 3, recurring=False))  # fmt: skip
    answer = recurring_dimensions(Recurring(groups, {"β = 16": "1 seed encoded"}))
    assert answer.sentence == "Every seed of β = 1 and β = 4 has x and y; 2 of 3 seeds of β = 8 have shape."
    assert answer.details == ("Nothing recurs over the seeds of AE.", "β = 16: 1 seed encoded.")
    assert "AE-0" not in answer.runs


def test_nothing_recurs_is_not_the_same_as_not_searched() -> None:
    weak = recurring_dimensions(Recurring((recurs("AE", "x", 2, recurring=False),)))
    assert weak.sentence == "No dimension recurs over the seeds of any setting."
    unknown = recurring_dimensions(Recurring((), {"AE": "1 seed encoded"}))
    assert unknown.sentence.startswith("Not known")


def test_the_answers_of_a_study_are_those_of_its_parts(toy_study: Study) -> None:
    table = compare(toy_study)
    found = answers(table, choices(table), recurring_in(table))
    assert [each.question for each in found] == [
        "Is one setting clearly best?",
        "Which runs collapsed, diverged or are under-trained?",
        "Which dimensions recur over the seeds?",
    ]
    assert json.dumps([each.__dict__ for each in found])
    assert "with 2 seeds each" in found[0].sentence
    assert "x and y" in found[2].sentence
