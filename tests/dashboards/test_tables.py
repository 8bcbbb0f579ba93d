"""Every page opens on a run of a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import latentlab as ll


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    run = ll.train("wine", folder / "wine", latent_dim=2, steps=150)
    ll.analyze(run, only=["encode", "traverse", "score"])
    return folder


@pytest.mark.parametrize(
    "page", ["overview", "runs", "map", "dimensions", "decode", "figures", "health", "support", "compare"]
)
def test_pages_open_on_a_table(study: Path, open_page: Callable[..., Any], page: str) -> None:
    app = open_page(study, page, run="wine")
    assert not app.error, [each.value for each in app.error]
