"""What a dimension does: exact derivatives, and laws of straightness, area and strength."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from tiny import model
from torch import nn

from latentlab.analysis.encode.stage import encode
from latentlab.analysis.explain.compute import jacobian, measure
from latentlab.analysis.explain.record import Effects, load_effects, save_effects, straightness
from latentlab.analysis.explain.stage import explain
from latentlab.analysis.explain.table import explained, feature_names
from latentlab.cli import run as cli
from latentlab.codes.codes import Codes
from latentlab.data import Dataset, Factor, Form
from latentlab.errors import InputError
from latentlab.models import Autoencoder
from latentlab.models.counted import CountLikelihood
from latentlab.models.likelihoods import BernoulliLikelihood, GaussianLikelihood
from latentlab.training.train import train


def linear(weights: np.ndarray, scale: float = 1.0) -> Autoencoder:
    """A decoder x = W (scale · z), pixels in a square; (d, h·w) weights."""
    d, pixels = weights.shape
    layer = nn.Linear(d, pixels, bias=False)
    layer.weight.data = torch.tensor(weights.T * scale, dtype=torch.float32)
    side = int(pixels**0.5)
    decoder = nn.Sequential(layer, nn.Unflatten(1, (1, side, side)))
    return Autoencoder(nn.Flatten(), decoder, GaussianLikelihood(1.0, learned=False), d)


def codes_of(d: int, n: int = 200, scale: float = 1.0) -> Codes:
    mean = np.random.default_rng(0).normal(size=(n, d)) * scale
    return Codes(mean.astype("f4"), np.full((n, d), 0.1, "f4"))


@pytest.mark.parametrize("likelihood", [GaussianLikelihood(1.0, learned=False), BernoulliLikelihood()])
def test_the_jacobian_is_that_of_finite_differences(likelihood):
    made = model().double()
    made.likelihood = likelihood
    z = np.random.default_rng(0).normal(size=(5, 3)).astype("f4")

    def mean(at: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return made.likelihood(made.decoder(torch.from_numpy(at).double())).mean.numpy()

    made.float()
    found = jacobian(made, z)
    made.double()
    assert found.shape == (5, 3, 1, 4, 4)
    for j in range(3):
        step = np.zeros((1, 3))
        step[0, j] = 1e-5
        expected = (mean(z.astype(float) + step) - mean(z.astype(float) - step)) / 2e-5
        np.testing.assert_allclose(found[:, j], expected, atol=2e-6)


def test_an_identity_decoder_gives_each_dimension_its_pixel():
    found = measure(linear(np.eye(4)), codes_of(4), rows=8, steps=5)
    spread = codes_of(4).mean.std(axis=0)
    np.testing.assert_allclose(found.local.reshape(4, 4), np.diag(spread), rtol=1e-5)
    np.testing.assert_allclose(found.area, 1 / 4)
    np.testing.assert_allclose(found.straightness, 1, rtol=1e-6)
    np.testing.assert_allclose(found.strength, spread / 2, rtol=1e-5)


def test_a_constant_decoder_does_nothing_and_has_no_path():
    found = measure(linear(np.zeros((2, 9))), codes_of(2), rows=4, steps=5)
    assert not found.local.any()
    assert not found.strength.any()
    assert not found.changed.any()
    assert np.isnan(found.straightness).all()
    assert np.isnan(found.area).all()


def test_the_free_scale_of_a_code_changes_nothing():
    weights = np.random.default_rng(1).normal(size=(3, 16))
    one = measure(linear(weights), codes_of(3), rows=8, steps=5)
    other = measure(linear(weights, scale=1 / 64), codes_of(3, scale=64), rows=8, steps=5)
    for name in ("local", "strength", "changed", "straightness"):
        np.testing.assert_allclose(getattr(other, name), getattr(one, name), rtol=1e-4)


def test_a_rotation_keeps_the_sum_of_squares():
    """Of an isotropic code: strength is shared out anew, not made."""
    weights = np.random.default_rng(1).normal(size=(3, 16))
    z = codes_of(3, n=5000).mean
    z = ((z - z.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(z.T))).T).astype("f4")
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
    one = measure(linear(weights), Codes(z), rows=4, steps=5)
    other = measure(linear(turn.T @ weights), Codes((z @ turn).astype("f4")), rows=4, steps=5)
    assert (other.strength**2).sum() == pytest.approx((one.strength**2).sum(), rel=1e-3)


def test_straightness_of_known_paths():
    angle = np.linspace(0, np.pi, 1001)
    assert straightness(np.column_stack([np.cos(angle), np.sin(angle)])) == pytest.approx(2 / np.pi, rel=1e-5)
    assert straightness(np.linspace([0, 0], [3, 4], 7)) == pytest.approx(1)
    assert np.isnan(straightness(np.ones((5, 3))))
    assert straightness(np.array([[0.0], [1.0], [0.0]])) == 0


def test_changed_counts_back_and_forth():
    """A path over ±q of a linear decoder changes each pixel by its weight times the range."""
    weights = np.array([[1.0, -2.0, 0.0, 0.5]])
    codes = codes_of(1, n=4000)
    found = measure(linear(weights), codes, rows=3, steps=9)
    low, high = np.quantile(codes.mean[:, 0], [0.025, 0.975])
    np.testing.assert_allclose(found.changed.ravel(), np.abs(weights[0]) * (high - low), rtol=1e-5)


def test_effects_survive_their_file(tmp_path):
    found = measure(model(), codes_of(3), rows=3, steps=4)
    save_effects(tmp_path / "effects.h5", found, {"model": "x"})
    again = load_effects(tmp_path / "effects.h5")
    for name in ("local", "strength", "changed", "straightness"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
    assert again.settings == found.settings
    assert len(again.settings["rows"]) == 3


def test_wrong_input_is_refused():
    with pytest.raises(InputError, match="at least two steps"):
        straightness(np.zeros((1, 3)))
    with pytest.raises(InputError, match="expected at least 2, 1 and 3"):
        measure(model(), codes_of(3), steps=2)
    assert isinstance(measure(model(), codes_of(3), rows=2, steps=3), Effects)


class Attending(nn.Module):
    """A decoder with self-attention over four tokens, as transformers have it."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.kind, self.latent_dim = kind, 3
        self.tokens, self.out = nn.Linear(3, 32), nn.Linear(32, 16)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)

    def decode(self, z: torch.Tensor) -> torch.distributions.Distribution:
        x = self.tokens(z).unflatten(1, (4, 8))
        if self.kind == "attention":
            x = self.attention(x, x, x, need_weights=False)[0]
        elif self.kind == "scaled dot product":
            x = nn.functional.scaled_dot_product_attention(x, x, x)
        else:
            x = self.layer(x)
        mean = self.out(x.flatten(1)).sigmoid().unflatten(1, (1, 4, 4))
        return torch.distributions.Independent(torch.distributions.Bernoulli(mean, validate_args=False), 3)


