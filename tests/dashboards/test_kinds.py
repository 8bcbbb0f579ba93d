"""Every page on runs of signals, of a table and of counts: it works, and speaks of what its samples are."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from shown import words

from latentlab.analysis.encode.stage import encode
from latentlab.analysis.explain.stage import explain
from latentlab.analysis.project.stage import project_run
from latentlab.analysis.traverse.stage import decode_run
from latentlab.data import load
from latentlab.runs.study import Study
from latentlab.training.train import train

KINDS = ("signal", "table", "counts")
PAGES = ("overview", "runs", "sweep", "dimensions", "compare", "map", "decode", "figures", "health", "support")


def arrays(kind: str) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    factors = rng.uniform(0, 1, (120, 2))
    mixed = factors @ rng.normal(size=(2, 40)) + 0.05 * rng.normal(size=(120, 40))
    found = {
        "signal": {"x": 1e4 + mixed, "axis": np.linspace(1100, 2500, 40), "axis_unit": "nm", "unit": "absorbance"},
        "table": {"x": mixed[:, :6], "feature_names": np.array(["pH", "<b>", "sugar", "acid", "iron", "zinc"])},
        "counts": {"x": rng.poisson(np.exp(1 + mixed)), "feature_names": np.array([f"GENE{k}" for k in range(40)])},
    }[kind]
    return {**found, "kind": kind, "factors": factors, "factor_names": np.array(["place", "height"])}


@pytest.fixture(scope="session", params=KINDS)
def study(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Two seeds of a VAE of three dimensions on samples of a kind, analysed."""
    folder = tmp_path_factory.mktemp(request.param)
    np.savez(folder / "data.npz", **arrays(request.param))
    data = load(folder / "data.npz")
    for seed in (0, 1):
        run = train(data, folder / "study" / f"s{seed}", latent_dim=3, steps=60, seed=seed, threads=1, beta=1)
        encode(run, data)
        project_run(run, methods=("pca",))
        decode_run(run, data)
        explain(run)
    return Study(folder / "study")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_works_and_does_not_speak_of_images(study: Study, open_page: Any, page: str) -> None:
    told = re.sub(r"<(style|img)[^>]*>([^<]*</style>)?", " ", words(open_page(study.path, page, run="s0")))
    assert not re.search(r"\b(an )?(image|pixel)s?\b", told.replace("pixel_", ""))


def test_a_dimension_is_shown_as_what_its_kind_draws(study: Study, open_page: Any) -> None:
    app = open_page(study.path, "dimensions", run="s0")
    charts = [str(element.proto) for element in app.get("plotly_chart")]
    wanted = {"signal": "nm", "table": "pH", "counts": "GENE"}[study["s0"].config.form.kind]
    assert any(wanted in chart for chart in charts)


@pytest.mark.parametrize("what", ["interpolation", "samples", "manifold", "attribute"])
def test_codes_are_decoded(study: Study, open_page: Any, what: str) -> None:
    assert "Traceback" not in words(open_page(study.path, "decode", run="s0", what=what))


def test_thumbnails_are_on_the_scale_of_the_run(study: Study) -> None:
    import io

    from PIL import Image

    from latentlab.serving.thumbnails import thumbnail

    with Image.open(io.BytesIO(thumbnail(study.path, "s0", 3))) as image:
        pixels = np.asarray(image.convert("L"), float)
    assert image.width == 2 * image.height
    assert 0.005 < (pixels < 250).mean() < 0.9, "a curve or bars on white, neither empty nor full"


def test_wide_pictures_of_two_runs_fit_side_by_side(study: Study, open_page: Any) -> None:
    assert "every second step" in words(open_page(study.path, "compare", run="s0"))
