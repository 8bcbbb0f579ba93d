"""Public functions given anything at all: one line that says what was expected, never a traceback of ours."""

import inspect
from pathlib import Path
from typing import Any

import pytest
from toy import write_run

import latentlab as ll
from latentlab.errors import LatentlabError

ODD = [None, 123, 1.5, "no such", b"x", [], {}, object(), True, "", [1], "a\0b", float("nan")]
FILLED: dict[str, Any] = {"out": "out", "path": "p", "kind": "disvae", "to": "h5ad", "against": "digits"}
FILLED |= {"data": "digits", "latent_dim": 2, "shape": (1, 1, 8, 8), "read": None, "specs": (), "labels": None}
FREE = {
    "Factor",
    "HeldOut",
    "Score",
    "Scores",
    "shipped_study",
    "spin_briefly",
    "wrap",
    "decode",
    "traverse",
}


@pytest.mark.parametrize("name", sorted(set(ll._HOME) - FREE))
def test_any_first_argument_is_accepted_or_refused_in_one_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = getattr(ll, name)
    if isinstance(function, type) and issubclass(function, Exception):
        return
    monkeypatch.chdir(tmp_path)
    required = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    rest = {p.name: FILLED.get(p.name) for p in required[1:] if p.kind is not p.VAR_KEYWORD}
    for odd in ODD:
        if name == "Dataset" and isinstance(odd, str):
            continue  # a name
        with pytest.raises(LatentlabError) as error:
            function(odd, **rest)
        assert len(str(error.value)) <= 200


def test_a_run_may_be_given_by_its_folder(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 4.0, 0)
    assert ll.analyze(str(run.path), only=["project"]) == ll.analyze(run, only=["project"]) == ("project",)


def test_an_option_of_another_type_is_named(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 4.0, 0)
    with pytest.raises(ll.InputError, match="analyze: split is a int, 3; expected str or None"):
        ll.analyze(run, split=3)


def test_a_public_function_is_one_object_that_other_processes_find() -> None:
    import pickle

    assert ll.analyze is ll.analyze
    assert pickle.loads(pickle.dumps(ll.analyze)) is ll.analyze
