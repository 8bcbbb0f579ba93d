"""Which dimensions recur over the seeds of a setting: counted by seed, named, and why nothing can be said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toy import D, analyse, toy_codes, write_run

import latentlab as ll
from latentlab.analysis.names.measure import Verdict
from latentlab.analysis.names.record import Names, save_names
from latentlab.errors import InputError
from latentlab.results import Result
from latentlab.runs.answers import recurring_dimensions
from latentlab.runs.notes import name_dimension
from latentlab.runs.recurring import Recurring, not_recurring, recurring, recurring_rows
from latentlab.runs.study import Study

BETA = 4.0


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Four seeds of β = 4, their dimensions in orders and signs of their own; the last has no y."""
    for seed in range(4):
        run, codes = write_run(tmp_path / f"seed-{seed}", BETA, seed, analysed=False), toy_codes(BETA, seed)
        order = np.random.default_rng(seed).permutation(D)
        mean = codes.mean * (-1) ** seed
        if seed == 3:
            mean[:, 1] = np.random.default_rng(9).normal(size=len(mean))
        analyse(run, replace(codes, mean=mean[:, order], variance=codes.variance[:, order]), BETA, seed)
    return Study(tmp_path)


def test_a_dimension_is_counted_by_seed_and_named_by_its_factor(study: Study) -> None:
    found = ll.recurring(study)
    assert isinstance(found, Recurring)
    assert isinstance(found, Result)
    said = {each.said: each for each in found.groups if each.recurring}
    assert set(said) == {"4 of 4 seeds have x", "3 of 4 seeds have y", "4 of 4 seeds have shape"}
    x = said["4 of 4 seeds have x"]
    orders = [np.random.default_rng(seed).permutation(D).tolist() for seed in range(4)]
    assert [each.dim for each in x.members] == [order.index(0) for order in orders]
    assert x.strength > 0.98 > max(x.rotated, x.permuted)
    dead = {(seed, order.index(3)) for seed, order in enumerate(orders)}
    assert not dead & {(each.seed, each.dim) for group in found.groups for each in group.members}


def test_it_is_a_table_and_json_that_any_reader_takes(study: Study) -> None:
    found = recurring(study, rows=300, draws=60)
    table = found.to_frame()
    assert table.loc[0, ["seeds", "of_seeds"]].tolist() == [4, 4]
    content = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert content["groups"][0]["members"][0].keys() == {"run", "seed", "dim", "called"}
    assert content["settings"]["rows"] == 300
    assert "Recurring" in found._repr_html_()
    assert recurring_rows(found)[0]["strength"]


def test_the_users_name_wins(study: Study) -> None:
    x = next(each for each in recurring(study).groups if each.called == "x")
    for member in x.members[:3]:
        name_dimension(study[member.run], member.dim, name="left to right")
    again = next(each for each in recurring(study).groups if each.called == "left to right")
    assert (again.agree, again.said) == (3, "4 of 4 seeds have left to right")


def test_a_detected_name_is_used_whichever_way_the_codes_rise(study: Study) -> None:
    x = next(each for each in recurring(study).groups if each.called == "x")
    for k, member in enumerate(x.members):
        low, high = ("left", "right") if k % 2 else ("right", "left")
        verdicts = [Verdict(why="not told apart")] * D
        verdicts[member.dim] = Verdict(name="x position", low=low, high=high, detection=0.9)
        save_names(study[member.run], Names(tuple(verdicts)), {})
    again = next(each for each in recurring(study).groups if each.called == "x position")
    assert (again.agree, again.said) == (4, "4 of 4 seeds have x position")
    name_dimension(study[x.members[0].run], x.members[0].dim, name="across: mine")
    mine = recurring(study).groups
    assert {each.called for each in mine if each.recurring} >= {"x position"}, "three of four seeds still call it so"


def test_deterministic_encoders_need_no_scale(tmp_path: Path) -> None:
    for seed, scale in enumerate((1, 1000, 0.001)):
        run, codes = write_run(tmp_path / f"ae-{seed}", None, seed, analysed=False), toy_codes(None, seed)
        analyse(run, replace(codes, mean=codes.mean * np.float32(scale)), None, seed)
    called = {each.said for each in recurring(Study(tmp_path)).groups if each.recurring}
    assert {"3 of 3 seeds have x", "3 of 3 seeds have y", "3 of 3 seeds have shape"} <= called


def test_fewer_than_two_seeds_are_said_in_a_line(tmp_path: Path) -> None:
    write_run(tmp_path / "a", 1.0, 0)
    write_run(tmp_path / "copy", 1.0, 0)
    write_run(tmp_path / "b", 4.0, 0, analysed=False)
    found = recurring(Study(tmp_path))
    assert found.groups == ()
    assert found.without == {
        "β = 1": "1 seed encoded; recurring dimensions need at least two",
        "β = 4": "0 seeds encoded; recurring dimensions need at least two",
    }
    assert not_recurring(found)[0] == "β = 1: 1 seed encoded; recurring dimensions need at least two."
    assert len(found.to_frame()) == 0


def test_collapsed_seeds_and_seeds_of_other_rows_give_no_group(tmp_path: Path) -> None:
    for seed in range(2):
        codes = toy_codes(BETA, seed)
        dead = write_run(tmp_path / f"dead-{seed}", 16.0, seed, analysed=False)
        analyse(dead, replace(codes, mean=codes.mean * 0.001), 16.0, seed)
        other = write_run(tmp_path / f"other-{seed}", BETA, seed, analysed=False)
        analyse(other, replace(codes, row_ids=np.arange(768) + 700 * seed, grid=None), BETA, seed)
    found = recurring(Study(tmp_path))
    assert found.groups == ()
    assert found.without == {
        "β = 4": "the seeds have 68 rows in common; at least 100 are needed",
        "β = 16": "0 of 2 seeds have a dimension in use; recurring dimensions need two",
    }


def test_an_unknown_setting_is_refused_with_those_there_are(study: Study) -> None:
    assert {each.setting for each in recurring(study, "β = 4", draws=60).groups} == {"β = 4"}
    with pytest.raises(InputError, match=r"no run has the setting 'β = 5'; there are: β = 4"):
        recurring(study, "β = 5")


def test_large_studies_are_searched_as_far_as_it_takes_no_minutes(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("latentlab.runs.recurring.MOST_SEEDS", 3)
    found = recurring(study, rows=300, draws=60)
    assert {each.of_seeds for each in found.groups} == {3}
    assert {member.seed for each in found.groups for member in each.members} == {0, 1, 2}
    monkeypatch.setattr("latentlab.runs.recurring.MOST_RUNS", 3)
    why = "there are 4 runs; search one setting, as in ll.recurring(study, 'β = 4')"
    large = recurring(study)
    assert large.without == {"β = 4": why}
    assert recurring_dimensions(large).sentence == f"Not known: {why}."
    many = replace(large, without={f"β = {beta}": why for beta in range(5)})
    assert not_recurring(many) == [f"β = 0, β = 1, β = 2 and 2 more settings: {why}."]
    assert recurring(study, "β = 4", rows=300, draws=60).groups
