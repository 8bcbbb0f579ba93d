"""Directions that no axis names: eigenvectors of what is known, found in any decoder, drawn for any run."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import latentlab as ll
from latentlab.codes.codes import Codes
from latentlab.codes.directions import along, of_codes, of_weights
from latentlab.errors import InputError
from latentlab.models.first_layer import first_weights
from latentlab.models.live import live
from latentlab.system.registry import load


def test_codes_along_a_line_have_its_direction_first() -> None:
    rng = np.random.default_rng(0)
    u = np.array([0.6, 0.0, -0.8])
    codes = Codes((rng.normal(size=(500, 1)) * 3 * u + rng.normal(size=(500, 3)) * 0.01 + 5).astype("f4"))
    found = of_codes(codes)
    np.testing.assert_allclose(found.vectors[0], -u, atol=0.01)  # the largest part points up
    np.testing.assert_allclose(found.vectors @ found.vectors.T, np.eye(3), atol=1e-9)
    assert found.share[0] > 0.999
    assert found.share.sum() == pytest.approx(1)
    way = along(codes, found.vectors[0], np.zeros(3), 5)
    np.testing.assert_allclose(np.linalg.norm(way[[0, -1]], axis=1), 6, rtol=0.1)
    assert np.allclose(way[2], 0)


def test_directions_turn_with_the_codes() -> None:
    rng = np.random.default_rng(1)
    z, turn = rng.normal(size=(200, 4)) * [4, 3, 2, 1], np.linalg.qr(rng.normal(size=(4, 4)))[0]
    plain, turned = of_codes(Codes(z.astype("f4"))), of_codes(Codes((z @ turn).astype("f4")))
    np.testing.assert_allclose(np.abs((plain.vectors @ turn * turned.vectors).sum(axis=1)), 1, atol=1e-4)


class Generator(nn.Module):
    """A DCGAN's: the code is an image of one pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Linear(7, 7)
        self.first, self.last = nn.ConvTranspose2d(5, 6, 4), nn.ConvTranspose2d(6, 1, 4, 2, 1)

    def forward(self, z: Tensor) -> Tensor:
        return (self.last(self.first(z[:, :, None, None]).relu()).tanh() + 1) / 2


def test_the_first_layer_is_the_one_that_a_code_meets_first() -> None:
    model = ll.wrap(None, Generator(), latent_dim=5)
    weights = first_weights(model)
    assert weights.shape == (6 * 16, 5)
    # The layer is linear: its answer to a code is A z, place by place.
    z = torch.randn(5)
    answer = torch.conv_transpose2d(z[None, :, None, None], model.get_submodule("decoder.first").weight)
    torch.testing.assert_close(weights @ z, answer.flatten(), rtol=1e-4, atol=1e-5)
    linear = ll.wrap(nn.Flatten(), nn.Sequential(nn.Linear(3, 64), nn.Unflatten(1, (1, 8, 8))), latent_dim=3)
    assert torch.equal(first_weights(linear), linear.get_submodule("decoder.0").weight)
    with pytest.raises(InputError, match="has no such layer"):
        first_weights(ll.wrap(nn.Linear(64, 64), nn.Unflatten(1, (1, 8, 8)), latent_dim=64))
    with pytest.raises(InputError, match="takes 8 inputs, not 64"):
        first_weights(ll.wrap(None, nn.Sequential(nn.Unflatten(1, (1, 8, 8)), nn.Linear(8, 8)), latent_dim=64))


def test_the_first_layer_answers_most_along_the_first_direction() -> None:
    weights = np.random.default_rng(2).normal(size=(20, 5)) * [1, 5, 1, 1, 1]
    found = of_weights(weights)
    answers = np.linalg.norm(weights @ found.vectors.T, axis=0)
    assert (np.diff(answers) < 0).all()
    np.testing.assert_allclose(found.share, answers**2 / (answers**2).sum())


def generator_in_ten_lines(out: Path) -> None:
    model = ll.wrap(decoder=Generator(), latent_dim=5)
    run = ll.import_model(model, out / "gan")
    ll.analyze(run, only=["encode", "traverse"], adapter=model)
    decoder = ll.live(run, model)
    ll.figures.traversals(run)
    ll.figures.interpolation(run, model=decoder)
    ll.figures.directions(run, model=decoder)
    ll.figures.samples(run, model=decoder)


def test_a_gan_s_generator_takes_ten_lines(tmp_path: Path) -> None:
    """Traversals, ways between random points, directions by its first layer's weights, and samples."""
    import inspect

    assert len(inspect.getsource(generator_in_ten_lines).strip().splitlines()) <= 10
    generator_in_ten_lines(tmp_path)
    run = ll.Run(tmp_path / "gan")
    assert (run.config.form.shape, run.config.rows, run.encodes) == ((1, 8, 8), 0, False)
    assert set(run.decodings()) == {"traversals-prior", "traversals-aggregate"}


def test_the_figure_of_directions(tmp_path: Path) -> None:
    run = ll.train("digits", tmp_path / "run", steps=2, latent_dim=3)
    ll.analyze(run, only=["encode"])
    model = live(run)
    directions = load("figures", "directions")

    shown = directions.prepare(run, model=model, by="codes", steps=5)
    assert shown.cells.shape[:2] == (3, 5)
    codes = np.asarray(shown.codes).reshape(3, 5, 3)
    np.testing.assert_allclose(codes[:, 2], np.tile(run.codes().mean.mean(axis=0), (3, 1)), atol=1e-5)
    table = directions.numbers(directions.prepare(run, model=model, by="weights", top=2, row=7))
    assert list(table.columns) == ["direction", "sd", "z0", "z1", "z2"]
    np.testing.assert_allclose(table[table.sd == 0].iloc[0, 2:].astype(float), run.codes().mean[7], atol=1e-6)
    for options, message in (
        ({"by": "labels"}, "no kind of directions"),
        ({"steps": 1}, "steps is 1"),
        ({"row": -1}, "no row"),
    ):
        with pytest.raises(InputError, match=message):
            directions.prepare(run, model=model, **options)  # type: ignore[arg-type]
