"""What stages declare is so, and an answer is computed once, outside the lock, and not over what is not understood."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import write_run
from toy_support import write_evidence, write_survey

from latentlab.errors import InputError, LockedFileError, MissingError, NewerFormatError
from latentlab.runs.doctor import examine
from latentlab.runs.health import health
from latentlab.runs.kept import collected, inputs_of, kept, made_from
from latentlab.runs.run import Run
from latentlab.runs.stage import Stage, stage, stages
from latentlab.system.files import lock, read_json, sha256, write_json
from latentlab.system.quarantine import strangers
from latentlab.system.registry import folders, names, resolve
from latentlab.training.sweep import _write_plan

FILES = [(name, file) for name, each in stages().items() for file in each.files]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run in which every stage left its files."""
    made = write_run(tmp_path / "run", 4.0, 0)
    write_survey(made)
    write_evidence(made)
    return made


def test_the_declarations_are_so() -> None:
    assert set(stages()) == set(folders("analysis"))
    assert list(stages())[:4] == ["encode", "traverse", "project", "score"]
    assert len({file for _, file in FILES}) == len(FILES)
    for each in stages().values():
        assert all(map(callable, map(resolve, [each.make, *each.files.values()])))
        assert each.command.split()[0] in names("cli")
        assert each.place is None or each.command == f"analyze RUN --only {each.name}"


def test_a_stage_that_is_not_there_is_named_with_the_nearest(run: Run) -> None:
    with pytest.raises(InputError, match="no stage is called 'suport'; did you mean 'support'"):
        run.has("suport")


def test_a_run_reads_what_it_has_and_says_how_the_rest_is_made(run: Run) -> None:
    for name, each in stages().items():
        assert run.has(name)
        assert run.read(name) is not None
        for file in each.files:
            (run.path / file).unlink()
        assert not run.has(name)
        with pytest.raises(MissingError, match=rf"{each.command.partition(' ')[0]} {run.path}"):
            run.read(name)


def make_newer(path: Path) -> None:
    """Say in the file that a later version wrote it."""
    if path.suffix == ".json":
        write_json(path, {**read_json(path), "format": 2})
        return
    with h5py.File(path, "r+") as file:
        if path.suffix == ".h5":
            file.attrs["format"] = 2
        else:
            described = {**json.loads(file["uns/latentlab"][()]), "format": 2}
            del file["uns/latentlab"]
            file["uns/latentlab"] = json.dumps(described)


@pytest.mark.parametrize(("name", "file"), FILES)
def test_a_newer_file_is_neither_read_nor_written(run: Run, name: str, file: str) -> None:
    path, each = run.path / file, stage(name)
    make_newer(path)
    before = path.read_bytes()
    for apart in (False, True):
        with strangers() if apart else lock(run.path), pytest.raises(NewerFormatError, match="upgrade latentlab"):
            resolve(each.files[file])(run)
    assert dict(health(run)[["file", "state"]].to_numpy())[file] == "newer"
    wrong = [found for found in examine(run.path) if found.wrong and found.where == str(path)]
    assert [found.found[:6] for found in wrong] == ["newer:"]
    assert "upgrade" in wrong[0].mend
    assert "rm " not in wrong[0].mend
    with pytest.raises(NewerFormatError):
        kept(run, each, {"x": 1}, lambda: pytest.fail("computed"), lambda _: pytest.fail("written"))
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["config.json", "notes.json", "environment.json"])
def test_what_is_newer_of_a_run_itself_is_not_advised_to_be_removed(run: Run, name: str) -> None:
    path = run.path / name
    write_json(path, {**(read_json(path) if path.is_file() else {}), "format": 3})
    [wrong] = [found for found in examine(run.path.parent) if found.wrong]
    assert "format '3'" in wrong.found
    assert "upgrade" in wrong.mend
    assert "rm " not in wrong.mend


def test_a_newer_plan_of_a_study_is_not_written_over(tmp_path: Path) -> None:
    write_json(tmp_path / "study.json", {"format": 2, "members": {"a": {}}})
    with pytest.raises(NewerFormatError):
        _write_plan(tmp_path, {})
    assert read_json(tmp_path / "study.json")["format"] == 2


HOLD = "import h5py, sys; f = h5py.File(sys.argv[1], 'r+'); print('open', flush=True); sys.stdin.read()"


