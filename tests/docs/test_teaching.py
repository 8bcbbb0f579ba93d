"""The lecturer's notebook runs from top to bottom where `latentlab teach` wrote it, and keeps no output."""

import json
import tomllib
from pathlib import Path

import pytest
from conftest import ROOT

from latentlab.cli import run as latentlab
from latentlab.system.resources import PACKAGE, teaching


def test_its_cells_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("anywidget")
    monkeypatch.chdir(tmp_path)
    assert latentlab(["teach", "-o", "class"]) == 0
    assert "jupyter lab class/teaching.ipynb" in capsys.readouterr().out
    assert latentlab(["teach", "-o", "class"]) == 2
    assert capsys.readouterr().err == "latentlab: class exists and is not empty; choose another folder or remove it\n"
    monkeypatch.chdir(tmp_path / "class")
    book = json.loads(Path("teaching.ipynb").read_text(encoding="utf-8"))
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] for cell in code)
    found: dict[str, object] = {}
    for number, cell in enumerate(code):
        exec(compile("".join(cell["source"]), f"teaching.ipynb, cell {number}", "exec"), found)
    assert len(found["study"].runs) == 3  # type: ignore[attr-defined]
    assert {run.config.latent_dim for run in found["study"].runs} == {2}  # type: ignore[attr-defined]


def test_a_wheel_has_what_teach_writes() -> None:
    """Each file lies in a checkout where the wheel takes it from, and in a wheel where it is looked for."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packed = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    for path in teaching():
        assert packed[str(path.relative_to(ROOT))] == f"{PACKAGE.name}/_artifacts/{path.name}"
