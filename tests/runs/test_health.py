"""A file is current while what it was made from is there unchanged."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toy import toy_codes, write_run

from latentlab.analysis.leakage.record import save_leakage
from latentlab.analysis.leakage.stage import leakage
from latentlab.codes.h5ad import save_codes
from latentlab.data import Dataset
from latentlab.errors import InputError
from latentlab.exchange.exporters.study import write as export_study
from latentlab.results import Score, plain
from latentlab.runs.health import environment, health
from latentlab.runs.kept import inputs_of
from latentlab.runs.run import Run
from latentlab.runs.study import Study
from latentlab.runs.weights import model_hash
from latentlab.system.files import sha256, write_json


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


def test_a_small_copy_keeps_the_leakage_which_is_not_measured_again(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = np.zeros((2, *run.config.form.shape), np.uint8)
    score = Score(0.25, settings={"factors": [], "left_out": {}})
    data = Dataset("toy", images.shape, images.__getitem__)
    inputs = {"model": model_hash(run), "codes": sha256(run.codes_path), "data": plain(data.source)}
    save_leakage(run, score, inputs | {"anchors": 16, "seed": 0})
    copy = export_study(Study(run.path.parent), tmp_path / "copy", rows=100, weights=False)["run"]
    monkeypatch.setattr("latentlab.analysis.leakage.reader.learn", lambda data, *, seed: pytest.fail("measured again"))
    assert leakage(copy, data=data).value == 0.25
    save_leakage(run, score, inputs | {"codes": "others", "anchors": 16, "seed": 0})
    stale = export_study(Study(run.path.parent), tmp_path / "stale", rows=100)["run"]
    assert inputs_of(stale.path / "leakage.json")["codes"] == "others"


def test_an_unfinished_run_misses_its_training_state(tmp_path: Path) -> None:
    young = write_run(tmp_path / "young", 4.0, 0, analysed=False, steps=200)
    assert states(young)["training.safetensors"] == "missing"


def test_an_environment_that_was_not_recorded_is_empty(run: Run) -> None:
    assert environment(run) == {}


def test_a_small_copy_does_not_pass_stale_results_for_current_ones(run: Run, tmp_path: Path) -> None:
    run.codes_path.unlink()
    save_codes(run.codes_path, replace(toy_codes(1.0, 0), provenance={"inputs": {"model": "other weights"}}))
    copy = export_study(Study(run.path.parent), tmp_path / "copy", rows=100)["run"]
    found = states(copy)
    assert {found[name] for name in ("codes.h5ad", "projections.h5", "scores.json")} == {"stale"}


def test_a_broken_run_is_not_left_out_of_a_copy_in_silence(run: Run, tmp_path: Path) -> None:
    (run.path.parent / "broken").mkdir()
    (run.path.parent / "broken" / "config.json").write_text("{}")
    with pytest.raises(InputError, match="a broken run, broken"):
        export_study(Study(run.path.parent), tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_copy_does_not_tell_where_the_run_was_trained(run: Run, tmp_path: Path) -> None:
    write_json(run.path / "environment.json", {"versions": {"python": "3"}, "place": {"folder": "/home/someone"}})
    copy = export_study(Study(run.path.parent), tmp_path / "copy")["run"]
    assert environment(copy) == {"python": "3"}
