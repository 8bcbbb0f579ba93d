"""A verb that would write into a run that another process writes is refused before it imports anything heavy."""

import subprocess
import sys
from pathlib import Path

import pytest

from latentlab.runs.stage import stages
from latentlab.system.files import lock

pytestmark = pytest.mark.reliability

LINE = """
import sys
from latentlab.cli import run
status = run(sys.argv[1:])
print(status, *sorted(set(sys.modules) & {"torch", "sklearn", "h5py", "scipy"}))
"""
QUESTIONS = [name for name, stage in stages().items() if stage.place is None and stage.verb == name]
VERBS = {
    "import": ["import", "state-dict", "weights.pt", "--out", "RUN"],
    "sweep": ["sweep", "--data", "digits", "--out", "RUN"],
    "train": ["train", "--data", "digits", "--out", "RUN"],
    **{verb: [verb, "RUN"] for verb in ("analyze", "score", *QUESTIONS)},
    "outliers": ["outliers", "RUN", "--against", "digits"],
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_busy_run_is_refused_before_anything_heavy(tmp_path: Path, verb: str) -> None:
    words = [str(tmp_path / "run") if word == "RUN" else word for word in VERBS[verb]]
    with lock(tmp_path / "run"):
        said = subprocess.run([sys.executable, "-c", LINE, *words], capture_output=True, text=True, check=True)
    assert said.stdout == "1\n"
    assert said.stderr == f"latentlab: {tmp_path}/run is being written by another process; wait for it or stop it\n"