class Once(torch.autograd.Function):
    """x², whose derivative torch may not differentiate again."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):
        return 2 * ctx.saved_tensors[0] * grad


class OnceDecoder(Attending):
    def decode(self, z: torch.Tensor) -> torch.distributions.Distribution:
        mean = Once.apply(self.out(self.tokens(z))).unflatten(1, (1, 4, 4))
        return torch.distributions.Independent(torch.distributions.Normal(mean, 1.0), 3)


class Gradless(OnceDecoder):
    @torch.no_grad()
    def decode(self, z: torch.Tensor) -> torch.distributions.Distribution:
        return super().decode(z)


@pytest.mark.parametrize(
    "decoder",
    [Attending("attention"), Attending("scaled dot product"), Attending("layer"), OnceDecoder(""), Gradless("")],
    ids=["attention", "scaled-dot-product", "layer", "once-differentiable", "without-gradients"],
)
def test_any_decoder_has_a_jacobian(decoder):
    decoder.eval()
    z = np.random.default_rng(0).normal(size=(5, 3)).astype("f4")
    found = jacobian(decoder, z)
    wide = decoder.double()
    with torch.no_grad():
        for j in range(3):
            step = torch.eye(3, dtype=torch.float64)[j] * 1e-5
            at = torch.from_numpy(z).double()
            expected = (wide.decode(at + step).mean - wide.decode(at - step).mean) / 2e-5
            np.testing.assert_allclose(found[:, j], expected.numpy(), rtol=1e-2, atol=2e-4)
    assert found.any()


def test_an_error_of_the_decoder_itself_is_not_taken_for_a_missing_derivative():
    class Broken(Attending):
        def decode(self, z: torch.Tensor) -> torch.distributions.Distribution:
            raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        jacobian(Broken(""), np.zeros((2, 3), "f4"))


def counted(weights: np.ndarray) -> Autoencoder:
    """A decoder of counts whose log-proportions are linear in the code: (d, features) weights."""
    d, features = weights.shape
    form = Form("counts", (features,), stored="int32", names=tuple("ABCDEFGH"[:features]), library=1e6)
    layer = nn.Linear(d, features, bias=False)
    layer.weight.data = torch.tensor(weights.T, dtype=torch.float32)
    return Autoencoder(nn.Linear(features, d), layer, CountLikelihood(form, dispersed=False), d, form)


def test_a_fold_is_the_difference_of_logarithms():
    """A softmax of linear logits: log₂ of the ratio of two proportions moves by weight × range / log 2, exactly."""
    weights = np.array([[1.0, -2.0, 0.0, 0.5]])
    codes = codes_of(1, n=4000)
    found = measure(counted(weights), codes, rows=5, steps=9)
    low, high = np.quantile(codes.mean[:, 0], [0.025, 0.975])
    assert found.shift is not None
    effect = found.shift[0, 0]
    np.testing.assert_allclose(effect - effect[2], weights[0] * (high - low) / np.log(2), rtol=1e-3)
    assert effect[1] == effect.min()
    assert effect[0] == effect.max()


def test_values_change_in_their_own_units():
    form = Form("table", (4,), offset=(0.0, 5.0, 0.0, 0.0), scale=(1.0, 100.0, 1.0, 1.0), names=tuple("abcd"))
    weights = np.array([[1.0, -1.0, 0.0, 0.5]])
    made = linear(weights)
    made.decoder, made.form = made.decoder[0], form
    codes = codes_of(1, n=4000)
    found = measure(made, codes, rows=5, steps=9)
    low, high = np.quantile(codes.mean[:, 0], [0.025, 0.975])
    np.testing.assert_allclose(found.shift[0, 0], weights[0] * [1, 100, 1, 1] * (high - low), rtol=1e-4)
    np.testing.assert_allclose(found.shift[1], found.shift[2], rtol=1e-3)  # a straight path: the same around each code
    assert found.local.shape == (1, 4)


def test_images_and_older_files_have_no_signed_effects(tmp_path):
    found = measure(model(), codes_of(3), rows=3, steps=4)
    assert found.shift is found.typical is None
    save_effects(tmp_path / "effects.h5", found, {})
    assert load_effects(tmp_path / "effects.h5").shift is None


def test_signed_effects_survive_their_file(tmp_path):
    found = measure(counted(np.eye(2, 5)), codes_of(2), rows=3, steps=4)
    save_effects(tmp_path / "effects.h5", found, {})
    again = load_effects(tmp_path / "effects.h5")
    np.testing.assert_array_equal(again.shift, found.shift)
    np.testing.assert_array_equal(again.typical, found.typical)
    with pytest.raises(InputError, match="shift is"):
        replace(found, typical=None)


def test_the_interval_covers_the_mean_over_all_codes():
    """The whole procedure again with other seeds: 95 % of the intervals hold what all codes would give."""
    rng = np.random.default_rng(3)
    made = Autoencoder(
        nn.Flatten(),
        nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 6)),
        CountLikelihood(Form("counts", (6,), stored="int32", library=600.0), dispersed=False),
        2,
        Form("counts", (6,), stored="int32", library=600.0),
    )
    for parameter in made.parameters():
        parameter.data = torch.tensor(rng.normal(size=parameter.shape), dtype=torch.float32)
    codes = codes_of(2, n=1000)
    truth = measure(made, codes, rows=1000, steps=3).shift[0]
    inside = [
        (low <= truth) & (truth <= high)
        for _, low, high in (measure(made, codes, rows=24, steps=3, seed=seed).shift for seed in range(60))
    ]
    assert 0.9 < np.mean(inside) <= 1


def counts_run(tmp_path):
    """A run whose first feature follows a factor and whose last one goes the other way."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=300)
    values = rng.poisson(np.exp(np.outer(z, [1.0, 0, 0, 0, -1.0]) + 3))
    form = Form("counts", (5,), stored="int32", names=("UP", "=CMD()", "b", "c", "DOWN"))
    data = Dataset(
        "cells", values.shape, lambda rows: values[rows], z[:, None], (Factor("z", "continuous"),), form=form
    )
    run = train(data, tmp_path / "run", steps=400, beta=1, latent_dim=2, threads=1, batch_size=32)
    encode(run, data)
    return run


