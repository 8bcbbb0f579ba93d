"""Runs and studies: what opening one says, their order, and members that are broken."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from toy import write_run

from latentlab.errors import InputError, LatentlabError, MissingError
from latentlab.reports.methods import methods
from latentlab.runs.commands import commands
from latentlab.runs.data import place
from latentlab.runs.history import read_history, safetensors_metadata
from latentlab.runs.run import Run
from latentlab.runs.study import Study, open_path, open_runs
from latentlab.runs.weights import model_hash
from latentlab.system.files import sha256, write_json


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return write_run(tmp_path / "study" / "beta4-seed0", 4.0, 0)


def one_line(message: str, path: Path) -> None:
    assert "\n" not in message
    assert len(message.replace(str(path), "")) <= 200


def test_opening_a_run_reads_what_its_stages_left(run: Run) -> None:
    assert run.name == "beta4-seed0"
    assert (run.step, run.state, run.config.label) == (100, "finished", "β = 4")
    assert run.codes().mean.shape == (768, 4)
    assert set(run.decodings()) == {"traversals-prior", "traversals-aggregate", "reconstructions"}
    assert set(run.projections()) == {"pca"}
    assert set(run.scores()) == {"mig", "dci"}
    assert run.notes() == {}
    assert all(map(run.has, ("encode", "traverse", "project", "score")))
    assert "β = 4, latent size 4, finished" in run._repr_html_()
    assert model_hash(run) == sha256(run.path / "model.safetensors")


def test_a_run_that_is_only_trained_says_how_to_go_on(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 1.0, 0, analysed=False)
    for read, stage in (
        (run.codes, "encode"),
        (run.decodings, "traverse"),
        (run.projections, "project"),
        (run.scores, "score"),
    ):
        with pytest.raises(MissingError, match=f"latentlab analyze .* --only {stage}"):
            read()
        assert not run.has(stage)
    run.model_path.unlink()
    assert (run.step, run.state) == (0, "empty")
    with pytest.raises(MissingError, match="train it first"):
        model_hash(run)


@pytest.mark.parametrize(
    ("step", "last", "state"),
    [
        ("100", {"step": 100}, "finished"),
        ("60", {"step": 60}, "unfinished"),
        ("0", None, "empty"),
        ("60", {"step": 70, "diverged": "the loss is nan"}, "diverged"),
    ],
)
def test_states(run: Run, step: str, last: dict[str, Any] | None, state: str) -> None:
    save_file({"w": np.zeros(1, np.float32)}, run.model_path, metadata={"step": step})
    (run.path / "history.jsonl").write_text(json.dumps(last) + "\n" if last else "")
    assert run.state == state


def test_what_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="does not exist; expected a run folder"):
        Run(tmp_path / "none")
    with pytest.raises(InputError, match="is not a run folder"):
        Run(tmp_path)
    (tmp_path / "file").write_text("")
    for opener in (Run, Study, open_path):
        with pytest.raises(InputError):
            opener(tmp_path / "file")
    with pytest.raises(InputError, match="is a file; expected a run folder"):
        open_path(tmp_path / "file")
    with pytest.raises(InputError, match="is not a study"):
        open_path(tmp_path)


# History


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    whole = b'{"step": 1}\n{"step": 2}\n'
    torn = '{"step": 3, "loss": 1.25, "unit": "β"}'.encode()
    for length in range(len(torn)):
        path.write_bytes(whole + torn[:length])
        assert [line["step"] for line in read_history(path)] == [1, 2]
    path.write_bytes(whole + torn)
    assert [line["step"] for line in read_history(path)] == [1, 2, 3]
    path.write_bytes(b"")
    assert read_history(path) == []


@pytest.mark.parametrize("bad", [b"{", b"\xff", b"3", b"null", b"[]", b'{"loss": 1}', b"[" * 100_000])
def test_a_bad_line_elsewhere_is_an_error(tmp_path: Path, bad: bytes) -> None:
    path = tmp_path / "history.jsonl"
    path.write_bytes(b'{"step": 1}\n' + bad + b'\n{"step": 3}\n')
    with pytest.raises(InputError, match="line 2 is not a JSON entry of a step") as caught:
        read_history(path)
    one_line(str(caught.value), tmp_path)


# Weights, read without torch


def test_the_header_of_weights_is_read_without_them(run: Run) -> None:
    assert safetensors_metadata(run.model_path) == {"step": "100"}


def header(content: bytes) -> bytes:
    return struct.pack("<Q", len(content)) + content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"1234567",
        b"\xff" * 8,
        b"\xff" * 100,
        struct.pack("<Q", 1 << 40) + b"{}",
        header(b"{"),
        header(b"[]"),
        header(b"3"),
        header(b"{}"),
        header(b'{"__metadata__": 3}'),
        header(b'{"__metadata__": {}}'),
        header(b'{"__metadata__": {"step": "many"}}'),
        header(b'{"__metadata__": {"step": "-3"}}'),
        header(b"[" * 100_000),
    ],
)
def test_weights_that_are_none_are_one_line(run: Run, content: bytes) -> None:
    run.model_path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        _ = run.state
    one_line(str(caught.value), run.path)


# What stages left, damaged


@pytest.mark.parametrize(
    "content", ["{", "[]", "3", '{"scores": 3}', '{"scores": {"mig": 3}}', '{"scores": {"mig": []}}']
)
def test_scores_that_are_none(run: Run, content: str) -> None:
    run.scores_path.write_text(content)
    with pytest.raises(InputError) as caught:
        run.scores()
    one_line(str(caught.value), run.path)


@pytest.mark.parametrize(
    "text", ["[1]", '{"dimensions": []}', '{"dimensions": {"0": []}}', '{"selections": {"a": {"note": 1}}}']
)
def test_notes_that_are_none(run: Run, text: str) -> None:
    (run.path / "notes.json").write_text(text)
    with pytest.raises(InputError, match="does not contain notes"):
        run.notes()


@pytest.mark.parametrize("stage", ["codes", "decodings", "projections"])
def test_stages_cut_in_half(run: Run, stage: str) -> None:
    path = getattr(run, f"{stage}_path")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError) as caught:
        getattr(run, stage)()
    one_line(str(caught.value), run.path)


# Studies


def test_a_study_is_in_the_order_of_objective_beta_latent_size_and_seed(tmp_path: Path) -> None:
    for number, (beta, seed) in enumerate([(16.0, 0), (4.0, 1), (None, 0), (1.0, 0), (4.0, 0)]):
        write_run(tmp_path / f"run{number}", beta, seed, analysed=False)
    write_run(tmp_path / "smaller", 4.0, 2, analysed=False, latent_dim=2)
    write_run(tmp_path / "z", 4.0, 0, analysed=False, objective={"name": "factor-vae", "gamma": 1.0})
    write_run(tmp_path / "a" / "nested", 4.0, 0, analysed=False)
    (tmp_path / "notes").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "run0")
    study = Study(tmp_path)
    assert [run.name for run in study] == ["run2", "run3", "smaller", "run4", "run1", "run0", "z"]
    assert len(study) == 7
    assert study["run4"].path == study[3].path
    with pytest.raises(InputError, match="has no run 'run9'; it has: run2"):
        _ = study["run9"]
    shown = study._repr_html_()
    assert "<td>β = 16</td>" in shown
    assert shown.count("<tr>") == shown.count("</tr>") == 1 + len(study)
    assert [run.name for run in open_runs([tmp_path, tmp_path / "run0"])[0]][-2:] == ["z", "run0"]


def test_a_broken_member_does_not_hide_the_others(run: Run) -> None:
    other = run.path.parent / "other"
    other.mkdir()
    (other / "config.json").write_text("{")
    study = Study(run.path.parent)
    assert [r.name for r in study] == ["beta4-seed0"]
    assert list(study.broken) == ["other"]
    assert "is not valid JSON" in study.broken["other"]
    assert "other</td>" in study._repr_html_()
    assert "is not valid JSON" in study._repr_html_()
    opened, failed = open_runs([run.path.parent])
    assert [each.name for each in opened] == ["beta4-seed0"]
    assert list(failed) == [other]


@pytest.mark.parametrize("change", [{"latent_dim": 0}, {"colour": 1}, {"objective": {"beta": 4}}, {"format": 3}])
def test_a_config_that_is_wrong_makes_a_broken_member(run: Run, change: dict[str, Any]) -> None:
    path = run.path / "config.json"
    write_json(path, {**json.loads(path.read_text()), **change})
    study = Study(run.path.parent)
    assert (len(study), list(study.broken)) == (0, ["beta4-seed0"])


def test_an_empty_folder_is_no_study(tmp_path: Path) -> None:
    with pytest.raises(LatentlabError, match="contains no run folder"):
        Study(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"scores": []},
        {"scores": {"mig": {"value": 1, "matrix": [[1], [1, 2]]}}},
        {"scores": {"mig": {"value": 1e999}}},
        {"scores": {"mig": {"value": 1, "settings": {"profile": {}}}}},
        {"scores": {"=1+1": {"value": 1}}},
        {"inputs": [1]},
        {"skipped": [1]},
        {"skipped": {"mig": 3}},
    ],
)
def test_scores_of_another_shape_are_refused_by_all_who_read_them(run: Run, change: dict[str, Any]) -> None:
    found = json.loads(run.scores_path.read_text())
    run.scores_path.write_text(json.dumps({**found, **change}).replace("Infinity", "1e999"))
    for read in (run.scores, lambda: run.scored, lambda: methods(run), lambda: commands(run)):
        with pytest.raises(InputError, match="recompute it: `latentlab analyze"):
            read()
    run.scores_path.write_text("null")
    with pytest.raises(InputError, match="is not a JSON object"):
        methods(run)


@pytest.mark.parametrize(
    "found", [[], {"place": []}, {"versions": "1"}, {"place": {"folder": 3}}, {"place": {"folder": "\0"}}]
)
def test_an_environment_of_another_shape_is_refused(run: Run, found: Any) -> None:
    write_json(run.path / "environment.json", found)
    with pytest.raises(InputError, match=r"environment.json .*restore or remove it"):
        place(run)


@pytest.mark.parametrize("entry", [{"name": "x" * 81}, {"note": "x" * 2001}])
def test_notes_that_are_too_long_are_refused(run: Run, entry: dict[str, str]) -> None:
    write_json(run.path / "notes.json", {"dimensions": {"0": entry}})
    with pytest.raises(InputError, match="does not contain notes"):
        run.notes()


@pytest.mark.parametrize("step", ["'1'", "null", "true", "1.5", "[1]"])
def test_a_step_is_a_whole_number(run: Run, step: str) -> None:
    (run.path / "history.jsonl").write_text(f'{{"step": {step}}}\n'.replace("'", '"') + '{"step": 100}\n')
    with pytest.raises(InputError, match="line 1 is not a JSON entry of a step"):
        run.history()


def test_a_history_without_measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    run = write_run(tmp_path / "run", 4.0, 0, analysed=False)
    monkeypatch.setattr("latentlab.runs.history.HISTORY", 10)
    with pytest.raises(InputError, match="at most 10 are read"):
        run.history()
