"""Work in a folder, and on a study, that a stranger filled with settings files and modules: none of them counts."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import hostile
import pytest
from conftest import ROOT

from latentlab.cli import run as cli

pytestmark = pytest.mark.reliability


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that can be analysed."""
    folder = tmp_path_factory.mktemp("trained") / "r0"
    words = ["--network", "shallow", "--latent-dim", "2", "--steps", "5", "--threads", "1", "--quiet"]
    assert cli(["train", "--data", "digits", "--out", str(folder), *words]) == 0
    return folder


def process(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """A process in that folder, without the variables that a test run sets for the libraries."""
    path = {"PYTHONPATH": str(ROOT / "tests" / "helpers")}
    known = {key: value for key, value in os.environ.items() if not key.startswith(("STREAMLIT_", "PYTHON"))}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=known | path, capture_output=True, text=True, timeout=600
    )


@pytest.mark.parametrize("standing", ["in the study", "elsewhere"])
def test_every_verb_beside_a_strangers_files(trained: Path, tmp_path: Path, standing: str) -> None:
    """Slow (30 s and 15 s), for nearly every verb is run: what they import is what matters."""
    (study := tmp_path / "study").mkdir()
    (here := tmp_path / "elsewhere").mkdir()
    shutil.copytree(trained, study / "r0")
    hostile.lay(study)
    here = study if standing == "in the study" else here
    done = process(here, "-P", ROOT / "tests" / "helpers" / "hostile.py", study, study, tmp_path / "out")
    assert done.returncode == 0, done.stderr[-2000:]
    *verbs, shown, read = done.stdout.splitlines()
    assert len(verbs) > 5
    assert [verb for verb in verbs if ": 0" not in verb] == []
    assert shown == repr([8501, None, "none", False, None])
    assert read == "READ []"
    assert not (study / "SUNG").exists(), (study / "SUNG").read_text()
    assert not list((study / ".cache").iterdir())


@pytest.mark.parametrize("guarded", [True, False])
def test_what_reads_settings_from_the_current_folder_is_seen_and_stopped(tmp_path: Path, guarded: bool) -> None:
    hostile.lay(tmp_path)
    (tmp_path / "matplotlibrc").write_text("axes.facecolor: red\n")
    guard = "from latentlab.system.surroundings import ignore_current_folder as g; g();" if guarded else ""
    code = f"import hostile, pathlib; seen = hostile.watch(pathlib.Path.cwd()); {guard} import numba, matplotlib"
    done = process(tmp_path, "-P", "-c", f"{code}; print(*sorted(pathlib.Path(each).name for each in seen))")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ([] if guarded else [".numba_config.yaml", "matplotlibrc"])


def test_modules_of_the_current_folder_are_not_found(trained: Path, tmp_path: Path) -> None:
    hostile.lay(tmp_path)
    for words in (["-m", "latentlab", "--version"], ["-m", "latentlab", "compare", str(trained)]):
        done = process(tmp_path, *words)
        assert done.returncode == 0, done.stderr
    assert not (tmp_path / "SUNG").exists(), (tmp_path / "SUNG").read_text()


def test_a_folder_that_is_gone_is_no_traceback(tmp_path: Path) -> None:
    words = "[sys.executable, '-m', 'latentlab', '--version']"
    code = f"import os, sys; os.rmdir(os.getcwd()); os.execv(sys.executable, {words})"
    (tmp_path / "gone").mkdir()
    done = process(tmp_path / "gone", "-P", "-c", code)
    assert (done.returncode, done.stderr) == (0, "")
