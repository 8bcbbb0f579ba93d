"""The figure of units against β, drawn from a study whose images can be read."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import latentlab as ll
from latentlab.errors import InputError
from latentlab.figures import draw, rendered


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> ll.Study:
    """Three runs of the digits, one of them an autoencoder, which has no place in the figure."""
    folder = tmp_path_factory.mktemp("spectrum") / "study"
    how = {"network": "shallow", "latent_dim": 4, "steps": 300, "threads": 1, "workers": 1}
    found = ll.sweep("digits", folder, beta=["ae", 0.5, 4], **how)
    for run in found:
        ll.encode(run)
    return found


def test_every_format_is_the_same_twice(study: ll.Study) -> None:
    for suffix in ("pdf", "svg", "png", "html", "csv", "txt"):
        first = rendered("spectrum", study, suffix)
        assert first
        assert first == rendered("spectrum", study, suffix)


def test_the_numbers_are_those_of_the_advice(study: ll.Study) -> None:
    table = pd.read_csv(io.BytesIO(rendered("spectrum", study, "csv")))
    measured = ll.advise("digits", study=study).measured
    assert table["run"].tolist() == ["beta0.5-seed0", "beta4-seed0"]
    assert table["in_use"].tolist() == [each.in_use for each in measured]
    assert table["expected"].tolist() == pytest.approx([each.expected for each in measured])


def test_lines_fall_to_zero_where_everything_collapses(study: ll.Study) -> None:
    lines = {trace.name: trace for trace in draw("spectrum", study).data}
    assert list(lines) == ["components, linear", "expected", "active", "in use"]
    for name in ("components, linear", "expected"):
        heights, betas = np.array(lines[name].y), np.array(lines[name].x)
        assert heights[betas > 3.36].max() == 0
        assert heights[betas < 3.3].min() > 0
        assert heights.max() <= 4
    assert "collapse above β = 3.35" in rendered("spectrum", study, "txt").decode()


def test_without_codes_it_says_what_to_do(tmp_path: Path) -> None:
    run = ll.train("digits", tmp_path / "run", network="shallow", latent_dim=2, steps=2, threads=1)
    with pytest.raises(InputError, match="no encoded run of vae or beta-vae; encode the study"):
        draw("spectrum", run)
