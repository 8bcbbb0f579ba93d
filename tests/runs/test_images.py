"""The images behind a selection are those with the row ids asked for, or none."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toy import toy_codes, write_run

from latentlab.codes.h5ad import save_codes
from latentlab.data import load
from latentlab.errors import InputError
from latentlab.runs.data import data_of
from latentlab.runs.images import dataset_of, images_of
from latentlab.runs.notes import READ_ONLY
from latentlab.system.files import write_json


def test_images_are_found_by_row_id_in_a_part_of_the_data() -> None:
    data = load("digits")
    part = data.take(np.array([50, 7, 3]))
    assert np.array_equal(images_of(part, np.array([3, 50])), data[np.array([3, 50])])
    with pytest.raises(InputError, match="does not have all"):
        images_of(part, np.array([4]))


def test_data_from_another_source_are_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 4.0, 0, analysed=False, data="digits")
    source = dict(load("digits").source)
    save_codes(run.codes_path, replace(toy_codes(4.0, 0), provenance={"inputs": {"source": source}}))
    assert dataset_of(run).name == "digits"
    save_codes(run.codes_path, replace(toy_codes(4.0, 0), provenance={"inputs": {"source": {"sha256": "other"}}}))
    with pytest.raises(InputError, match="not the data"):
        dataset_of(run)


def test_the_data_that_were_encoded_go_before_those_trained_on(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 4.0, 0, analysed=False, data="gone.npz")
    save_codes(run.codes_path, replace(toy_codes(4.0, 0), provenance={"data": "digits"}))
    assert dataset_of(run).spec == "digits"


def test_a_relative_path_starts_where_the_run_was_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (there := tmp_path / "there").mkdir()
    np.save(there / "x.npy", np.zeros((3, 8, 8), np.uint8))
    run = write_run(tmp_path / "run", 4.0, 0, analysed=False, data="x.npy")
    write_json(run.path / "environment.json", {"place": {"folder": str(there)}})
    (elsewhere := tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(elsewhere)
    np.save("x.npy", np.zeros((5, 8, 8), np.uint8))  # other data of the same name
    assert (len(data_of(run)), data_of(run).spec) == (3, "x.npy")
    assert data_of(run, "digits").name == "digits"
    (there / "x.npy").unlink()
    assert len(data_of(run)) == 5
    (elsewhere / "x.npy").unlink()
    with pytest.raises(InputError, match="the data of run, were not found; name them with --data"):
        data_of(run)


def test_others_see_no_file_beside_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run's configuration may name any folder of the machine; who is let look is not shown what lies there."""
    np.savez(tmp_path / "private.npz", images=np.zeros((4, 8, 8), np.uint8))
    run = write_run(tmp_path / "run", 4.0, 0, analysed=False, data=str(tmp_path / "private.npz"))
    save_codes(run.codes_path, toy_codes(4.0, 0))
    assert len(dataset_of(run)) == 4
    monkeypatch.setenv(READ_ONLY, "1")
    with pytest.raises(InputError, match="outside the study"):
        dataset_of(run)
    save_codes(run.codes_path, replace(toy_codes(4.0, 0), provenance={"data": "digits:inverted=1"}))
    assert dataset_of(run).name == "digits"
