"""The Python API: every question is a function of its name, takes the run first, and gives a result of one shape."""

import ast
import dataclasses
import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT

import latentlab as ll
from latentlab.results import Result
from latentlab.runs.stage import stages

QUESTIONS = sorted(name for name, stage in stages().items() if stage.place is None)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ll.Run:
    """A run of the digits, encoded."""
    folder = tmp_path_factory.mktemp("api") / "run"
    trained = ll.train("digits", folder, steps=30, latent_dim=2, network="shallow", threads=1)
    ll.analyze(trained, only=["encode"])
    return trained


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_takes_the_run_first_and_the_rest_by_name(name: str) -> None:
    first, *rest = inspect.signature(getattr(ll, name)).parameters.values()
    assert first.name == "run"
    assert [each.name for each in rest if each.kind is not inspect.Parameter.KEYWORD_ONLY] == []


SMALL: dict[str, dict[str, Any]] = {
    "debias": {},
    "explain": {"rows": 4, "steps": 5},
    "intervene": {"pairs": 16},
    "likelihood": {"data": "digits:binarised=0", "rows": 5, "samples": 5},
    "names": {},
    "outliers": {"against": "digits:inverted=1,binarised=0", "rows": 60},
    "probe": {"sizes": (1, 5), "draws": 2},
    "support": {"samples": 100},
}


@pytest.mark.parametrize("name", [name for name in QUESTIONS if name != "leakage"])
def test_a_question_gives_a_frozen_dataclass_with_its_settings(run: ll.Run, name: str) -> None:
    answer = getattr(ll, name)(run, **SMALL[name])
    assert isinstance(answer, Result)
    assert dataclasses.is_dataclass(answer)
    assert answer.settings
    with pytest.raises(dataclasses.FrozenInstanceError):
        answer.settings = {}  # type: ignore[misc]
    assert len(answer.to_frame())
    assert json.loads(json.dumps(answer.to_json(), allow_nan=False))
    assert type(answer).__name__ in answer._repr_html_()
    assert run.has(name)
    assert run.read(name) is not None


def test_leakage_is_a_score_and_has_a_table(tmp_path: Path) -> None:
    score = ll.Score(0.5, parts={"defined": 2}, per_factor={"x": 0.25}, interval=(0.4, 0.6), settings={"anchors": 2})
    assert score.to_frame()["value"].tolist() == [0.5, 2, 0.25, 0.4, 0.6]
    assert "0.5" in score._repr_html_()


def test_plain_arrays_are_scored() -> None:
    factors = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    found = ll.score(factors.astype(float), factors, metrics=["mig", "modularity"])
    assert isinstance(found, Result)
    assert found.scores["mig"].value == pytest.approx(1)
    assert found.to_frame().set_index("metric").loc["mig", "value"] == pytest.approx(1)
    assert found.settings == {"profile": "dlib@1"}


def test_type_checkers_see_every_name() -> None:
    tree = ast.parse((ROOT / "latentlab" / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
    seen = {alias.asname for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == set(ll.__all__)


def test_the_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    assert ll.__version__ == version("latentlab")
