"""Parts of a study for the jobs of an array: disjoint, together whole, the same whenever a job starts again."""

from pathlib import Path

import pytest
from toy import write_run

from latentlab.errors import InputError
from latentlab.runs.shards import Shard, read_shard, shard_runs
from latentlab.runs.study import Study, open_runs
from latentlab.system.files import write_json


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 30, 40])
def test_shards_are_disjoint_and_whole(parts: int) -> None:
    items = list(range(30))
    dealt = [read_shard(f"{part}/{parts}").of(items) for part in range(1, parts + 1)]
    assert sorted(item for each in dealt for item in each) == items
    assert max(map(len, dealt)) - min(map(len, dealt)) <= 1


@pytest.mark.parametrize("text", ["", "1", "0/3", "4/3", "-1/3", "1/0", "1/2/3", "a/b", "1.0/2", "1/99999999", "²/3"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="expected i/N with i from 1 to N"):
        read_shard(text)


def test_runs_are_dealt_by_the_plan_whichever_are_there(tmp_path: Path) -> None:
    planned = ["beta4-seed1", "ae-seed0", "beta4-seed0", "beta1-seed0"]
    write_json(tmp_path / "study.json", {"format": 1, "members": {name: {} for name in planned}})
    for name in ("ae-seed0", "beta4-seed0", "beta9-seed0"):  # two are not there yet, one is of no plan
        write_run(tmp_path / name, 4.0, 0)
    dealt = [[run.name for run in shard_runs(Shard(part, 2), list(Study(tmp_path)))] for part in (1, 2)]
    assert [sorted(names) for names in dealt] == [["beta4-seed0", "beta9-seed0"], ["ae-seed0"]]
    assert [run.name for run in shard_runs(Shard(1, 2), open_runs([tmp_path / "beta4-seed0"])[0])] == ["beta4-seed0"]


def test_a_study_without_a_plan_is_dealt_as_it_stands(tmp_path: Path) -> None:
    for seed in range(3):
        write_run(tmp_path / f"beta4-seed{seed}", 4.0, seed)
    assert [run.name for run in shard_runs(Shard(2, 2), list(Study(tmp_path)))] == ["beta4-seed1"]
    write_json(tmp_path / "study.json", {"members": 3})
    with pytest.raises(InputError, match="holds no plan of a study"):
        shard_runs(Shard(1, 2), list(Study(tmp_path)))
