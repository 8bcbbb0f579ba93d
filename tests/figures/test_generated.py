"""Figures that decode anew show what the model made of just the codes they say, in both renderers."""

import numpy as np
import pytest
from pictures import pixels_of
from scipy.stats import norm
from toy import ToyModel, picture

from latentlab.codes.decodings import Decodings
from latentlab.codes.directions import attribute
from latentlab.codes.draws import SOURCES, samples
from latentlab.data import Dataset
from latentlab.errors import InputError
from latentlab.figures import _style, draw, rendered
from latentlab.models.live import live
from latentlab.runs.run import Run
from latentlab.runs.study import Study
from latentlab.system.registry import load
from latentlab.training.train import train


@pytest.fixture
def run(toy_study: Study) -> Run:
    return toy_study["beta-4-seed-0"]


def shown(kind: str, run: Run, model: object = None, **options: object) -> object:
    """The prepared data, where both renderers show the same pixels."""
    module = load("figures", kind)
    data = module.prepare(run, model=model or ToyModel(), **options)
    with _style.rendering(8):
        screen, paper = module.interactive(data), module.static(data, "neurips")
    np.testing.assert_array_equal(pixels_of(screen.data[0].source), data.picture)
    np.testing.assert_array_equal(paper.axes[0].images[0].get_array(), data.picture)
    return data


def test_samples_are_draws_from_each_source_in_turn(run: Run) -> None:
    data = shown("samples", run, count=5, seed=3)
    assert data.cells.shape == (3, 5, 16, 16, 4)
    for row, source in zip(data.cells, SOURCES, strict=True):
        expected = ToyModel().decode(samples(run.codes(), source, 5, 3))
        np.testing.assert_array_equal(row[..., 0], expected[:, 0])
    padded = shown("samples", run, source="prior", count=14)
    assert padded.labels == ("prior N(0, I)", "")
    assert not padded.cells[1, 2:].any()


def test_an_interpolation_ends_at_its_rows_and_fades_what_leaves_the_data(run: Run) -> None:
    data = shown("interpolation", run, a=5, b=700, steps=5)
    assert data.labels == ("linear", "spherical")
    mean = run.codes().mean
    for row in data.cells:
        np.testing.assert_array_equal(row[0, ..., 0], picture(mean[5])[0])
        np.testing.assert_array_equal(row[-1, ..., 0], picture(mean[700])[0])
        assert (row[[0, -1], ..., 3] == 255).all()
    assert shown("interpolation", run, a=5, b=700, way="spherical").labels == ("spherical",)
    with pytest.raises(InputError, match="no way is called 'bent'"):
        shown("interpolation", run, way="bent")


def test_the_manifold_shows_the_two_dimensions_it_names(run: Run) -> None:
    data = shown("manifold", run, x=1, y=0, steps=4)
    quantiles = norm.ppf([0.125, 0.375, 0.625, 0.875])
    np.testing.assert_allclose(data.across, quantiles, atol=1e-6)
    np.testing.assert_array_equal(data.cells[0, 3, ..., 0], picture(np.array([quantiles[3], quantiles[3], 0, 0]))[0])
    np.testing.assert_array_equal(data.cells[3, 2, ..., 0], picture(np.array([quantiles[0], quantiles[2], 0, 0]))[0])
    assert data.axes == ("z1", "z0")
    moved = shown("manifold", run, x=1, y=0, steps=4, row=100).cells
    assert (moved != data.cells).any(), "another row, another value of z2"


def test_an_attribute_vector_is_that_of_the_groups_it_names(run: Run) -> None:
    data = shown("attribute", run, of="shape=heart", against="shape=square", row=100, steps=3)
    factors = run.codes().factors
    found = attribute(run.codes(), np.flatnonzero(factors[:, 0] == 2), np.flatnonzero(factors[:, 0] == 0))
    assert data.dims[0] == "z2", "the toy's z2 is the shape"
    np.testing.assert_allclose(data.values[0], found.vector[2])
    code = run.codes().mean[100]
    for cell, shift in zip(data.cells[0], (-1.5, 0, 1.5), strict=True):
        np.testing.assert_array_equal(cell[..., 0], picture(code + shift * found.vector)[0])
    fig = draw("attribute", run, model=ToyModel(), of="shape=heart", against="shape=square")
    np.testing.assert_allclose(fig.data[1].error_y.array, data.half)
    for of, why in (
        ("smile=1", "no varying factor"),
        ("rare", "there is no selection called"),
        ("99999", "no row has"),
    ):
        with pytest.raises(InputError, match=why):
            shown("attribute", run, of=of)


def test_what_decodes_anew_needs_a_model(run: Run) -> None:
    with pytest.raises(InputError, match=r"needs the model, as in model=ll\.live"):
        draw("manifold", run)
    with pytest.raises(InputError, match="no option 'model'"):
        draw("kl", run, model=ToyModel())


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    from latentlab.analysis.encode.stage import encode
    from latentlab.data import load

    digits = load("digits")
    run = train(digits, tmp_path_factory.mktemp("trained") / "vae", objective="vae", latent_dim=2, steps=30, threads=1)
    encode(run, digits)
    return run


class Recording:
    """A model that fills with white, and keeps what it was asked."""

    def fill(self, images: np.ndarray, hidden: np.ndarray, *, draws: int, seed: int) -> Decodings:
        filled = np.tile(np.where(hidden, 255, images), (draws, 1, 1, 1, 1)).astype(np.uint8)
        return Decodings(filled, np.zeros((draws, len(images), 2), "f4"), images, {"acceptance": [0.5] * len(images)})


def test_filling_shows_image_what_was_given_draws_mean_and_spread(trained: Run) -> None:
    data = shown("filling", trained, Recording(), part="upper", rows=2, draws=3)
    assert data.heads == ("image", "given", "draw 1", "draw 2", "draw 3", "mean", "sd")
    from latentlab.data import load

    ids = [int(label.removeprefix("row ")) for label in data.labels]
    digits: Dataset = load("digits")
    image = digits[np.flatnonzero(np.isin(digits.row_ids, ids))]
    order = np.argsort(ids)
    np.testing.assert_array_equal(data.cells[order, 0, ..., 0], image[:, 0])
    h = image.shape[2] // 2
    assert (data.cells[:, 1, :h, :, 0] == 128).all()
    assert (data.cells[:, 2:6, :h, :, 0] == 255).all()
    np.testing.assert_array_equal(data.cells[:, 5, h:, :, 0], data.cells[:, 0, h:, :, 0])
    assert not data.cells[:, 6, ..., 0].any()


def test_filling_shows_an_objective_of_any_name(trained: Run) -> None:
    run = Run(trained.path)
    objective = {"name": "<u>x</u>%{y}"}
    run.__dict__["config"] = run.config.model_copy(update={"objective": objective})
    assert "&lt;u&gt;x&lt;/u&gt;%&#123;y}" in draw("filling", run, model=Recording(), rows=1, draws=2).layout.title.text
    assert b"<svg" in rendered("filling", run, "svg", model=Recording(), rows=1, draws=2)


def test_the_runs_own_model_draws_them_all(trained: Run) -> None:
    model = live(trained)
    for kind in ("samples", "manifold", "interpolation", "attribute"):
        shown(kind, trained, model)
    filled = shown("filling", trained, model, rows=1, draws=2)
    assert "MCMC acceptance" in filled.subtitle
