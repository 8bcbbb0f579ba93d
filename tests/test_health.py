"""A file is current while what it was made from is there unchanged."""

from pathlib import Path

import pytest
from toy import write_run

from latentlab.exporting import export_study
from latentlab.files import sha256
from latentlab.health import environment, health
from latentlab.runs import Run, Study


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """An analysed run."""
    return write_run(tmp_path / "run", 4.0, 0)


def states(run: Run) -> dict[str, str]:
    """By file, its state."""
    return dict(health(run)[["file", "state"]].itertuples(index=False))


def test_a_fresh_analysis_is_current_and_hashes_are_the_files(run: Run) -> None:
    found = states(run)
    assert {found[name] for name in ("codes.h5ad", "decodings.h5", "projections.h5", "scores.json")} == {"current"}
    table = health(run).set_index("file")
    assert table.loc["codes.h5ad", "sha256"] == sha256(run.codes_path)


def test_other_weights_make_the_codes_stale(run: Run) -> None:
    with run.model_path.open("ab") as file:
        file.write(b" ")
    assert states(run)["codes.h5ad"] == "stale"


def test_other_codes_make_the_scores_stale_and_missing_ones_too(run: Run) -> None:
    run.codes_path.write_bytes(run.codes_path.read_bytes() + b" ")
    assert states(run)["scores.json"] == "stale"
    run.codes_path.unlink()
    assert states(run)["scores.json"] == "stale"
    assert states(run)["codes.h5ad"] == "missing"


def test_a_file_cut_short_is_damaged_and_says_why(run: Run) -> None:
    run.decodings_path.write_bytes(run.decodings_path.read_bytes()[:99])
    row = health(run).set_index("file").loc["decodings.h5"]
    assert row["state"] == "damaged"
    assert "decodings.h5" in row["why"]


def test_a_small_copy_of_a_finished_run_is_in_order(run: Run, tmp_path: Path) -> None:
    copy = export_study(Study(run.path.parent), tmp_path / "copy", rows=100)["run"]
    found = states(copy)
    assert found["training.safetensors"] == "not needed"
    assert {found[name] for name in ("codes.h5ad", "decodings.h5", "projections.h5", "scores.json")} == {"current"}
    with copy.model_path.open("ab") as file:
        file.write(b" ")
    assert states(copy)["codes.h5ad"] == "stale"


def test_an_unfinished_run_misses_its_training_state(tmp_path: Path) -> None:
    young = write_run(tmp_path / "young", 4.0, 0, analysed=False, steps=200)
    assert states(young)["training.safetensors"] == "missing"


def test_an_environment_that_was_not_recorded_is_empty(run: Run) -> None:
    assert environment(run) == {}