def test_the_list_of_features_names_what_goes_up_and_down(tmp_path):
    run = counts_run(tmp_path)
    out = tmp_path / "genes.csv"
    assert cli(["explain", str(run.path), "--out", str(out), "--top", "2", "--rows", "8", "--steps", "5", "-q"]) == 0
    table = pd.read_csv(out)
    first = table[table["dim"] == table["dim"][0]]
    assert set(first.groupby("direction")["feature"].first()) == {"UP", "DOWN"}
    assert (first["unit"] == "log2 fold").all()
    assert (table["effect_low"] <= table["effect"]).all()
    assert (table["effect"] <= table["effect_high"]).all()
    assert table.groupby(["dim", "direction"])["rank"].max().max() <= 2
    assert not table["feature"].str.startswith("=").any()
    row = explained(run, explain(run, rows=8, steps=5)).iloc[0]
    assert {row["up"].split(", ")[0], row["down"].split(", ")[0]} == {"UP", "DOWN"}
    assert cli(["explain", str(run.path), "--top", "2"]) == 2


def test_features_of_signals_are_named_by_their_place():
    form = Form("signal", (2, 3), names=("red", "blue"), axis=(400.0, 500.0, 600.5), axis_unit="nm")
    assert feature_names(form)[:4] == ["red, 400 nm", "red, 500 nm", "red, 600.5 nm", "blue, 400 nm"]
    assert feature_names(Form("signal", (1, 2))) == ["0", "1"]
    assert feature_names(Form("table", (2,))) == ["feature 0", "feature 1"]


def test_features_of_images_are_refused_before_anything_is_measured(tmp_path, monkeypatch, capsys):
    for name in ("a", "b"):
        encode(train("digits", tmp_path / "study" / name, steps=2, latent_dim=2, threads=1))
    monkeypatch.setattr("latentlab.analysis.explain.stage.kept", lambda *_: pytest.fail("it was measured"))
    for given in (tmp_path / "study", tmp_path / "study" / "a"):
        assert cli(["explain", str(given), "--out", str(tmp_path / "x.csv")]) in (1, 2)
        told = capsys.readouterr()
        for line in told.err.splitlines():
            assert line.count(str(tmp_path)) == 1
            assert "the effects of images are maps, so no features" in line
        assert not told.out
    assert not (tmp_path / "x.csv").exists()
