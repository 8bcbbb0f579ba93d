"""Names are kept in notes.json and nowhere else, one writer at a time."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from toy import write_run

from latentlab.errors import InputError, LatentlabError
from latentlab.runs.notes import READ_ONLY, name_dimension, name_selection, writable
from latentlab.runs.run import Run
from latentlab.system.files import lock, read_json, write_json


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run that was only trained."""
    return write_run(tmp_path / "run", 4.0, 0, analysed=False)


def test_a_name_is_kept_and_forgotten(run: Run) -> None:
    name_dimension(run, 2, name="  up\n<b> ", note="moves")
    name_dimension(run, 0, name="left")
    assert run.notes()["dimensions"] == {"2": {"name": "up <b>", "note": "moves"}, "0": {"name": "left", "note": ""}}
    name_dimension(run, 2, name="")
    assert set(run.notes()["dimensions"]) == {"0"}


def test_other_notes_stay(run: Run) -> None:
    write_json(run.path / "notes.json", {"selections": {"rare": {"rows": [1]}}})
    name_dimension(run, 1, name="x")
    assert read_json(run.path / "notes.json")["selections"] == {"rare": {"rows": [1]}}


@pytest.mark.parametrize(("index", "name"), [(4, "x"), (-1, "x"), (0, "x" * 81)])
def test_what_cannot_be_kept_is_refused_and_nothing_is_written(run: Run, index: int, name: str) -> None:
    with pytest.raises(InputError):
        name_dimension(run, index, name=name)
    assert not (run.path / "notes.json").exists()


def test_a_run_that_is_being_written_is_left_alone(run: Run) -> None:
    with lock(run.path), pytest.raises(LatentlabError, match="another process"):
        name_dimension(run, 0, name="x")


def test_a_read_only_folder_is_known_as_such(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write everywhere, so the system's answer is given here."""
    assert writable(run)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert not writable(run)


def test_where_others_only_look_nothing_is_kept(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(READ_ONLY, "1")
    before = sorted(run.path.iterdir())
    assert not writable(run)
    with pytest.raises(InputError, match="writes nothing"):
        name_dimension(run, 0, name="x")
    assert sorted(run.path.iterdir()) == before


def test_two_who_saw_the_same_keep_both_what_they_changed(run: Run) -> None:
    name_dimension(run, 0, name="hair length", shown=("", ""))
    name_dimension(run, 0, name="", note="seen in rows 5, 17", shown=("", ""))
    assert run.notes()["dimensions"]["0"] == {"name": "hair length", "note": "seen in rows 5, 17"}


def test_who_changes_what_another_changed_is_told_and_may_say_it_again(run: Run) -> None:
    name_dimension(run, 0, name="hair", note="x", shown=("", ""))
    with pytest.raises(InputError, match="the name of dimension 0 was changed to 'hair' in another window"):
        name_dimension(run, 0, name="beard", note="y", shown=("", ""))
    assert run.notes()["dimensions"]["0"] == {"name": "hair", "note": "x"}
    name_dimension(run, 0, name="beard", note="x", shown=("hair", "x"))
    name_dimension(run, 0, name="beard", note="x", shown=("", ""))  # the same as is there is no conflict
    name_dimension(run, 0, name="", note="x", shown=("beard", "x"))
    assert run.notes()["dimensions"]["0"] == {"name": "", "note": "x"}
    name_dimension(run, 0, name="", note="", shown=("", "x"))
    assert run.notes()["dimensions"] == {}


def test_notes_saved_at_once_are_all_kept(run: Run) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda k: name_dimension(run, k, name=f"n{k}"), range(4)))
        list(pool.map(lambda k: name_selection(run, f"s{k}", np.array([k])), range(4)))
    assert {key: each["name"] for key, each in run.notes()["dimensions"].items()} == {str(k): f"n{k}" for k in range(4)}
    assert set(run.notes()["selections"]) == {f"s{k}" for k in range(4)}


def test_other_rows_never_take_the_place_of_a_kept_selection_unasked(run: Run) -> None:
    name_selection(run, "mine", np.array([1, 2]))
    name_selection(run, "mine", np.array([2, 1]), note="the same rows")
    with pytest.raises(InputError, match="'mine' keeps 2 other rows already"):
        name_selection(run, "mine", np.array([3]))
    assert run.notes()["selections"]["mine"] == {"rows": [1, 2], "note": "the same rows"}
    name_selection(run, "mine", np.array([3]), replace=True)
    assert run.notes()["selections"]["mine"]["rows"] == [3]
