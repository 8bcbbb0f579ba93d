"""What a figure is as numbers, and as a picture that moves."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from latentlab.cli import run as latentlab
from latentlab.errors import InputError
from latentlab.figures import _style, export, rendered
from latentlab.runs.study import Study
from latentlab.system.registry import load, names

RUN = "beta-4-seed-0"
SETTLED = (
    "kl",
    "correlation",
    "factor_matrix",
    "projection",
    "plane",
    "responses",
    "traversals",
    "aggregate_posterior",
)


def numbers(kind: str, study: Study, **options: object) -> pd.DataFrame:
    given = study if load("figures", kind).TAKES == "runs" else study[RUN]
    return pd.read_csv(io.BytesIO(rendered(kind, given, "csv", **options)), float_precision="round_trip")


@pytest.mark.parametrize("kind", names("figures"))
def test_every_kind_can_say_its_numbers(kind: str) -> None:
    assert load("figures", kind).numbers.__doc__


def test_the_numbers_are_those_that_are_drawn(toy_study: Study) -> None:
    prepared = {kind: load("figures", kind).prepare(toy_study[RUN]) for kind in SETTLED}
    codes = toy_study[RUN].codes()

    kl = numbers("kl", toy_study)
    np.testing.assert_allclose(kl.iloc[:, -2:].sum(axis=1).sum(), codes.rate.mean(), rtol=1e-5)
    np.testing.assert_array_equal(numbers("correlation", toy_study).iloc[:, 1:], prepared["correlation"].values)
    np.testing.assert_array_equal(numbers("factor-matrix", toy_study)["x"], prepared["factor_matrix"].values[:, 1])
    points = numbers("projection", toy_study, by="shape")
    assert set(points["shape"]) == {"square", "ellipse", "heart"}
    np.testing.assert_array_equal(points["row"], prepared["projection"].row_ids)
    plane = numbers("plane", toy_study, x=2, y=0)
    np.testing.assert_allclose(plane[["z2", "z0"]], codes.mean[plane["row"]][:, [2, 0]], rtol=1e-6)
    moved = numbers("traversals", toy_study)
    np.testing.assert_allclose(moved["value"], prepared["traversals"].values.ravel())
    curve = numbers("aggregate-posterior", toy_study)
    np.testing.assert_allclose(curve["density"], prepared["aggregate_posterior"].density.ravel())
    responses = numbers("responses", toy_study, factor="x")
    assert len(responses) == 4 * 8


def test_the_numbers_of_a_study_have_every_run(toy_study: Study) -> None:
    costs = numbers("rate-distortion", toy_study).set_index("run")
    assert set(costs.index) == {run.name for run in toy_study}
    assert costs.loc["ae-seed-0", "rate"] != costs.loc["ae-seed-0", "rate"], "an autoencoder has no rate"
    scores = numbers("scores", toy_study)
    found = scores[(scores["metric"] == "mig") & (scores["run"] == RUN)].iloc[0]
    assert found["value"] == toy_study[RUN].scores()["mig"].value
    assert found["null"] == 0.1


@pytest.mark.parametrize("preset", ["neurips", "icml"])
def test_a_moving_picture_goes_there_and_back_in_the_images_that_were_decoded(toy_study: Study, preset: str) -> None:
    content = rendered("traversals", toy_study[RUN], "gif", preset)
    assert content == rendered("traversals", toy_study[RUN], "gif", preset)
    with Image.open(io.BytesIO(content)) as image:
        assert image.n_frames == 2 * (7 - 1)
        assert image.info["loop"] == 0
        assert image.info["comment"].decode().startswith("Grid of decoded images")
        assert image.width == pytest.approx(_style.preset(preset).width * 110, abs=1)
        frames = []
        for k in range(image.n_frames):
            image.seek(k)
            frames.append(np.asarray(image.convert("L"), float))
    for k in range(1, 6):
        np.testing.assert_array_equal(frames[k], frames[-k])
    assert np.abs(frames[0] - frames[6]).max() > 100


def test_a_figure_in_words_is_its_alternative_text(toy_study: Study) -> None:
    drawn = load("figures", "kl")
    assert rendered("kl", toy_study[RUN], "txt").decode() == drawn.alt(drawn.prepare(toy_study[RUN])) + "\n"


def test_what_does_not_move_has_no_gif(toy_study: Study) -> None:
    with pytest.raises(InputError, match="kl is not animated"):
        rendered("kl", toy_study[RUN], "gif")


def test_the_verb_writes_both(toy_study: Study, tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    run = str(toy_study[RUN].path)
    assert latentlab(["figure", "traversals", run, "-o", str(tmp_path / "x.gif")]) == 0
    assert latentlab(["figure", "kl", run, "-o", str(tmp_path / "x.csv")]) == 0
    assert (tmp_path / "x.gif").read_bytes().startswith(b"GIF89a")
    assert (tmp_path / "x.csv").read_text().startswith("dim,index,name,active,")
    assert latentlab(["figure", "kl", run, "-o", str(tmp_path / "y.gif")]) == 2
    assert "is not animated" in capsys.readouterr().err
    assert not (tmp_path / "y.gif").exists()


@pytest.mark.parametrize("preset", sorted(_style.PRESETS))
def test_a_figure_placed_by_hand_is_as_wide_as_the_preset_says(toy_study: Study, preset: str, tmp_path) -> None:
    pdf = export("traversals", toy_study[RUN], tmp_path / "x.pdf", preset=preset).read_bytes()
    box = pdf.split(b"/MediaBox [")[1].split(b"]")[0].split()
    assert float(box[2]) / 72 * 25.4 == pytest.approx(_style.preset(preset).width * 25.4, abs=0.1)