@pytest.mark.parametrize("file", ["effects.h5", "codes.h5ad"])
def test_a_file_that_another_program_writes_is_locked_and_not_damaged(run: Run, file: str) -> None:
    path = run.path / file
    words = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(LockedFileError, match="open in another program"):
            inputs_of(path)
        wrong = [found for found in examine(run.path) if found.wrong and found.where == str(path)]
        other.communicate("")
    assert [found.found[:7] for found in wrong] == ["locked:"]
    assert "rm " not in wrong[0].mend
    assert [found for found in examine(run.path) if found.wrong] == []


TOY = Stage(
    name="toy",
    files={"toy.json": f"{__name__}:read_toy"},
    make=f"{__name__}:read_toy",
    command="toy RUN",
    about="",
)


def read_toy(run: Run) -> Any:
    """What the file of the stage holds."""
    record = TOY.record(run)
    if "answer" not in record:
        raise TOY.damaged(run, "it holds no answer")
    return record["answer"]


def ask(run: Run, inputs: dict[str, Any], answer: Any, calls: list[int]) -> Any:
    """The answer of a stage that counts how often it is computed."""

    def make() -> Any:
        with lock(run.path):  # nobody holds it meanwhile
            calls.append(1)
        return answer

    write = lambda made: write_json(run.path / "toy.json", {"inputs": inputs, "answer": made})  # noqa: E731
    return kept(run, TOY, inputs, make, write)


VALUES = st.dictionaries(st.sampled_from("abc"), st.one_of(st.integers(), st.text(max_size=3), st.none()), min_size=1)


@settings(max_examples=40, deadline=None)
@given(first=VALUES, second=VALUES)
def test_an_answer_is_computed_again_exactly_where_its_inputs_differ(
    first: dict[str, Any], second: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("kept")
    write_json(folder / "config.json", {})
    calls: list[int] = []
    asked = Run(folder)
    assert ask(asked, first, [1], calls) == ask(asked, first, [2], calls) == [1]
    assert len(calls) == 1
    assert ask(asked, second, [2], calls) == ([1] if first == second else [2])
    assert len(calls) == 1 + (first != second)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b'{"inputs": {"a": 1}}', b'{"format": "x", "inputs": {"a": 1}}']
)
def test_what_is_damaged_is_computed_again(run: Run, content: bytes) -> None:
    calls: list[int] = []
    ask(run, {"a": 1}, 5, calls)
    (run.path / "toy.json").write_bytes(content)
    assert ask(run, {"a": 1}, 6, calls) == 6
    assert len(calls) == 2


def test_what_a_shared_copy_adds_does_not_count(run: Run) -> None:
    write_json(run.path / "toy.json", {"inputs": {"a": 1, "full_codes": "…"}, "answer": 5})
    assert made_from(run, TOY, {"a": 1})
    assert not made_from(run, TOY, {"a": 1, "b": 2})


def test_entries_that_are_collected_at_once_are_all_kept(run: Run) -> None:
    path, computed = run.path / "entries.json", threading.Barrier(4, timeout=60)

    def known() -> dict[str, Any]:
        return read_json(path) if path.is_file() else {}

    def make(missing: list[str]) -> dict[str, Any]:
        computed.wait()  # all have computed before any of them writes
        return dict.fromkeys(missing, 1)

    def add(key: str) -> None:
        assert key in collected(run, known, [key], make, lambda entries: write_json(path, entries))

    threads = [threading.Thread(target=add, args=(key,)) for key in "abcd"]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert set(read_json(path)) == set("abcd")


def test_a_copy_of_a_study_keeps_every_answer_and_says_what_it_lacks(run: Run, tmp_path: Path) -> None:
    from latentlab.exchange.exporters.study import left_out, write
    from latentlab.runs.study import Study

    (run.path / "mine.txt").write_text("x")
    study = Study(run.path.parent)
    copy = write(study, tmp_path / "copy", rows=100)["run"]
    assert [name for name in stages() if not copy.has(name)] == []
    assert all(copy.read(name) is not None for name in stages())
    states = dict(health(copy)[["file", "state"]].to_numpy())
    assert {states[file] for _, file in FILES} <= {"current", "source"}
    renewed = inputs_of(copy.path / "scores.json")
    assert renewed["codes"] == sha256(copy.codes_path)
    assert renewed["full_codes"] == sha256(run.codes_path)
    assert np.isin(copy.projections()["pca"].row_ids, copy.codes().row_ids).all()
    told = "; ".join(left_out(study, rows=100))
    assert "all but 100 rows" in told
    assert "mine.txt" in told
    assert "float16" in told
