"""The lecturer's notebook runs from top to bottom, on the study that is shipped for it, and keeps no output."""

import json

import pytest
from conftest import ROOT


def test_its_cells_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "docs")
    book = json.loads((ROOT / "docs" / "teaching.ipynb").read_text(encoding="utf-8"))
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] for cell in code)
    found: dict[str, object] = {}
    for number, cell in enumerate(code):
        exec(compile("".join(cell["source"]), f"teaching.ipynb, cell {number}", "exec"), found)
    assert len(found["study"].runs) == 3  # type: ignore[attr-defined]
    assert {run.config.latent_dim for run in found["study"].runs} == {2}  # type: ignore[attr-defined]
