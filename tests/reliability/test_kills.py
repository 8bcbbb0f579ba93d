"""SIGKILL at random moments: no file under its final name unreadable, no finished unit of work lost, the same bytes."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from victims import VERBS, Victims, command, many, readable

from latentlab.runs.run import Run
from latentlab.system.files import TEMPORARY, sha256

pytestmark = pytest.mark.reliability


@pytest.mark.parametrize("verb", VERBS)
def test_killed_at_random_moments(
    ground: Path, victims: Victims, finished: tuple[Path, dict[str, float]], tmp_path: Path, verb: str
) -> None:
    reference, seconds = finished
    moments = random.Random(f"kill {verb}")
    before = list(VERBS).index(verb)
    made_before = [name for stage in list(VERBS)[:before] for name in VERBS[stage]]
    killed = attempts = 0
    while killed < many(200, 2):
        run = tmp_path / str(attempts) / reference.name  # codes record the run's name
        attempts += 1
        assert attempts < 1000
        run.mkdir(parents=True)
        for name in [*made_before, "environment.json"] if before else []:
            shutil.copy(reference / name, run)
        while True:
            step = Run(run).step if (run / "config.json").is_file() else 0
            end = victims.kill_after(moments.uniform(0, 1.2 * seconds[verb]), *command(verb, ground, run))
            killed += end.status == -9
            readable(run)
            if (run / "config.json").is_file():
                assert Run(run).step >= step, "a checkpoint was lost"
            assert [sha256(run / name) for name in made_before] == [sha256(reference / name) for name in made_before]
            if end.status != -9:
                assert end.status == 0, end.errors
                break
            if killed >= many(200, 2):
                assert victims.run(*command(verb, ground, run)).status == 0
                break
        for name in VERBS[verb]:
            assert sha256(run / name) == sha256(reference / name), f"{name} differs after {killed} kills"
        assert not list(run.glob(f"{TEMPORARY}*")), "litter was not swept"
        shutil.rmtree(run)
