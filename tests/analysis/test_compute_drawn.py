"""Scores of the rows that a profile draws are those of all rows, and what needs more rows says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import latentlab as ll
from latentlab.analysis.score import compute_drawn
from latentlab.analysis.score.compute_drawn import score_drawn
from latentlab.analysis.score.stage import score_codes
from latentlab.errors import InputError
from latentlab.runs.run import Run

SIZES = (4, 15, 20, 25)  # 30,000 rows, of which the protocols draw about 12,000
SAME = ["mig", "sap", "dci", "modularity", "irs", "unsupervised", "rmig", "r2"]


@pytest.fixture(scope="module")
def data() -> ll.Dataset:
    levels = np.stack(np.unravel_index(np.arange(np.prod(SIZES)), SIZES), axis=1)
    parts = levels / np.array(SIZES)
    images = np.repeat(np.repeat(parts.reshape(-1, 2, 2), 2, axis=1), 2, axis=2)
    return ll.data.from_arrays((images * 255).astype(np.uint8), factors=levels)


@pytest.fixture(scope="module")
def run(data: ll.Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return ll.train(data, tmp_path_factory.mktemp("drawn") / "run", steps=3, latent_dim=3, network="linear")


def test_they_are_the_scores_of_all_rows(run: Run, data: ll.Dataset) -> None:
    found = score_drawn(run, data, metrics=SAME)
    whole = score_codes(ll.encode(run, data), metrics=SAME).scores
    assert not found.skipped
    for name in SAME:
        assert found.scores[name].value == pytest.approx(whole[name].value, abs=1e-6), name
        assert found.scores[name].settings["rows_from"] == whole[name].settings["rows_from"], name
        assert "all rows" in found.scores[name].missing["interval"], name


def test_what_draws_most_rows_is_left_to_the_codes_of_all(run: Run, data: ll.Dataset, monkeypatch) -> None:
    monkeypatch.setattr(compute_drawn, "MOST", 20_000)
    found = score_drawn(run, data, metrics=["mig", "factor_vae", "beta_vae"])
    assert set(found.skipped) == {"factor_vae", "beta_vae"}
    assert found.skipped["factor_vae"].startswith("draws 30,000 rows, more than 20,000: latentlab analyze")
    assert not score_drawn(run, data, metrics=["rate"]).scores


def test_without_a_variance_or_factors_the_reason_is_said(data: ll.Dataset, tmp_path: Path) -> None:
    plain = ll.train(data, tmp_path / "ae", objective="ae", steps=1, latent_dim=3, network="linear")
    with pytest.raises(InputError, match="leave out --encode protocol"):
        score_drawn(plain, data)
    bare = ll.data.from_arrays(data[:40])
    other = ll.train(bare, tmp_path / "vae", steps=1, latent_dim=3, network="linear")
    with pytest.raises(InputError, match="neither factors nor labels"):
        score_drawn(other, bare)
