"""Codes are what the model says, whatever the batch, and are made once."""

from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch

from latentlab.analysis.encode.stage import encode
from latentlab.data import Dataset
from latentlab.errors import InputError, LatentlabError, MissingError
from latentlab.models import encoding, load_model
from latentlab.models.encoding import as_input, distortions, posterior
from latentlab.runs.run import Run
from latentlab.runs.weights import model_hash
from latentlab.system.files import lock, sha256
from latentlab.training.train import train

OPTIONS = {"latent_dim": 3, "steps": 10, "threads": 1}


def noise(rows: int, name: str = "noise") -> Dataset:
    images = np.random.default_rng(0).integers(0, 256, (rows, 1, 4, 4)).astype(np.uint8)
    ids = np.arange(rows, dtype=np.int64) * 2
    return Dataset(name, images.shape, lambda chosen: images[chosen], row_ids=ids, source={"grid": (1, 2)})


@pytest.fixture(scope="module")
def data() -> Dataset:
    return noise(300)


@pytest.fixture(scope="module")
def trained(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("trained")
    return {name: train(data, root / name, objective=name, **OPTIONS).path for name in ("vae", "ae")}


@pytest.fixture
def vae(trained: dict[str, Path], tmp_path: Path) -> Run:
    return Run(copytree(trained["vae"], tmp_path / "vae"))


@pytest.fixture
def ae(trained: dict[str, Path], tmp_path: Path) -> Run:
    return Run(copytree(trained["ae"], tmp_path / "ae"))


def test_codes_are_the_posterior_of_the_model(vae: Run, data: Dataset) -> None:
    codes, model = encode(vae, data), load_model(vae)
    with torch.inference_mode():
        q = model.encode(as_input(model, data[:]))
    np.testing.assert_allclose(codes.mean, q.mean.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(codes.variance, q.variance.numpy(), rtol=1e-5)
    np.testing.assert_array_equal(codes.row_ids, data.row_ids)
    expected = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(dim=1)
    np.testing.assert_allclose(codes.rate, expected.numpy(), rtol=1e-4, atol=1e-5)
    assert codes.provenance["inputs"]["model"] == model_hash(vae)
    assert codes.provenance["label"] == "β = 1"


def test_codes_of_an_autoencoder_have_no_variance(ae: Run, data: Dataset) -> None:
    codes, model = encode(ae, data), load_model(ae)
    assert codes.variance is None
    assert codes.rate is None
    with torch.inference_mode():
        x = as_input(model, data[:])
        expected = -model.decode(model.encode(x).mean).log_prob(x)
    np.testing.assert_allclose(codes.distortion, expected.numpy(), rtol=1e-4)


def test_the_batch_does_not_matter(vae: Run, data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = encode(vae, data)
    for size in (1, 37, 1000):
        monkeypatch.setattr(encoding, "BATCH", size)
        monkeypatch.setattr(encoding, "BLOCK", 2 * size)
        model = load_model(vae)
        mean, variance = posterior(model, data[:])
        np.testing.assert_allclose(mean, whole.mean, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(variance, whole.variance, rtol=1e-5)


def test_done_again_it_does_nothing_again(vae: Run, data: Dataset) -> None:
    encode(vae, data)
    before = vae.codes_path.stat().st_mtime_ns
    encode(vae, data)
    assert vae.codes_path.stat().st_mtime_ns == before
    assert sorted(f.name for f in vae.path.iterdir() if f.name.startswith(".tmp")) == []


@pytest.mark.parametrize("change", ["seed", "distortion", "rows", "weights"])
def test_it_is_made_anew_when_what_it_was_made_of_has_changed(vae: Run, data: Dataset, change: str) -> None:
    encode(vae, data)
    before = vae.codes_path.read_bytes()
    if change == "seed":
        encode(vae, data, seed=1)
    elif change == "distortion":
        encode(vae, data, distortion="none")
    elif change == "rows":
        encode(vae, data.take(slice(0, 100)))
    else:
        train(data, vae.path.with_name("other"), objective="vae", seed=1, **OPTIONS)
        vae.model_path.write_bytes((vae.path.with_name("other") / "model.safetensors").read_bytes())
        encode(vae, data)
    assert vae.codes_path.read_bytes() != before


def test_equal_inputs_give_equal_bytes(vae: Run, data: Dataset) -> None:
    encode(vae, data)
    before = sha256(vae.codes_path)
    vae.codes_path.unlink()
    encode(vae, data)
    assert sha256(vae.codes_path) == before


def test_damaged_codes_are_made_anew(vae: Run, data: Dataset) -> None:
    encode(vae, data)
    content = vae.codes_path.read_bytes()
    vae.codes_path.write_bytes(content[: len(content) // 2])
    assert len(encode(vae, data)) == 300
    assert vae.codes_path.read_bytes() == content


def test_distortion_is_that_of_10_000_rows_of_a_test_split_or_of_all(vae: Run) -> None:
    many = noise(10_050)
    sampled = encode(vae, many).distortion
    assert sampled is not None
    assert np.isfinite(sampled).sum() == 10_000
    everything = encode(vae, many, distortion="all").distortion
    assert np.isfinite(everything).all()
    published = replace(many, splits={"train": range(10), "test": range(10, 10_050)})
    test = encode(vae, published)
    assert len(test) == 10_040
    assert np.isfinite(test.distortion).all()
    assert encode(vae, many, distortion="none").distortion is None
    assert len(encode(vae, published, split="train")) == 10


def test_distortion_is_fixed_by_its_seed_and_right_on_average(vae: Run, data: Dataset) -> None:
    model, images = load_model(vae), data[:20]
    np.testing.assert_array_equal(distortions(model, images, seed=3), distortions(model, images, seed=3))
    assert (distortions(model, images, seed=3) != distortions(model, images, seed=4)).any()
    state = torch.random.get_rng_state()
    many = np.mean([distortions(model, images, seed=seed) for seed in range(200)], axis=0)
    assert torch.equal(state, torch.random.get_rng_state()), "the caller's random numbers are left alone"
    with torch.inference_mode():
        x = as_input(model, images)
        draws = model.encode(x).rsample(torch.Size([2000]))
        expected = -torch.stack([model.decode(z).log_prob(x) for z in draws]).mean(dim=0)
    np.testing.assert_allclose(many, expected.numpy(), rtol=0.02)


def test_what_is_refused(vae: Run, data: Dataset) -> None:
    other = Dataset("large", (5, 1, 8, 8), lambda rows: np.zeros((len(rows), 1, 8, 8), np.uint8))
    with pytest.raises(InputError, match=r"large has images 1×8×8, but .* trained on images 1×4×4; choose other"):
        encode(vae, other)
    with pytest.raises(InputError, match="has no split 'test'"):
        encode(vae, data, split="test")
    with lock(vae.path), pytest.raises(LatentlabError, match="being written by another process"):
        encode(vae, data)
    assert not vae.codes_path.exists()
    with pytest.raises(MissingError, match="noise, the data of vae, were not found; name them with --data"):
        encode(vae)
