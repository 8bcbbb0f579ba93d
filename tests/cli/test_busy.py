"""A verb that would write into a run that another process writes is refused before it imports anything heavy."""

import subprocess
import sys
from pathlib import Path

import pytest

from latentlab.runs.stage import stages
from latentlab.system.files import lock

LINE = """
import sys
from latentlab.cli import run
status = run(sys.argv[1:])
print(status, *sorted(set(sys.modules) & {"torch", "sklearn", "h5py", "scipy"}))
"""
QUESTIONS = [name for name, stage in stages().items() if stage.place is None]
VERBS = {
    "import": ["import", "state-dict", "weights.pt", "--out", "RUN"],
    "train": ["train", "--data", "digits", "--out", "RUN"],
    **{verb: [verb, "RUN"] for verb in ("analyze", "score", *QUESTIONS)},
    "outliers": ["outliers", "RUN", "--against", "digits"],
}


def test_a_study_whose_member_is_busy_is_refused_but_not_where_a_part_of_it_is_trained(tmp_path: Path) -> None:
    words = ["sweep", "--data", "nowhere", "--out", str(tmp_path)]
    with lock(tmp_path / "member"):
        said = subprocess.run([sys.executable, "-c", LINE, *words], capture_output=True, text=True, check=True)
        part = subprocess.run([sys.executable, "-c", LINE, *words, "--shard", "1/2"], capture_output=True, text=True)
    assert said.stdout == "1\n"
    assert said.stderr.startswith(f"latentlab: {tmp_path}/member is being written by another process")
    assert "nowhere does not exist" in part.stderr


@pytest.mark.parametrize("verb", VERBS)
def test_a_busy_run_is_refused_before_anything_heavy(tmp_path: Path, verb: str) -> None:
    words = [str(tmp_path / "run") if word == "RUN" else word for word in VERBS[verb]]
    with lock(tmp_path / "run"):
        said = subprocess.run([sys.executable, "-c", LINE, *words], capture_output=True, text=True, check=True)
    assert said.stdout == "1\n"
    assert said.stderr == f"latentlab: {tmp_path}/run is being written by another process; wait for it or stop it\n"
