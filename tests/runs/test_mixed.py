"""Files of two trainings in one folder are told apart: weights, training state, history and codes name their origin."""

from pathlib import Path
from shutil import copyfile, copytree

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from latentlab.analysis.encode.stage import encode
from latentlab.cli import run as cli
from latentlab.errors import InputError
from latentlab.exchange.exporters.study import write as export_study
from latentlab.runs.comparison import compare
from latentlab.runs.doctor import examine
from latentlab.runs.health import health
from latentlab.runs.history import safetensors_metadata
from latentlab.runs.identity import LABELLED, TRAINING, identity
from latentlab.runs.run import Run
from latentlab.runs.seeds import incomparable
from latentlab.runs.study import Study
from latentlab.system.files import read_json, write_json
from latentlab.training.train import train

SETTINGS = {"network": "mlp", "latent_dim": 2, "steps": 4, "log_every": 2, "threads": 1}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Two trainings that differ in their seed alone, encoded."""
    root = tmp_path_factory.mktemp("two")
    data = np.random.default_rng(0).integers(0, 256, (64, 8, 8), dtype=np.uint8)
    np.save(root / "data.npy", data)
    for seed in (0, 1):
        encode(train(root / "data.npy", root / f"s{seed}", seed=seed, **SETTINGS))
    return Study(root)


@pytest.fixture
def study(two: Study, tmp_path: Path) -> Study:
    """A copy to mix up."""
    return Study(copytree(two.path, tmp_path / "study"))


def wrong(run: Run) -> dict[str, str]:
    return {Path(found.where).name: found.found for found in examine(run.path) if found.wrong}


def test_two_whole_runs_are_sound(two: Study) -> None:
    assert [wrong(run) for run in two] == [{}, {}]
    assert identity(two["s0"].path / "config.json") != identity(two["s1"].path / "config.json")


@pytest.mark.parametrize("file", [*LABELLED, "codes.h5ad"])
def test_a_file_of_another_training_is_named(
    study: Study, file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copyfile(study["s1"].path / file, study["s0"].path / file)
    assert file in wrong(study["s0"])
    assert wrong(study["s1"]) == {}
    assert health(study["s0"]).set_index("file").loc[file, "state"] == "stale"
    monkeypatch.chdir(study.path)  # a long path would be folded
    assert cli(["doctor", "s0"]) == 1
    assert file in capsys.readouterr().out


@pytest.mark.parametrize("file", LABELLED)
def test_a_comparison_flags_a_run_of_two_trainings_and_names_no_winner(study: Study, file: str) -> None:
    assert not compare(study)["flags"].str.contains("mixed").any()
    copyfile(study["s1"].path / file, study["s0"].path / file)
    table = compare(study).set_index("run", drop=False)
    assert "mixed files" in table.loc["s0", "flags"]
    assert "mixed files" not in table.loc["s1", "flags"]
    assert "files of two trainings" in incomparable(table, "elbo")


def test_a_training_state_that_cannot_be_read_costs_a_comparison_nothing(study: Study) -> None:
    before = compare(study)
    (study["s0"].path / "training.safetensors").write_bytes(b"cut")
    assert compare(study).equals(before)


def test_another_configuration_disowns_all_that_was_trained(study: Study) -> None:
    copyfile(study["s1"].path / "config.json", study["s0"].path / "config.json")
    assert set(LABELLED) <= wrong(study["s0"]).keys()


@pytest.mark.parametrize("file", ["history.jsonl", "training.safetensors"])
def test_a_resume_refuses_what_is_of_another_training(two: Study, study: Study, file: str) -> None:
    run, other = study["s0"], study["s1"]
    run.model_path.unlink()
    copyfile(other.path / file, run.path / file)
    with pytest.raises(InputError, match="belongs to another training"):
        train(two.path / "data.npy", run.path, seed=0, resume=True, **SETTINGS)


def test_a_run_may_be_moved_and_resumed_on_another_machine(study: Study) -> None:
    config = study["s0"].path / "config.json"
    settings = read_json(config)
    write_json(config, settings | {"data": "elsewhere/data.npy", "hardware": {"device": "cuda", "threads": 8}})
    assert not set(LABELLED) & wrong(study["s0"]).keys()


def test_older_files_name_no_training_and_are_taken_as_they_are(study: Study) -> None:
    run = study["s0"]
    save_file(load_file(run.model_path), run.model_path, metadata={"step": "4"})
    history = run.path / "history.jsonl"
    history.write_text(history.read_text().replace(TRAINING, "other"))
    assert not set(LABELLED) & wrong(run).keys()


def test_equal_trainings_leave_equal_bytes_and_a_small_copy_names_the_same(
    two: Study, study: Study, tmp_path: Path
) -> None:
    again = train(two.path / "data.npy", tmp_path / "again", seed=0, **SETTINGS)
    for file in LABELLED:
        assert (again.path / file).read_bytes() == (study["s0"].path / file).read_bytes()
    copy = export_study(study, tmp_path / "copy")["s0"]
    assert safetensors_metadata(copy.model_path) == safetensors_metadata(study["s0"].model_path)
    assert not set(LABELLED) & wrong(copy).keys()
