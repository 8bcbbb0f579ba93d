"""Many runs analysed side by side: the bytes of one after another, and a run that fails takes no other along."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from latentlab.analysis.analyze_many import _Share, analyze_side_by_side, number_of_processes
from latentlab.cli import run as cli
from latentlab.errors import InputError
from latentlab.runs.run import Run
from latentlab.runs.study import Study
from latentlab.training.train import train

WORDS = ["--only", "encode,traverse,score", "--metric", "mig,sap", "--resamples", "2", "--quiet"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of three runs, of which the last has lost its weights."""
    folder = tmp_path_factory.mktemp("many") / "study"
    for seed in range(3):
        train("digits", folder / f"r{seed}", network="shallow", latent_dim=2, steps=2, threads=1, seed=seed)
    (folder / "r2" / "model.safetensors").unlink()
    return folder


def contents(study: Path) -> dict[str, bytes]:
    files = (path for path in study.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(study)): path.read_bytes() for path in files}


def test_bytes_are_those_of_one_after_another(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, workers in (("one", "1"), ("two", "2")):
        shutil.copytree(trained, tmp_path / name)
        assert cli(["analyze", str(tmp_path / name), *WORDS, "--workers", workers]) == 1
        said = capsys.readouterr()
        assert said.out.count("analysed: encode, traverse, score") == 2
        assert said.err.count("r2") >= 1
        assert "model.safetensors" in said.err
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert {"r0/codes.h5ad", "r1/decodings.h5", "r1/scores.json"} <= one.keys()
    assert one == two


def test_a_process_that_ends_early_fails_what_it_had_left(tmp_path: Path) -> None:
    share = _Share(["a", "b", "c"], tmp_path / "notes")
    lines = [{"done": 1, "note": "", "run": "a", "why": "no weights"}, {"done": 1.5, "note": "score"}]
    share.notes.write_text("\n".join(map(json.dumps, lines)) + '\n{"done": 1.')
    share.look()
    assert (share.done, share.note, share.failed) == (1.5, "score", {"a": "no weights"})
    share.close("its process ended with status -9")
    assert share.failed.keys() == {"a", "b", "c"}
    assert share.failed["a"] == "no weights"


def test_as_many_processes_as_there_is_work_for(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentlab.analysis.analyze_many.cores", lambda: 2)
    runs = list(Study(trained))
    assert number_of_processes(runs) == 2
    assert number_of_processes(runs, 8) == 3
    assert number_of_processes([runs[0], Run(runs[0].path.resolve())], 8) == 1
    assert number_of_processes(runs, 2, "own.py:model") == 1
    assert number_of_processes([]) == 1


def test_data_that_are_no_file_and_have_no_name_are_refused(trained: Path) -> None:
    with pytest.raises(InputError):
        analyze_side_by_side(list(Study(trained)), 2, data="no-such-data")
    assert cli(["analyze", str(trained), "--workers", "2", "--cluster", "tcp://127.0.0.1:1"]) == 2
